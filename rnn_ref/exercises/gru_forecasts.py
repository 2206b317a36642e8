"""05: the GRU, and forecasts that feed on themselves."""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.exercises.answers import Wrong, compare, function, parts, run
from rnn_ref.exercises.course import exercise, notebook

notebook("05", "The GRU, and forecasts that feed on themselves")
F, H = 3, 4
OTHER_WAY = "z keeps the old state in Keras: h = z * h_prev + (1 - z) * g. The paper's text has it the other way round."


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _cell(reset_after: bool):
    """Random weights, an input and a state, and the new state by the layer's cell."""
    rng = np.random.default_rng(5 + reset_after)
    W, U = rng.normal(size=(F, 3 * H)), rng.normal(size=(H, 3 * H))
    b = rng.normal(size=(2, 3 * H) if reset_after else 3 * H)
    x, h_prev = rng.normal(size=F), rng.normal(size=H)
    cell = layers.GRUCell(H, reset_after=reset_after, dtype="float64")
    cell.build((1, F))
    cell.set_weights([W, U, b])
    truth, _ = cell(x[None], [h_prev[None]])
    return (x, h_prev, W, U, b), np.asarray(truth)[0]


def _after(x, h_prev, W, U, b, order=(0, 1, 2), keep=True, resets=1, second=1):
    a, s = x @ W + b[0], h_prev @ U + second * b[1]
    (a_z, a_r, a_h), (s_z, s_r, s_h) = ([np.split(v, 3)[k] for k in order] for v in (a, s))
    z, r = _sigmoid(a_z + s_z), _sigmoid(a_r + s_r)
    g = np.tanh(a_h + r * s_h if resets == 1 else r * (a_h + s_h) if resets == 2 else a_h + s_h)
    return z * h_prev + (1 - z) * g if keep else (1 - z) * h_prev + z * g


def _before(x, h_prev, W, U, b, order=(0, 1, 2), keep=True, resets=True):
    (a_z, a_r, a_h), (U_z, U_r, U_h) = ([np.split(v, 3, axis=-1)[k] for k in order] for v in (x @ W + b, np.asarray(U)))
    z, r = _sigmoid(a_z + h_prev @ U_z), _sigmoid(a_r + h_prev @ U_r)
    g = np.tanh(a_h + (r * h_prev if resets else h_prev) @ U_h)
    return z * h_prev + (1 - z) * g if keep else (1 - z) * h_prev + z * g


@exercise(
    "05.1",
    "a GRU that resets after the product",
    "Two sums, np.split(x @ W + b[0], 3) and np.split(h_prev @ U + b[1], 3). z and r are sigmoids of their blocks "
    "added up; the candidate is np.tanh(a_h + r * s_h).",
)
def _gru_after(answer):
    function(answer, "x", "h_prev", "W", "U", "b")
    given, truth = _cell(reset_after=True)
    x, h_prev, W, U, b = given
    without = b * [[1], [0]]
    compare(
        run(answer, *given, shown="random numbers"),
        truth,
        "h",
        {
            OTHER_WAY: _after(*given, keep=False),
            "this resets the state before the product; here r multiplies what the product, with its bias, gives.": (
                _before(x, h_prev, W, U, b[0] + [*b[1][: 2 * H], *np.zeros(H)])
            ),
            "this resets before the product, and adds the second bias outside of it.": _before(
                x, h_prev, W, U, b.sum(axis=0)
            ),
            "the reset gate is missing.": _after(*given, resets=0),
            "r resets what comes from the state, not what comes from the input.": _after(*given, resets=2),
            "the second bias, b[1], is missing: it belongs to the state's product.": _after(x, h_prev, W, U, without),
            "the candidate's second bias stands inside of what r multiplies.": _outside(*given),
            "the blocks are in another order: Keras's is z, r, h.": _after(*given, order=(1, 0, 2)),
            "the blocks are in another order: z comes first, then r, then the candidate.": _after(
                *given, order=(2, 0, 1)
            ),
        },
    )


def _outside(x, h_prev, W, U, b):
    """The candidate's second bias beside the first."""
    moved = b.copy()
    moved[0, 2 * H :] += moved[1, 2 * H :]
    moved[1, 2 * H :] = 0
    return _after(x, h_prev, W, U, moved)


@exercise(
    "05.2",
    "a GRU that resets before the product",
    "The blocks of U apart, np.split(U, 3, axis=1): z and r first, then the candidate "
    "np.tanh(x_h + (r * h_prev) @ U_h).",
)
def _gru_before(answer):
    function(answer, "x", "h_prev", "W", "U", "b")
    given, truth = _cell(reset_after=False)
    x, h_prev, W, U, b = given
    compare(
        run(answer, *given, shown="random numbers"),
        truth,
        "h",
        {
            OTHER_WAY: _before(*given, keep=False),
            "this resets after the product; here r multiplies h_prev, before U_h.": _after(
                x, h_prev, W, U, np.stack([b, 0 * b])
            ),
            "the reset gate is missing.": _before(*given, resets=False),
            "the bias is missing.": _before(x, h_prev, W, U, 0 * b),
            "the blocks are in another order: Keras's is z, r, h.": _before(*given, order=(1, 0, 2)),
        },
    )


