"""04: the LSTM, gate by gate."""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.exercises.answers import Wrong, compare, function, parts, run
from rnn_ref.exercises.course import exercise, notebook
from rnn_ref.inspection import trace

notebook("04", "The LSTM, gate by gate")
F, H = 3, 4


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


@exercise(
    "04.1",
    "one step of an LSTM",
    "z = x @ W + h_prev @ U + b has 4H numbers; np.split(z, 4) gives z_i, z_f, z_c, z_o in Keras's order.",
)
def _step(answer):
    function(answer, "x", "h_prev", "c_prev", "W", "U", "b")
    rng = np.random.default_rng(4)
    W, U, b = (rng.normal(size=shape) for shape in ((F, 4 * H), (H, 4 * H), (4 * H,)))
    x, h_prev, c_prev = rng.normal(size=F), rng.normal(size=H), rng.normal(size=H)
    cell = layers.LSTMCell(H, dtype="float64")
    cell.build((1, F))
    cell.set_weights([W, U, b])
    _, (truth_h, truth_c) = cell(x[None], [h_prev[None], c_prev[None]])

    def step(order="ifco", candidate=np.tanh, shown=np.tanh, write=True, keep=True):
        z = dict(zip(order, np.split(x @ W + h_prev @ U + b, 4)))
        i, f, g, o = _sigmoid(z["i"]), _sigmoid(z["f"]), candidate(z["c"]), _sigmoid(z["o"])
        c = (f if keep else 1) * c_prev + (i if write else 1) * g
        return o * shown(c), c

    mistakes = {
        "the gates are in another order: Keras's is input, forget, candidate, output.": [
            step(order) for order in ("icfo", "fico", "ifoc", "fioc", "ofic")
        ],
        "the candidate goes through tanh, not through the sigmoid: it may be negative.": [step(candidate=_sigmoid)],
        "h = o * tanh(c): the tanh around c is missing.": [step(shown=lambda c: c)],
        "the input gate is missing: c = f * c_prev + i * g.": [step(write=False)],
        "the forget gate is missing: c = f * c_prev + i * g.": [step(keep=False)],
    }
    found = parts(run(answer, x, h_prev, c_prev, W, U, b, shown="random numbers"), "h", "c")
    if np.shape(found[0]) == np.shape(found[1]) == (H,) and np.allclose(found[::-1], [truth_h[0], truth_c[0]]):
        raise Wrong("h and c have changed places: return h first.")
    for message, ways in mistakes.items():
        if any(np.shape(found) == np.shape(way) and np.allclose(found, way) for way in ways):
            raise Wrong(message)
    for value, truth, name in zip(reversed(found), (truth_c[0], truth_h[0]), "ch"):
        compare(value, truth, name)


@exercise(
    "04.2",
    "one step of an LSTM backwards",
    "c reaches the loss twice: through later steps (that is dc) and through h = o * tanh(c). Add both up first; then "
    "go through c = f * c_prev + i * g, then through the activations: sigmoid' = s (1 - s), tanh' = 1 - g**2.",
)
def _backward_step(answer):
    function(answer, "dh", "dc", "i", "f", "g", "o", "c", "c_prev")
    rng = np.random.default_rng(5)
    dh, dc, c_prev = (rng.normal(size=H) for _ in range(3))
    i, f, o = (_sigmoid(rng.normal(size=H)) for _ in range(3))
    g = np.tanh(rng.normal(size=H))
    c = f * c_prev + i * g

    def backward(later=1, through_h=1, inner=True, slopes=True):
        a = np.tanh(c)
        total = later * dc + through_h * dh * o * (1 - a**2 if inner else 1)
        s = (lambda y: y * (1 - y)) if slopes else (lambda y: 1)
        dz_c = total * i * (1 - g**2 if slopes else 1)
        return total * g * s(i), total * c_prev * s(f), dz_c, dh * a * s(o), total * f

    names = ("dz_i", "dz_f", "dz_c", "dz_o", "dc_prev")
    found = parts(run(answer, dh, dc, i, f, g, o, c, c_prev, shown="random numbers"), *names)
    mistakes = {
        "dc, what reaches the cell state from later steps, is missing: that is the path which does not vanish.": {
            "later": 0
        },
        "c reaches the loss through h = o * tanh(c), too: add dh * o * (1 - tanh(c)**2) to dc.": {"through_h": 0},
        "through h = o * tanh(c) the slope of tanh is missing.": {"inner": False},
        "these are the gradients of the gates; go on through their activations to z.": {"slopes": False},
    }
    truth = backward()
    for message, options in mistakes.items():
        wrong = backward(**options)
        if all(np.shape(a) == np.shape(b) and np.allclose(a, b) for a, b in zip(found, wrong)):
            raise Wrong(message)
    for value, true, name in zip(found, truth, names):
        compare(value, true, name, {f"{name} has the wrong sign.": -true})


