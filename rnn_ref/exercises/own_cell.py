"""14: your own cell. Answers are steps written as equations, which are run with NumPy: nothing needs compiling."""

from __future__ import annotations

import inspect
import types

import numpy as np

from rnn_ref.exercises.answers import Unanswered, Wrong, compare, function, is_blank, parts, run
from rnn_ref.exercises.course import exercise, notebook
from rnn_ref.layers.writing import cell

notebook("14", "Your own cell")
H = 5


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _step(answer, gates, states, *parameters: str):
    """The answer as a function of arrays, if :func:`rnn_ref.cell` takes it."""
    function(answer, *parameters)
    if not inspect.isfunction(answer):
        raise Wrong("give the function itself, without @keras.cell: the check makes a cell of it.")
    names = answer.__globals__ | {"sigmoid": _sigmoid, "tanh": np.tanh}
    plain = types.FunctionType(answer.__code__, names, answer.__name__, answer.__defaults__, answer.__closure__)
    try:
        if is_blank(plain(*[np.full(H, 0.5)] * len(parameters))):
            raise Unanswered
    except Unanswered:
        raise
    except Exception:  # what is wrong with it the reader of equations says better
        pass
    if list(inspect.signature(answer).parameters)[: len(parameters)] != list(parameters):
        raise Wrong(f"the arguments should be named {', '.join(parameters)}: their names say what they are.")
    try:
        cell(gates=gates, states=states)(answer)
    except (ValueError, TypeError) as error:
        raise Wrong(f"keras.cell does not take it: {error}") from None
    return plain


def _numbers(*names: str):
    rng = np.random.default_rng(14)
    return {name: rng.normal(size=H) for name in names}


@exercise(
    "14.1",
    "a leaky unit",
    "One line: h = (1 - alpha) * h_prev + alpha * tanh(z_c). alpha is an argument with a default, 0.5.",
)
def _leaky(answer):
    if not is_blank(answer) and "alpha" not in getattr(inspect.signature(answer), "parameters", {"alpha": 0}):
        raise Wrong("alpha should be an argument with the default 0.5, so that it is an option of the layer.")
    step = _step(answer, ("candidate",), ("hidden",), "z_c", "h_prev")
    if answer.__defaults__ != (0.5,):
        raise Wrong("alpha should have the default 0.5.")
    n = _numbers("z_c", "h_prev")
    z, h = n.values()
    for alpha in (0.5, 0.2):
        compare(
            run(step, z, h, alpha, shown="random numbers"),
            (1 - alpha) * h + alpha * np.tanh(z),
            f"with alpha={alpha}, h",
            {
                "alpha is the share of the new: (1 - alpha) of the old state is kept.": (
                    alpha * h + (1 - alpha) * np.tanh(z)
                ),
                "the tanh is missing.": (1 - alpha) * h + alpha * z,
                "the old state must shrink to make room: it is multiplied by 1 - alpha.": h + alpha * np.tanh(z),
                "the tanh goes around z alone, not around the whole.": np.tanh((1 - alpha) * h + alpha * z),
            },
        )


@exercise(
    "14.2",
    "a GRU as Keras has it",
    "u = sigmoid(z_u); r = sigmoid(z_r); g = tanh(x_c + r * h_c); then u keeps the old state, 1 - u takes g.",
)
def _gru(answer):
    names = ("z_u", "z_r", "x_c", "h_c", "h_prev")
    step = _step(answer, ("update", "reset", "candidate"), ("hidden",), *names)
    z_u, z_r, x_c, h_c, h = _numbers(*names).values()
    u, r = _sigmoid(z_u), _sigmoid(z_r)

    def new(candidate, u=u):
        return u * h + (1 - u) * np.tanh(candidate)

    compare(
        run(step, z_u, z_r, x_c, h_c, h, shown="random numbers"),
        new(x_c + r * h_c),
        "h",
        {
            "u and 1 - u have changed places: in Keras the update gate keeps the old state (the paper has it the "
            "other way round).": new(x_c + r * h_c, 1 - u),
            "the reset gate is missing: it multiplies h_c.": new(x_c + h_c),
            "the reset gate multiplies the state's part h_c alone, not the input's.": new(r * (x_c + h_c)),
            "update and reset gate have changed places.": r * h + (1 - r) * np.tanh(x_c + u * h_c),
            "the candidate should go through tanh.": u * h + (1 - u) * (x_c + r * h_c),
            "h_prev stands where h_c belongs: the product with U was done before the reset.": new(x_c + r * h),
        },
    )


