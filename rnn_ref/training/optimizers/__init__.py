"""Optimizers: how gradients change weights (https://keras.io/api/optimizers/)."""

from __future__ import annotations

import inspect

from rnn_ref.guard import explained
from rnn_ref.names import missing

from .. import _identifiers
from .._identifiers import serialize
from . import schedules
from .adafactor import Adafactor
from .adagrad import Adadelta, Adagrad
from .adam import Adam, AdamW, Nadam
from .adamax import Adamax
from .base import Optimizer
from .ftrl import Ftrl
from .lamb import Lamb
from .lion import Lion
from .rmsprop import RMSprop
from .sgd import SGD

_CLASSES = (SGD, RMSprop, Adam, AdamW, Adagrad, Adadelta, Adamax, Nadam, Adafactor, Ftrl, Lamb, Lion)
KNOWN = {cls.__name__.lower(): cls for cls in _CLASSES}


@explained
def get(identifier):
    """An optimizer from its name in any case, its config, its class or itself
    (https://keras.io/api/optimizers/).

    >>> type(get("RMSprop")).__name__
    'RMSprop'
    """
    if isinstance(identifier, str):
        identifier = _identifiers.lookup(identifier.lower(), KNOWN, "optimizer")
    elif isinstance(identifier, dict):
        identifier = deserialize(identifier)
    if inspect.isclass(identifier):
        identifier = identifier()
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    raise ValueError(f"An optimizer must be a name, a config or an Optimizer. Received: {identifier!r}")


@explained
def deserialize(config, custom_objects=None):
    """An optimizer from what `serialize` returned.

    >>> deserialize(serialize(SGD(momentum=0.9))).momentum
    0.9
    """
    if isinstance(config, dict) and str(config.get("class_name")).lower() in KNOWN:
        config = {**config, "class_name": config["class_name"].lower()}
    return _identifiers.deserialize(config, KNOWN, "optimizer", custom_objects)


__getattr__ = missing("optimizers")

__all__ = [*(cls.__name__ for cls in _CLASSES), "Optimizer", "deserialize", "get", "schedules", "serialize"]
