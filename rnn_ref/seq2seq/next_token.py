"""From all tokens so far to a language model's distribution of the next one."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_ref import layers
from rnn_ref.device import to_numpy
from rnn_ref.models.functional import Functional
from rnn_ref.models.model import Model
from rnn_ref.models.sequential import Sequential
from rnn_ref.models.structure import flatten
from rnn_ref.seq2seq.carrying import CannotCarry, SeesAhead, run_piece
from rnn_ref.seq2seq.model_step import logarithms, one_hot


class Reader:
    """A model that reads tokens; see :func:`rnn_ref.generate` for the arguments.

    Parameters
    ----------
    model : Model
    source : array or list of arrays, or None
        Other inputs, one row for each of the ``N`` sequences.
    N : int
    window : int or None
    from_logits : bool or None
    """

    def __init__(self, model: Any, source: Any, N: int, window: int | None, from_logits: bool | None):
        if not isinstance(model, Model):
            raise TypeError(f"generate: expected a model, got {model!r}.")
        self.model, self.where = model, f"generate: {model.name}"
        known = isinstance(model, (Sequential, Functional)) and model.inputs is not None
        if known and len(model.outputs) > 1:
            raise ValueError(
                f"{self.where} returns {len(model.outputs)} arrays, but generate takes a model that returns the next "
                "token's distribution alone. For a decoder of one step, [token, *states] -> [probabilities, *states], "
                "write seq2seq.sample_search(seq2seq.model_step(model), states, start_token)."
            )
        self.source = self._other_inputs(source, N, model.inputs if known else None)
        shape = tuple(model.inputs[-1].shape) if known else (None, None)
        if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] is None):
            raise ValueError(
                f"{self.where} takes inputs of shape {shape}; expected tokens (N, T), or one-hot vectors (N, T, V)."
            )
        self.vocabulary = shape[2] if len(shape) == 3 else None
        functional, steps = isinstance(model, Functional), shape[1]
        self.per_step = known and len(model.outputs[0].shape) == 3
        self.one_step = functional and steps == 1
        self.fixed = steps if functional and not self.one_step else None
        if window is not None and (not isinstance(window, numbers.Integral) or window < 1):
            raise ValueError(f"generate: window is a number of tokens, at least 1, or None; got {window!r}.")
        if self.fixed is not None and window not in (None, self.fixed):
            raise ValueError(f"{self.where} takes sequences of {self.fixed} tokens; window={window} does not fit it.")
        declared = steps if known and not self.per_step and steps != 1 else None
        self.window = window or self.fixed or declared
        self.from_logits = self._gives_logits() if from_logits is None else bool(from_logits)

    def reading(self, rows: slice) -> Callable[[np.ndarray], np.ndarray]:
        """The function from tokens so far ``(N, T)`` to logits ``(N, V)``, to be called with one more token each time.

        ``rows`` are the rows of the source that belong to the sequences.
        """
        source = [array[rows] for array in self.source]
        in_pieces, looked, carried = not source and self.window is None, False, None

        def read(tokens: np.ndarray) -> np.ndarray:
            nonlocal in_pieces, looked, carried
            if in_pieces:
                try:
                    y, carried = self._pieces(tokens, carried)
                    return self._logits(y)
                except CannotCarry as reason:
                    self._refuse_if_ahead(reason)
                    if self.one_step:
                        raise ValueError(f"{self.where} takes one token at a time, but {reason}") from None
                    in_pieces = False
            elif not looked and self.per_step:
                try:
                    run_piece(self.model, [*source, self._fed(tokens)], None, strict=False, tokens=len(source))
                except CannotCarry as reason:
                    self._refuse_if_ahead(reason)
            looked = True
            inputs = [*source, self._fed(tokens)]
            outputs = self.model(inputs if source else inputs[0], training=False)
            return self._logits(outputs)

        return read

    def _pieces(self, tokens: np.ndarray, carried: dict | None):
        """Run what has not been run before: all tokens, or the last one."""
        start = 0 if carried is None else tokens.shape[1] - 1
        length = 1 if self.one_step else tokens.shape[1] - start
        for t in range(start, tokens.shape[1], length):
            outputs, carried = run_piece(self.model, [self._fed(tokens[:, t : t + length])], carried, strict=True)
        return outputs[0], carried

    def _fed(self, tokens: np.ndarray) -> np.ndarray:
        if self.window is not None:
            tokens = tokens[:, -self.window :]
            if self.fixed is not None and tokens.shape[1] < self.fixed:
                raise ValueError(
                    f"{self.where} takes sequences of {self.fixed} tokens, and the prefix has {tokens.shape[1]}. Give "
                    "a longer prefix, or make the model with Input((None,)), so that it takes any length."
                )
        return one_hot(tokens, self.vocabulary, self.where)

    def _refuse_if_ahead(self, reason: CannotCarry) -> None:
        if isinstance(reason, SeesAhead) and self.per_step:
            raise ValueError(
                f"{self.where} cannot go on with a sequence: {reason} In training such a layer sees the tokens that "
                "the model is to predict here. Leave Bidirectional and go_backwards out of a language model."
            ) from None

    def _logits(self, y) -> np.ndarray:
        y = to_numpy(y).astype(np.float64)
        y = y[:, -1] if y.ndim == 3 else y
        if y.ndim != 2:
            raise ValueError(f"{self.where} returned shape {y.shape}; expected (N, V) or (N, T, V).")
        if self.from_logits:
            return y
        if not np.allclose(y.sum(axis=1), 1, atol=1e-3):
            raise ValueError(
                f"{self.where} returned probabilities that sum to {y.sum(axis=1)[0]:g}; if it ends without a softmax, "
                "say from_logits=True."
            )
        return logarithms(y, self.where)

    def _other_inputs(self, source, N: int, inputs) -> list:
        names = [] if inputs is None else self.model.input_names[:-1]
        if source is None:
            if names:
                raise ValueError(
                    f"{self.where} has {len(names) + 1} inputs. Give all but the last, {names}, as source=; the last "
                    "is what the prefix begins. For a decoder that takes states write seq2seq.sample_search("
                    "seq2seq.model_step(model), states, start_token)."
                )
            return []
        if not names:
            raise ValueError(f"{self.where} has one input, that of the prefix; it takes no source.")
        arrays = [np.asarray(array) for array in flatten(source, names, self.where)]
        for name, array in zip(names, arrays):
            if len(array) != N:
                raise ValueError(f"{self.where}: source {name!r} has {len(array)} rows, the prefix {N}.")
        return arrays

    def _gives_logits(self) -> bool:
        layer = self.model
        while True:
            if isinstance(layer, Functional):
                layer = layer.outputs[0].node.layer
            elif isinstance(layer, Sequential):
                layer = layer.layers[-1]
            elif isinstance(layer, layers.TimeDistributed):
                layer = layer.layer
            else:
                break
        name = getattr(getattr(layer, "activation", None), "name", None)
        if name == "softmax" or type(layer).__name__ == "Softmax":
            return False
        if name in ("linear", "log_softmax") and isinstance(layer, (layers.Dense, layers.Activation)):
            return True
        raise ValueError(
            f"{self.where} ends with {layer.name} ({type(layer).__name__}), from which it cannot be told whether it "
            "gives probabilities: say from_logits=False if its outputs sum to 1, True if a softmax is still to come."
        )
