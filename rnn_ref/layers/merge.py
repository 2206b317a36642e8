"""The base of layers that merge several inputs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients
from rnn_ref.layers.several_inputs import as_arrays, check_masks
from rnn_ref.layers.symbolic import is_shape


class MergeTape(NamedTuple):
    """Inputs brought to the same number of axes, their original shapes, and what else the layer remembers."""

    inputs: list[np.ndarray]
    shapes: list[tuple]
    memory: Any


class Merge(Layer):
    """Base of the merging layers: checks shapes, brings inputs to the same number of axes, and merges masks.

    A subclass writes ``merge(inputs, masks) -> (y, memory)`` and ``merge_back(inputs, memory, dy) -> [dL/dx, ...]``.
    """

    supports_masking = True
    inputs_expected: int | None = None  # None: any number

    def build(self, input_shape) -> None:
        self.check_shapes(input_shape)

    def check_shapes(self, shapes) -> None:
        """Check that the inputs are a list and fit together."""
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
        """Shape after broadcasting axes of size 1; unknown sizes are None."""
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
        # As in Keras, an input that got new axes loses its mask, which would have too few.
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
        """A step counts if it does in any input; there is no mask unless all inputs have one."""
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
    """Sum a gradient over the axes along which an input of this shape was broadcast."""
    axes = tuple(k for k, (n, size) in enumerate(zip(shape, dx.shape)) if n == 1 and size != 1)
    return dx.sum(axis=axes, keepdims=True) if axes else dx


def spread(mask: np.ndarray, shape: tuple) -> np.ndarray:
    """A mask ``(B, T)`` repeated for every feature, ``(B, T, F)``."""
    return xp.broadcast_to(mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim)), shape)
