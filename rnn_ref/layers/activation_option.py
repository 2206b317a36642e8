"""An option that holds an activation, even when it is set after the layer was made."""

from __future__ import annotations

from collections.abc import Callable

from rnn_ref.layers import activations


class ActivationOption:
    """An attribute that accepts names, functions and None, as ``activations.get`` does.

    Examples
    --------
    >>> from rnn_ref import layers
    >>> dense = layers.Dense(2, activation="softmax")
    >>> dense.activation = None  # the logits, as one does to look at them
    >>> dense.activation
    <activation linear>
    """

    def __init__(self, read: Callable = activations.get):
        self.read = read

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer, owner: type | None = None):
        if layer is None:
            return self
        try:
            return layer.__dict__[self.name]
        except KeyError:
            raise AttributeError(f"{type(layer).__name__} has no {self.name!r}.") from None

    def __set__(self, layer, value) -> None:
        vars(layer)[self.name] = self.read(value, f"{layer.name}: {self.name}")
