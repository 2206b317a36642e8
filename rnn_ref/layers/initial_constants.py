"""Initializers without randomness: zeros, ones, constants, the identity."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from rnn_ref.layers.initializer import Initializer, Shape, checked_dtype, checked_shape
from rnn_ref.registry import Config


class Zeros(Initializer):
    """All zeros.

    Examples
    --------
    >>> Zeros()((2,))
    array([0., 0.], dtype=float32)
    """

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        return np.zeros(checked_shape(shape), checked_dtype(dtype))


class Ones(Initializer):
    """All ones.

    Examples
    --------
    >>> Ones()((2,))
    array([1., 1.], dtype=float32)
    """

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        return np.ones(checked_shape(shape), checked_dtype(dtype))


class Constant(Initializer):
    """One number everywhere, or the numbers of an array.

    Parameters
    ----------
    value : float or array_like
        The number, or an array that NumPy broadcasts to the shape of the weight; useful for a table of pretrained
        embeddings.

    Examples
    --------
    >>> Constant(3)((2,))
    array([3., 3.], dtype=float32)
    >>> Constant([[1, 2], [3, 4]])((2, 2))
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """

    def __init__(self, value: float | ArrayLike = 0.0):
        if isinstance(value, Mapping):  # the form in which Keras writes arrays into a config
            value = np.array(value["config"]["value"], value["config"]["dtype"])
        array = np.array(value)
        if array.dtype.kind not in "fiub":
            raise ValueError(f"Constant's value should be a number or an array of numbers, got {value!r}")
        self.value = array if array.ndim else array.item()

    def __call__(self, shape: Shape, dtype: DTypeLike = "float32") -> np.ndarray:
        shape = checked_shape(shape)
        try:
            return np.full(shape, self.value, checked_dtype(dtype))
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
        return (self.gain * np.eye(*shape)).astype(checked_dtype(dtype))

    def get_config(self) -> Config:
        return {} if self.gain == 1 else {"gain": self.gain}  # Keras does not write it


class FromArray(Initializer):
    """The values of a given array, as `get` makes from an array.

    Parameters
    ----------
    value : array_like
        The values, in the shape of the weight.

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
        return self.value.astype(checked_dtype(dtype))

    def get_config(self) -> Config:
        return {"value": self.value.tolist()}


# Random initializers
