"""Feed a sequence to a model a few tokens at a time, carrying the states of its recurrent layers from call to call.

A recurrent layer that is not ``stateful`` starts every call from zeros. Here each call starts where the previous one
ended, so that feeding a sequence in pieces gives the same as feeding it whole. That holds if every other layer treats
each time step separately; only layers known to do so are accepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from rnn_ref import layers as known
from rnn_ref.device import to_numpy, xp
from rnn_ref.layers.symbolic import leaves
from rnn_ref.models.functional import Functional
from rnn_ref.models.sequential import Sequential
from rnn_ref.models.walk import Walk

RECURRENT = (known.RNN, known.SimpleRNN, known.LSTM, known.GRU)
STEPWISE = tuple(
    getattr(known, name)
    for name in (
        *("Embedding", "Dense", "Activation", "Masking", "TimeDistributed", "ActivityRegularization", "Identity"),
        *("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "LeakyReLU", "ReLU", "ELU"),
        *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"),
        *("LayerNormalization", "Softmax"),
    )
    if name in vars(known)
)
"""Layers that compute a time step's output from that time step's input."""


class CannotCarry(ValueError):
    """Feeding this model in pieces would not give the same as feeding it whole."""


class SeesAhead(CannotCarry):
    """A layer reads the sequence from its end, which is not known yet."""


class CarryingWalk(Walk):
    """A walk on which recurrent layers continue from given states.

    Parameters
    ----------
    carried : dict of str to list of ndarray, or None
        The states after the previous piece, by recurrent call; None at the start.
    strict : bool
        Whether every layer that the tokens reach must be known to treat each time step separately.
    place : str
        The position of a nested model, to distinguish its calls.
    tokens : int
        The index of the input that holds the tokens.

    Attributes
    ----------
    after : dict of str to list of ndarray
        The states after this piece.
    """

    def __init__(self, carried: dict | None, *, strict: bool, place: str = "", tokens: int = 0):
        super().__init__(record=False)
        self.carried, self.strict, self.place, self.tokens = carried, strict, place, tokens
        self.after: dict[str, list[np.ndarray]] = {}
        self._moving: set | None = None  # tensors that depend on the tokens
        self._calls = 0
        self._options: dict = {}

    def call(self, layer, inputs, arguments: dict | None = None):
        if self._moving is None:
            given = leaves(self.inputs)
            self._moving = set(given if self.place else [given[self.tokens]])
        tensors = leaves(inputs) + leaves(list((arguments or {}).values()))
        moving = [tensor in self._moving for tensor in tensors]
        if not any(moving):
            return super().call(layer, inputs, arguments)
        self._calls += 1
        self._options, inner = {}, None
        given_states = len(leaves(inputs)) > 1 or (arguments or {}).get("initial_state") is not None
        if type(layer) in (Sequential, Functional):
            if not all(moving):
                raise CannotCarry(
                    f"{layer.name}, a model inside the model, takes some inputs that depend on the tokens and some "
                    "that do not. Call its layers one by one instead."
                )
            inner = CarryingWalk(self.carried, strict=self.strict, place=f"{self.place}{self._calls}/")
            self._options = {"walk": inner}
        elif isinstance(layer, known.Bidirectional):
            raise SeesAhead(f"{layer.name} is Bidirectional: its way back begins at tokens that are not there yet.")
        elif isinstance(layer, known.RNN):
            self._check_recurrent(layer, given_states)
            if not given_states:
                self._options = {"run_cell": self._run_cell(f"{self.place}{self._calls}")}
        elif self.strict:
            self._check_stepwise(layer, inputs)
        own = getattr(layer, "states", None)
        try:
            outputs = super().call(layer, inputs, arguments)
        finally:
            if isinstance(layer, known.RNN) and not given_states:  # a stateful layer keeps its own states
                layer.states = own
        if inner is not None:
            self.after |= inner.after
        self._moving.update(leaves(outputs))
        return outputs

    def options_for(self, layer) -> dict:
        options, self._options = self._options, {}
        return options

    def _run_cell(self, key: str):
        def run(layer, x, states, *, mask=None, training=False, **options):
            going_on = self.carried is not None
            if going_on:
                states = [xp.asarray(state) for state in self.carried[key]]
                if mask is not None and not mask.all():
                    raise CannotCarry(
                        f"{layer.name}: one of the tokens is masked (mask_zero, Masking): the output of a masked step "
                        "is that of the step before, which is not there any more."
                    )
            tape = layer.cell.run(x, states, mask=mask, training=training, **options)
            self.after[key] = [state.copy() for state in tape.final_states]
            return tape

        return run

    def _check_recurrent(self, layer, given_states: bool) -> None:
        if layer.go_backwards:
            raise SeesAhead(f"{layer.name} has go_backwards=True: it begins at tokens that are not there yet.")
        if self.strict and (given_states or type(layer) not in RECURRENT):
            what = "initial states that depend on the tokens" if given_states else "code of its own"
            raise CannotCarry(f"{layer.name} has {what}; whether its states can be carried is not known.")
        if layer.time_major and self.strict:
            raise CannotCarry(f"{layer.name} has time_major=True.")

    def _check_stepwise(self, layer, inputs) -> None:
        ranks = {len(tensor.shape) for tensor in leaves(inputs)}
        axis = getattr(layer, "axis", -1)
        last = {-1, max(ranks) - 1}
        axes = set(axis) if isinstance(axis, (list, tuple)) else {axis}
        mixing = getattr(getattr(layer, "activation", None), "may_mix_steps", False)
        if type(layer) not in STEPWISE or len(ranks) > 1 or not axes <= last or mixing:
            raise CannotCarry(f"{layer.name} ({type(layer).__name__}) is not known to treat every time step by itself.")


@contextmanager
def stateless(model: Any) -> Iterator[None]:
    """Within this context the stateful layers of a model start from zeros; their states are restored afterwards."""
    found = [(layer, layer.states) for layer in _all_layers(model) if isinstance(layer, known.RNN) and layer.stateful]
    for layer, _ in found:
        layer.stateful, layer.states = False, None
    try:
        yield
    finally:
        for layer, states in found:
            layer.stateful, layer.states = True, states


def _all_layers(layer) -> Iterator[Any]:
    yield layer
    for inner in layer.sublayers():
        yield from _all_layers(inner)


def run_piece(
    model: Any, inputs: list, carried: dict | None, *, strict: bool, tokens: int = 0
) -> tuple[list[np.ndarray], dict]:
    """Feed a piece of a sequence.

    Parameters
    ----------
    model : Model
    inputs : list of ndarray
        Number ``tokens`` is the piece, ``(N, T)`` or vectors ``(N, T, V)``; the others are passed on.
    carried : dict or None
        The states from the previous piece; None for the first.
    strict : bool
        Refuse layers that may mix time steps.

    Returns
    -------
    outputs : list of ndarray
    carried : dict of str to list of ndarray, (N, ...)
        Empty if there is nothing to carry.

    Raises
    ------
    CannotCarry
        If the outputs would differ from those of the whole sequence.
    """
    walk = CarryingWalk(carried, strict=strict, tokens=tokens)
    outputs = model.run(inputs if len(inputs) > 1 else inputs[0], walk=walk)[0]
    outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    return [to_numpy(y) for y in outputs], walk.after
