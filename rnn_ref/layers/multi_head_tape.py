"""What MultiHeadAttention remembers for its backward pass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref.layers.attention_axes import AttentionAxes


class MultiHeadAttentionTape(NamedTuple):
    """What multi-head attention remembers, with N heads.

    If inputs have further axes, ``B`` stands for the batch and the free axes, ``T`` for the attended ones.

    Attributes
    ----------
    query : ndarray, (B, Tq, F)
    value, key : ndarray, (B, Tv, F)
        As given; the key is the value if none was given.
    q : ndarray, (B, N, Tq, D)
        Projected query, divided by the root of D.
    k : ndarray, (B, N, Tv, D)
        Projected key.
    v : ndarray, (B, N, Tv, H)
        Projected value.
    softmax : ndarray, (B, N, Tq, Tv)
        Scores before dropout, as returned by ``return_attention_scores``; each row sums to 1.
    scores : ndarray, (B, N, Tq, Tv)
        After dropout: how much of each value goes into each output.
    drop : ndarray, (B, N, Tq, Tv), or None
        Dropout mask.
    heads : ndarray, (B, Tq, N H)
        The heads' results, side by side.
    gate : ndarray, (B, Tq, N H), or None
        What each of them is multiplied by, between 0 and 1.
    allowed : ndarray of bool, or None
        Where a query may attend, in a shape that broadcasts to that of the scores.
    own_key : bool
        Whether the key was given as a third input.
    axes : AttentionAxes
    shapes : tuple of three tuples
        The original shapes of query, value and key.
    """

    query: np.ndarray
    value: np.ndarray
    key: np.ndarray
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    softmax: np.ndarray
    scores: np.ndarray
    drop: np.ndarray | None
    heads: np.ndarray
    gate: np.ndarray | None
    allowed: np.ndarray | None
    own_key: bool
    axes: AttentionAxes
    shapes: tuple
