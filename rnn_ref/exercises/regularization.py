"""12: regularization."""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.exercises.answers import Wrong, compare, function, parts, run
from rnn_ref.exercises.course import exercise, notebook

notebook("12", "Regularization")


@exercise(
    "12.1",
    "dropout",
    "np.where(u < rate, 0, x / (1 - rate)): what is left is made larger by as much as is missing on average.",
)
def _dropout(answer):
    function(answer, "x", "u", "rate")
    rng = np.random.default_rng(12)
    x, u = rng.normal(size=(4, 6)), rng.random((4, 6))
    for rate in (0.2, 0.5):
        kept = u >= rate
        compare(
            run(answer, x, u, rate, shown=f"rate={rate}"),
            x * kept / (1 - rate),
            f"with rate={rate} the result",
            {
                "what is left must be scaled up by 1 / (1 - rate), so that the mean stays.": x * kept,
                "the rate is the part that is dropped, not kept: drop where u < rate.": np.where(u < rate, x / rate, 0),
                "drop where u < rate; here the others are dropped.": x * (u < rate) / (1 - rate),
                "what is left is divided by 1 - rate, the part that is kept; yours is divided by rate.": (
                    x * kept / rate if rate != 0.5 else np.nan
                ),
                "it is scaled down: divide by 1 - rate, do not multiply.": x * kept * (1 - rate),
                "this is scaled, but nothing is dropped.": x / (1 - rate),
            },
        )


@exercise(
    "12.2",
    "one mask for the whole sequence",
    "Make the mask (B, F) first, then give it a time axis of 1: mask[:, None, :] is repeated over all steps.",
)
def _sequence(answer):
    function(answer, "x", "u", "rate")
    rng = np.random.default_rng(13)
    x, u, rate = rng.normal(size=(3, 3, 3)), rng.random((3, 3)), 0.4  # a wrong product has the same shape
    mask = (u >= rate) / (1 - rate)
    compare(
        run(answer, x, u, rate, shown="x (3, 3, 3) and u (3, 3)"),
        x * mask[:, None, :],
        "the result",
        {
            "(3, 3, 3) * (3, 3) does not mean what it seems: NumPy lines axes up from the last one, so that rows of u "
            "become steps. Give it a time axis: [:, None, :].": x * mask,
            "each sample has a mask of its own; here all have the first one's.": x * mask[:1, None, :],
            "the mask is given to the wrong axes: features are last.": x * mask.T[:, None, :],
            "what is left must be scaled up by 1 / (1 - rate).": x * (mask[:, None, :] > 0),
            "the rate is the part that is dropped: drop where u < rate.": x * (u < rate)[:, None, :] / rate,
        },
    )


@exercise(
    "12.3",
    "what is left of a memory",
    "New masks: every one of the steps must keep it, (1 - rate) ** steps. One mask: it is drawn once, 1 - rate. An "
    "LSTM's c is never multiplied by the mask.",
)
def _memory(answer):
    function(answer, "rate", "steps")
    for rate, steps in ((0.2, 10), (0.5, 4)):
        shown = f"rate={rate}, steps={steps}"
        names = "with new masks", "with one mask", "in an LSTM's cell"
        found = parts(run(answer, rate, steps, shown=shown), *names)
        mistakes = (
            {
                "with new masks: this is the chance at a single step; it must be kept at all of them.": 1 - rate,
                "with new masks: rate is the part that is dropped; the part that is kept is multiplied.": rate**steps,
                "with new masks: that is the chance to be dropped at least once.": 1 - (1 - rate) ** steps,
            },
            {
                "with one mask: it is drawn once for all steps.": (1 - rate) ** steps,
                "with one mask: rate is the part that is dropped.": rate if rate != 0.5 else np.nan,
            },
            {
                "in an LSTM's cell: recurrent dropout is in the products with h; nothing multiplies c by a mask.": (
                    1 - rate
                ),
                "in an LSTM's cell: c is carried over whole; only h is masked, and only in the products.": (
                    (1 - rate) ** steps
                ),
            },
        )
        for name, value, truth, wrong in zip(names, found, ((1 - rate) ** steps, 1 - rate, 1.0), mistakes):
            compare(value, truth, f"with {shown}, the chance {name}", wrong)


