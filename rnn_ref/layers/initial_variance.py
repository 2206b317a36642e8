"""Initializers that preserve the variance of signals through a layer: Glorot, He, LeCun."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from rnn_ref.layers.initial_random import TRUNCATED_STDDEV, RandomInitializer, truncated_normal
from rnn_ref.layers.initializer import Shape, checked_dtype, checked_shape
from rnn_ref.random import Seed
from rnn_ref.registry import Config


class VarianceScaling(RandomInitializer):
    """Random values of variance `scale / n`, where `n` counts the units on one or both sides of the weight.

    Parameters
    ----------
    scale : float
        Positive factor.
    mode : {"fan_in", "fan_out", "fan_avg"}
        `n` is the number of input units, of output units, or the average of the two (see `compute_fans`).
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
        The truncated normal is widened first, so that its variance after truncation is `scale / n`. The uniform
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
            unit = truncated_normal(self.rng(), shape) / TRUNCATED_STDDEV
        elif self.distribution == "untruncated_normal":
            unit = self.rng().standard_normal(shape)
        else:
            unit = self.rng().uniform(-math.sqrt(3), math.sqrt(3), shape)
        return np.asarray(math.sqrt(variance) * unit, checked_dtype(dtype))

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
    """A `VarianceScaling` with a fixed `scale`, `mode` and `distribution` that has a name of its own."""

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

    Preserves the variance of both activations and gradients from layer to layer: Glorot and Bengio,
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

    Twice LeCun's variance, because a ReLU lets half of its inputs through: He, Zhang, Ren and Sun, "Delving
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


def compute_fans(
    shape: Shape, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """Count the input and the output units of a weight.

    Parameters
    ----------
    shape : sequence of int
        A matrix is `(inputs, outputs)`. With more dimensions it is taken for a convolution kernel,
        `(..., inputs, outputs)`, whose window size multiplies both. For a vector, both are its length.
    input_axes, output_axes : sequence of int, optional
        If both are given, the axes whose sizes are multiplied instead.

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