@exercise(
    "04.3",
    "what is left of each cell state",
    "Of c_t the steps t+1, ..., T-1 keep f_{t+1} ... f_{T-1}; of the last one all is left. np.cumprod, from behind.",
)
def _left(answer):
    function(answer, "f")
    for T in (1, 2, 7):
        f = np.random.default_rng(T).uniform(0.2, 1.0, (T, 3))
        after = np.vstack([f[1:], np.ones((1, 3))])
        compare(
            run(answer, f, shown=f"forget gates of {T} steps and 3 units"),
            np.cumprod(after[::-1], axis=0)[::-1],
            f"with {T} steps, what is left",
            {
                "step t's own forget gate acts on c_{t-1}, not on c_t: begin with the step after.": (
                    np.cumprod(f[::-1], axis=0)[::-1]
                ),
                "these are products from the first step on; what is left of c_t is decided after t.": np.cumprod(f, 0),
                "the gates are multiplied, not added.": np.cumsum(after[::-1], axis=0)[::-1],
            },
        )


@exercise(
    "04.4",
    "a memory set by hand",
    "Forget gate: always open, a large bias. Input gate: open only where the mark is 1: z_i = 20 * mark - 10. "
    "Candidate: tanh(value). The output gate does not matter here. Columns are i, f, c, o.",
)
def _memory(answer):
    W, U, b = parts(answer, "W", "U", "b")
    lstm = layers.LSTM(1, return_sequences=True, input_shape=(None, 2), name="memory")
    for value, weight, name in zip((W, U, b), lstm.get_weights(), "WUb"):
        compare(np.zeros(np.shape(value)), np.zeros(weight.shape), name)
    lstm.set_weights([np.asarray(each, "float32") for each in (W, U, b)])
    rng = np.random.default_rng(6)
    x = np.zeros((8, 60, 2), "float32")
    x[..., 0] = rng.uniform(-1, 1, x.shape[:2])
    marked = rng.integers(0, 20, 8)
    x[np.arange(8), marked, 1] = 1
    seen = trace(lstm, x)["memory"]
    wanted = np.tanh(x[np.arange(8), marked, 0])
    kept = seen.cell[:, -1, 0]
    error = float(np.abs(kept - wanted).max())
    if error <= 0.05:
        return f"The largest error over 60 steps is {error:.3f}."
    mark = x[..., 1] == 1
    where = seen.gates["input"][..., 0]
    forget = seen.gates["forget"][..., 0]
    candidate = seen.gates["candidate"][..., 0]
    if where[mark].min() < 0.95:
        raise Wrong(f"at the mark the input gate is only {where[mark].min():.2f} open: little is written.")
    if forget[~mark].min() < 0.99:
        lowest = forget[~mark].min()
        raise Wrong(
            f"the forget gate falls to {lowest:.3g}: of a memory {lowest:.3g} is left after a step, and "
            f"{lowest**40:.1e} after 40."
        )
    if where[~mark].max() > 0.002:
        raise Wrong(
            f"where there is no mark the input gate is still {where[~mark].max():.3f} open: noise is written into the "
            "memory, step by step."
        )
    if np.abs(candidate[mark] - wanted).max() > 0.05:
        raise Wrong(
            f"at the mark the candidate should be tanh(value), {wanted[0]:.2f} in the first sequence; it is "
            f"{candidate[mark][0]:.2f}."
        )
    raise Wrong(f"the cell should hold tanh(value) of the marked step until the end; it is off by {error:.2f}.")
