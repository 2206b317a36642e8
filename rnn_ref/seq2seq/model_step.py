"""A decoder model of one step as the step function that all searches run on."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_ref.seq2seq.loop import Step
from rnn_ref.seq2seq.states import States


def model_step(model: Any, from_logits: bool = False) -> Step:
    """Make the decoder of an encoder-decoder model a step function.

    The decoder is the model of a translation loop: it takes the last token and the states, and returns what comes
    next and the new states ::

        [token, *states, *unchanging]  ->  [probabilities, *states]

    Its first input is one token of each sequence: its number, ``(N, 1)``, or its one-hot vector, ``(N, 1, V)``; the
    shape of the input says which. The first output is ``(N, 1, V)`` or ``(N, V)``. Inputs beyond the states that
    come back, such as the encoder's outputs that the decoder attends to, stay as they are.

    Parameters
    ----------
    model : Model
        With ``inputs`` and ``outputs``, called on a list of arrays.
    from_logits : bool
        Whether the first output holds unnormalized log-probabilities, instead of what a softmax gives.

    Returns
    -------
    callable
        ``step(tokens, states) -> (logits, states)``. The states are a list in the order of the model's inputs: for
        an encoder that returns its final states, ``[h, c]``, or ``[h, c, encoder_outputs]`` with attention.

    Raises
    ------
    ValueError
        If the model returns more states than it takes, or its first input is no token; when called, if the
        number of states or the number of time steps is wrong, or a token has no place in a one-hot vector.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> from rnn_ref import layers, seq2seq
    >>> token, h = rnn_ref.Input((1,), dtype="int32"), rnn_ref.Input((4,))
    >>> y, state = layers.GRU(4, return_state=True)(layers.Embedding(6, 3)(token), initial_state=h)
    >>> decoder = rnn_ref.Model([token, h], [layers.Dense(6, "softmax")(y), state])
    >>> step = seq2seq.model_step(decoder)
    >>> seq2seq.greedy_search(step, states=[np.zeros((2, 4))], start_token=0, max_length=3).tokens.shape
    (2, 3)
    """
    inputs, outputs = model.inputs, model.outputs
    if len(outputs) > len(inputs):
        raise ValueError(
            f"model_step: {model.name} returns {len(outputs) - 1} states but takes {len(inputs) - 1}; it should map "
            "[token, *states] to [probabilities, *states]."
        )
    token_shape = tuple(inputs[0].shape)
    if len(token_shape) not in (2, 3) or (len(token_shape) == 3 and token_shape[-1] is None):
        raise ValueError(
            f"model_step: the first input of {model.name} should be a token, (N, 1), or its one-hot vector, (N, 1, V); "
            f"it has shape {token_shape}."
        )
    vocabulary = token_shape[2] if len(token_shape) == 3 else None
    changing = len(outputs) - 1

    def step(tokens: np.ndarray, states: States) -> tuple[np.ndarray, States]:
        states = [] if states is None else list(states) if isinstance(states, (list, tuple)) else [states]
        if len(states) != len(inputs) - 1:
            names = [tensor.name for tensor in inputs[1:]]
            raise ValueError(f"model_step: {model.name} takes {len(names)} states {names}, got {len(states)}.")
        fed = np.asarray(tokens)[:, None]
        if vocabulary is not None:
            if fed.min() < 0 or fed.max() >= vocabulary:
                raise ValueError(
                    f"model_step: a token of {fed.ravel()} is not one of the {vocabulary} of {model.name}."
                )
            fed = np.eye(vocabulary)[fed]
        returned = model([fed, *states]) if len(inputs) > 1 else model(fed)
        returned = list(returned) if isinstance(returned, (list, tuple)) else [returned]
        scores = np.asarray(returned[0], np.float64)
        if scores.ndim == 3:
            if scores.shape[1] != 1:
                raise ValueError(
                    f"model_step: for one token {model.name} returned {scores.shape[1]} time steps, "
                    f"shape {scores.shape}."
                )
            scores = scores[:, 0]
        if not from_logits:
            if (scores < 0).any():
                raise ValueError(
                    f"model_step: {model.name} returned negative probabilities; if it ends without a softmax, say "
                    "from_logits=True."
                )
            with np.errstate(divide="ignore"):  # a probability that rounds to 0 is an impossible token
                scores = np.log(scores)
        return scores, [*returned[1:], *states[changing:]]

    return step
