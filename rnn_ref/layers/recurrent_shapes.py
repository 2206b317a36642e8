"""The input and output shapes of a recurrent layer."""

from __future__ import annotations

import numpy as np

from rnn_ref.layers.layer import Layer
from rnn_ref.layers.recurrent_cells import flat_states, size_tuple
from rnn_ref.layers.symbolic import NEEDS_ALL_STEPS


class RecurrentShapes(Layer):
    """The part of :class:`rnn_ref.layers.RNN` that deals with shapes and masks."""

    def rank_message(self, shape, rank: int) -> str:
        return f"{self.name}: expected (batch, time, features), got shape {tuple(shape)}. {NEEDS_ALL_STEPS}"

    def sequence_shape(self, shape) -> tuple:
        """The input's shape, batch first; further inputs in a list are initial states."""
        if not all(size is None or isinstance(size, (int, np.integer)) for size in shape):
            shape = shape[0]
        if len(shape) < 3:
            raise ValueError(self.rank_message(shape, 3))
        return (shape[1], shape[0], *shape[2:]) if self.time_major else tuple(shape)

    def _by_cell(self, outputs) -> tuple:
        """Shape of the output, and for a stack one entry for each cell, a list if the cell has several states."""
        y, *states = outputs
        sizes = self.cell.state_size if getattr(self.cell, "cells", None) else states
        left = iter(states)
        return (y, *([next(left) for _ in s] if isinstance(s, list) and len(s) > 1 else next(left) for s in sizes))

    def compute_output_shape(self, input_shape):
        shape = self.flat_output_shape(input_shape)
        return self._by_cell(shape) if self.return_state else shape

    def flat_output_shape(self, input_shape):
        """Shape of the output, and of every state."""
        B, T, *_ = self.sequence_shape(input_shape)
        size = size_tuple(self.cell.output_size)
        y = (B, T, *size) if self.return_sequences else (B, *size)
        if self.time_major and self.return_sequences:
            y = (T, B, *size)
        states = [(B, *size_tuple(s)) for s in self.cell.state_sizes]
        return (y, *states) if self.return_state else y

    def call_output_shape(self, input_shape, arguments: dict):
        """Shape of the output, after checking the initial states of a symbolic call."""
        if arguments.get("initial_state") is not None:
            shapes = [tuple(state.shape) for state in flat_states(arguments["initial_state"])]
            self.check_state_shapes(shapes, self.sequence_shape(input_shape)[0])
        own = type(self).compute_output_shape is not RecurrentShapes.compute_output_shape
        return self.compute_output_shape(input_shape) if own else self.flat_output_shape(input_shape)

    def compute_mask(self, inputs, mask):
        mask = mask[0] if isinstance(mask, list) else mask
        y = mask if self.return_sequences else None  # unchanged even with go_backwards, as in Keras
        return [y, *[None] * len(self.cell.state_sizes)] if self.return_state else y
