"""01: one recurrent step by hand."""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.exercises.answers import Unanswered, Wrong, compare, function, is_blank, parts, run
from rnn_ref.exercises.course import exercise, notebook

notebook("01", "One recurrent step by hand")
F, H = 3, 4


def _states(x, h, W, U, b, activation=np.tanh):
    """All states of one sequence or batch, time on the last axis but one."""
    found = []
    for t in range(x.shape[-2]):
        h = activation(x[..., t, :] @ W + h @ U + b)
        found.append(h)
    return np.stack(found, axis=-2)


@exercise(
    "01.1",
    "three steps with a calculator",
    "The first: 1 * 0.5 + 0 * (-1) + 0.2 = 0.7, and tanh 0.7 = 0.604. It goes into the second, times U = -1.",
)
def _by_hand(answer):
    if is_blank(answer):
        raise Unanswered
    x = np.array([[1.0], [0.0], [-1.0]])
    W, U, b = np.array([[0.5]]), np.array([[-1.0]]), np.array([0.2])
    nothing = np.zeros(1)

    def states(*weights, **options):
        return _states(x, nothing, *weights, **options).ravel()

    compare(
        np.ravel(parts(answer, "h_0", "h_1", "h_2")),
        states(W, U, b),
        "h",
        {
            "these are the sums; tanh of each is the state, and it is the state that goes on.": states(
                W, U, b, activation=lambda z: z
            ),
            "the state of the step before is missing: h_prev * U.": states(W, 0 * U, b),
            "the bias is added at every step.": states(W, U, 0 * b),
            "U is -1: the old state counts with a minus.": states(W, -U, b),
            "the sum is handed on here; it is the state, tanh of it, that goes into the next step.": np.tanh(
                states(W, U, b, activation=lambda z: z)
            ),
            "this is the sigmoid; the unit has a tanh.": states(W, U, b, activation=lambda z: 1 / (1 + np.exp(-z))),
        },
        rtol=0,
        atol=1.5e-3,
    )


@exercise("01.2", "one step", "np.tanh around x @ W + h_prev @ U + b: rows from the left, matrices from the right.")
def _step(answer):
    function(answer, "x", "h_prev", "W", "U", "b")
    rng = np.random.default_rng(1)
    x, h_prev, W, U, b = (rng.normal(size=shape) for shape in (F, H, (F, H), (H, H), H))
    z = x @ W + h_prev @ U + b
    compare(
        run(answer, x, h_prev, W, U, b, shown="random numbers"),
        np.tanh(z),
        "the new state",
        {
            "U is transposed: in Keras's convention the state stands on the left, h_prev @ U.": np.tanh(
                x @ W + U @ h_prev + b
            ),
            "the tanh is missing.": z,
            "the bias is missing.": np.tanh(z - b),
            "the old state is missing: h_prev @ U.": np.tanh(x @ W + b),
            "the tanh goes around all three terms.": np.tanh(x @ W) + np.tanh(h_prev @ U) + b,
            "the product with U is a matrix product, @: every unit hears all units.": np.tanh(
                x @ W + h_prev * np.diag(U) + b
            ),
        },
    )


@exercise(
    "01.3",
    "the loop over time",
    "for t in range(x.shape[1]): the step on x[:, t], which is (B, F). Keep each state in a list; np.stack(list, "
    "axis=1) makes (B, T, H) of it.",
)
def _loop(answer):
    function(answer, "x", "h0", "W", "U", "b")
    rng = np.random.default_rng(2)
    x, h0, W, U, b = (rng.normal(size=shape) for shape in ((2, 5, F), (2, H), (F, H), (H, H), H))
    layer = layers.SimpleRNN(H, return_sequences=True, dtype="float64")
    layer.build(x.shape)
    layer.set_weights([W, U, b])
    truth = layer(x, initial_state=h0)
    value = run(answer, x, h0, W, U, b, shown="2 sequences of 5 steps")
    if np.shape(value) == (5, 2, H) and np.allclose(np.swapaxes(value, 0, 1), truth):
        raise Wrong("the states are right, but time comes first: (T, B, H). Stack them along axis 1.")
    if np.shape(value) == (2, H) and np.allclose(value, truth[:, -1]):
        raise Wrong("this is the last state alone; return those after all steps, (B, T, H).")
    backwards = _states(x[:, ::-1], h0, W, U, b)
    compare(
        value,
        truth,
        "the states",
        {
            "begin with h0, not with zeros.": _states(x, 0 * h0, W, U, b),
            "every step begins with h0 here; hand on the state of the step before.": np.tanh(
                x @ W + (h0 @ U)[:, None] + b
            ),
            "this reads the sequence from behind.": backwards,
            "this reads from behind.": backwards[:, ::-1],
            "h0 comes before the first step and is not among the states returned.": np.concatenate(
                [h0[:, None], truth[:, :-1]], axis=1
            ),
        },
    )


