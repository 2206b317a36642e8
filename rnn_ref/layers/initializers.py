"""Initializers: how a weight gets its first values.

Every initializer is called as `initializer(shape, dtype="float32")` and returns a new array. The random ones
draw in float64 and cast at the end, so that one seed gives a float32 and a float64 layer the same weights.

Names, defaults and formulas are those of https://keras.io/api/layers/initializers/. The numbers drawn are
NumPy's, so one seed gives other values here than in Keras.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from rnn_ref import random
from rnn_ref.guard import Guarded, explained
from rnn_ref.names import missing
from rnn_ref.random import Seed
from rnn_ref.registry import Config, Registry
from rnn_ref.spelling import Spelled

Shape = Sequence[int]

# Standard deviation of a unit normal cut at two standard deviations.
TRUNCATED_STDDEV = 0.87962566103423978


class Initializer(Guarded, Spelled):
    """Base class: a subclass has a `__call__` and, if it takes arguments, a `get_config`.

    Examples
    --------
    >>> class Countdown(Initializer):
    ...     def __call__(self, shape, dtype="float32"):
    ...         return np.arange(np.prod(shape), 0, -1, dtype=dtype).reshape(shape)
    >>> Countdown()((3,))
    array([3., 2., 1.], dtype=float32)
    """

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        """Return an array of `shape` and `dtype`."""
        raise NotImplementedError(f"{type(self).__name__} should define __call__(self, shape, dtype)")

    def get_config(self) -> Config:
        """Return the constructor's arguments, as values that JSON can hold."""
        return {}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make an initializer from what `get_config` returned."""
        return cls(**config)

    def clone(self) -> Self:
        """Return a new initializer with the same arguments."""
        return self.from_config(self.get_config())


# Constant initializers


class Zeros(Initializer):
    """All zeros.

    Examples
    --------
    >>> Zeros()((2,))
    array([0., 0.], dtype=float32)
    """

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        return np.zeros(checked_shape(shape), _checked_dtype(dtype))


class Ones(Initializer):
    """All ones.

    Examples
    --------
    >>> Ones()((2,))
    array([1., 1.], dtype=float32)
    """

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        return np.ones(checked_shape(shape), _checked_dtype(dtype))


class Constant(Initializer):
    """One number everywhere, or the numbers of an array.

    Parameters
    ----------
    value : float or array_like
        The number; or an array, repeated to the shape of the weight by NumPy's rules. A table of pretrained embeddings
        is usually given so.

    Examples
    --------
    >>> Constant(3)((2,))
    array([3., 3.], dtype=float32)
    >>> Constant([[1, 2], [3, 4]])((2, 2))
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """

    def __init__(self, value: float | ArrayLike = 0.0):
        if isinstance(value, Mapping):  # as Keras writes arrays into a config
            value = np.array(value["config"]["value"], value["config"]["dtype"])
        array = np.array(value)
        if array.dtype.kind not in "fiub":
            raise ValueError(f"Constant's value should be a number or an array of numbers, got {value!r}")
        self.value = array if array.ndim else array.item()

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        shape = checked_shape(shape)
        try:
            return np.full(shape, self.value, _checked_dtype(dtype))
        except ValueError:
            raise ValueError(
                f"Constant has an array of shape {np.shape(self.value)}, which cannot be repeated to a weight of shape "
                f"{shape}"
            ) from None

    def get_config(self) -> Config:
        if np.ndim(self.value) == 0:
            return {"value": self.value}
        array = {"value": self.value.tolist(), "dtype": str(self.value.dtype)}
        return {"value": {"class_name": "__numpy__", "config": array}}


class Identity(Initializer):
    """`gain` on the main diagonal of a matrix and zero elsewhere.

    Parameters
    ----------
    gain : float
        The value on the diagonal. An identity recurrent kernel under a ReLU is the IRNN of Le, Jaitly and
        Hinton, "A simple way to initialize recurrent networks of rectified linear units" (2015).

    Raises
    ------
    ValueError
        When called with a shape that is not two-dimensional.

    Examples
    --------
    >>> Identity(2)((2, 3))
    array([[2., 0., 0.],
           [0., 2., 0.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        shape = checked_shape(shape)
        if len(shape) != 2:
            raise ValueError(f"Identity makes matrices: shape should be (rows, columns), got {shape}")
        return (self.gain * np.eye(*shape)).astype(_checked_dtype(dtype))

    def get_config(self) -> Config:
        return {} if self.gain == 1 else {"gain": self.gain}  # Keras writes none


class FromArray(Initializer):
    """The values of a given array; what `get` makes of one.

    Parameters
    ----------
    value : array_like
        The values. The shape asked for must be this array's.

    Examples
    --------
    >>> FromArray([1, 2])((2,))
    array([1., 2.], dtype=float32)
    """

    def __init__(self, value: ArrayLike):
        if isinstance(value, np.ma.MaskedArray) or np.asarray(value).dtype.kind not in "biuf":
            raise TypeError(f"the array given as an initializer must hold real numbers, got {value!r}")
        self.value = np.array(value)

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        shape = checked_shape(shape)
        if shape != self.value.shape:
            raise ValueError(
                f"the weight has shape {shape}, but the array given as its initializer has shape "
                f"{self.value.shape}; they should be the same"
            )
        return self.value.astype(_checked_dtype(dtype))

    def get_config(self) -> Config:
        return {"value": self.value.tolist()}


# Random initializers


class RandomInitializer(Initializer):
    """Base class of the random initializers: it looks after the seed.

    Parameters
    ----------
    seed : int, numpy.random.Generator or None
        With an integer every call returns the same values. With `None` too, as in Keras: the initializer
        takes its own integer from the package-wide generator (`rnn_ref.random`) once, when it is made. A
        generator moves on with each call.
    """

    def __init__(self, seed: Seed = None):
        self.seed = random.from_config(seed)
        self._source = random.generator().integers(2**63) if self.seed is None else self.seed
        random.make(self._source)  # A wrong seed is reported here, not when a layer is built.

    def rng(self) -> np.random.Generator:
        """Return the generator that one call draws from."""
        return random.make(self._source)

    def get_config(self) -> Config:
        return {"seed": random.to_config(self.seed)}


class RandomNormal(RandomInitializer):
    """Normal values.

    Parameters
    ----------
    mean, stddev : float
        Mean and standard deviation.
    seed : int, numpy.random.Generator or None
        See `RandomInitializer`.

    Examples
    --------
    >>> RandomNormal(stddev=0.1, seed=0)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None):
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        values = self.mean + self.stddev * self.rng().standard_normal(checked_shape(shape))
        return np.asarray(values, _checked_dtype(dtype))

    def get_config(self) -> Config:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomInitializer):
    """Normal values; those more than two standard deviations from the mean are drawn again.

    Parameters
    ----------
    mean, stddev : float
        Mean and standard deviation before the cut. After it the standard deviation is 0.8796 times `stddev`.
    seed : int, numpy.random.Generator or None
        See `RandomInitializer`.

    Examples
    --------
    >>> bool(abs(TruncatedNormal(stddev=1, seed=0)((1000,))).max() <= 2)
    True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None):
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        values = self.mean + self.stddev * _truncated_normal(self.rng(), checked_shape(shape))
        return np.asarray(values, _checked_dtype(dtype))

    def get_config(self) -> Config:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class RandomUniform(RandomInitializer):
    """Uniform values between `minval` and `maxval`.

    Parameters
    ----------
    minval, maxval : float
        The bounds.
    seed : int, numpy.random.Generator or None
        See `RandomInitializer`.

    Examples
    --------
    >>> values = RandomUniform(0, 1, seed=0)((1000,))
    >>> bool(0 <= values.min() and values.max() <= 1)
    True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None):
        super().__init__(seed)
        if not minval <= maxval:
            raise ValueError(f"RandomUniform: minval={minval!r} must not be above maxval={maxval!r}.")
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        values = self.rng().uniform(self.minval, self.maxval, checked_shape(shape))
        return np.asarray(values, _checked_dtype(dtype))

    def get_config(self) -> Config:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class VarianceScaling(RandomInitializer):
    """Random values of variance `scale / n`, where `n` counts the units on one or both sides of the weight.

    Parameters
    ----------
    scale : float
        Positive factor.
    mode : {"fan_in", "fan_out", "fan_avg"}
        `n` is the number of input units, of output units, or the average of the two (see `compute_fans`).
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
        The truncated normal is widened first, so that the cut leaves the variance at `scale / n`. The uniform
        one lies within `±sqrt(3 * scale / n)`. "normal" is another name for "truncated_normal".
    seed : int, numpy.random.Generator or None
        See `RandomInitializer`.
    input_axes, output_axes : sequence of int, optional
        The axes that count as input and as output units; give both or neither.

    Raises
    ------
    ValueError
        If `scale` is not positive, `mode` or `distribution` unknown, or only one of the axes given.

    Examples
    --------
    >>> initializer = VarianceScaling(scale=3.0, mode="fan_in", distribution="uniform", seed=0)
    >>> bool(abs(initializer((9, 1000))).max() <= 1)  # sqrt(3 * 3 / 9)
    True
    """

    MODES = ("fan_in", "fan_out", "fan_avg")
    DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(seed)
        if not scale > 0:
            raise ValueError(f"scale should be positive, got {scale}")
        if mode not in self.MODES:
            raise ValueError(f"mode should be one of {', '.join(self.MODES)}; got {mode!r}")
        distribution = distribution.lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in self.DISTRIBUTIONS:
            raise ValueError(f"distribution should be one of {', '.join(self.DISTRIBUTIONS)}; got {distribution!r}")
        if (input_axes is None) != (output_axes is None):
            raise ValueError(f"input_axes and output_axes should be given together, got {input_axes} and {output_axes}")
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        shape = checked_shape(shape)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "truncated_normal":
            unit = _truncated_normal(self.rng(), shape) / TRUNCATED_STDDEV
        elif self.distribution == "untruncated_normal":
            unit = self.rng().standard_normal(shape)
        else:
            unit = self.rng().uniform(-math.sqrt(3), math.sqrt(3), shape)
        return np.asarray(math.sqrt(variance) * unit, _checked_dtype(dtype))

    def get_config(self) -> Config:
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            **self._seed_and_axes(),
        }

    def _seed_and_axes(self) -> Config:
        axes = {"input_axes": self.input_axes, "output_axes": self.output_axes}
        return RandomInitializer.get_config(self) | {k: None if v is None else list(v) for k, v in axes.items()}


class _FixedVarianceScaling(VarianceScaling):
    """A `VarianceScaling` whose `scale`, `mode` and `distribution` have a name of their own."""

    SCALE: float
    MODE: str
    DISTRIBUTION: str

    def __init__(
        self,
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(self.SCALE, self.MODE, self.DISTRIBUTION, seed, input_axes, output_axes)

    def get_config(self) -> Config:
        return self._seed_and_axes()


class GlorotUniform(_FixedVarianceScaling):
    """Uniform within `±sqrt(6 / (fan_in + fan_out))`, also called Xavier uniform.

    Keeps the variance of activations and of gradients alike from layer to layer: Glorot and Bengio,
    "Understanding the difficulty of training deep feedforward neural networks" (2010).

    Parameters
    ----------
    seed, input_axes, output_axes
        See `VarianceScaling`.

    Examples
    --------
    >>> bool(abs(GlorotUniform(seed=0)((2, 4))).max() <= 1)
    True
    """

    SCALE, MODE, DISTRIBUTION = 1.0, "fan_avg", "uniform"


class GlorotNormal(_FixedVarianceScaling):
    """Truncated normal of standard deviation `sqrt(2 / (fan_in + fan_out))`, also called Xavier normal.

    From Glorot and Bengio (2010), see `GlorotUniform`.

    Parameters
    ----------
    seed, input_axes, output_axes
        See `VarianceScaling`.

    Examples
    --------
    >>> GlorotNormal(seed=0)((2, 4)).shape
    (2, 4)
    """

    SCALE, MODE, DISTRIBUTION = 1.0, "fan_avg", "truncated_normal"


class HeUniform(_FixedVarianceScaling):
    """Uniform within `±sqrt(6 / fan_in)`.

    Twice Lecun's variance, because a ReLU lets half of its inputs through: He, Zhang, Ren and Sun, "Delving
    deep into rectifiers" (2015).

    Parameters
    ----------
    seed, input_axes, output_axes
        See `VarianceScaling`.

    Examples
    --------
    >>> bool(abs(HeUniform(seed=0)((6, 4))).max() <= 1)
    True
    """

    SCALE, MODE, DISTRIBUTION = 2.0, "fan_in", "uniform"


class HeNormal(_FixedVarianceScaling):
    """Truncated normal of standard deviation `sqrt(2 / fan_in)`.

    From He et al. (2015), see `HeUniform`.

    Parameters
    ----------
    seed, input_axes, output_axes
        See `VarianceScaling`.

    Examples
    --------
    >>> HeNormal(seed=0)((6, 4)).shape
    (6, 4)
    """

    SCALE, MODE, DISTRIBUTION = 2.0, "fan_in", "truncated_normal"


class LecunUniform(_FixedVarianceScaling):
    """Uniform within `±sqrt(3 / fan_in)`.

    Unit variance in gives unit variance out: LeCun, Bottou, Orr and Müller, "Efficient BackProp" (1998).

    Parameters
    ----------
    seed, input_axes, output_axes
        See `VarianceScaling`.

    Examples
    --------
    >>> bool(abs(LecunUniform(seed=0)((3, 4))).max() <= 1)
    True
    """

    SCALE, MODE, DISTRIBUTION = 1.0, "fan_in", "uniform"


class LecunNormal(_FixedVarianceScaling):
    """Truncated normal of standard deviation `sqrt(1 / fan_in)`.

    From LeCun et al. (1998), see `LecunUniform`.

    Parameters
    ----------
    seed, input_axes, output_axes
        See `VarianceScaling`.

    Examples
    --------
    >>> LecunNormal(seed=0)((3, 4)).shape
    (3, 4)
    """

    SCALE, MODE, DISTRIBUTION = 1.0, "fan_in", "truncated_normal"


class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`.

    The default of recurrent kernels: multiplying by an orthogonal matrix keeps the length of a state, however
    many steps it goes. Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning
    in deep linear neural networks" (2014).

    A shape of more than two dimensions is treated as the matrix `(shape[0] * ... * shape[-2], shape[-1])`.

    Parameters
    ----------
    gain : float
        Factor on the orthonormal matrix.
    seed : int, numpy.random.Generator or None
        See `RandomInitializer`.

    Raises
    ------
    ValueError
        When called with a shape of fewer than two dimensions.

    Examples
    --------
    >>> q = Orthogonal(seed=0)((3, 3), dtype="float64")
    >>> np.allclose(q @ q.T, np.eye(3))
    True
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        shape = checked_shape(shape)
        if len(shape) < 2:
            raise ValueError(f"Orthogonal needs a shape of at least two dimensions, got {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(self.rng().standard_normal(tall))
        # QR leaves the sign of each column open. Fixing it by R's diagonal makes Q uniform over the
        # orthogonal matrices: Mezzadri, "How to generate random matrices from the classical compact groups"
        # (2007).
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
        if rows < columns:
            q = q.T
        return (self.gain * q).reshape(shape).astype(_checked_dtype(dtype))

    def get_config(self) -> Config:
        return {**super().get_config(), "gain": self.gain}


def compute_fans(
    shape: Shape, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """Count the input and the output units of a weight.

    Parameters
    ----------
    shape : sequence of int
        A matrix is `(inputs, outputs)`. With more dimensions it is taken for a convolution kernel,
        `(..., inputs, outputs)`, whose window multiplies both. A vector counts its length for both.
    input_axes, output_axes : sequence of int, optional
        When both are given, the axes whose sizes are multiplied instead.

    Returns
    -------
    fan_in, fan_out : int

    Examples
    --------
    >>> compute_fans((3, 20)), compute_fans((5, 3, 20))
    ((3, 20), (15, 100))
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def _truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(np.count_nonzero(outside))
    return values


def checked_shape(shape: Shape) -> tuple[int, ...]:
    # Tuples and lists only: NumPy would also take an integer, and iterate over a string.
    if not isinstance(shape, tuple | list) or not all(
        isinstance(size, int | np.integer) and size >= 0 for size in shape
    ):
        raise ValueError(f"shape should be a tuple of non-negative integers, got {shape!r}")
    return tuple(int(size) for size in shape)


def _checked_dtype(dtype: DTypeLike) -> np.dtype:
    # Keras passes None for "the default"; to NumPy it means float64.
    return np.dtype("float32" if dtype is None else dtype)


# Keras spells each class in snake_case as well: `initializers.glorot_uniform(seed=1)`.
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
