"""Initializers: where a weight's initial values come from.

Every initializer is called as `initializer(shape, dtype="float32")` and returns a new array. The random ones
draw in float64 and cast at the end, so that a given seed gives float32 and float64 layers the same weights.

Names, defaults and formulas are those of https://keras.io/api/layers/initializers/. The random numbers are
NumPy's, so that a seed gives different values here than in Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnn_ref.guard import explained
from rnn_ref.layers.initial_constants import Constant, FromArray, Identity, Ones, Zeros
from rnn_ref.layers.initial_random import Orthogonal, RandomNormal, RandomUniform, TruncatedNormal
from rnn_ref.layers.initial_variance import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    compute_fans,  # noqa: F401 - found here, as in Keras
)
from rnn_ref.layers.initializer import Initializer, checked_shape  # noqa: F401
from rnn_ref.names import missing
from rnn_ref.registry import Config, Registry

zeros = Zeros
ones = Ones
constant = Constant
identity = IdentityInitializer = Identity
random_normal = RandomNormal
truncated_normal = TruncatedNormal
random_uniform = RandomUniform
variance_scaling = VarianceScaling
glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal
orthogonal = OrthogonalInitializer = Orthogonal

_registry = Registry(
    "initializer",
    [
        Zeros,
        Ones,
        Constant,
        Identity,
        FromArray,
        RandomNormal,
        TruncatedNormal,
        RandomUniform,
        VarianceScaling,
        GlorotUniform,
        GlorotNormal,
        HeUniform,
        HeNormal,
        LecunUniform,
        LecunNormal,
        Orthogonal,
    ],
    aliases={
        "zero": Zeros,
        "one": Ones,
        "normal": RandomNormal,
        "uniform": RandomUniform,
        "IdentityInitializer": Identity,
        "OrthogonalInitializer": Orthogonal,
    },
)


@explained
def get(identifier: Any) -> Callable | None:
    """Turn whatever a layer accepts as an initializer into one.

    Parameters
    ----------
    identifier : str, dict, type, callable, array or None
        A name ("glorot_uniform" or "GlorotUniform"), a config dict, a class, an initializer, any
        `function(shape, dtype)`, or an array of the weight's own shape.

    Returns
    -------
    callable or None
        `None` for `None`.

    Raises
    ------
    ValueError
        If the name is unknown (the message lists the known ones) or the object cannot be called.

    Examples
    --------
    >>> get("zeros")((2,))
    array([0., 0.], dtype=float32)
    >>> get({"class_name": "Constant", "config": {"value": 2.0}})((2,))
    array([2., 2.], dtype=float32)
    """
    if isinstance(identifier, np.ndarray | np.generic):
        return FromArray(identifier)
    return _registry.get(identifier)


@explained
def serialize(initializer: Callable | None) -> Config | None:
    """Describe an initializer by a dict in Keras's form.

    Examples
    --------
    >>> serialize(Constant(2.0))["config"]
    {'value': 2.0}
    """
    return _registry.serialize(initializer)


@explained
def deserialize(config: Config | str | None, custom_objects: Mapping[str, Callable] | None = None) -> Any:
    """Make the initializer that `serialize`, or Keras, described.

    Parameters
    ----------
    config : dict, str or None
        What `serialize` returned, or a name.
    custom_objects : mapping of str to class or function, optional
        Names that are not the package's own.

    Examples
    --------
    >>> deserialize(serialize(Orthogonal(gain=2.0))).gain
    2.0
    """
    return _registry.deserialize(config, custom_objects)


__getattr__ = missing("initializers")
