"""Traces recomputed with NumPy from the weights."""

import copy
import pickle

import numpy as np
import pytest
from scipy.special import expit as sigmoid

from rnn_ref import Sequential, layers, trace

B, T, F, H = 5, 6, 2, 3
X = np.random.default_rng(0).normal(size=(B, T, F))


def make(cell, **options):
    layer = getattr(layers, cell)(H, dtype="float64", name="layer", **options)
    layer.ensure_built((B, T, F))
    generator = np.random.default_rng(1)
    layer.set_weights([generator.normal(size=w.shape, scale=0.5) for w in layer.weights])
    return layer


def by_formula(cell, layer, x, h, c=None, reset_after=True):
    """Everything a trace holds, computed step by step with NumPy: name -> (B, T, H)."""
    W, U, b = layer.get_weights()
    seen = []
    for t in range(x.shape[1]):
        if cell == "SimpleRNN":
            z = x[:, t] @ W + h @ U + b
            h = np.tanh(z)
            step = {"z hidden": z, "hidden": h}
        elif cell == "LSTM":
            z_i, z_f, z_c, z_o = np.split(x[:, t] @ W + h @ U + b, 4, axis=1)
            i, f, g, o = sigmoid(z_i), sigmoid(z_f), np.tanh(z_c), sigmoid(z_o)
            c = f * c + i * g
            h = o * np.tanh(c)
            step = {"input": i, "forget": f, "candidate": g, "output": o, "hidden": h, "cell": c}
            step |= {"z input": z_i, "z forget": z_f, "z candidate": z_c, "z output": z_o}
        else:
            b_x, b_h = b if reset_after else (b, np.zeros_like(b))
            x_z, x_r, x_h = np.split(x[:, t] @ W + b_x, 3, axis=1)
            U_z, U_r, U_h = np.split(U, 3, axis=1)
            b_z, b_r, b_hh = np.split(b_h, 3)
            z_z, z_r = x_z + h @ U_z + b_z, x_r + h @ U_r + b_r
            z, r = sigmoid(z_z), sigmoid(z_r)
            z_h = x_h + (r * (h @ U_h + b_hh) if reset_after else (r * h) @ U_h)
            g = np.tanh(z_h)
            h = z * h + (1 - z) * g
            step = {"update": z, "reset": r, "candidate": g, "hidden": h}
            step |= {"z update": z_z, "z reset": z_r, "z candidate": z_h}
        seen.append(step)
    return {name: np.stack([step[name] for step in seen], axis=1) for name in seen[0]}


def compare(traced, expected):
    actual = traced.gates | traced.states | {f"z {name}": z for name, z in traced.preactivations.items()}
    assert set(actual) == set(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(actual[name], array, rtol=1e-12, atol=1e-12, err_msg=name)


CASES = [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": False})]


@pytest.mark.parametrize(("cell", "options"), CASES)
def test_everything_in_a_trace_follows_from_the_weights(cell, options):
    layer = make(cell, return_sequences=True, **options)
    zeros = np.zeros((B, H))
    expected = by_formula(cell, layer, X, zeros, zeros, **options)
    traces = trace(layer, X)
    compare(traces["layer"], expected)
    np.testing.assert_array_equal(traces["layer"].inputs, X)
    np.testing.assert_array_equal(traces.outputs, traces["layer"].hidden)
    for state in traces["layer"].initial_states.values():
        np.testing.assert_array_equal(state, zeros)


@pytest.mark.parametrize(("cell", "options"), CASES)
def test_a_layer_that_reads_backwards_is_shown_in_the_order_of_the_data(cell, options):
    layer = make(cell, go_backwards=True, **options)
    zeros = np.zeros((B, H))
    expected = by_formula(cell, layer, X[:, ::-1], zeros, zeros, **options)
    traced = trace(layer, X)["layer"]
    compare(traced, {name: array[:, ::-1] for name, array in expected.items()})
    np.testing.assert_array_equal(traced.inputs, X)
    np.testing.assert_array_equal(trace(layer, X).outputs, traced.hidden[:, 0])


def test_tracing_changes_nothing():
    for cell, options in CASES:
        layer = make(cell, **options)
        np.testing.assert_array_equal(trace(layer, X).outputs, layer(X))


def test_a_model_of_two_recurrent_layers():
    first, second = make("LSTM", return_sequences=True), layers.GRU(2, dtype="float64", name="second")
    model = Sequential([first, second, layers.Dense(1, dtype="float64")])
    traces = trace(model, X)
    assert list(traces) == ["layer", "second", model.layers[2].name]
    assert list(traces.recurrent) == ["layer", "second"]
    np.testing.assert_array_equal(traces["second"].inputs, traces["layer"].hidden)
    np.testing.assert_array_equal(traces.outputs, model(X))
    np.testing.assert_array_equal(traces[model.layers[2].name].inputs, traces["second"].outputs)
    with pytest.raises(KeyError, match="no layer is named 'third'; there are layer, second"):
        traces["third"]


def test_names_lead_to_arrays():
    traces = trace(Sequential([make("LSTM"), layers.Dense(1)]), X)
    layer = traces["layer"]
    np.testing.assert_array_equal(layer["forget"], layer.gates["forget"])
    np.testing.assert_array_equal(layer.cell, layer.states["cell"])
    np.testing.assert_array_equal(traces["forget"], layer["forget"])  # a single recurrent layer
    with pytest.raises(KeyError, match="no gate or state is named 'reset'; there are input, forget"):
        layer["reset"]


def test_a_model_without_recurrent_layers_shows_inputs_and_outputs():
    model = Sequential([layers.Dense(1, name="only")])
    traces = trace(model, X[:, 0])
    np.testing.assert_array_equal(traces["only"].outputs, model(X[:, 0]))
    assert not traces.recurrent
    with pytest.raises(KeyError, match="no layer is named 'forget'; there are only"):
        traces["forget"]


def test_what_was_read_stays_what_it_was():
    x = X.copy()
    seen = trace(make("GRU", return_sequences=True), x)["layer"]
    x[:] = 0
    np.testing.assert_array_equal(seen.inputs, X)


def test_gates_are_attributes_too():
    seen = trace(layers.LSTM(2, name="memory"), np.ones((1, 3, 2)))["memory"]
    assert seen.forget is seen.gates["forget"]
    assert copy.deepcopy(seen).output.shape == pickle.loads(pickle.dumps(seen)).candidate.shape == (1, 3, 2)
    with pytest.raises(AttributeError, match="memory: there is no attribute 'reset'; gates and states: input, forget"):
        _ = seen.reset
    gru = trace(layers.GRU(2, name="gru"), np.ones((1, 3, 2)))["gru"]
    with pytest.raises(AttributeError, match="no cell state: a GRU has none"):
        _ = gru.cell