@exercise(
    "14.3",
    "an LSTM with coupled gates",
    "What is forgotten makes room for what is written: c = f * c_prev + (1 - f) * g, h = o * tanh(c); return h, c.",
)
def _coupled(answer):
    names = ("z_f", "z_c", "z_o", "c_prev")
    step = _step(answer, ("forget", "candidate", "output"), ("hidden", "cell"), *names)
    z_f, z_c, z_o, c_prev = _numbers(*names).values()
    f, g, o = _sigmoid(z_f), np.tanh(z_c), _sigmoid(z_o)
    c = f * c_prev + (1 - f) * g
    found = parts(run(step, z_f, z_c, z_o, c_prev, shown="random numbers"), "h", "c")
    if np.allclose(found, (c, o * np.tanh(c))):
        raise Wrong("h and c have changed places: the first of the states is the output.")
    compare(
        found[1],
        c,
        "c",
        {
            "f and 1 - f have changed places: f is what is kept of c_prev.": (1 - f) * c_prev + f * g,
            "what is written is not coupled: it is multiplied by 1 - f.": f * c_prev + g,
            "both terms are multiplied by f: what is written gets 1 - f.": f * (c_prev + g),
            "the candidate should go through tanh.": f * c_prev + (1 - f) * z_c,
            "the candidate should go through tanh, not through the sigmoid.": f * c_prev + (1 - f) * _sigmoid(z_c),
        },
    )
    compare(
        found[0],
        o * np.tanh(c),
        "h",
        {
            "the tanh around c is missing: h = o * tanh(c).": o * c,
            "the output gate is missing: h = o * tanh(c).": np.tanh(c),
            "h shows the new cell state, not c_prev.": o * np.tanh(c_prev),
        },
    )


@exercise(
    "14.4",
    "the backward of the leaky unit",
    "h = (1 - alpha) * h_prev + alpha * tanh(z_c). By z_c: alpha times the slope of tanh; by h_prev: 1 - alpha.",
)
def _leaky_backward(answer):
    function(answer, "dh", "z_c", "h_prev", "alpha")
    dh, z, h = _numbers("dh", "z_c", "h_prev").values()
    for alpha in (0.5, 0.2):
        found = parts(run(answer, dh, z, h, alpha, shown="random numbers"), "dz_c", "dh_prev")
        slope = 1 - np.tanh(z) ** 2

        def forward(z, h, alpha=alpha):
            return (1 - alpha) * h + alpha * np.tanh(z)

        e = 1e-6
        compare(
            found[0],
            dh * (forward(z + e, h) - forward(z - e, h)) / (2 * e),
            f"with alpha={alpha}, dz_c",
            {
                "alpha is missing in dz_c.": dh * slope,
                "the slope of tanh is missing.": dh * alpha,
                "tanh' is 1 - tanh(z)**2, of tanh(z), not of z.": dh * alpha * (1 - z**2),
                "the slope is that of tanh(z_c), not of h, which is a mixture.": dh * alpha * (1 - forward(z, h) ** 2),
            },
            atol=1e-7,
        )
        compare(
            found[1],
            dh * (forward(z, h + e) - forward(z, h - e)) / (2 * e),
            f"with alpha={alpha}, dh_prev",
            {
                "dh_prev has the share of the old state in it, 1 - alpha.": dh * alpha,
                "dh_prev is multiplied by 1 - alpha.": dh,
            },
            atol=1e-7,
        )
