"""Layers that merge inputs along axes, by concatenation or by products."""

from __future__ import annotations

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.layers.matmul import matmul
from rnn_ref.layers.merge import Merge, MergeTape, spread
from rnn_ref.layers.several_inputs import as_arrays, check_masks


class Concatenate(Merge):
    """Join the inputs along an axis.

    Input: a list of arrays ``(B, ..., F_k)`` that agree on all other axes; output ``(B, ..., F_1 + F_2 + ...)``.

    Masks are joined too, with all True for an input without one; a step counts if any of its features do.

    Parameters
    ----------
    axis : int
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/concatenate/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Concatenate()([[[1.0, 2.0]], [[3.0]]])
    array([[1., 2., 3.]], dtype=float32)
    """

    def __init__(self, axis=-1, **layer_options):
        super().__init__(**layer_options)
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)) or axis == 0:
            raise ValueError(f"{self.name}: axis must be an integer other than 0, the batch; got {axis!r}.")
        self.axis = int(axis)

    def merged_shape(self, shapes):
        rank = len(shapes[0])
        if any(len(shape) != rank for shape in shapes) or not self.axis % max(rank, 1) > 0 or abs(self.axis) >= rank:
            raise ValueError(
                f"{self.name}: inputs of shapes {list(shapes)} cannot be put side by side along axis {self.axis}."
            )
        merged = []
        for axis, sizes in enumerate(zip(*shapes)):
            known = {n for n in sizes if n is not None}
            if axis == self.axis % rank:
                merged.append(None if None in sizes else sum(sizes))
            elif len(known) > 1:
                raise ValueError(
                    f"{self.name}: inputs of shapes {list(shapes)} differ on axis {axis}; they may differ only on the "
                    f"axis along which they are put side by side, {self.axis}."
                )
            else:
                merged.append(next(iter(known), None))
        return tuple(merged)

    def merge(self, inputs, masks):
        return xp.concatenate(inputs, axis=self.axis), None

    def merge_back(self, inputs, memory, dy):
        """Split ``dy`` into one part for each input."""
        ends = np.cumsum([x.shape[self.axis] for x in inputs]).tolist()
        return xp.split(dy, ends[:-1], axis=self.axis)

    def compute_mask(self, inputs, mask=None):
        masks = check_masks(self, inputs, mask)
        if masks is None or all(m is None for m in masks):
            return None
        shapes = [np.shape(x) for x in inputs]
        full = [xp.ones(shape, bool) if m is None else spread(m, shape) for m, shape in zip(masks, shapes)]
        return xp.concatenate(full, axis=self.axis).any(axis=-1)

    def get_config(self) -> dict:
        return super().get_config() | {"axis": self.axis}


