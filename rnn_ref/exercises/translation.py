"""11: sequence to sequence and attention."""

from __future__ import annotations

import numpy as np

from rnn_ref.exercises.answers import Wrong, compare, function, parts, run
from rnn_ref.exercises.course import exercise, notebook

notebook("11", "Sequence to sequence and attention")


@exercise(
    "11.1",
    "what the decoder is fed",
    "np.insert(target[:, :-1], 0, start, axis=1) is the target one step late; then np.where(... == end, pad, ...).",
)
def _fed(answer):
    function(answer, "target", "start", "end", "pad")
    start, end, pad = 7, 8, 0
    target = np.array([[3, 4, 8, 0, 0], [5, 8, 0, 0, 0], [3, 4, 5, 6, 8]])
    late = np.insert(target[:, :-1], 0, start, axis=1)
    compare(
        run(answer, target, start, end, pad, shown="three targets"),
        np.where(late == end, pad, late),
        "what is fed",
        {
            "this is the target itself: the decoder would be fed the word that it is to say.": target,
            "end is fed where padding should be: after the end nothing is fed.": late,
            "the first word is fed too early: begin with start.": np.where(target == end, pad, target),
            "the target must come one step late, not early.": np.insert(target[:, 1:], 4, start, axis=1),
            "start takes the place of the first word; the target should move, and lose its last step.": np.where(
                np.arange(5) == 0, start, np.where(target == end, pad, target)
            ),
        },
    )


def _softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


@exercise(
    "11.2",
    "attention for one query",
    "scores = keys @ query, -inf where the mask is False; weights = softmax(scores); context = weights @ keys.",
)
def _attend(answer):
    function(answer, "query", "keys", "mask")
    rng = np.random.default_rng(11)
    query, keys, mask = rng.normal(size=3), rng.normal(size=(5, 3)), np.array([True, True, True, False, False])
    scores = keys @ query
    masked = np.where(mask, scores, -np.inf)
    truth = _softmax(masked)
    found = parts(run(answer, query, keys, mask, shown="5 keys, 2 of them padding"), "context", "weights")
    zeroed = _softmax(np.where(mask, scores, 0))
    after = _softmax(scores) * mask
    mistakes = {
        "padding is looked at too: its scores must be -inf before the softmax.": _softmax(scores),
        "a score of 0 is not none: exp(0) is 1. Padding's scores must be -inf.": zeroed,
        "masked after the softmax the weights no longer sum to 1: set scores to -inf before it.": after,
        "these are the scores; the softmax makes weights of them.": np.where(mask, scores, 0),
        "without exp there is no softmax: weights are exp(score) over their sum.": (
            np.where(mask, scores, 0) / np.where(mask, scores, 0).sum()
        ),
    }
    compare(found[1], truth, "weights", mistakes)
    compare(
        found[0],
        truth @ keys,
        "context",
        {
            "context is a mean of the keys, weighted: divide by nothing more.": truth @ keys / mask.sum(),
            "this is the key with the largest weight; a mean of all was asked for.": keys[truth.argmax()],
            "the keys are weighted equally here.": keys[mask].mean(axis=0),
        },
    )


@exercise(
    "11.3",
    "the loop that decodes",
    "Begin with token = start. Each time: probabilities, state = step(token, state); the next token is their argmax; "
    "stop when it is end, else keep it.",
)
def _loop(answer):
    function(answer, "step", "state", "start", "end", "longest")
    start, end = 0, 1
    told = []

    def step(token, state):
        """Counts up from 2, until the state is used up; feeding another token than the last one said derails it."""
        told.append((int(token), int(state)))
        probabilities = np.full(9, 0.02)
        probabilities[2 if token == start else min(token + 1, 8) if state > 0 else end] = 0.84
        return probabilities, state - 1

    for state, longest, truth in ((3, 10, [2, 3, 4]), (9, 4, [2, 3, 4, 5]), (0, 10, [2])):
        told.clear()
        shown = f"an answer of {len(truth)} tokens" if longest == 10 else "an answer that does not end by itself"
        said = run(answer, step, state, start, end, longest, shown=shown)
        try:
            said = [int(token) for token in np.ravel(said)]
        except (TypeError, ValueError):
            raise Wrong(f"return a list of tokens, got {said!r}.") from None
        if said == truth:
            continue
        if said == [*truth, end]:
            raise Wrong("the end token itself is not part of what is said.")
        if said[:1] == [start]:
            raise Wrong("the start token is fed, but not said.")
        if len({token for token, _ in told}) == 1 and len(told) > 1:
            raise Wrong("the decoder is fed the start token each time: feed it what it said last.")
        if len({state for _, state in told}) == 1 and len(told) > 1:
            raise Wrong("the state stays what it was at first: hand on what step returned.")
        if len(said) > longest:
            raise Wrong(f"with {shown} stop after {longest} tokens; yours has {len(said)}.")
        raise Wrong(f"with {shown} it should be {truth}, got {said}.")


