"""generate: continue a text, or a sequence of tokens, with a language model."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np

from rnn_ref import random
from rnn_ref.guard import guarded
from rnn_ref.random import Seed
from rnn_ref.seq2seq.carrying import stateless
from rnn_ref.seq2seq.next_token import Reader
from rnn_ref.seq2seq.sampling import sample


@guarded
def generate(
    model: Any,
    prefix: Any,
    length: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: Seed = None,
    tokenizer: Any = None,
    *,
    source: Any = None,
    end_token: int | None = None,
    window: int | None = None,
    from_logits: bool | None = None,
):
    """Let a language model continue a prefix.

    At every step the model reads the tokens so far and returns a distribution of the next one; a token is drawn and
    read at the next step. The result is the same as if the model ran on the whole sequence at every step. If all layers
    but recurrent ones treat each time step separately, only the new token is run, and the states are carried over;
    otherwise the whole sequence is run again at every step.

    Parameters
    ----------
    model : Model
        From tokens ``(N, T)``, or their one-hot vectors ``(N, T, V)``, to the next token's distribution: ``(N, V)``,
        or ``(N, T, V)`` with one for each step, the last of which is used. Or an encoder-decoder as in training,
        ``[source, target] -> (N, T, V)``.
    prefix : str, list of str, or array_like of int, shape (P,) or (N, P)
        What to continue: at least one token. In a list, rows may differ in length. For an encoder-decoder, the start of
        the target.
    length : int
        The number of tokens to add.
    temperature, top_k, top_p
        Reshape each step's distribution, as in :func:`~rnn_ref.seq2seq.token_probabilities`; a temperature of 0 always
        takes the likeliest token.
    seed : int, numpy.random.Generator or None
        None draws from the package-wide generator.
    tokenizer : Tokenizer, optional
        With ``texts_to_sequences`` and ``sequences_to_texts``; needed for text.
    source : array or list of arrays, optional
        All inputs of an encoder-decoder but the last, one row for each row of the prefix.
    end_token : int, optional
        Ends a sequence, whose row is then padded with this token.
    window : int, optional
        Run the model on at most this many of the last tokens, always from fresh states. A functional model whose input
        has a fixed number of steps, and any such model that returns one distribution ``(N, V)``, gets that many.
    from_logits : bool, optional
        Whether the model returns unnormalized log-probabilities instead of probabilities. By default, decided by the
        activation of its last layer.

    Returns
    -------
    str, list of str, ndarray (P + length,) or (N, P + length), or list of ndarray
        The prefix and what follows it, in the form of the prefix.

    Raises
    ------
    ValueError
        If the model is not of this kind; the message says what to use instead.

    Notes
    -----
    Stateful layers start from zeros, and afterwards have the states they had before. A model with a ``Bidirectional``
    layer that returns a distribution for each step is refused: in training it saw the tokens that it is to predict.

    Examples
    --------
    >>> import rnn_ref
    >>> from rnn_ref import layers
    >>> rnn_ref.utils.set_random_seed(0)
    >>> model = rnn_ref.Sequential([
    ...     rnn_ref.Input((None,), dtype="int32"),
    ...     layers.Embedding(6, 3),
    ...     layers.GRU(4, return_sequences=True),
    ...     layers.Dense(6, "softmax"),
    ... ])
    >>> rnn_ref.generate(model, [1, 2, 3], length=4, seed=0).shape
    (7,)
    """
    if not isinstance(length, numbers.Integral) or isinstance(length, bool) or length < 1:
        raise ValueError(f"generate: length is how many tokens to add, at least 1; got {length!r}.")
    rows, as_given = _rows(prefix, tokenizer)
    reader = Reader(model, source, len(rows), window, from_logits)
    generator = random.make(seed)

    def draw(logits):
        return sample(logits, temperature, top_k, top_p, generator)

    with stateless(model):
        if len({len(row) for row in rows}) == 1:
            return as_given(list(_continue(reader.reading(slice(None)), np.stack(rows), length, end_token, draw)))
        found = []  # states of rows of different lengths are not from the same step
        for n, row in enumerate(rows):
            found.append(_continue(reader.reading(slice(n, n + 1)), row[None], length, end_token, draw)[0])
    return as_given(found)


def _continue(read: Callable, tokens: np.ndarray, length: int, end_token: int | None, draw: Callable) -> np.ndarray:
    """Tokens ``(N, P)`` -> ``(N, P + length)``."""
    P = tokens.shape[1]
    ended = np.zeros(len(tokens), dtype=bool)
    while tokens.shape[1] < P + length and not ended.all():
        logits = read(tokens)
        if end_token is not None and not 0 <= end_token < logits.shape[1]:
            raise ValueError(f"generate: end_token {end_token} is not one of the model's {logits.shape[1]} tokens.")
        new = draw(logits)
        if end_token is not None:
            new[ended] = end_token
            ended |= new == end_token
        tokens = np.concatenate([tokens, new[:, None]], axis=1)
    missing = P + length - tokens.shape[1]
    return np.pad(tokens, ((0, 0), (0, missing)), constant_values=0 if end_token is None else end_token)


def _rows(prefix, tokenizer) -> tuple[list[np.ndarray], Callable]:
    """The prefix as rows of tokens, and a function that puts rows into the form of the prefix."""
    one_text = isinstance(prefix, str)
    several = not one_text and isinstance(prefix, (list, tuple)) and any(isinstance(entry, str) for entry in prefix)
    if one_text or several:
        return _rows_of_text([prefix] if one_text else list(prefix), tokenizer, one_text)
    nested = isinstance(prefix, (list, tuple)) and any(np.ndim(entry) for entry in prefix)
    rows = [np.asarray(row) for row in prefix] if nested else np.asarray(prefix)
    one = not nested and rows.ndim == 1
    rows = [rows] if one else list(rows) if nested or rows.ndim else [rows]
    for row in rows:
        if row.ndim != 1 or not len(row) or row.dtype.kind not in "iu":
            raise ValueError(
                "generate: the prefix is text, or integers of shape (P,) or (N, P), at least one; got "
                f"{row.dtype} of shape {row.shape}."
            )
    if not rows:
        raise ValueError("generate: the prefix has no rows.")

    def as_given(found):
        if one:
            return found[0]
        return np.stack(found) if len({len(row) for row in found}) == 1 else found

    return [row.astype(np.int64) for row in rows], as_given


def _rows_of_text(texts: list, tokenizer, one: bool) -> tuple[list[np.ndarray], Callable]:
    if tokenizer is None:
        raise ValueError("generate: the prefix is text; give the tokenizer that the model was trained with.")
    rows = [np.asarray(row, np.int64) for row in tokenizer.texts_to_sequences(texts)]
    for text, row in zip(texts, rows, strict=True):
        if not len(row):
            raise ValueError(f"generate: the tokenizer knows nothing of the prefix {text!r}; give at least one token.")
    between = "" if getattr(tokenizer, "char_level", False) else " "

    def as_given(found):
        continued = []
        for text, row, tokens in zip(texts, rows, found, strict=True):
            new = tokenizer.sequences_to_texts([[int(token)] for token in tokens[len(row) :]])
            continued.append(text + "".join(between + piece for piece in new if piece))
        return continued[0] if one else continued

    return rows, as_given
