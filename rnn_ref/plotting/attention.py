"""Attention maps: which input each output attended to."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rnn_ref.guard import guarded
from rnn_ref.plotting.shared import UNIT_INTERVAL, describe, new_figure

CROWDED = 40  # the most tokens on an axis that are all written


@guarded
def attention(
    scores,
    *,
    query_tokens=None,
    key_tokens=None,
    sample: int = 0,
    head: int | None = None,
    ax=None,
    title: str | None = None,
) -> Figure:
    """Draw attention scores: one row for each query (output), one column for each key (input).

    Parameters
    ----------
    scores : ndarray, (B, Tq, Tv), (Tq, Tv) or (B, heads, Tq, Tv), or a trace of an attention layer with such ``scores``
        After softmax: each row sums to 1.
    query_tokens : str or list of str, optional
        Tq tokens, written at the rows; by default step numbers. With fewer than Tq, the last rows (padding) are left
        out.
    key_tokens : str or list of str, optional
        Tv tokens, written at the columns.
    sample : int
    head : int, optional
        Which head of MultiHeadAttention.
    ax : matplotlib.axes.Axes, optional
        Draw here instead of in a new figure.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    References
    ----------
    Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate", 2014,
    https://arxiv.org/abs/1409.0473, figure 3.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> figure = rnn_ref.plot.attention(np.eye(3)[::-1], query_tokens="cba", key_tokens="abc")
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['c', 'b', 'a']
    """
    name = getattr(scores, "name", None)
    if name is not None and getattr(scores, "scores", None) is None:
        raise ValueError(f"plot.attention: {name} ({scores.layer_class}) has no attention scores.")
    matrix = _matrix(getattr(scores, "scores", scores), sample, head)
    rows, row_label = _tokens(query_tokens, matrix.shape[0], "query_tokens", "query step")
    columns, column_label = _tokens(key_tokens, matrix.shape[1], "key_tokens", "key step")
    matrix = matrix[: len(rows), : len(columns)]
    if ax is None:
        width = min(max(0.32 * len(columns), 2.4), 9)
        height = min(max(0.32 * len(rows), 1.6), 9)
        axis = new_figure(width + 1.9, height + 1.3).subplots()
    else:
        axis = ax
    image = axis.imshow(matrix, cmap=UNIT_INTERVAL, vmin=0, vmax=1, interpolation="nearest", aspect="equal")
    for direction, labels in ((axis.yaxis, rows), (axis.xaxis, columns)):
        every = -(-len(labels) // CROWDED)
        direction.set_ticks(range(0, len(labels), every), labels[::every], parse_math=False)
    axis.xaxis.tick_top()
    axis.xaxis.set_label_position("top")
    if max(len(label) for label in columns) > 2:
        axis.tick_params(axis="x", rotation=90)
    axis.set_xlabel(column_label)
    axis.set_ylabel(row_label)
    bar = axis.figure.colorbar(image, ax=axis, fraction=0.05, pad=0.03)
    bar.set_label("share of attention")
    axis.set_title(title or ("Attention" if name is None else f"Attention of “{name}”"), fontsize=11)
    best = matrix.argmax(axis=1)
    pairs = ", ".join(
        f"{rows[t]} at {columns[s]} (step {s}, {matrix[t, s]:.2f})" for t, s in list(enumerate(best))[:12]
    )
    return describe(
        axis.figure,
        f"Attention map of {len(rows)} queries over {len(columns)} keys. Each query looks most at: {pairs}"
        + (", ..." if len(rows) > 12 else "") + ".",
    )  # fmt: skip


def _matrix(scores, sample: int, head: int | None) -> np.ndarray:
    """The ``(Tq, Tv)`` scores of one sample, and of one head if there are several."""
    scores = np.asarray(scores)
    if scores.ndim == 4:
        if head is None or not 0 <= head < scores.shape[1]:
            raise ValueError(f"plot.attention: head={head}, but say which: there are heads 0 to {scores.shape[1] - 1}.")
        scores = scores[:, head]
    elif head is not None:
        raise ValueError(f"plot.attention: head={head}, but scores of shape {scores.shape} have no heads.")
    if scores.ndim == 3:
        if not 0 <= sample < len(scores):
            raise ValueError(f"plot.attention: sample={sample}, but there are samples 0 to {len(scores) - 1}.")
        scores = scores[sample]
    if scores.ndim != 2 or not scores.size:
        raise ValueError(
            f"plot.attention: expected scores (B, Tq, Tv) or (Tq, Tv), got shape {scores.shape}. A layer returns "
            "them with return_attention_scores=True."
        )
    return scores


def _tokens(tokens, size: int, argument: str, default: str) -> tuple[list[str], str]:
    """Labels of an axis and its name."""
    if tokens is None:
        return [str(t) for t in range(size)], default
    tokens = ["␣" if token == " " else str(token) for token in tokens]
    if not 0 < len(tokens) <= size:
        raise ValueError(f"plot.attention: {argument} has {len(tokens)} tokens, the scores have {size} steps.")
    return tokens, default.partition(" ")[0]