@exercise(
    "11.4",
    "one step of beam search",
    "total = log_probs[:, None] + next_log_probs, flat; the K largest by np.argsort(-total); np.divmod(best, V) gives "
    "parents and tokens.",
)
def _beam(answer):
    function(answer, "log_probs", "next_log_probs")
    before = np.log([0.5, 0.3, 0.2])
    after = np.log([[0.30, 0.26, 0.24, 0.20], [0.02, 0.03, 0.9, 0.05], [0.25, 0.25, 0.2, 0.3]])
    total = before[:, None] + after
    best = np.argsort(-total.ravel())[:3]
    found = parts(run(answer, before, after, shown="3 beams and 4 tokens"), "parents", "tokens", "log_probs")
    parents, tokens = np.divmod(best, 4)

    def three(choice):
        return (*np.divmod(choice, 4), total.ravel()[choice])

    each = after.argmax(axis=1) + 4 * np.arange(3)
    for k, (name, truth) in enumerate(zip(("parents", "tokens", "log_probs"), (parents, tokens, total.ravel()[best]))):
        mistakes = {
            "each beam is continued by its own best token; a good beam may have several, a bad one none.": three(each),
            "these are the worst ones: largest first.": three(np.argsort(total.ravel())[:3]),
            "they are in the wrong order: the best first.": three(best[::-1]),
            "the probability of what comes before is missing: add log_probs.": (
                *np.divmod(np.argsort(-after.ravel())[:3], 4),
                np.sort(after.ravel())[::-1][:3],
            ),
            "parents and tokens have changed places: flat = parent * V + token.": (tokens, parents, np.nan),
            "logarithms are added where probabilities are multiplied.": (
                *np.divmod(np.argsort(-(before[:, None] * after).ravel())[:3], 4),
                -np.sort(-(before[:, None] * after).ravel())[:3],
            ),
        }
        compare(found[k], truth, name, {message: wrong[k] for message, wrong in mistakes.items()})


@exercise(
    "11.5",
    "the precision of n-grams",
    "Count n-grams of both with collections.Counter(zip(*(tokens[i:] for i in range(n)))); & of counters takes the "
    "smaller count; divide the sum by the number of n-grams of the candidate.",
)
def _precision(answer):
    function(answer, "candidate", "reference", "n")
    the = ["the", "the", "the", "cat", "the"], ["the", "cat", "is", "on", "the", "mat"]
    for (candidate, reference), n, truth, wrong in (
        (
            the,
            1,
            3 / 5,
            {
                "each n-gram counts at most as often as in the reference: 'the' is there twice, not four times.": 1.0,
                "divide by the candidate's n-grams; by the reference's it is the recall.": 3 / 6,
                "'the' is in both twice, and counts twice; these are different ones only.": 2 / 5,
            },
        ),
        (
            the,
            2,
            1 / 4,
            {
                "5 words have 4 pairs, not 5.": 1 / 5,
                "these are single words; n says how many in a row.": 3 / 5,
                "words in a row, in their order: pairs are not any two words.": 3 / 4,
            },
        ),
        ((["oui"], ["oui", "non"]), 2, 0.0, {}),
    ):
        shown = f"{' '.join(candidate)!r}, {' '.join(reference)!r} and n={n}"
        compare(run(answer, candidate, reference, n, shown=shown), truth, f"with {shown} the precision", wrong)
