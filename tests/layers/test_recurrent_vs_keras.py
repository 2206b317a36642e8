"""Recurrent layers against Keras: outputs, final states, and all gradients."""

import inspect

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rnn_ref import layers

from ..keras_on_numpy import keras
from ..slopes import check_slopes

pytestmark = pytest.mark.usefixtures("on_numpy")

TOLERANCE = {"float32": 2e-5, "float64": 1e-10}
ACTIVATIONS = [
    "tanh", "sigmoid", "linear", "relu", "hard_sigmoid", "softsign", "elu", "selu", "softplus",
    "exponential", "silu", "swish", "gelu", None,
]  # fmt: skip
SLOPES = {"float32": 2e-5, "float64": 1e-7}
B, T, F, H = 5, 4, 2, 3


def compare(cell, options, with_states, dtype, seed, keras_in, assert_close):
    """Run the same numbers through both, forward and backward."""
    generator = np.random.default_rng(seed)
    ours = getattr(layers, cell)(H, dtype=dtype, input_shape=(None, F), name="ours", **options)
    # exponentials of exponentials, step after step, overflow unless their arguments stay small
    growing = "exponential" in (options.get("activation"), options.get("recurrent_activation"))
    scale = 0.1 if growing else 0.5
    weights = [generator.normal(size=w.shape, scale=scale).astype(dtype) for w in ours.get_weights()]
    ours.set_weights(weights)
    x = generator.normal(size=(B, T, F)).astype(dtype)
    states = None
    if with_states:
        states = [generator.normal(size=(B, H)).astype(dtype) for _ in range(2 if cell == "LSTM" else 1)]

    y, tape = ours.forward(x, initial_state=states)
    outputs = y if options["return_state"] else [y]
    cotangents = [generator.normal(size=each.shape).astype(dtype) for each in outputs]
    gradients = ours.backward(tape, cotangents if options["return_state"] else cotangents[0])

    given = [x, *weights, *(states or [])]
    found = [gradients.inputs, *gradients.weights.values(), *(gradients.initial_state if with_states else [])]
    with keras_in(dtype):
        expected = run_keras(cell, options, dtype, given)
    # exp(exp(...)) overflows over a few steps, or amplifies every rounding: nothing to compare there.
    assume(all(float(np.abs(a).max()) < 1e4 for a in (*expected, *found)))  # false for NaN too

    tolerance = TOLERANCE[dtype]
    for k, (actual, wanted) in enumerate(zip(outputs, expected, strict=True)):
        assert actual.dtype == wanted.dtype == dtype
        assert_close(actual, wanted, tolerance, f"output {k}")
    assert all(gradient.dtype == dtype for gradient in found)
    with keras_in("float64"):

        def total(*arrays):
            outputs = run_keras(cell, options, "float64", arrays)
            return sum((y * c).sum() for y, c in zip(outputs, cotangents))

        check_slopes(total, given, found, SLOPES[dtype])


def run_keras(cell, options, dtype, arrays) -> list:
    """Outputs and states of Keras's layer for an input, weights, and initial states if there are more arrays."""
    theirs = getattr(keras.layers, cell)(H, dtype=dtype, **options)
    theirs.build((None, T, F))
    x, weights = arrays[0], arrays[1 : 1 + len(theirs.trainable_variables)]
    states = list(arrays[1 + len(weights) :]) or None
    theirs.set_weights(weights)
    y = theirs(x, initial_state=states)
    return list(y) if options["return_state"] else [y]


booleans = st.booleans()
common = {
    "activation": st.sampled_from(ACTIVATIONS),
    "use_bias": booleans,
    "return_sequences": booleans,
    "return_state": booleans,
    "go_backwards": booleans,
}
rest = {
    "with_states": booleans,
    "dtype": st.sampled_from(["float32", "float64"]),
    "seed": st.integers(0, 10_000),
}
gated = common | {"recurrent_activation": st.sampled_from(ACTIVATIONS)}


@given(options=st.fixed_dictionaries(common), **rest)
def test_simple_rnn(keras_in, assert_close, options, **drawn):
    compare("SimpleRNN", options=options, keras_in=keras_in, assert_close=assert_close, **drawn)


@given(options=st.fixed_dictionaries(gated), **rest)
def test_lstm(keras_in, assert_close, options, **drawn):
    compare("LSTM", options=options, keras_in=keras_in, assert_close=assert_close, **drawn)


@given(options=st.fixed_dictionaries(gated | {"reset_after": booleans}), **rest)
def test_gru(keras_in, assert_close, options, **drawn):
    compare("GRU", options=options, keras_in=keras_in, assert_close=assert_close, **drawn)


@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])
def test_defaults_on_a_longer_sequence(cell, assert_close):
    """No option but the number of units: defaults are Keras's own, also its loop over time."""
    x = np.random.default_rng(0).normal(size=(17, 40, 6)).astype("float32")
    ours, theirs = (getattr(module, cell)(9) for module in (layers, keras.layers))
    theirs.build(x.shape)
    ours.ensure_built(x.shape)
    ours.set_weights(theirs.get_weights())
    assert_close(ours(x), theirs(x), TOLERANCE["float32"])


@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])
def test_one_step_of_a_cell(cell, keras_in, assert_close):
    generator = np.random.default_rng(0)
    x, states = generator.normal(size=(3, 4)), [generator.normal(size=(3, 5)) for _ in range(2)]
    states = states[: 2 if cell == "LSTM" else 1]
    ours = getattr(layers, f"{cell}Cell")(5, dtype="float64")
    ours.ensure_built((None, 4))
    with keras_in("float64"):
        theirs = getattr(keras.layers, f"{cell}Cell")(5, dtype="float64")
        theirs.build((None, 4))
        ours.set_weights(theirs.get_weights())
        expected, new = theirs(x, states)
    (y, ours_new), _tape = ours.forward(x, states)
    assert_close(y, expected, 1e-12)
    for actual, wanted in zip(ours_new, new if isinstance(new, (list, tuple)) else [new], strict=True):
        assert_close(actual, wanted, 1e-12)


CALLS = [
    ("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}),
    ("LSTM", {"unit_forget_bias": False, "use_bias": False}), ("GRU", {"reset_after": False, "units": 7}),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "options"), CALLS)
def test_weight_shapes_order_and_counts(cell, options):
    options = {"units": 6, **options}
    ours, theirs = (getattr(module, cell)(**options) for module in (layers, keras.layers))
    ours.ensure_built((None, 4, 3))
    theirs.build((None, 4, 3))
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    assert ours.count_params() == theirs.count_params()


@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
def test_output_shape(cell, return_sequences, return_state):
    options = {"return_sequences": return_sequences, "return_state": return_state}
    ours, theirs = (getattr(module, cell)(4, **options) for module in (layers, keras.layers))
    assert ours.compute_output_shape((None, 7, 3)) == theirs.compute_output_shape((None, 7, 3))


@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])
def test_arguments_have_keras_names_defaults_and_order(cell):
    ours, theirs = (
        {
            name: parameter.default
            for name, parameter in inspect.signature(getattr(module, cell).__init__).parameters.items()
            if parameter.kind is not parameter.VAR_KEYWORD
        }
        for module in (layers, keras.layers)
    )
    if cell != "SimpleRNN":
        theirs["implementation"] = 2  # Keras takes it from its **kwargs
        assert getattr(keras.layers, cell)(1).cell.implementation == 2
    assert ours == theirs
    assert list(ours) == list(theirs)
