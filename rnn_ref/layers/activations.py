"""Activations on arrays, by name; the equations are in :mod:`rnn_ref.equations`.

``activations.relu(x)`` applies ``relu`` to an array; ``activations.relu(x, max_value=6)`` takes Keras's options. A
layer takes an activation by its name, as itself (``activations.relu``), with options as
``functools.partial(activations.relu, max_value=6)``, or as a Python function, which autograd differentiates.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from typing import ClassVar

import numpy as np

from rnn_ref import checks
from rnn_ref import custom_objects as own_objects
from rnn_ref.device import device, to_numpy, xp
from rnn_ref.equations import activations as equations
from rnn_ref.equations import rows, with_options
from rnn_ref.guard import explained
from rnn_ref.layers.activation_formulas import FORMULAS
from rnn_ref.layers.symbolic import Tensor
from rnn_ref.layers.targets import kernels
from rnn_ref.names import missing
from rnn_ref.registry import is_copying


class Activation:
    """A named activation: call it on an array.

    Attributes
    ----------
    name : str
    code : int or None
        Its code in the kernels of recurrent cells; None for one that they cannot run, because it couples the units of a
        row or has options other than Keras's defaults.
    options : dict
        Those that differ from the defaults.
    """

    OPTIONS: ClassVar[dict] = {}  # and their defaults
    may_mix_steps = False  # whether its result at one time step may depend on other steps

    def __init__(self, name: str, options: dict | None = None):
        self.name = self.__name__ = name
        self.__doc__ = FORMULAS.get(name, self.__doc__)
        self.options = options or {}
        self.code = None if self.options else equations.CODES.get(name)
        defaults = {"x": inspect.Parameter.empty} | self.OPTIONS
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=d) for n, d in defaults.items()]
        )

    @explained
    def __call__(self, x, *options, **named):
        """``a = f(x)`` for an array; for a symbolic tensor, the layer ``Activation``."""
        if options or named:
            bound = self.__signature__.bind(x, *options, **named)
            return self.with_options(**dict(list(bound.arguments.items())[1:]))(x)
        if isinstance(x, Tensor):
            from rnn_ref.layers.activation import Activation as Layer

            return Layer(self)(x)
        if type(x).__module__.startswith("autograd"):
            return self._recorded(x)
        z = xp.asarray(checks.numbers(x, "x", f"activations.{self.name}"))
        a = self.compute(z if z.dtype.kind == "f" else z.astype("float32"))
        return a.copy() if a is x else a

    def with_options(self, **options) -> Activation:
        """The same activation with these options."""
        for name in options:
            if name not in self.OPTIONS:
                known = ", ".join(self.OPTIONS) or "none"
                raise TypeError(f"activations.{self.name} has no option {name!r}; it has {known}.")
        options = self.options | options
        missing = [name for name, value in self.OPTIONS.items() if value is inspect.Parameter.empty]
        missing = [name for name in missing if name not in options]
        if missing:
            raise TypeError(f"activations.{self.name} needs {' and '.join(missing)}.")
        options = {name: value for name, value in options.items() if value != self.OPTIONS[name]}
        return type(self)(self.name, options) if options else ALL[self.name]

    def _recorded(self, box):
        """While autograd records, the derivative used is the one written beside the equation."""
        from autograd.extend import defvjp, primitive

        function = primitive(self)
        defvjp(function, lambda a, z: lambda da: self.gradient(z, a, da))
        return function(box)

    def compute(self, z) -> np.ndarray:
        """``a = f(z)`` for an array of floats."""
        if self.name == "linear":
            return z
        if self.name == "sigmoid":  # precise even where it is small, since its logarithm may be taken
            return kernels("pointwise").activate_with(z, with_options.PRECISE_SIGMOID, (0, 0, 0))
        return kernels("pointwise").activate(z, self.code)

    def gradient(self, z, a, da) -> np.ndarray:
        """dL/dz from ``z``, ``a = f(z)`` and dL/da."""
        if self.name == "linear":
            return da
        return kernels("pointwise").d_activate(z, a, da, self.code)

    def output_shape(self, shape: tuple) -> tuple:
        return tuple(shape)

    def __repr__(self):
        return f"<activation {self.name}{self.options or ''}>"

    def __reduce__(self):
        return _again, (self.name, self.options)


class WithOptions(Activation):
    """An activation of single numbers, with options."""

    EQUATION: int

    def values(self) -> tuple:
        """The options in the form that the equation takes."""
        given = self.OPTIONS | self.options
        values = [_number(value, name, self.name) for name, value in given.items()]
        return (*values, 0.0, 0.0, 0.0)[:3]

    def compute(self, z):
        if self.code is not None:
            return super().compute(z)
        return kernels("pointwise").activate_with(z, self.EQUATION, self.values())

    def gradient(self, z, a, da):
        if self.code is not None:
            return super().gradient(z, a, da)
        return kernels("pointwise").d_activate_with(z, a, da, self.EQUATION, self.values())


class Relu(WithOptions):
    OPTIONS: ClassVar[dict] = {"negative_slope": 0.0, "max_value": None, "threshold": 0.0}
    EQUATION = with_options.BENT_RELU

    def values(self):
        given = self.OPTIONS | self.options
        ceiling = np.inf if given["max_value"] is None else given["max_value"]
        return (
            _number(given["negative_slope"], "negative_slope", self.name),
            ceiling if ceiling == np.inf else _number(ceiling, "max_value", self.name),
            _number(given["threshold"], "threshold", self.name),
        )


class LeakyRelu(WithOptions):
    OPTIONS: ClassVar[dict] = {"negative_slope": 0.2}
    EQUATION = with_options.LEAKY_RELU


class Elu(WithOptions):
    OPTIONS: ClassVar[dict] = {"alpha": 1.0}
    EQUATION = with_options.ELU


class Celu(WithOptions):
    OPTIONS: ClassVar[dict] = {"alpha": 1.0}
    EQUATION = with_options.CELU


class HardShrink(WithOptions):
    OPTIONS: ClassVar[dict] = {"threshold": 0.5}
    EQUATION = with_options.HARD_SHRINK


class SoftShrink(WithOptions):
    OPTIONS: ClassVar[dict] = {"threshold": 0.5}
    EQUATION = with_options.SOFT_SHRINK


class Squareplus(WithOptions):
    OPTIONS: ClassVar[dict] = {"b": 4}
    EQUATION = with_options.SQUAREPLUS


class Threshold(WithOptions):
    OPTIONS: ClassVar[dict] = {"threshold": inspect.Parameter.empty, "default_value": inspect.Parameter.empty}
    EQUATION = with_options.THRESHOLD

    def compute(self, z):
        if not self.options:
            raise TypeError(
                "activations.threshold needs threshold and default_value: give a layer "
                "functools.partial(activations.threshold, threshold=..., default_value=...)."
            )
        return super().compute(z)


class Gelu(WithOptions):
    OPTIONS: ClassVar[dict] = {"approximate": False}
    EQUATION = with_options.GELU_BY_TANH

    def values(self):
        checks.flag((self.OPTIONS | self.options)["approximate"], "approximate", "activations.gelu")
        return (0.0, 0.0, 0.0)


class Row(Activation):
    """An activation that couples the numbers of a row."""

    OPTIONS: ClassVar[dict] = {"axis": -1}

    @property
    def axis(self) -> int | tuple[int, ...]:
        axis = self.options.get("axis", -1)
        if self.takes_axes and isinstance(axis, (list, tuple)):
            return tuple(checks.axes(axis, "axis", f"activations.{self.name}"))
        return checks.integer(axis, "axis", f"activations.{self.name}")

    @property
    def takes_axes(self) -> bool:
        """Whether it can couple numbers over several axes."""
        return self.name in ("softmax", "log_softmax")

    @property
    def may_mix_steps(self) -> bool:
        return self.axis != -1

    def compute(self, z):
        axis = self.axis
        if any(not -z.ndim <= each < z.ndim for each in (axis if isinstance(axis, tuple) else (axis,))):
            raise ValueError(f"activations.{self.name}: axis={axis} does not exist in shape {z.shape}.")
        return self.of_rows(z)

    def of_rows(self, z):
        return getattr(rows, self.name)(z, self.axis)

    def gradient(self, z, a, da):
        return getattr(rows, f"d_{self.name}")(a, da, self.axis)


class Glu(Row):
    def of_rows(self, z):
        if z.shape[self.axis] % 2:
            raise ValueError(
                f"activations.glu halves axis {self.axis}, which must have an even size; got shape {z.shape}."
            )
        return rows.glu(z, ALL["sigmoid"].compute, self.axis)

    def gradient(self, z, a, da):
        return rows.d_glu(z, da, ALL["sigmoid"].compute, self.axis)

    def output_shape(self, shape):
        shape = list(shape)
        shape[self.axis] = None if shape[self.axis] is None else shape[self.axis] // 2
        return tuple(shape)


class PythonFunction(Activation):
    """A user's function of arrays, which autograd differentiates."""

    may_mix_steps = True

    def __init__(self, function):
        super().__init__(getattr(function, "__name__", type(function).__name__))
        self.function, self.code = function, None

    def __call__(self, x, *options, **named):
        return self.function(x, *options, **named)

    def compute(self, z):
        return xp.asarray(checks.numbers(self.function(z), "the result", f"activation {self.name}"), z.dtype)

    def gradient(self, z, a, da):
        from rnn_ref.layers.autodiff import pullback

        with device("cpu"):  # autograd knows only NumPy arrays
            outputs, back = pullback(lambda x: [self.function(x)], [to_numpy(z)], f"the activation {self.name}")
            (dz,), _ = back([to_numpy(da).astype(outputs[0].dtype, copy=False)])
        return xp.zeros_like(z) if dz is None else xp.asarray(dz, z.dtype)

    def __reduce__(self):
        return PythonFunction, (self.function,)