@exercise(
    "05.3",
    "one step of a GRU backwards",
    "dL/dz = dh * (h_prev - g), dL/dg = dh * (1 - z); then the slopes, z * (1 - z) of the sigmoid and 1 - g**2 of "
    "tanh.",
)
def _backward(answer):
    function(answer, "dh", "z", "g", "h_prev")
    rng = np.random.default_rng(7)
    dh, h_prev = rng.normal(size=(2, H))
    z, g = _sigmoid(rng.normal(size=H)), np.tanh(rng.normal(size=H))
    names = ("dz_z", "dz_h", "dh_prev")
    found = parts(run(answer, dh, z, g, h_prev, shown="random numbers"), *names)
    dz, dg = dh * (h_prev - g), dh * (1 - z)
    truth = dz * z * (1 - z), dg * (1 - g**2), dh * z
    mistakes = (
        {
            "z weighs two things: h_prev, and with a minus g.": dh * h_prev * z * (1 - z),
            "dz_z has the wrong sign: h_prev counts with a plus.": -truth[0],
            "dz_z: this is the gate's gradient; go on through the slope of the sigmoid.": dz,
        },
        {
            "dz_h: this is the candidate's gradient; go on through the slope of tanh.": dg,
            "dz_h: the candidate counts 1 - z, not z.": dh * z * (1 - g**2),
            "dz_h: the slope of tanh is 1 - g**2; g has been through tanh already.": dg * (1 - np.tanh(g) ** 2),
        },
        {
            "dh_prev: along the state z is kept, not 1 - z.": dg,
            "dh_prev: the state reaches h_prev multiplied by z.": dh,
        },
    )
    for value, true, name, wrong in zip(found, truth, names, mistakes):
        compare(value, true, name, wrong)


@exercise(
    "05.4",
    "a forecast fed back",
    "In a loop: y = predict(x); keep it; x = np.concatenate([x[:, 1:], y[:, :, None]], axis=1). At the end "
    "np.concatenate(kept, axis=1).",
)
def _forecast(answer):
    function(answer, "predict", "x", "k")
    rng = np.random.default_rng(8)
    x = rng.normal(size=(3, 6, 1))
    weights = np.linspace(-0.5, 0.9, 6)

    def predict(windows):
        windows = np.asarray(windows)
        if windows.ndim != 3 or windows.shape[2] != 1:
            raise ValueError(f"predict takes windows (N, T, 1), got {windows.shape}")
        if windows.shape[1] != 6:
            raise ValueError(f"the windows have {windows.shape[1]} values, not 6")
        return windows[:, :, 0] @ weights[:, None]

    def fed(x, k, follow=lambda x, y: np.concatenate([x[:, 1:], y[:, :, None]], axis=1)):
        kept = []
        for _ in range(k):
            kept.append(predict(x))
            x = follow(x, kept[-1])
        return np.concatenate(kept, axis=1)

    for k in (1, 5):
        shown = f"3 windows of 6 values and k={k}"
        value = run(answer, predict, x, k, shown=shown)
        if k > 1 and np.shape(value) == (3, 1):
            raise Wrong("this is one forecast for each window; return all k, (N, k).")
        if np.shape(value) == (k, 3) and k > 1:
            raise Wrong("return (N, k), a row for each window; yours is (k, N).")
        if np.shape(value) == (3, k, 1):
            raise Wrong("return (N, k); yours has an axis of length 1 at its end.")
        compare(
            value,
            fed(x, k),
            f"with {shown} the forecast",
            {
                "every forecast is the first one: feed it back, as if it had been observed.": fed(x, k, lambda x, y: x),
                "the oldest value should leave the window, not the newest: x[:, 1:].": fed(
                    x, k, lambda x, y: np.concatenate([x[:, :-1], y[:, :, None]], axis=1)
                ),
                "the forecast is the newest value: it goes to the end of the window.": fed(
                    x, k, lambda x, y: np.concatenate([y[:, :, None], x[:, :-1]], axis=1)
                ),
                "the forecasts are in the reverse order.": fed(x, k)[:, ::-1],
            }
            if k > 1
            else None,
        )


@exercise(
    "05.5",
    "two networks compared",
    "np.mean(a) - np.mean(b), and the root of np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b).",
)
def _compared(answer):
    function(answer, "a", "b")
    a, b = np.array([18.0, 19.5, 17.5, 18.4]), np.array([17.0, 18.5, 18.1, 16.9, 17.8])
    difference, error = parts(
        run(answer, a, b, shown="4 and 5 errors"), "the difference of the means", "its standard error"
    )
    compare(
        difference,
        a.mean() - b.mean(),
        "the difference of the means",
        {"the difference is a's mean less b's, not the other way round.": b.mean() - a.mean()},
    )

    def pooled(ddof, over=True):
        return np.sqrt(sum(v.var(ddof=ddof) / (len(v) if over else 1) for v in (a, b)))

    each = [v.std(ddof=1) / np.sqrt(len(v)) for v in (a, b)]
    compare(
        error,
        pooled(1),
        "the standard error",
        {
            "this is the spread of seeds; the error of a mean is smaller, by the root of how many there are.": pooled(
                1, over=False
            ),
            "np.var divides by n; from a sample divide by n - 1: ddof=1.": pooled(0),
            "variances add up, not standard errors: the root of the sum of their squares.": sum(each),
            "the root is missing.": pooled(1) ** 2,
            "a's and b's variances both count.": each[0],
        },
    )
