"""02: backpropagation through time, of one sequence through a SimpleRNN.

Shapes: x (T, F), h (T, H) with zeros before it, W (F, H), U (H, H), b (H,); dh_out (T, H) is what reaches dL/dh_t
from the outputs.
"""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.exercises.answers import Wrong, array, compare, function, parts, run
from rnn_ref.exercises.course import exercise, notebook

notebook("02", "Backpropagation through time")
F, H = 3, 4


def _layer():
    """A layer in float64, and its weights."""
    rng = np.random.default_rng(2)
    rnn = layers.SimpleRNN(H, return_sequences=True, dtype="float64", input_shape=(None, F))
    rnn.set_weights([rng.normal(0, 0.5, weight.shape) for weight in rnn.get_weights()])
    return rnn, rnn.get_weights()


def _sequence(steps: int):
    """Inputs, states, gradients from the outputs, and the layer's gradients of its weights."""
    rng = np.random.default_rng(steps)
    rnn, weights = _layer()
    x, dh_out = rng.normal(size=(steps, F)), rng.normal(size=(steps, H))
    return x, rnn, weights, dh_out


def _run(rnn, x, dh_out):
    h, tape = rnn.forward(x[None])
    gradients = rnn.backward(tape, dh_out[None]).weights
    return h[0], [gradients[name] for name in ("kernel", "recurrent_kernel", "bias")]


def _walk(x, h, dh_out, U, *, slope=True, later=True, turned=True, previous=True, first=0):
    """Backwards as it should be, or with a mistake."""
    dW, dU, db = np.zeros((F, H)), np.zeros((H, H)), np.zeros(H)
    before = np.vstack([np.zeros(H), h[:-1]])
    dh_later = np.zeros(H)
    for t in reversed(range(first, len(x))):
        dz = (dh_out[t] + dh_later) * (1 - h[t] ** 2 if slope else 1)
        dW += np.outer(x[t], dz)
        dU += np.outer(before[t] if previous else h[t], dz)
        db += dz
        dh_later = later * (dz @ U.T if turned else dz @ U)
    return dW, dU, db


@exercise("02.1", "the forward pass", "Begin with h_prev = zeros; each step: tanh(x[t] @ W + h_prev @ U + b).")
def _forward(answer):
    function(answer, "x", "W", "U", "b")
    for steps in (1, 5):
        x, rnn, (W, U, b), _ = _sequence(steps)

        def states(activation=np.tanh, x=x, W=W, U=U, b=b, keep=1.0, recurrent=U):
            h, found = np.zeros(H), []
            for x_t in x:
                h = activation(x_t @ W + keep * h @ recurrent + b)
                found.append(h)
            return np.array(found)

        compare(
            run(answer, x, W, U, b, shown=f"{steps} steps"),
            rnn(x[None])[0],
            "h",
            {
                "every step seems to begin from zeros: hand h on to the next step.": states(keep=0.0),
                "the activation is missing: h = tanh(z).": states(lambda z: z),
                "U is transposed: with row vectors it is h_prev @ U.": states(recurrent=U.T),
                "the bias is missing.": states(b=0.0),
            },
        )


@exercise(
    "02.2",
    "one step backwards",
    "Through tanh: dz = dh * (1 - h**2). Through z = h_prev @ U + ...: dh_prev = dz @ U.T.",
)
def _backward_step(answer):
    function(answer, "dh", "h", "U")
    rng = np.random.default_rng(3)
    _, (_, U, _) = _layer()
    dh, h = rng.normal(size=H), np.tanh(rng.normal(size=H))
    dz, dh_prev = parts(run(answer, dh, h, U, shown="random numbers"), "dz", "dh_prev")
    truth = dh * (1 - h**2)
    compare(
        dz,
        truth,
        "dz",
        {
            "dz is dh itself: the slope of tanh is missing.": dh,
            "the slope of tanh is 1 - tanh(z)**2, and tanh(z) is h already: no tanh once more.": (
                dh * (1 - np.tanh(h) ** 2)
            ),
            "the slope of tanh is 1 - h**2, with a square.": dh * (1 - h),
            "h (1 - h) is the slope of the sigmoid; that of tanh is 1 - h**2.": dh * h * (1 - h),
        },
    )
    compare(
        dh_prev,
        truth @ U.T,
        "dh_prev",
        {
            "U must be transposed: unit a's gradient gathers what a sent to all units, row a of U.": truth @ U,
            "dh_prev comes from dz, which has the slope of tanh in it, not from dh.": dh @ U.T,
            "dh_prev is dz itself: the product with U is missing.": truth,
        },
    )


