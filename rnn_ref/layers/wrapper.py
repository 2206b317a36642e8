"""Wrapper: a layer around another layer."""

from __future__ import annotations

import inspect

import numpy as np

from rnn_ref.custom_objects import UnknownObject, find, get_registered_name
from rnn_ref.device import to_numpy
from rnn_ref.guard import explained
from rnn_ref.layers.layer import Layer
from rnn_ref.layers.sharing import note, once
from rnn_ref.layers.symbolic import entries
from rnn_ref.layers.written_source import KEY, asked_for, check_source, source_of


class Wrapper(Layer):
    """Base class of layers that wrap one other layer.

    The weights are those of the wrapped layer, under its name.

    Parameters
    ----------
    layer : Layer
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/recurrent_layers/
    """

    def __init__(self, layer, **layer_options):
        if not isinstance(layer, Layer):
            raise ValueError(f"{type(self).__name__} takes a layer, got {layer!r}.")
        super().__init__(**({"dtype": layer.dtype} | layer_options))
        self.layer = layer

    def build(self, input_shape) -> None:
        self.layer.ensure_built(input_shape)

    def sublayers(self) -> list[Layer]:
        return list(dict.fromkeys([self.layer, *super().sublayers()]))

    def get_config(self) -> dict:
        return super().get_config() | {"layer": describe(self.layer)}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None):
        config = dict(config)
        return super().from_config(config | {"layer": layer_from(config["layer"], custom_objects)})


def refuse_own_mask(outer, inner, x, mask, handed_on) -> None:
    """Refuse a user's ``compute_mask`` that differs from what the wrapper does, which never calls it."""
    if type(inner).compute_mask.__module__.startswith("rnn_ref."):
        return
    answers, expected = entries(inner.compute_mask(x, mask)), entries(handed_on)
    same = len(answers) == len(expected) and all(
        a is b or (a is not None and b is not None and np.array_equal(to_numpy(a), to_numpy(b)))
        for a, b in zip(answers, expected)
    )
    if not same:
        raise NotImplementedError(
            f"{outer.name}: compute_mask of {type(inner).__name__}, inside, gives another mask than "
            f"{type(outer).__name__} hands on. Override compute_mask in a subclass of {type(outer).__name__} instead."
        )


@explained
def describe(layer) -> dict:
    """Class and config in Keras 3's form, for :func:`layer_from`."""
    return note(layer, class_entry(type(layer)) | {"config": layer.get_config()})


def class_entry(kind: type) -> dict:
    """A class in Keras 3's form: Keras's own classes by module, those of users by their registered name."""
    from rnn_ref import layers as known

    name = kind.__name__
    places = {"Sequential": ("keras", None), "Functional": ("keras.src.models.functional", "Functional")}
    if vars(known).get(name) is kind:
        module, registered = "keras.layers", None
    elif kind.__module__.startswith("rnn_ref.models.") and name in places:
        module, registered = places[name]
    else:
        module, registered = kind.__module__, get_registered_name(kind)
    entry = {"module": module, "class_name": name, "config": {}, "registered_name": registered}
    equations = source_of(kind)
    return entry if equations is None else entry | {KEY: equations}


@explained
def layer_from(entry, custom_objects: dict | None = None):
    """The layer that :func:`describe` described; a layer is returned as it is."""
    if isinstance(entry, Layer):
        return entry
    found = class_of(entry, custom_objects, "layer")
    if custom_objects and "custom_objects" in inspect.signature(found.from_config).parameters:
        return once(entry, lambda: found.from_config(entry["config"], custom_objects=custom_objects))
    return once(entry, lambda: found.from_config(entry["config"]))


def class_of(entry, custom_objects: dict | None, kind: str) -> type:
    """The class that a description names: a user's, or a layer or model of the package, and nothing else.

    Raises
    ------
    UnknownObject
        If there is none.
    """
    from rnn_ref import layers as known
    from rnn_ref import models
    from rnn_ref.layers.operators import Operator

    if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
        raise ValueError(f"a {kind} is described by a dict with class_name and config; got {entry!r:.100}.")
    name = entry["class_name"]
    found = find(name, custom_objects, entry.get("registered_name"))
    if found is None and str(entry.get("module")).startswith("rnn_ref.zoo"):
        found = _of_the_zoo(name)
    if found is not None:
        check_source(found, entry)
        return found
    own = vars(known).get(name) or {"Operator": Operator}.get(name) or getattr(models, name, None)
    # Nothing else in these modules (functions, modules, typing) is a layer.
    if not inspect.isclass(own) or not issubclass(own, Layer) or own is Layer:
        raise UnknownObject(
            f"unknown {kind} {name!r}: pass custom_objects={{{name!r}: <its class>}} to from_config.{asked_for(entry)}"
        )
    return own


def _of_the_zoo(name: str) -> type | None:
    """A published cell, or its layer."""
    from rnn_ref import zoo

    kinds = [vars(zoo)[each] for each in zoo.__all__]
    return {kind.__name__: kind for kind in [*kinds, *(kind.Cell for kind in kinds)]}.get(name)
