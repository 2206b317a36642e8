"""08: a character model."""

from __future__ import annotations

import numpy as np

from rnn_ref.exercises.answers import Wrong, compare, function, parts, run
from rnn_ref.exercises.course import exercise, notebook

notebook("08", "A character model")


@exercise("08.1", "the perplexity", "np.exp(-np.mean(np.log(p))): e to the mean loss.")
def _perplexity(answer):
    function(answer, "p")
    rng = np.random.default_rng(8)
    for p, shown in ((np.full((2, 3), 0.25), "six times 1/4"), (rng.uniform(0.01, 1, (4, 5)), "random numbers")):
        loss = -np.log(p).mean()
        compare(
            run(answer, p, shown=f"p = {shown}"),
            np.exp(loss),
            f"with p = {shown} the perplexity",
            {
                "this is the loss in nats; the perplexity is e to that.": loss,
                "this is the loss in bits; the perplexity is 2 to that.": loss / np.log(2),
                "a natural logarithm needs e, not 2: np.exp.": 2**loss,
                "the mean of 1/p lets a single unlikely character decide; take the mean of the logarithms.": (
                    np.mean(1 / p)
                ),
                "the mean of the probabilities is not their mean logarithm.": 1 / p.mean(),
                "the sign is missing: logarithms of probabilities are negative.": np.exp(-loss),
                "this is a sum over all; take the mean.": np.exp(p.size * loss),
            }
            if shown == "random numbers"
            else None,
        )


def _rows(a, B, n, T):
    """B rows of n pieces, the first pieces of all rows before the second ones."""
    return a[: B * n * T].reshape(B, n, T).transpose(1, 0, 2).reshape(n * B, T)


@exercise(
    "08.2",
    "a text in rows that go on",
    "n = (len(ids) - 1) // (B * T) batches. ids[: B * n * T].reshape(B, n, T) are B rows of n pieces; "
    ".transpose(1, 0, 2).reshape(n * B, T) puts the first pieces of all rows into the first batch. The same "
    "for ids[1:].",
)
def _arrange(answer):
    function(answer, "ids", "B", "T")
    for size in (40, 48):
        ids, B, T = np.random.default_rng(size).permutation(size), 2, 5
        n = (size - 1) // (B * T)
        shown = f"{size} numbers, B=2 and T=5"
        x, y = parts(run(answer, ids, B, T, shown=shown), "the inputs", "the targets")

        inputs, targets = _rows(ids, B, n, T), _rows(ids[1:], B, n, T)
        if np.shape(x) == (B, n * T):
            raise Wrong("these are the B whole rows; cut them into pieces of T, (n * B, T).")
        if np.ndim(x) == 2 and np.shape(x)[1] == T and np.shape(x)[0] != n * B:
            raise Wrong(
                f"with {shown} there are {n} whole batches, {n * B} pieces, as the last character has no target; "
                f"yours are {len(x)}."
            )
        compare(
            x,
            inputs,
            f"with {shown} the inputs",
            {
                "pieces follow each other in one batch, so that row 1 goes on where row 0 ended; each row should go on "
                "in the next batch: (B, n, T) first, then the first two axes exchanged.": ids[: B * n * T].reshape(
                    -1, T
                ),
                "these are the targets: inputs begin with the first character.": targets,
            },
        )
        wrapped = np.concatenate([inputs[:, 1:], inputs[:, :1]], axis=1)
        compare(
            y,
            targets,
            f"with {shown} the targets",
            {
                "the targets are the inputs: shift them by one character.": inputs,
                "the last target of each piece is its own first character; it is the first one of the piece that comes "
                "after: shift before you cut.": wrapped,
                "the targets are the characters before.": np.roll(inputs, 1, axis=1),
            },
        )


@exercise("08.3", "temperature", "q = p ** (1 / tau), and q / q.sum(): the logarithms are divided by tau.")
def _temperature(answer):
    function(answer, "p", "tau")
    p = np.array([0.5, 0.25, 0.15, 0.1])

    def powers(exponent):
        return p**exponent / (p**exponent).sum()

    for tau in (0.5, 2.0):
        softmax = np.exp(p / tau) / np.exp(p / tau).sum()
        shown = f"p = {p.tolist()} and tau = {tau:g}"
        compare(
            run(answer, p, tau, shown=shown),
            powers(1 / tau),
            f"with {shown} the probabilities",
            {
                "the other way round: a low temperature makes the likely likelier. Raise to 1 / tau.": powers(tau),
                "they do not sum to 1: divide by their sum.": p ** (1 / tau),
                "it is the logarithms, not the probabilities, that are divided by tau.": softmax,
                "dividing all by the same number changes nothing once they sum to 1; raise them to 1 / tau.": p,
                "they do not sum to 1, and a factor for all changes nothing: raise them to 1 / tau.": p / tau,
            },
        )