@exercise(
    "02.3",
    "backpropagation through time",
    "Walk from the last step to the first. dh is dh_out[t] plus what the step after it hands back. Add up: "
    "dW += np.outer(x[t], dz), dU += np.outer(h[t - 1], dz), db += dz; before the first step the state was zero.",
)
def _backward(answer):
    function(answer, "x", "h", "dh_out", "U")
    for steps in (1, 6):
        x, rnn, (_, U, _), dh_out = _sequence(steps)
        h, truth = _run(rnn, x, dh_out)
        found = parts(run(answer, x, h, dh_out, U, shown=f"{steps} steps"), "dW", "dU", "db")
        mistakes = {
            "nothing flows back through time: add what the step after hands back to dh_out[t].": {"later": False},
            "the slope of tanh is missing.": {"slope": False},
            "what a step hands back is dz @ U.T; yours is dz @ U.": {"turned": False},
            "dU belongs to h_{t-1}, the state that U was multiplied by, not to h_t.": {"previous": False},
            "only the last step counts: add up over all steps (+=).": {"first": steps - 1},
        }
        for k, name in enumerate(("dW", "dU", "db")):
            wrong = {message: _walk(x, h, dh_out, U, **options)[k] for message, options in mistakes.items()}
            compare(found[k], truth[k], name, {m: w for m, w in wrong.items() if not np.allclose(w, truth[k])})


@exercise(
    "02.4",
    "a gradient cut off after k steps",
    "The same walk, but it stops after k steps: t = T - 1, ..., T - k. Only the last step has a gradient from outside.",
)
def _truncated(answer):
    function(answer, "x", "h", "dh_last", "U", "k")
    steps = 6
    x, rnn, (_, U, _), _ = _sequence(steps)
    dh_out = np.zeros((steps, H))
    dh_out[-1] = 1.0
    h, whole = _run(rnn, x, dh_out)
    for k in (1, 3, 6, 9):
        value = run(answer, x, h, dh_out[-1], U, k, shown=f"6 steps, k={k}")
        first = max(0, steps - k)

        def cut(first):
            return _walk(x, h, dh_out, U, first=first)[1]

        compare(
            value,
            cut(first),
            f"with k={k}, dU",
            {
                "this is the whole gradient: stop after k steps.": whole[1] if first else np.nan,
                "it goes one step too far: k=1 is the last step alone.": cut(max(0, first - 1)),
                "it stops one step too early: k=1 is the last step alone.": cut(first + 1),
                "these are the k first steps; the k last ones are wanted, where the loss is.": (
                    whole[1] - cut(min(k, steps))
                ),
            },
        )


@exercise(
    "02.5",
    "a gradient from differences",
    "For each entry: move it up by epsilon, ask for the loss, move it down, ask again, put it back; divide the "
    "difference by 2 epsilon.",
)
def _differences(answer):
    function(answer, "loss", "w", "epsilon")
    w = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
    seen = []

    def loss(w):
        seen.append(np.array(w))
        return float((w**3).sum() + w[0, 0] * w[1, 2])

    epsilon = 1e-3
    value = array(run(answer, loss, w, epsilon, shown="a loss of a (2, 3) array"), w.shape, "the gradient")
    truth = 3 * w**2
    truth[0, 0] += w[1, 2]
    truth[1, 2] += w[0, 0]
    if any((np.abs(each - w) > 1e-12).sum() > 1 for each in seen):
        raise Wrong("more than one entry is moved at once: put each back before the next is moved.")
    compare(
        value,
        truth,
        "the gradient",
        {
            "divide by 2 epsilon: from w - epsilon to w + epsilon it is twice epsilon.": 2 * truth,
            "the sign is the other way round: above less below.": -truth,
            "a difference to one side only is off by about epsilon; take (loss(w + epsilon) - loss(w - epsilon)) / (2 "
            "epsilon), which is off by its square.": truth + 3 * w * epsilon,
            "a difference to one side only, and below at that, is off by about epsilon; take both sides.": (
                truth - 3 * w * epsilon
            ),
        },
        rtol=1e-5,
        atol=1e-5,
    )
