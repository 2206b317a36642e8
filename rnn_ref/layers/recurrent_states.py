"""States of a recurrent layer: those it starts from, and those it keeps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_ref.device import xp
from rnn_ref.guard import explained
from rnn_ref.layers.layer import Layer, batch_size_of
from rnn_ref.layers.recurrent_cells import flat_states, size_tuple
from rnn_ref.layers.starting import asked, recorded_states
from rnn_ref.layers.symbolic import leaves


class RecurrentStates(Layer):
    """The part of :class:`rnn_ref.layers.RNN` that deals with states."""

    @explained
    def get_initial_state(self, batch_size: int | None = None, *, inputs=None, dtype=None) -> list[np.ndarray]:
        """Zeros for every state, unless the cell says otherwise; ``inputs`` can also give the batch size."""
        states = self.cell.initial_states(batch_size_of(batch_size, inputs, self.name))
        return [state.astype(dtype or self.dtype) for state in states]

    def _fixed_batch_size(self) -> int | None:
        """The batch size from ``batch_input_shape``, or from an ``Input`` with a ``batch_shape``."""
        shapes = [self._given_shape, *(leaves(node.inputs)[0].shape for node in self.nodes)]
        return next((s[int(self.time_major)] for s in shapes if s and s[int(self.time_major)] is not None), None)

    @explained
    def reset_states(self, states=None) -> None:
        """Set the states that a ``stateful`` layer starts from: the given ones, or zeros."""
        if not self.stateful:
            raise AttributeError(f"{self.name} keeps no states; make it with stateful=True.")
        self.states = None if states is None else [state.copy() for state in self.check_states(states, None)]

    reset_state = reset_states

    def check_states(self, states, B: int | None) -> list[np.ndarray]:
        """One ``(B, size)`` array for each state."""
        states = [xp.asarray(state, self.dtype) for state in flat_states(states)]
        self.check_state_shapes([state.shape for state in states], B)
        return states

    def check_state_shapes(self, shapes: list[tuple], B: int | None) -> None:
        """``(B, size)`` for each state; None where a size is not known yet."""
        sizes, names = self.cell.state_sizes, self.cell.state_names
        if len(shapes) != len(sizes):
            raise ValueError(
                f"{self.name}: initial_state needs {len(sizes)} arrays ({', '.join(names)}), got {len(shapes)}."
            )
        for name, size, shape in zip(names, sizes, shapes):
            expected = (B, *size_tuple(size))
            if len(shape) != len(expected) or any(a != b and None not in (a, b) for a, b in zip(shape, expected)):
                raise ValueError(f"{self.name}: initial {name} state has shape {shape}, expected {expected}.")

    def _first_states(self, initial_state, B: int) -> tuple[list[np.ndarray], Callable | None]:
        """The initial states and, if ``get_initial_state`` makes them from weights, the backward pass to these."""
        if initial_state is not None:
            return self.check_states(initial_state, B), None
        fixed = self._fixed_batch_size() if self.stateful else None
        if fixed not in (None, B):
            raise ValueError(
                f"{self.name}: stateful, made for batches of {fixed} samples, got {B}. Leave the samples that are too "
                "many out, or fill the batch up."
            )
        if self.stateful and self.states is not None:
            if len(self.states[0]) != B:
                raise ValueError(
                    f"{self.name}: stateful with states for {len(self.states[0])} samples, got a batch of {B}. Keep "
                    "the batch size fixed, or call reset_states() first."
                )
            return [xp.asarray(state) for state in self.states], None
        own = type(self).get_initial_state is not RecurrentStates.get_initial_state
        if not own and not self.cell.own_start:
            return self.cell.initial_states(B), None
        states, back = recorded_states(
            (lambda: asked(self.get_initial_state, B, self.dtype)) if own else (lambda: self.cell.initial_states(B)),
            f"{type(self if own else self.cell).__name__}.get_initial_state",
        )
        return self.check_states(states, B), back