@exercise(
    "08.4",
    "writing",
    "In the loop: p, h = step(token, h); token = draw(p); keep it. Both the token and the state go on.",
)
def _write(answer):
    function(answer, "step", "draw", "token", "h", "length")
    rng = np.random.default_rng(11)
    U, W, V = rng.normal(size=(3, 3)), rng.normal(size=(7, 3)), 2 * rng.normal(size=(3, 7))

    def step(token, h):
        if isinstance(token, np.ndarray) and token.ndim:
            raise ValueError(f"step takes one token, got an array of shape {token.shape}")
        h = np.tanh(W[token] + h @ U)
        p = np.exp(h @ V)
        return p / p.sum(), h

    def draw(p):
        return int(np.argmax(p))

    def write(carry=True, feed=True, shift=0):
        token, h, kept = 2, np.full(3, 0.5), []
        first, begin = token, h
        for _ in range(12 + shift):
            p, new = step(token if feed else first, h)
            h = new if carry else begin
            token = draw(p)
            kept.append(token)
        return kept

    value = run(answer, step, draw, 2, np.full(3, 0.5), 12, shown="a small network and length 12")
    if not isinstance(value, list | tuple | np.ndarray):
        raise Wrong(f"return a list of tokens, got {type(value).__name__}.")
    value, right = list(np.ravel(value)), write()
    if value == right:
        return
    if value == write(carry=False):
        raise Wrong(
            "the state is not handed on: every character is written by a network that has read only the last one."
        )
    if value == write(feed=False):
        raise Wrong("the token that was drawn has to be read at the next step.")
    if value == [2, *right] or value == [2, *right[:-1]]:
        raise Wrong("the token that was given is not among the new ones.")
    if value == right[1:] or value == write(shift=1) or value == right[:-1]:
        raise Wrong(f"length new tokens were asked for, 12; yours are {len(value)}.")
    if len(value) != 12:
        raise Wrong(f"12 new tokens were asked for, got {len(value)}.")
    place = next(k for k, (a, b) in enumerate(zip(value, right)) if a != b)
    raise Wrong(f"token number {place} should be {right[place]}, got {value[place]}.")


@exercise(
    "08.5",
    "one level of Kneser-Ney",
    "np.maximum(counts - D, 0) / N, and what was taken away, D * kinds / N with kinds = "
    "np.count_nonzero(counts), times lower.",
)
def _interpolated(answer):
    function(answer, "counts", "lower", "D")
    counts, lower, D = np.array([5.0, 0, 1, 2, 0, 0]), np.array([0.3, 0.3, 0.1, 0.1, 0.15, 0.05]), 0.6
    N, kinds = counts.sum(), np.count_nonzero(counts)
    kept = np.maximum(counts - D, 0) / N
    freed = D * kinds / N
    compare(
        run(answer, counts, lower, D, shown="counts [5, 0, 1, 2, 0, 0]"),
        kept + freed * lower,
        "the probabilities",
        {
            "a count of 0 less D is below 0: np.maximum(counts - D, 0).": (counts - D) / N + freed * lower,
            "what was taken away goes nowhere here, and they do not sum to 1: add D * kinds / N times lower.": kept,
            "nothing was taken away, and they sum to more than 1.": counts / N + freed * lower,
            "D was taken away once from each kind that was seen: D * kinds / N, not D / N.": kept + D / N * lower,
            "kinds is how many different characters were seen, not how many there are.": (
                kept + D * len(counts) / N * lower
            ),
            "what was taken away goes to all by lower, not to those alone that were never seen.": kept
            + np.where(counts == 0, freed * lower / lower[counts == 0].sum(), 0),
            "this is a mixture with the weight D, not a discount.": (1 - D) * counts / N + D * lower,
        },
    )
