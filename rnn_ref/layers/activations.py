"""Activations on arrays, by name; the equations are in :mod:`rnn_ref.equations.activations`."""

from __future__ import annotations

import difflib

import numpy as np

from rnn_ref.device import xp
from rnn_ref.equations import activations as equations
from rnn_ref.layers.targets import kernels
from rnn_ref.names import missing


class Activation:
    """A named activation: call it on an array.

    Attributes
    ----------
    name : str
    code : int or None
        How kernels know it; None for softmax, which couples the units of a row.
    """

    def __init__(self, name: str):
        self.name = self.__name__ = name
        self.code = equations.CODES.get(name)

    def __call__(self, z) -> np.ndarray:
        """``a = f(z)``."""
        z = xp.asarray(z)
        if z.dtype.kind != "f":
            z = z.astype("float32")
        if self.name == "linear":
            return z
        if self.code is None:
            return equations.softmax(z)
        return kernels("pointwise").activate(z, self.code)

    def gradient(self, z, a, da) -> np.ndarray:
        """dL/dz from ``z``, ``a = f(z)`` and dL/da."""
        if self.name == "linear":
            return da
        if self.code is None:
            return equations.d_softmax(a, da)
        return kernels("pointwise").d_activate(z, a, da, self.code)

    def __repr__(self):
        return f"<activation {self.name}>"


ALL = {name: Activation(name) for name in (*equations.CODES, "softmax")}
ALIASES = {"swish": "silu", "hard_sigmoid_tfjs": "hard_sigmoid_legacy"}
globals().update(ALL)
swish = ALL["silu"]


def get(identifier, where: str = "activation") -> Activation:
    """The activation of a name; None is linear.

    Examples
    --------
    >>> from rnn_ref import activations
    >>> activations.get("relu")([-1.0, 2.0])
    array([0., 2.])
    """
    if identifier is None:
        return ALL["linear"]
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, str):
        name = ALIASES.get(identifier, identifier)
        if name in ALL:
            return ALL[name]
        near = difflib.get_close_matches(identifier, ALL, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{where}: unknown activation {identifier!r}.{hint} Known: {', '.join(sorted(ALL))}.")
    raise TypeError(
        f"{where}: an activation is given by name, got {identifier!r}. A Python function cannot run inside "
        f"the compiled kernels. Known: {', '.join(sorted(ALL))}."
    )


def get_pointwise(identifier, where: str) -> Activation:
    """An activation that works on one number, as a recurrent cell needs."""
    activation = get(identifier, where)
    if activation.code is None:
        raise ValueError(f"{where}: softmax couples the units of a row and cannot be used inside a recurrent cell.")
    return activation


def serialize(activation: Activation) -> str:
    """The name of an activation."""
    return get(activation).name


deserialize = get

__getattr__ = missing("activations")
