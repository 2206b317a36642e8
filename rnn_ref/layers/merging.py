"""Layers that make one array from several: Add, Multiply, Concatenate, Dot, and so on.

Elementwise layers repeat axes of size 1 as NumPy does, and inputs with fewer axes get new ones after the batch. The
gradient of what was repeated is the sum over the repetitions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.guard import explained
from rnn_ref.layers.layer import Layer, LayerGradients
from rnn_ref.layers.several_inputs import as_arrays, check_masks
from rnn_ref.layers.symbolic import is_shape


class MergeTape(NamedTuple):
    """Inputs with the same number of axes, their shapes before, and what the layer remembers besides."""

    inputs: list[np.ndarray]
    shapes: list[tuple]
    memory: Any


class Merge(Layer):
    """Base of the merging layers: checks shapes, brings inputs to the same number of axes, merges masks.

    A subclass writes ``merge(inputs, masks) -> (y, memory)`` and ``merge_back(inputs, memory, dy) -> [dL/dx, ...]``.
    """

    supports_masking = True
    inputs_expected: int | None = None  # None: one or more

    def build(self, input_shape) -> None:
        self.check_shapes(input_shape)

    def check_shapes(self, shapes) -> None:
        """Inputs must come as a list and fit together."""
        wanted = "a list of inputs" if self.inputs_expected is None else f"a list of {self.inputs_expected} inputs"
        if len(shapes) == 0 or is_shape(shapes):
            raise ValueError(f"{self.name}: {type(self).__name__} merges {wanted}; got one of shape {tuple(shapes)}.")
        if self.inputs_expected not in (None, len(shapes)):
            raise ValueError(
                f"{self.name}: {type(self).__name__} merges {wanted}; got {len(shapes)}, of shapes {list(shapes)}."
            )
        if len({shape[0] for shape in shapes} - {None}) > 1:
            raise ValueError(f"{self.name}: the inputs have different batch sizes; their shapes are {list(shapes)}.")
        self.merged_shape(shapes)

    def merged_shape(self, shapes) -> tuple:
        """Shape after repeating axes of size 1; unknown sizes are None."""
        rank = max(len(shape) for shape in shapes)
        merged = [next((shape[0] for shape in shapes if shape[0] is not None), None)]
        for sizes in zip(*(aligned_shape(shape, rank)[1:] for shape in shapes)):
            known = {n for n in sizes if n not in (1, None)}
            if len(known) > 1:
                raise ValueError(
                    f"{self.name}: inputs of shapes {list(shapes)} do not fit together; apart from sizes of 1 they "
                    "must be equal, compared from the last axis."
                )
            merged.append(None if None in sizes else max(known, default=1))
        return tuple(merged)

    def forward(self, x, *, mask=None, training: bool = False):
        """A list of ``(B, ...)`` -> ``y (B, ...)`` and a :class:`MergeTape`."""
        arrays = as_arrays(self, x, "a list of inputs")
        masks = check_masks(self, arrays, mask) or [None] * len(arrays)
        rank = max(a.ndim for a in arrays)
        inputs = [a.reshape(aligned_shape(a.shape, rank)) for a in arrays]
        # As in Keras an input that got new axes has no mask, for its mask would have too few.
        masks = [m if a.ndim == rank else None for m, a in zip(masks, arrays)]
        y, memory = self.merge(inputs, masks)
        return y, MergeTape(inputs, [a.shape for a in arrays], memory)

    def merge(self, inputs: list, masks: list) -> tuple[np.ndarray, Any]:
        """The output, and what ``merge_back`` needs besides the inputs."""
        raise NotImplementedError(f"{type(self).__name__} has no merge().")

    def merge_back(self, inputs: list, memory, dy) -> list[np.ndarray]:
        """dL/dx for every input, in the shape of the output or in its own."""
        raise NotImplementedError(f"{type(self).__name__} has no merge_back().")

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """dL/dy ``(B, ...)`` -> a list of dL/dx in the shapes of the inputs."""
        if not input_gradient:
            return LayerGradients(None)
        gradients = self.merge_back(tape.inputs, tape.memory, xp.asarray(grads, self.dtype))
        return LayerGradients(
            [sum_repeated(dx, x.shape).reshape(shape) for dx, x, shape in zip(gradients, tape.inputs, tape.shapes)]
        )

    def compute_output_shape(self, input_shape):
        self.check_shapes(input_shape)
        return self.merged_shape(input_shape)

    def compute_mask(self, inputs, mask=None):
        """A step counts if it counts in any input; there is no mask if one input has none."""
        masks = check_masks(self, inputs, mask)
        if masks is None or any(m is None for m in masks):
            return None
        merged = masks[0]
        for m in masks[1:]:
            merged = merged | m
        return merged


def aligned_shape(shape: tuple, rank: int) -> tuple:
    """New axes of size 1 after the batch."""
    return (shape[0], *[1] * (rank - len(shape)), *shape[1:])


def sum_repeated(dx: np.ndarray, shape: tuple) -> np.ndarray:
    """Sum a gradient over the axes along which an input of this shape was repeated."""
    axes = tuple(k for k, (n, size) in enumerate(zip(shape, dx.shape)) if n == 1 and size != 1)
    return dx.sum(axis=axes, keepdims=True) if axes else dx


def spread(mask: np.ndarray, shape: tuple) -> np.ndarray:
    """A mask ``(B, T)`` for every feature: ``(B, T, F)``."""
    return xp.broadcast_to(mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim)), shape)


class Add(Merge):
    """Sum.

        y = x_1 + x_2 + ...

    Inputs ``(B, ...)``, a list; the output has their shape, axes of size 1 repeated.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/add/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Add()([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[11., 22.]], dtype=float32)
    """

    def merge(self, inputs, masks):
        y = inputs[0]
        for x in inputs[1:]:
            y = y + x
        return y, None

    def merge_back(self, inputs, memory, dy):
        """``dx_k = dy``."""
        return [dy] * len(inputs)


class Subtract(Merge):
    """Difference of two inputs.

        y = x_1 - x_2

    Inputs ``(B, ...)``, a list of two; the output has their shape, axes of size 1 repeated.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/subtract/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Subtract()([[[10.0, 20.0]], [[1.0, 2.0]]])
    array([[ 9., 18.]], dtype=float32)
    """

    inputs_expected = 2

    def merge(self, inputs, masks):
        return inputs[0] - inputs[1], None

    def merge_back(self, inputs, memory, dy):
        """``dx_1 = dy``, ``dx_2 = -dy``."""
        return [dy, -dy]


class Average(Add):
    """Mean of the inputs.

        y = (x_1 + ... + x_n) / n

    Inputs ``(B, ...)``, a list; the output has their shape, axes of size 1 repeated.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/average/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Average()([[[1.0, 2.0]], [[3.0, 6.0]]])
    array([[2., 4.]], dtype=float32)
    """

    def merge(self, inputs, masks):
        y, memory = super().merge(inputs, masks)
        return y / len(inputs), memory

    def merge_back(self, inputs, memory, dy):
        """``dx_k = dy / n``."""
        return super().merge_back(inputs, memory, dy / len(inputs))


class Multiply(Merge):
    """Product, number by number.

        y = x_1 ⊙ x_2 ⊙ ...

    A masked step counts as a factor of 1; where all inputs have a mask and all of them are masked, ``y`` is 0.
    Inputs ``(B, ...)``, a list; the output has their shape, axes of size 1 repeated.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/multiply/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Multiply()([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[10., 40.]], dtype=float32)
    """

    takes_mask = True

    def merge(self, inputs, masks):
        """The memory: the factors, the mask of each, and the mask of the output, None where there is none."""
        masks = [None if m is None else spread(m, x.shape) for x, m in zip(inputs, masks)]
        factors = [x if m is None else xp.where(m, x, 1) for x, m in zip(inputs, masks)]
        y = factors[0]
        for factor in factors[1:]:
            y = y * factor
        counted = None
        if all(m is not None for m in masks):
            counted = masks[0]
            for m in masks[1:]:
                counted = counted | m
            y = xp.where(counted, y, 0)
        return y, (factors, masks, counted)

    def merge_back(self, inputs, memory, dy):
        """``dx_k = dy`` times the other factors. Dividing y by x_k would fail where x_k is 0."""
        factors, masks, counted = memory
        if counted is not None:
            dy = xp.where(counted, dy, 0)
        gradients = []
        for k, m in enumerate(masks):
            dx = dy
            for j, factor in enumerate(factors):
                if j != k:
                    dx = dx * factor
            gradients.append(dx if m is None else xp.where(m, dx, 0))
        return gradients


class Extremum(Merge):
    """What Maximum and Minimum share: they take in one input after the other, masked steps passed over."""

    takes_mask = True

    def extremum(self, a, b) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} has no extremum().")

    def merge(self, inputs, masks):
        """The memory: for each step ``(a, b, m_y, m_x)``, what was compared and which masks were used."""
        masks = [None if m is None else spread(m, x.shape) for x, m in zip(inputs, masks)]
        y, m_y, steps = inputs[0], masks[0], []
        for x, m_x in zip(inputs[1:], masks[1:]):
            b = x if m_x is None else xp.where(m_x, x, y)
            a = y if m_y is None else xp.where(m_y, y, b)
            steps.append((a, b, m_y, m_x))
            m_y = None if m_x is None or m_y is None else m_y | m_x
            y = self.extremum(a, b)
        return y, steps

    def merge_back(self, inputs, memory, dy):
        """The gradient goes to the input that was taken; equal ones get half each."""
        gradients = []
        for a, b, m_y, m_x in reversed(memory):
            # Repeated axes: the gradients stay in the full shape here and are summed at the end.
            taken = self.extremum(a, b)
            da = dy * ((a == taken) - 0.5 * (a == b)).astype(dy.dtype)
            db = dy - da
            if m_y is not None:
                da, db = xp.where(m_y, da, 0), xp.where(m_y, db, db + da)
            if m_x is not None:
                da, db = xp.where(m_x, da, da + db), xp.where(m_x, db, 0)
            gradients.append(db)
            dy = da
        return [dy, *reversed(gradients)]


class Maximum(Extremum):
    """The largest of the inputs, number by number.

        y = max(x_1, x_2, ...)

    A masked step is passed over. Inputs ``(B, ...)``, a list; the output has their shape, axes of size 1 repeated.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/maximum/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Maximum()([[[1.0, 5.0]], [[3.0, 2.0]]])
    array([[3., 5.]], dtype=float32)
    """

    def extremum(self, a, b):
        return xp.maximum(a, b)


class Minimum(Extremum):
    """The smallest of the inputs, number by number.

        y = min(x_1, x_2, ...)

    A masked step is passed over. Inputs ``(B, ...)``, a list; the output has their shape, axes of size 1 repeated.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/minimum/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Minimum()([[[1.0, 5.0]], [[3.0, 2.0]]])
    array([[1., 2.]], dtype=float32)
    """

    def extremum(self, a, b):
        return xp.minimum(a, b)


class Concatenate(Merge):
    """Put the inputs side by side.

    Inputs ``(B, ..., F_k)``, a list, equal but for the axis; output ``(B, ..., F_1 + F_2 + ...)``.

    The masks are put side by side too, all True for an input without one; a step counts if any of its features do.

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
        """Every input gets its part of ``dy``."""
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
        The axis of each input that is summed over; one number stands for both.
    normalize : bool
        Divide by the lengths of the vectors first: ``y`` is the cosine of the angle between them.
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
        """``[x_1, x_2]`` -> ``y`` and a :class:`MergeTape`; it remembers 1 / length of the vectors."""
        inputs = as_arrays(self, x, "a list of 2 inputs")
        shapes = [a.shape for a in inputs]
        lengths = None
        if self.normalize:
            lengths = [inverse_length(a, axis) for a, axis in zip(inputs, self.axes_of(shapes))]
        first, second = self.matrices(inputs, lengths)
        return (first @ second).reshape(self.merged_shape(shapes)), MergeTape(inputs, shapes, lengths)

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
        for k, (dx, last) in enumerate([(dy @ second.swapaxes(1, 2), -1), (first.swapaxes(1, 2) @ dy, 1)]):
            moved = xp.moveaxis(inputs[k], pair[k], last)
            dx = xp.moveaxis(dx.reshape(moved.shape), last, pair[k])
            if memory is not None:
                dx = length_back(inputs[k], memory[k], dx, pair[k])
            gradients.append(dx)
        return gradients

    def compute_mask(self, inputs, mask=None):
        """None."""
        return None

    def get_config(self) -> dict:
        return super().get_config() | {"axes": self.axes, "normalize": self.normalize}


