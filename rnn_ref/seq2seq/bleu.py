"""BLEU: how many of a translation's n-grams also occur in a reference translation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rnn_ref.checks import integer
from rnn_ref.guard import guarded

Tokens = Sequence  # of strings or numbers


@dataclass(frozen=True)
class Bleu:
    """What `bleu` returns: the score, and the numbers it is computed from.

    Attributes
    ----------
    score : float
        From 0 to 1: the brevity penalty times the geometric mean of the precisions.
    precisions : tuple of float
        Of n-grams for n = 1, 2, ..., after smoothing.
    brevity_penalty : float
    matches, totals : tuple of int
        The number of the candidates' n-grams that are in a reference, and their total number.
    length, reference_length : int
        Tokens in all candidates, and in the references closest to them in length.
    """

    score: float
    precisions: tuple[float, ...]
    brevity_penalty: float
    matches: tuple[int, ...]
    totals: tuple[int, ...]
    length: int
    reference_length: int

    def __float__(self) -> float:
        return self.score


@guarded
def bleu(
    candidates: Sequence[Tokens],
    references: Sequence[Sequence[Tokens]],
    max_order: int = 4,
    smoothing: str | None = None,
) -> Bleu:
    """The BLEU score of a corpus.

    ``exp(min(0, 1 - r / c)) * (p_1 * ... * p_N)^(1 / N)``, where p_n is the fraction of the candidates' n-grams that
    are in a reference (counted at most as often as in the reference that has it most often), c is the candidates'
    length, and r the total length of the references closest to them in length. N-grams are counted over the whole
    corpus: the score is not the mean of its sentences' scores.

    Papineni et al., "BLEU: a method for automatic evaluation of machine translation", 2002.

    Parameters
    ----------
    candidates : list of list of tokens
        One for each sentence.
    references : list of list of list of tokens
        One or more references for each sentence.
    max_order : int
        The N above.
    smoothing : {None, "add-one", "halving"}
        What to do if no n-gram matches, which makes the score 0. ``"add-one"`` adds 1 to matches and totals for
        n > 1 (Lin & Och, "ORANGE: a method for evaluating automatic evaluation metrics", 2004); ``"halving"`` takes
        1/2, 1/4, ... of a match for the first, second, ... order without any, as NIST's and SacreBLEU's scripts do.

    Returns
    -------
    Bleu

    Raises
    ------
    ValueError
        If there is no list of references for each candidate, or sentences are strings instead of tokens.

    Examples
    --------
    >>> result = bleu([["the", "cat", "sat"]], [[["the", "cat", "sat", "down"]]], max_order=2)
    >>> result.precisions, round(result.score, 4)
    ((1.0, 1.0), 0.7165)
    """
    max_order = integer(max_order, "max_order", "bleu", least=1)
    if smoothing not in (None, "add-one", "halving"):
        raise ValueError(f"bleu: `smoothing` must be None, 'add-one' or 'halving'. Received: smoothing={smoothing!r}")
    candidates, references = list(candidates), list(references)
    if len(candidates) != len(references):
        raise ValueError(
            f"bleu: there must be a list of references for each candidate. "
            f"Received: {len(candidates)} candidates, {len(references)} lists of references."
        )
    matches, totals = [0] * max_order, [0] * max_order
    length = reference_length = 0
    for candidate, alternatives in zip(candidates, references):
        candidate = _tokens(candidate, "a candidate")
        if isinstance(alternatives, str) or not len(alternatives):
            raise ValueError(f"bleu: expected a list of references for a candidate. Received: {alternatives!r}")
        alternatives = [_tokens(reference, "a reference") for reference in alternatives]
        length += len(candidate)
        reference_length += min((abs(len(r) - len(candidate)), len(r)) for r in alternatives)[1]
        for n in range(1, max_order + 1):
            own, best = _ngrams(candidate, n), Counter()
            for reference in alternatives:
                best |= _ngrams(reference, n)
            matches[n - 1] += (own & best).total()
            totals[n - 1] += own.total()
    precisions = _precisions(matches, totals, smoothing)
    penalty = 0.0 if not length else math.exp(min(0.0, 1 - reference_length / length))
    mean = math.exp(sum(map(math.log, precisions)) / max_order) if all(precisions) else 0.0
    return Bleu(penalty * mean, precisions, penalty, tuple(matches), tuple(totals), length, reference_length)


def _tokens(sentence: Tokens, what: str) -> list:
    if isinstance(sentence, str) or not hasattr(sentence, "__iter__"):
        raise ValueError(f"bleu: {what} must be a list of tokens, as `text.split()` makes it. Received: {sentence!r}")
    return list(sentence)


def _ngrams(tokens: list, n: int) -> Counter:
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def _precisions(matches: list[int], totals: list[int], smoothing: str | None) -> tuple[float, ...]:
    precisions, part = [], 1.0
    for n, (match, total) in enumerate(zip(matches, totals), start=1):
        if smoothing == "add-one" and n > 1:
            match, total = match + 1, total + 1
        elif smoothing == "halving" and not match:
            part /= 2
            match = part
        precisions.append(match / total if total else 0.0)
    return tuple(precisions)