class Dot(Merge):
    """Dot product of two inputs, sample by sample, along one axis of each.

        y[b, i, j] = Σ_k x_1[b, i, k] x_2[b, k, j]        (axes=(2, 1))

    The output has the other axes of the first input, then those of the second: ``(B, I, K)`` and ``(B, K, J)`` give
    ``(B, I, J)``. Two inputs ``(B, K)`` give ``(B, 1)``. Masks end here.

    Parameters
    ----------
    axes : int or tuple of two ints
        The axis of each input to sum over; a single number stands for both.
    normalize : bool
        Divide by the lengths of the vectors first, so that ``y`` is the cosine of the angle between them.
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/dot/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> rnn_ref.layers.Dot(axes=(1, 2))([np.ones((2, 3, 5)), np.ones((2, 10, 3))]).shape
    (2, 5, 10)
    """

    inputs_expected = 2

    def __init__(self, axes, normalize=False, **layer_options):
        super().__init__(**layer_options)
        pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
        if len(pair) != 2 or any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in pair):
            raise ValueError(f"{self.name}: axes must be an integer or a pair of integers, got {axes!r}.")
        self.axes = tuple(pair) if isinstance(axes, (list, tuple)) else int(axes)
        self.normalize = checks.flag(normalize, "normalize", self.name)

    def axes_of(self, shapes) -> list[int]:
        """The axis of each input, counted from the front."""
        pair = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        for axis, shape in zip(pair, shapes):
            if not -len(shape) <= axis < len(shape) or axis % len(shape) == 0:
                raise ValueError(
                    f"{self.name}: axes={self.axes} with inputs of shapes {list(shapes)}: there is no axis {axis} in "
                    f"{tuple(shape)}, or it is the batch, which is not summed over."
                )
        return [axis % len(shape) for axis, shape in zip(pair, shapes)]

    def merged_shape(self, shapes):
        first, second = shapes
        a, b = self.axes_of(shapes)
        if first[a] != second[b] and None not in (first[a], second[b]):
            raise ValueError(
                f"{self.name}: axis {a} of {tuple(first)} and axis {b} of {tuple(second)} must have the same size, got "
                f"{first[a]} and {second[b]}."
            )
        rest = [n for shape, axis in ((first, a), (second, b)) for k, n in enumerate(shape) if k not in (0, axis)]
        batch = first[0] if first[0] is not None else second[0]
        return (batch, *(rest or [1]))

    def forward(self, x, *, mask=None, training: bool = False):
        """``[x_1, x_2]`` -> ``y`` and a :class:`MergeTape`, which remembers 1 / length of the vectors."""
        inputs = as_arrays(self, x, "a list of 2 inputs")
        shapes = [a.shape for a in inputs]
        lengths = None
        if self.normalize:
            lengths = [inverse_length(a, axis) for a, axis in zip(inputs, self.axes_of(shapes))]
        first, second = self.matrices(inputs, lengths)
        return matmul(first, second).reshape(self.merged_shape(shapes)), MergeTape(inputs, shapes, lengths)

    def matrices(self, inputs, lengths) -> tuple[np.ndarray, np.ndarray]:
        """The (normalized) inputs as ``(B, I, K)`` and ``(B, K, J)``; I and J may stand for several axes."""
        if lengths is not None:
            inputs = [x * inverse for x, inverse in zip(inputs, lengths)]
        (a, b), (first, second) = self.axes_of([x.shape for x in inputs]), inputs
        B, K = len(first), first.shape[a]
        return xp.moveaxis(first, a, -1).reshape(B, -1, K), xp.moveaxis(second, b, 1).reshape(B, K, -1)

    def merge_back(self, inputs, memory, dy):
        """``dx_1 = dy x_2ᵀ``, ``dx_2 = x_1ᵀ dy``, then through the normalization."""
        first, second = self.matrices(inputs, memory)
        dy = dy.reshape(len(dy), first.shape[1], second.shape[2])
        pair = self.axes_of([x.shape for x in inputs])
        gradients = []
        products = matmul(dy, second.swapaxes(1, 2)), matmul(first.swapaxes(1, 2), dy)
        for k, (dx, last) in enumerate(zip(products, (-1, 1))):
            moved = xp.moveaxis(inputs[k], pair[k], last)
            dx = xp.moveaxis(dx.reshape(moved.shape), last, pair[k])
            if memory is not None:
                dx = length_back(inputs[k], memory[k], dx, pair[k])
            gradients.append(dx)
        return gradients

    def compute_mask(self, inputs, mask=None):
        """None: masks end here."""
        return None

    def get_config(self) -> dict:
        return super().get_config() | {"axes": self.axes, "normalize": self.normalize}


SHORTEST = 1e-7  # Keras's epsilon: vectors are scaled up by at most 1 / SHORTEST


def inverse_length(x: np.ndarray, axis: int) -> np.ndarray:
    """``1 / |x|``, at most ``1 / SHORTEST``; the axis is kept, with size 1."""
    length = xp.sqrt((x * x).sum(axis=axis, keepdims=True))
    return 1 / xp.maximum(length, x.dtype.type(SHORTEST))


def length_back(x: np.ndarray, inverse: np.ndarray, dn: np.ndarray, axis: int) -> np.ndarray:
    """From dL/dn to dL/dx for ``n = x / |x|``: the part along n only changes the length, and drops out."""
    n = x * inverse
    along = n * (dn * n).sum(axis=axis, keepdims=True)
    # Where the length was clipped to SHORTEST, it is a constant.
    return inverse * xp.where(inverse < 1 / x.dtype.type(SHORTEST), dn - along, dn)
