"""Initializers that draw from a distribution of their own, or an orthogonal matrix."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

from rnn_ref import linalg, random
from rnn_ref.layers.initializer import Initializer, Shape, checked_dtype, checked_shape
from rnn_ref.random import Seed
from rnn_ref.registry import Config

# Standard deviation of a unit normal cut at two standard deviations.
TRUNCATED_STDDEV = 0.87962566103423978


class RandomInitializer(Initializer):
    """Base class of the random initializers; it manages the seed.

    Parameters
    ----------
    seed : int, numpy.random.Generator or None
        With an integer, every call returns the same values. So it does with `None`, as in Keras: the initializer
        draws an integer of its own from the package's generator (`rnn_ref.random`) once, when it is made. A
        generator advances with each call.
    """

    def __init__(self, seed: Seed = None):
        self.seed = random.from_config(seed)
        self._source = random.generator().integers(2**63) if self.seed is None else self.seed
        random.make(self._source)  # Report a wrong seed here, not when a layer is built.

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
        return np.asarray(values, checked_dtype(dtype))

    def get_config(self) -> Config:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomInitializer):
    """Normal values; any more than two standard deviations from the mean are redrawn.

    Parameters
    ----------
    mean, stddev : float
        Mean and standard deviation before truncation. Afterwards, the standard deviation is 0.8796 times `stddev`.
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
        values = self.mean + self.stddev * truncated_normal(self.rng(), checked_shape(shape))
        return np.asarray(values, checked_dtype(dtype))

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
        return np.asarray(values, checked_dtype(dtype))

    def get_config(self) -> Config:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`.

    The default for recurrent kernels: multiplying by an orthogonal matrix preserves the length of a state over any
    number of steps. Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks" (2014).

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
        q, r = linalg.qr(self.rng().standard_normal(tall))
        # QR leaves the sign of each column undetermined. Fixing it by R's diagonal makes Q uniform over the
        # orthogonal matrices: Mezzadri, "How to generate random matrices from the classical compact groups"
        # (2007).
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
        if rows < columns:
            q = q.T
        return (self.gain * q).reshape(shape).astype(checked_dtype(dtype))

    def get_config(self) -> Config:
        return {**super().get_config(), "gain": self.gain}


def truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = rng.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(np.count_nonzero(outside))
    return values