def _number(value, name: str, activation: str) -> float:
    return checks.number(value, name, f"activations.{activation}")


KINDS = {
    "relu": Relu,
    "leaky_relu": LeakyRelu,
    "elu": Elu,
    "celu": Celu,
    "hard_shrink": HardShrink,
    "soft_shrink": SoftShrink,
    "squareplus": Squareplus,
    "threshold": Threshold,
    "gelu": Gelu,
    "softmax": Row,
    "log_softmax": Row,
    "sparsemax": Row,
    "glu": Glu,
}
ALL = {name: KINDS.get(name, Activation)(name) for name in dict.fromkeys((*equations.CODES, *KINDS))}
ALIASES = {"swish": "silu", "hard_swish": "hard_silu", "hard_sigmoid_tfjs": "hard_sigmoid_legacy"}
globals().update(ALL)
swish, hard_swish = ALL["silu"], ALL["hard_silu"]


def _again(name: str, options: dict) -> Activation:
    return ALL[name].with_options(**options) if options else ALL[name]


@explained
def get(identifier, where: str = "activation") -> Activation:
    """The activation for a name, a config or a function; None is linear.

    Examples
    --------
    >>> from rnn_ref import activations
    >>> activations.get("relu")([-1.0, 2.0])
    array([0., 2.])
    """
    known = ", ".join(sorted(ALL))
    if identifier is None:
        return ALL["linear"]
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, dict):
        if identifier.get("class_name") == "function":  # Keras's form
            return get(identifier["config"], where)
        if "class_name" in identifier and isinstance(identifier.get("config"), dict):
            return get(identifier["class_name"], where).with_options(**identifier["config"])
        raise ValueError(f"{where}: an activation's config must have class_name and config, got {identifier!r}.")
    if isinstance(identifier, str):
        if own_objects.find(identifier) is not None:
            return get(own_objects.find(identifier), where)
        name = ALIASES.get(identifier, identifier)
        if name in ALL:
            return ALL[name]
        near = difflib.get_close_matches(identifier, ALL, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise own_objects.UnknownObject(f"{where}: unknown activation {identifier!r}.{hint} Known: {known}.")
    if isinstance(identifier, functools.partial) and isinstance(identifier.func, Activation) and not identifier.args:
        return identifier.func.with_options(**identifier.keywords)
    if callable(identifier):
        return PythonFunction(identifier)
    raise TypeError(f"{where}: an activation is given by name or as a function, got {identifier!r}. Known: {known}.")


@explained
def get_pointwise(identifier, where: str) -> Activation:
    """An activation of single numbers, as a recurrent cell needs."""
    activation = get(identifier, where)
    if activation.code is not None:
        return activation
    allowed = f"Inside a recurrent cell these run, compiled: {', '.join(sorted(equations.CODES))}."
    if isinstance(activation, Row):
        raise ValueError(
            f"{where}: {activation.name} couples the units of a row and cannot be used inside a recurrent cell. "
            f"{allowed}"
        )
    if isinstance(activation, PythonFunction):
        raise TypeError(
            f"{where}: got {identifier!r}, but a Python function cannot run inside the compiled kernels. {allowed} For "
            "any other write a cell of your own and give it to layers.RNN."
        )
    raise ValueError(
        f"{where}: {activation.name} runs inside a recurrent cell with Keras's defaults only, got "
        f"{activation.options or 'none of its options'}. {allowed} For others write a cell of your own and give it to "
        "layers.RNN."
    )


@explained
def serialize(activation) -> str | dict:
    """The name of an activation; with options, its config.

    Examples
    --------
    >>> from rnn_ref import activations
    >>> activations.serialize(activations.relu)
    'relu'
    """
    activation = get(activation)
    if is_copying() or not activation.options:
        return activation if is_copying() else activation.name
    return {"class_name": activation.name, "config": dict(activation.options)}


@explained
def deserialize(config, custom_objects: dict | None = None) -> Activation:
    """The activation that :func:`serialize` described, or one by name; names in ``custom_objects`` come first."""
    name = config.get("config") if isinstance(config, dict) and config.get("class_name") == "function" else config
    own = custom_objects.get(name) if custom_objects and isinstance(name, str) else None
    return get(config if own is None else own)


__getattr__ = missing("activations")
