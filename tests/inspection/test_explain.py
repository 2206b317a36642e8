"""One step, explained: the numbers are those of the trace, and the equations hold with them."""

import re

import numpy as np
import pytest

from rnn_ref import Sequential, explain_step, gradient_flow, layers, trace

B, T, F, H = 2, 5, 3, 4
SYMBOLS = {
    "LSTM": {"i": "input", "f": "forget", "g": "candidate", "o": "output"},
    "GRU": {"z": "update", "r": "reset", "g": "candidate"},
    "SimpleRNN": {},
}


def make(cell, **options):
    layer = getattr(layers, cell)(H, dtype="float64", name="layer", return_sequences=True, **options)
    x = np.random.default_rng(0).normal(size=(B, T, F))
    layer(x)
    generator = np.random.default_rng(1)
    layer.set_weights([generator.normal(size=w.shape, scale=0.7) for w in layer.get_weights()])
    return layer, x


def results(text: str) -> dict[str, float]:
    """What stands at the end of each equation, by its left side."""
    found, name = {}, None
    for line in text.splitlines():
        start = re.match(r"  (\S.*?) = ", line)
        name = start[1] if start else name
        if name is not None and re.match(r"\s+=", line[line.index("=") - 1 if "=" in line else 0 :] or " "):
            number = line.rsplit("= ", 1)[-1].strip()
            if re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", number):
                found[name] = float(number)
    return found


@pytest.mark.parametrize(
    ("cell", "options"), [("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": False}), ("SimpleRNN", {})]
)
@pytest.mark.parametrize(("t", "unit", "sample"), [(0, 0, 0), (2, 3, 1), (T - 1, 1, 0)])
def test_numbers_are_those_of_the_trace_to_the_bit(cell, options, t, unit, sample):
    layer, x = make(cell, **options)
    seen = trace(layer, x)["layer"]
    shown = results(explain_step(layer, x, t, unit, sample=sample, digits=None).text)
    assert shown["h_t"] == seen.hidden[sample, t, unit]
    for symbol, gate in SYMBOLS[cell].items():
        assert shown[symbol] == seen.gates[gate][sample, t, unit]
    if cell == "LSTM":
        assert shown["c_t"] == seen.cell[sample, t, unit]


@pytest.mark.parametrize("cell", SYMBOLS)
def test_the_way_back_is_that_of_the_gradient_flow(cell):
    layer, x = make(cell)
    model = Sequential([layer, layers.Flatten(), layers.Dense(1, dtype="float64")])
    model.compile("sgd", "mse")
    y = np.ones((B, 1))
    flow = gradient_flow(model, x, y)["layer"]
    shown = results(explain_step(model, x, 2, 1, layer="layer", y=y, digits=None).text)
    np.testing.assert_allclose(shown["dL/dh_t"], flow.dh[0, 2, 1], rtol=1e-12)
    letters = {"LSTM": "ifco", "GRU": "zrh", "SimpleRNN": None}[cell]
    for letter, gate in zip(letters or [""], flow.dz):
        wanted = f"dL/dz_{letter}" if letter else "dL/dz"
        (value,) = [value for name, value in shown.items() if name in (wanted, f"{wanted}_t")]
        np.testing.assert_allclose(value, flow.dz[gate][0, 2, 1], rtol=1e-12)


FUNCTIONS = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
}


@pytest.mark.parametrize(
    ("cell", "options"), [("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": False}), ("SimpleRNN", {})]
)
@pytest.mark.parametrize("extra", [{}, {"use_bias": False}, {"dropout": 0.3, "recurrent_dropout": 0.4}])
def test_every_line_holds_with_its_numbers(cell, options, extra):
    """Each right-hand side, evaluated by NumPy from the numbers shown, gives the left-hand side."""
    layer, x = make(cell, **options, **extra, seed=1)
    names = {"activation": "tanh", "recurrent_activation": "sigmoid"}
    functions = {name: FUNCTIONS[of][0] for name, of in names.items()}
    functions |= {f"d_{name}": lambda z, a, of=of: FUNCTIONS[of][1](z) for name, of in names.items()}
    for t, mask in ((0, None), (2, None), (T - 1, None), (1, "next"), (2, "this")):
        if mask:
            mask = np.arange(T)[None] != np.full((B, 1), 2)
        step = explain_step(layer, x, t, 1, sample=1, mask=mask, training=True)
        assert len(step.forward) >= (1 if mask is not None and t == 2 else 2)
        assert step.backward
        for symbol, expression in (*step.forward, *step.backward):
            value = eval(expression, {"__builtins__": {}}, step.values | functions)
            np.testing.assert_allclose(step.values[symbol], value, rtol=1e-9, atol=1e-12, err_msg=symbol)


def test_latex_and_notebook_forms():
    layer, x = make("LSTM")
    step = explain_step(layer, x, 1, 0)
    assert step._repr_latex_().startswith("$")
    for symbol in (r"\cdot", r"\partial L", "z_{f} &=", "c_t"):
        assert symbol in step.latex
    assert repr(step) == step.text


def test_a_masked_step_says_so():
    layer, x = make("LSTM")
    mask = np.ones((B, T), bool)
    mask[0, 3] = False
    assert "mask" in explain_step(layer, x, 3, 0, mask=mask).text.lower()


@pytest.mark.parametrize(("arguments", "message"), [((T, 0), "t=5, but layer has 0 to 4"), ((0, H), "unit")])
def test_what_is_not_there_lists_what_is(arguments, message):
    layer, x = make("GRU")
    with pytest.raises((ValueError, IndexError), match=message):
        explain_step(layer, x, *arguments)
