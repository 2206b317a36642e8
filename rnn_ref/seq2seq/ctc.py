"""From the outputs of a network trained with CTC at each time step to labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnn_ref import checks
from rnn_ref.guard import guarded

PAD = -1


@guarded
def ctc_decode(
    inputs: ArrayLike,
    sequence_lengths: ArrayLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Labels of sequences of logits (https://keras.io/api/ops/nn/#ctc_decode-function).

    A path has one class at each time step; merging repetitions and dropping blanks gives its labels. ``"greedy"`` takes
    the likeliest path. Many paths have the same labels, so those of the likeliest path need not be the likeliest:
    ``"beam_search"`` adds up the paths of the `beam_width` best prefixes of labels at every step (prefix search, Graves
    et al. 2006, section 3.2; Hannun et al. 2014, "First-Pass Large Vocabulary Continuous Speech Recognition using
    Bi-Directional Recurrent DNNs"). If the beam is wide enough for all prefixes, it finds the best labels of all.

    Parameters
    ----------
    inputs : array_like, shape (B, T, C)
        Logits, without a softmax.
    sequence_lengths : array_like of int, shape (B,)
        The number of time steps of each sequence.
    strategy : {"greedy", "beam_search"}
    beam_width : int
    top_paths : int
        The number of label sequences that beam search returns, at most `beam_width`.
    merge_repeated : bool
        Greedy only: whether equal neighbours on the path are one label.
    mask_index : int, optional
        The blank; by default the last class.

    Returns
    -------
    labels : ndarray of int, shape (1, B, T) or (top_paths, B, T)
        Padded with -1.
    scores : ndarray, shape (B, 1) or (B, top_paths)
        Greedy: minus the sum of the largest logits. Beam search: the log-probability of the labels; -inf if there are
        fewer than `top_paths`.

    Raises
    ------
    ValueError
        If an argument has another shape or is out of its range.

    Examples
    --------
    Blank is the likeliest class at both steps, yet label 1 has three paths, and together they are likelier:

    >>> z = np.log([[[0.6, 0.4], [0.6, 0.4]]])
    >>> ctc_decode(z, [2])[0].tolist(), ctc_decode(z, [2], "beam_search")[0].tolist()
    ([[[-1, -1]]], [[[1, -1]]])
    """
    width = checks.integer(beam_width, "beam_width", "ctc_decode", least=1)
    count = checks.integer(top_paths, "top_paths", "ctc_decode", least=1)
    z = np.asarray(checks.numbers(inputs, "inputs", "ctc_decode"))
    z = z if z.dtype == np.float64 else z.astype(np.float32)
    lengths = np.asarray(sequence_lengths)
    if z.ndim != 3 or lengths.shape != z.shape[:1]:
        raise ValueError(
            f"ctc_decode: expected logits (B, T, C) and lengths (B,), got shapes {z.shape} and {lengths.shape}."
        )
    if lengths.dtype.kind not in "iu" or not ((lengths >= 0) & (lengths <= z.shape[1])).all():
        raise ValueError(f"ctc_decode: lengths are integers from 0 to {z.shape[1]}, got {lengths}.")
    if np.isnan(z).any():
        raise ValueError("ctc_decode: the logits hold NaN.")
    blank = z.shape[2] - 1 if mask_index is None else checks.integer(mask_index, "mask_index", "ctc_decode", least=0)
    if blank >= z.shape[2]:
        raise ValueError(f"ctc_decode: mask_index={blank} is not one of the {z.shape[2]} classes.")
    if strategy == "greedy":
        return _greedy(z, lengths, checks.flag(merge_repeated, "merge_repeated", "ctc_decode"), blank)
    if strategy != "beam_search":
        raise ValueError(f"ctc_decode: strategy must be 'greedy' or 'beam_search', got {strategy!r}.")
    if count > width:
        raise ValueError(f"ctc_decode: top_paths={count} is more than beam_width={width}.")
    labels, scores = np.full((count, *z.shape[:2]), PAD, np.int32), np.full((len(z), count), -np.inf, z.dtype)
    for b, n in enumerate(lengths.tolist()):
        for k, (prefix, score) in enumerate(_beam_search(z[b, :n].astype(np.float64), width, blank)[:count]):
            labels[k, b, : len(prefix)], scores[b, k] = prefix, score
    return labels, scores


def _greedy(z: np.ndarray, lengths: np.ndarray, merge_repeated: bool, blank: int) -> tuple[np.ndarray, np.ndarray]:
    counts = np.arange(z.shape[1]) < lengths[:, None]
    path = z.argmax(axis=2)
    kept = counts & (path != blank)
    if merge_repeated:
        kept[:, 1:] &= path[:, 1:] != path[:, :-1]
    labels = np.full((1, *path.shape), PAD, np.int32)
    for row, own, keep in zip(labels[0], path, kept):
        row[: keep.sum()] = own[keep]
    return labels, -np.where(counts, z.max(axis=2), 0).sum(axis=1, keepdims=True)


def _beam_search(z: np.ndarray, width: int, blank: int) -> list[tuple[tuple[int, ...], float]]:
    """Label sequences and log-probabilities of one sequence of logits (T, C), the best first.

    Each prefix has two log-probabilities: that its path ends in a blank, and that it ends in its last label. Only after
    a blank does a repetition of that label count as a new one.
    """
    log_p = z - z.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    beams = {(): (0.0, -np.inf)}
    for row in log_p:
        grown: dict[tuple[int, ...], tuple[float, float]] = {}

        def add(prefix, after_blank, after_label, grown=grown):
            a, b = grown.get(prefix, (-np.inf, -np.inf))
            grown[prefix] = (np.logaddexp(a, after_blank), np.logaddexp(b, after_label))

        for prefix, (ends_blank, ends_label) in beams.items():
            both = np.logaddexp(ends_blank, ends_label)
            add(prefix, both + row[blank], ends_label + row[prefix[-1]] if prefix else -np.inf)
            for k in range(len(row)):
                if k != blank:
                    before = ends_blank if prefix and k == prefix[-1] else both
                    add((*prefix, k), -np.inf, before + row[k])
        beams = dict(_best(grown, width))
    return [(prefix, float(np.logaddexp(*parts))) for prefix, parts in _best(beams, width)]


def _best(beams: dict, width: int) -> list:
    possible = [item for item in beams.items() if max(item[1]) > -np.inf]
    return sorted(possible, key=lambda item: (-np.logaddexp(*item[1]), item[0]))[:width]