@exercise(
    "01.4",
    "a memory of three steps, set by hand",
    "Only unit 0 reads: W = [[1, 0, 0]]. Row i, column j of U leads from unit i to unit j: unit 1 copies unit 0, "
    "unit 2 copies unit 1, so two entries of U are 1.",
)
def _shift(answer):
    W, U, b = parts(answer, "W", "U", "b")
    layer = layers.SimpleRNN(3, activation="linear", return_sequences=True, input_shape=(None, 1), dtype="float64")
    for value, weight, name in zip((W, U, b), layer.get_weights(), "WUb"):
        compare(np.zeros(np.shape(value)), np.zeros(weight.shape), name)
    W, U, b = (np.asarray(each, "float64") for each in (W, U, b))
    layer.set_weights([W, U, b])
    x = np.random.default_rng(3).normal(size=(1, 8, 1)).round(2)
    held = layer(x)[0]
    wanted = np.stack([np.pad(x[0, :, 0], (k, 0))[:8] for k in range(3)], axis=1)
    if np.allclose(held, wanted, atol=1e-6):
        return
    turned = _states(x[0], np.zeros(3), W, U.T, b, activation=lambda z: z)
    if np.allclose(turned, wanted, atol=1e-6):
        raise Wrong("U is transposed: row i, column j leads from unit i to unit j.")
    if np.allclose(np.diff(held[:, 0]), x[0, 1:, 0]) and not np.allclose(held[:, 0], wanted[:, 0]):
        raise Wrong("unit 0 adds up all that it reads: with U_00 = 1 it keeps itself. It is to hold x_t alone.")
    if np.count_nonzero(b):
        raise Wrong("with a bias the units hold something before anything was read; leave it at 0.")
    t, unit = (int(k) for k in np.argwhere(~np.isclose(held, wanted, atol=1e-6))[0])
    raise Wrong(
        f"reading {', '.join(f'{value:g}' for value in x[0, : t + 1, 0])}, unit {unit} should hold "
        f"{wanted[t, unit]:g} after step {t}; it holds {held[t, unit]:g}."
    )


@exercise(
    "01.5",
    "where a unit settles",
    "Repeat h = np.tanh(U * h) a few hundred times, beginning with the h that is given: its sign decides where "
    "it goes.",
)
def _settle(answer):
    function(answer, "U", "h")
    for U, h in ((1.5, 0.1), (1.5, -0.4), (0.7, 0.9), (3.0, 1e-3), (-0.8, 0.5)):
        end = h
        for _ in range(2000):
            end = np.tanh(U * end)
        shown = f"U={U:g}, h={h:g}"
        compare(
            run(answer, U, h, shown=shown),
            end,
            f"with {shown} the state",
            {
                "this is a single step.": np.tanh(U * h),
                "below U = 1 a state fades to 0; above it 0 is where it flees from.": 0.0,
                "it settles on the side where it began: below 0, if h is.": -end,
                "a tanh never leaves -1 to 1; it is missing.": U * h,
            }
            | ({"U in front of the tanh is another network: h = tanh(U * h).": _outside(U, h)} if U > 1 else {}),
            rtol=0,
            atol=2e-6,
        )


def _outside(U, h):
    for _ in range(2000):
        h = U * np.tanh(h)
    return h