SHORTEST = 1e-7  # Keras's epsilon: shorter vectors are not made longer than by 1 / SHORTEST


def inverse_length(x: np.ndarray, axis: int) -> np.ndarray:
    """``1 / |x|``, at most ``1 / SHORTEST``; the axis stays with size 1."""
    length = xp.sqrt((x * x).sum(axis=axis, keepdims=True))
    return 1 / xp.maximum(length, x.dtype.type(SHORTEST))


def length_back(x: np.ndarray, inverse: np.ndarray, dn: np.ndarray, axis: int) -> np.ndarray:
    """From dL/dn to dL/dx where ``n = x / |x|``: what points along n only changes the length, and is lost."""
    n = x * inverse
    along = n * (dn * n).sum(axis=axis, keepdims=True)
    # Where the length was held at SHORTEST it is a constant.
    return inverse * xp.where(inverse < 1 / x.dtype.type(SHORTEST), dn - along, dn)


@explained
def add(inputs, **layer_options):
    """:class:`Add` as a function."""
    return Add(**layer_options)(inputs)


@explained
def subtract(inputs, **layer_options):
    """:class:`Subtract` as a function."""
    return Subtract(**layer_options)(inputs)


@explained
def multiply(inputs, **layer_options):
    """:class:`Multiply` as a function."""
    return Multiply(**layer_options)(inputs)


@explained
def average(inputs, **layer_options):
    """:class:`Average` as a function."""
    return Average(**layer_options)(inputs)


@explained
def maximum(inputs, **layer_options):
    """:class:`Maximum` as a function."""
    return Maximum(**layer_options)(inputs)


@explained
def minimum(inputs, **layer_options):
    """:class:`Minimum` as a function."""
    return Minimum(**layer_options)(inputs)


@explained
def concatenate(inputs, axis=-1, **layer_options):
    """:class:`Concatenate` as a function."""
    return Concatenate(axis=axis, **layer_options)(inputs)


@explained
def dot(inputs, axes=-1, **layer_options):
    """:class:`Dot` as a function."""
    return Dot(axes=axes, **layer_options)(inputs)
