"""A one-step decoder model as a step function for all searches."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnn_ref.device import xp
from rnn_ref.guard import guarded
from rnn_ref.seq2seq.carrying import CannotCarry, run_piece
from rnn_ref.seq2seq.loop import Step
from rnn_ref.seq2seq.states import States


@guarded
def model_step(model: Any, from_logits: bool = False) -> Step:
    """Make a step function of the decoder of an encoder-decoder model.

    The decoder is the model in a translation loop: it takes the last token and the states, and returns the distribution
    of the next token and the new states ::

        [token, *states, *unchanging]  ->  [probabilities, *states]

    Its first input is one token of each sequence, either its index, ``(N, 1)``, or its one-hot vector, ``(N, 1, V)``,
    depending on the shape of the input. The first output is ``(N, 1, V)`` or ``(N, V)``. Inputs other than the returned
    states, such as the encoder's outputs that the decoder attends to, stay the same.

    A recurrent layer without initial states, as in a language model, continues from the previous token: its memory
    becomes part of the states, which start as ``None``. (A model with layers that combine several time steps needs all
    tokens at every step: use :func:`rnn_ref.generate`.)

    Parameters
    ----------
    model : Model
        With ``inputs`` and ``outputs``, called on a list of arrays.
    from_logits : bool
        Whether the first output holds unnormalized log-probabilities instead of probabilities.

    Returns
    -------
    callable
        ``step(tokens, states) -> (logits, states)``. The states are a list in the order of the model's inputs: for
        an encoder that returns its final states, ``[h, c]``, or ``[h, c, encoder_outputs]`` with attention. The
        returned states also hold what is carried over; pass them on as they are.

    Raises
    ------
    ValueError
        If the model returns more states than it takes, or its first input is no token; when called, if the
        number of states or the number of time steps is wrong, a token has no place in a one-hot vector, or feeding the
        model token by token would not give what feeding it whole sequences gives.

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
    strict = len(inputs) == 1 and token_shape[1] != 1  # a model for a single token may treat it in any way

    def step(tokens: np.ndarray, states: States) -> tuple[np.ndarray, States]:
        carried = None
        if isinstance(states, StepStates):
            states, carried = states.given, states.carried
        states = [] if states is None else list(states) if isinstance(states, (list, tuple)) else [states]
        if len(states) != len(inputs) - 1:
            names = [tensor.name for tensor in inputs[1:]]
            raise ValueError(f"model_step: {model.name} takes {len(names)} states {names}, got {len(states)}.")
        fed = one_hot(np.asarray(tokens)[:, None], vocabulary, f"model_step: {model.name}")
        try:
            returned, carried = run_piece(model, [fed, *map(xp.asarray, states)], carried, strict=strict)
        except CannotCarry as reason:
            raise ValueError(
                f"model_step: {model.name} cannot be run token by token: {reason} If it is to read all tokens at "
                "every step, call rnn_ref.generate."
            ) from None
        scores = np.asarray(returned[0], np.float64)
        if scores.ndim == 3:
            if scores.shape[1] != 1:
                raise ValueError(
                    f"model_step: for one token {model.name} returned {scores.shape[1]} time steps, "
                    f"shape {scores.shape}."
                )
            scores = scores[:, 0]
        states = [*returned[1:], *states[changing:]]
        scores = scores if from_logits else logarithms(scores, f"model_step: {model.name}")
        return scores, StepStates(states, carried) if carried else states

    return step


class StepStates(NamedTuple):
    """States of a step function.

    Attributes
    ----------
    given : list of ndarray
        The states that the model takes and returns.
    carried : dict of str to list of ndarray
        The states of its recurrent layers that it does not return.
    """

    given: list
    carried: dict


def one_hot(tokens: np.ndarray, vocabulary: int | None, where: str) -> np.ndarray:
    """Tokens ``(N, T)`` as one-hot vectors ``(N, T, V)``; unchanged if the vocabulary is None."""
    if vocabulary is None:
        return tokens
    if tokens.min() < 0 or tokens.max() >= vocabulary:
        raise ValueError(f"{where}: a token of {np.unique(tokens)} is not one of the {vocabulary} it takes.")
    return np.eye(vocabulary)[tokens]


def logarithms(probabilities: np.ndarray, where: str) -> np.ndarray:
    """Log-probabilities; anything but probabilities is refused."""
    if (probabilities < 0).any():
        raise ValueError(f"{where} returned negative probabilities; if no softmax ends it, say from_logits=True.")
    with np.errstate(divide="ignore"):  # a probability that rounds to 0 is an impossible token
        return np.log(probabilities)