def _layer():
    """An LSTM in float64, and its weights."""
    rng = np.random.default_rng(14)
    lstm = layers.LSTM(3, return_state=True, dtype="float64", input_shape=(None, 2))
    lstm.set_weights([rng.normal(0, 0.7, weight.shape) for weight in lstm.get_weights()])
    return lstm, lstm.get_weights()


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _step(x, h_prev, c_prev, W, U, b, d_h, *, products="masked", cell=None, order=(0, 1, 2, 3)):
    masked = [h_prev * d if products == "masked" else h_prev for d in d_h]
    z = [x @ W[:, k * 3 : k * 3 + 3] + masked[k] @ U[:, k * 3 : k * 3 + 3] + b[k * 3 : k * 3 + 3] for k in order]
    c = _sigmoid(z[1]) * c_prev * (1 if cell is None else cell) + _sigmoid(z[0]) * np.tanh(z[2])
    return _sigmoid(z[3]) * np.tanh(c), c


@exercise(
    "12.4",
    "one step of an LSTM with recurrent dropout",
    "Take the four blocks of U apart with np.split(U, 4, axis=1). Gate k reads h_prev * d_h[k]; c_prev stays as it is.",
)
def _lstm(answer):
    function(answer, "x", "h_prev", "c_prev", "W", "U", "b", "d_h")
    rng = np.random.default_rng(15)
    _, (W, U, b) = _layer()
    x, h_prev, c_prev = rng.normal(size=2), rng.normal(size=3), rng.normal(size=3)
    d_h = np.array([[2.0, 0, 2], [0, 2, 2], [2, 2, 0], [0, 0, 2]])
    given = x, h_prev, c_prev, W, U, b, d_h
    found = parts(run(answer, *given, shown="3 units"), "h", "c")
    truth = _step(*given)
    same = np.broadcast_to(d_h[0], d_h.shape)
    mistakes = {
        "nothing is dropped: each gate reads h_prev times its mask.": {"products": "whole"},
        "c_prev is not masked: the cell is what remembers.": {"cell": d_h[1]},
        "c_prev is masked, and what the gates read is not: it should be the other way round.": {
            "cell": d_h[1],
            "products": "whole",
        },
    }
    for k, name in enumerate(("h", "c")):
        wrong = {message: _step(*given, **options)[k] for message, options in mistakes.items()}
        wrong["each gate has a mask of its own, d_h[0] to d_h[3]; yours all read the first one."] = _step(
            x, h_prev, c_prev, W, U, b, same
        )[k]
        compare(found[k], truth[k], name, wrong)


@exercise(
    "12.5",
    "the largest rate that is no worse",
    "Mean and standard error (std with ddof=1, over the root of the number of seeds) of each row. The limit is the "
    "best mean plus its standard error; of the rates whose mean is within it, take the largest.",
)
def _choose(answer):
    function(answer, "rates", "losses")
    rates = np.array([0.0, 0.1, 0.2, 0.3, 0.5])
    losses = np.array(
        [
            [0.50, 0.40, 0.44, 0.46],
            [0.36, 0.24, 0.38, 0.34],
            [0.26, 0.34, 0.30, 0.30],
            [0.32, 0.30, 0.325, 0.305],
            [0.33, 0.31, 0.33, 0.32],
        ]
    )
    said = run(answer, rates, losses, shown="5 rates and 4 seeds")
    mean = losses.mean(axis=1)
    if isinstance(said, int | np.integer) and not isinstance(said, bool) and said > 0:
        raise Wrong("return the rate itself, not its place in the list.")
    compare(
        said,
        0.3,
        "the rate",
        {
            "0.2 has the lowest mean; 0.3 is larger, and within one standard error of it.": rates[mean.argmin()],
            "with the standard deviation as the limit, rates pass that are worse by more than chance: divide it by the "
            "root of the number of seeds.": 0.5,
            "0.1 has the single best run, which is luck: take means over seeds.": rates[losses.min(axis=1).argmin()],
            "this is no dropout at all, whose mean is the worst.": 0.0,
        },
    )
