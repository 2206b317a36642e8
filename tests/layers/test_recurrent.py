"""Recurrent layers by themselves: gradients against differences, published counts, configuration, errors."""

import json

import numpy as np
import pytest

from rnn_ref import Sequential, check_gradients, layers
from rnn_ref.equations.activations import CODES

CELLS = ["SimpleRNN", "LSTM", "GRU"]
GATED = ["LSTM", "GRU"]
KINKS = {"relu": [0], "selu": [0], "hard_sigmoid": [-3, 3], "hard_sigmoid_legacy": [-2.5, 2.5]}

every_cell = pytest.mark.parametrize("cell", CELLS)


def make(cell, units=3, **options):
    return getattr(layers, cell)(units, **options)


def sequences(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# -- gradients against central differences ----------------------------------------------------------

VARIANTS = [
    {},
    {"return_sequences": True},
    {"return_state": True},
    {"return_sequences": True, "return_state": True, "go_backwards": True},
    {"go_backwards": True, "use_bias": False},
]


@pytest.mark.parametrize("options", VARIANTS, ids=lambda options: "+".join(options) or "defaults")
@pytest.mark.parametrize("with_states", [False, True])
@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU", "GRU reset_after=False"])
def test_gradients(cell, options, with_states):
    cell, *before = cell.split()
    layer = make(cell, **options, **({"reset_after": False} if before else {}))
    states = [sequences(5, 3, seed=7 + k) for k in range(2 if cell == "LSTM" else 1)]
    errors = check_gradients(layer, sequences(5, 4, 2), **({"initial_state": states} if with_states else {}))
    expected = {"inputs", "kernel", "recurrent_kernel"} | ({"bias"} if options.get("use_bias", True) else set())
    if with_states:
        expected |= {f"initial_state[{k}]" for k in range(len(states))}
    assert set(errors) == expected
    assert max(errors.values()) < 1e-6, errors


def distance_to_kinks(layer, x):
    """How close any number that goes into an activation comes to a place where that activation has no derivative."""
    _, tape = layer.forward(x, keep_z=True)
    into = {"activation": [tape.z[-1] if tape.c is None else tape.z[2]], "recurrent_activation": []}
    if tape.c is not None:
        into["activation"].append(tape.c[1:])
        into["recurrent_activation"] += [tape.z[0], tape.z[1], tape.z[3]]
    elif len(tape.z) == 3:
        into["recurrent_activation"] += [tape.z[0], tape.z[1]]
    distances = [
        np.abs(z - kink).min()
        for which, arrays in into.items()
        for z in arrays
        for kink in KINKS.get(getattr(getattr(layer, which, None), "name", None), [])
    ]
    return min(distances, default=np.inf)


def away_from_kinks(cell, **options):
    """A layer and data, the first of many draws that keeps every activation at least 1e-3 off its kinks."""
    for seed in range(100):
        layer, x = make(cell, dtype="float64", **options), sequences(2, 3, 2, seed=seed)
        layer.ensure_built(x.shape)
        generator = np.random.default_rng(1000 + seed)
        layer.set_weights([generator.normal(size=w.shape, scale=0.4) for w in layer.weights])
        if distance_to_kinks(layer, x) > 1e-3:
            return layer, x
    raise AssertionError("no draw was far enough from the kinks")


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU", "GRU reset_after=False"])
def test_gradients_of_every_activation(cell, name):
    cell, *before = cell.split()
    options = {"reset_after": False} if before else {}
    layer, x = away_from_kinks(cell, activation=name, return_sequences=True, **options)
    errors = check_gradients(layer, x, samples=8)
    assert max(errors.values()) < 1e-6, errors


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("cell", ["LSTM", "GRU", "GRU reset_after=False"])
def test_gradients_of_every_recurrent_activation(cell, name):
    cell, *before = cell.split()
    options = {"reset_after": False} if before else {}
    layer, x = away_from_kinks(cell, recurrent_activation=name, return_sequences=True, **options)
    errors = check_gradients(layer, x, samples=8)
    assert max(errors.values()) < 1e-6, errors


def test_gradients_through_a_stack():
    model = Sequential(
        [
            layers.GRU(3, return_sequences=True, go_backwards=True, name="a"),
            layers.SimpleRNN(2, return_sequences=True, name="b"),
            layers.LSTM(3, name="c"),
            layers.Dense(2, name="d"),
        ]
    )
    errors = check_gradients(model, sequences(4, 5, 2))
    assert len(errors) == 1 + 3 * 3 + 2
    assert max(errors.values()) < 1e-6, errors


@every_cell
def test_none_stands_for_a_zero_gradient(cell):
    layer = make(cell, return_sequences=True, return_state=True, dtype="float64")
    outputs, tape = layer.forward(sequences(5, 4, 2))
    some = layer.backward(tape, [outputs[0], *[None] * (len(outputs) - 1)])
    zeros = layer.backward(tape, [outputs[0], *[np.zeros((5, 3))] * (len(outputs) - 1)])
    np.testing.assert_array_equal(some.inputs, zeros.inputs)
    only_state = layer.backward(tape, [None, outputs[1], *[None] * (len(outputs) - 2)])
    dy = np.zeros_like(outputs[0])
    dy[:, -1] = outputs[1]
    same = layer.backward(tape, [dy, *[None] * (len(outputs) - 1)])  # the last output is the final state
    np.testing.assert_array_equal(only_state.inputs, same.inputs)


@every_cell
def test_input_gradient_can_be_left_out(cell):
    layer = make(cell)
    y, tape = layer.forward(sequences(5, 4, 2))
    without, full = layer.backward(tape, y, input_gradient=False), layer.backward(tape, y)
    assert without.inputs is None
    assert full.inputs.shape == (5, 4, 2)
    np.testing.assert_array_equal(without.weights["kernel"], full.weights["kernel"])


@every_cell
def test_backward_does_not_change_what_it_is_given(cell):
    layer = make(cell, return_sequences=True)
    y, tape = layer.forward(sequences(5, 4, 2))
    dy = np.cos(y)
    before, h = dy.copy(), tape.h.copy()
    first = layer.backward(tape, dy)
    second = layer.backward(tape, dy)
    np.testing.assert_array_equal(dy, before)
    np.testing.assert_array_equal(tape.h, h)
    np.testing.assert_array_equal(first.inputs, second.inputs)


# -- counts and weights -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "units", "features", "count"),
    [("SimpleRNN", 64, 5, 4480), ("LSTM", 64, 5, 17920), ("GRU", 64, 5, 13632), ("LSTM", 32, 64, 12416)],
)
def test_published_parameter_counts(cell, units, features, count):
    assert make(cell, units, input_shape=(10, features)).count_params() == count


@every_cell
def test_weights_have_keras_names_and_shapes(cell):
    layer = make(cell, 4, input_shape=(None, 3), name="mine")
    G = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}[cell]
    bias = (2, 3 * 4) if cell == "GRU" else (G * 4,)
    assert {n: w.shape for n, w in layer.named_weights().items()} == {
        "kernel": (3, G * 4), "recurrent_kernel": (4, G * 4), "bias": bias,
    }  # fmt: skip


def test_unit_forget_bias():
    np.testing.assert_array_equal(layers.LSTM(2, input_shape=(None, 3)).bias.numpy(), [0, 0, 1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(
        layers.LSTM(2, unit_forget_bias=False, input_shape=(None, 3)).bias.numpy(), np.zeros(8)
    )


@every_cell
def test_recurrent_kernel_starts_orthogonal(cell):
    U = make(cell, 4, input_shape=(None, 3), dtype="float64").recurrent_kernel.numpy()
    np.testing.assert_allclose(U @ U.T, np.eye(4), atol=1e-12)


@every_cell
def test_seeded_initializers_repeat(cell):
    def weights(seed):
        from rnn_ref import initializers

        layer = make(
            cell, 4, input_shape=(None, 3), kernel_initializer=initializers.GlorotUniform(seed=seed),
            recurrent_initializer=initializers.Orthogonal(seed=seed),
        )  # fmt: skip
        return layer.get_weights()

    for one, same, other in list(zip(weights(1), weights(1), weights(2)))[:2]:
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other)


@every_cell
def test_global_seed_repeats(cell):
    from rnn_ref import utils

    def weights(seed):
        utils.set_random_seed(seed)
        return make(cell, 4, input_shape=(None, 3)).get_weights()

    for one, same in zip(weights(1), weights(1)):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(weights(1)[0], weights(2)[0])


@every_cell
def test_set_weights_is_what_get_weights_returns(cell):
    layer, x = make(cell, dtype="float64"), sequences(5, 4, 2)
    layer(x)
    values = [np.random.default_rng(3).normal(size=w.shape) for w in layer.weights]
    layer.set_weights(values)
    for got, given in zip(layer.get_weights(), values, strict=True):
        np.testing.assert_array_equal(got, given)
        got[...] = 0  # a copy: the layer keeps its own
    for got, given in zip(layer.get_weights(), values, strict=True):
        np.testing.assert_array_equal(got, given)


def test_set_weights_refuses_what_does_not_fit():
    layer = layers.LSTM(3, input_shape=(None, 2), name="memory")
    with pytest.raises(ValueError, match=r"memory: set_weights got 1 arrays, expected 3 \(kernel, recurrent_kernel, b"):
        layer.set_weights([np.zeros((2, 12))])
    with pytest.raises(ValueError, match=r"kernel: got a value of shape \(12, 2\), expected \(2, 12\)"):
        layer.set_weights([np.zeros((12, 2)), np.zeros((3, 12)), np.zeros(12)])
    with pytest.raises(ValueError, match="not built yet"):
        layers.LSTM(3).set_weights([np.zeros((2, 12))] * 3)


# -- configuration ----------------------------------------------------------------------------------

CONFIGURED = [
    ("SimpleRNN", {"activation": "relu", "use_bias": False, "return_sequences": True}),
    ("LSTM", {"activation": "softsign", "recurrent_activation": "hard_sigmoid", "unit_forget_bias": False}),
    ("LSTM", {"return_state": True, "go_backwards": True, "dtype": "float64", "kernel_regularizer": "l2"}),
    ("GRU", {"reset_after": False, "kernel_initializer": "he_normal", "bias_initializer": "ones"}),
    ("GRU", {"activation": None, "recurrent_constraint": "unit_norm", "return_sequences": True}),
]


@pytest.mark.parametrize(("cell", "options"), CONFIGURED)
def test_config_makes_an_equal_layer(cell, options):
    layer, x = make(cell, **options, name="first", trainable=False), sequences(5, 4, 2)
    y = layer(x)
    config = layer.get_config()
    again = type(layer).from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    assert (again.name, again.dtype, again.trainable) == ("first", layer.dtype, False)
    z = again(x)
    again.set_weights(layer.get_weights())
    z = again(x)
    for a, b in zip(*(each if isinstance(each, list) else [each] for each in (y, z)), strict=True):
        np.testing.assert_array_equal(a, b)


@every_cell
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
def test_compute_output_shape_is_the_shape_of_the_output(cell, return_sequences, return_state):
    layer = make(cell, return_sequences=return_sequences, return_state=return_state)
    y, shape = layer(sequences(5, 4, 2)), layer.compute_output_shape((5, 4, 2))
    if return_state:
        assert tuple(each.shape for each in y) == shape
    else:
        assert y.shape == shape


# -- meaning of the options, without another framework ----------------------------------------------


@every_cell
def test_going_backwards_is_reading_the_reversed_sequence(cell):
    layer, x = make(cell, return_sequences=True), sequences(5, 4, 2)
    forward = layer(x[:, ::-1])
    layer.go_backwards = True
    np.testing.assert_array_equal(layer(x), forward)


@every_cell
def test_a_sequence_in_two_halves_with_the_state_carried_over(cell):
    layer = make(cell, return_sequences=True, return_state=True, dtype="float64")
    x = sequences(5, 6, 2)
    whole, *last = layer(x)
    first, *states = layer(x[:, :2])
    second, *end = layer.forward(x[:, 2:], initial_state=states)[0]
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, rtol=1e-13)
    for a, b in zip(end, last, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


@every_cell
def test_the_cell_stepped_by_hand_is_the_layer(cell):
    layer, x = make(cell, return_sequences=True, dtype="float64"), sequences(5, 4, 2)
    y, states = layer(x), None
    for t in range(4):
        (output, states), _tape = layer.cell.forward(x[:, t], states)
        np.testing.assert_allclose(output, y[:, t], rtol=1e-13)


@every_cell
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_precision_of_everything(cell, dtype):
    layer = make(cell, return_state=True, dtype=dtype)
    outputs, tape = layer.forward(sequences(5, 4, 2))
    gradients = layer.backward(tape, outputs)
    arrays = [*outputs, gradients.inputs, *gradients.weights.values(), *gradients.initial_state, *layer.get_weights()]
    assert {array.dtype.name for array in arrays} == {dtype}


@pytest.mark.parametrize("x", [np.ones((2, 3, 4), int), np.ones((2, 3, 4), bool), [[[1.0] * 4] * 3] * 2])
def test_integers_booleans_and_lists_are_numbers_too(x):
    layer = layers.GRU(2)
    np.testing.assert_array_equal(layer(x), layer(np.ones((2, 3, 4), "float32")))


def test_inputs_in_any_memory_layout():
    layer, x = layers.LSTM(3), sequences(5, 4, 2).astype("float32")
    y = layer(x)
    np.testing.assert_array_equal(layer(np.asfortranarray(x)), y)
    np.testing.assert_array_equal(layer(np.repeat(x, 2, axis=2)[:, :, ::2]), y)
    np.testing.assert_array_equal(layer(x[:, ::-1][:, ::-1]), y)


@every_cell
def test_nan_reaches_the_output_of_its_sample_only(cell):
    layer, x = make(cell), sequences(5, 4, 2)
    x[3, 1] = np.nan
    assert np.isnan(layer(x)).all(axis=1).tolist() == [False, False, False, True, False]


# -- bad input --------------------------------------------------------------------------------------


@every_cell
def test_wrong_rank_points_to_return_sequences(cell):
    with pytest.raises(ValueError, match=r"mine: expected \(batch, time, features\), got shape \(2, 3\).*return_seq"):
        make(cell, name="mine")(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="return_sequences=True"):
        Sequential([layers.Input((5, 2)), make(cell, name="a"), make(cell, name="b")])


@every_cell
def test_feature_mismatch(cell):
    layer = make(cell, input_shape=(None, 3), name="mine")
    with pytest.raises(ValueError, match=r"mine: expected 3 features .* got 4"):
        layer(np.zeros((2, 5, 4)))


@every_cell
def test_no_time_steps_and_no_samples(cell):
    with pytest.raises(ValueError, match=r"\(2, 0, 3\).*time step"):
        make(cell)(np.zeros((2, 0, 3)))
    with pytest.raises(ValueError, match=r"empty batch.*\(0, 5, 3\)"):
        make(cell)(np.zeros((0, 5, 3)))


@every_cell
@pytest.mark.parametrize("units", [0, -1, 2.5, "4", None, True])
def test_bad_units(cell, units):
    with pytest.raises(ValueError, match="units must be a positive integer"):
        make(cell, units)


@every_cell
def test_unknown_activation_lists_the_known_ones(cell):
    with pytest.raises(ValueError, match=r"'tahn'.*Did you mean 'tanh'\?.*elu.*sigmoid.*tanh"):
        make(cell, activation="tahn")
    with pytest.raises(ValueError, match="softmax"):
        make(cell, activation="softmax")
    with pytest.raises(TypeError, match="Inside a recurrent cell these run, compiled: celu"):
        make(cell, activation=np.tanh)


@pytest.mark.parametrize("cell", GATED)
def test_unknown_recurrent_activation_is_named(cell):
    with pytest.raises(ValueError, match=r"recurrent_activation.*'hard_sigmiod'.*Did you mean 'hard_sigmoid'"):
        make(cell, recurrent_activation="hard_sigmiod")


@every_cell
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dropout", 0.5),
        ("recurrent_dropout", 0.5),
        ("stateful", True),
        ("unroll", True),
        ("activity_regularizer", "l2"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(cell, name, value):
    """Either the option works (then it has tests of its own) or it says that it does not; it is never ignored."""
    try:
        layer = make(cell, **{name: value})
    except NotImplementedError as error:
        message = str(error)
    else:
        message = name if layer.get_config()[name] else ""
    assert name in message


@every_cell
def test_wrong_initial_states(cell):
    layer, x = make(cell, name="mine"), sequences(5, 4, 2)
    number = 2 if cell == "LSTM" else 1
    with pytest.raises(ValueError, match=rf"mine: initial_state needs {number} arrays .*got 3"):
        layer.forward(x, initial_state=[np.zeros((5, 3))] * 3)
    with pytest.raises(ValueError, match=r"hidden state has shape \(5, 4\), expected \(5, 3\)"):
        layer.forward(x, initial_state=[np.zeros((5, 4))] * number)


@every_cell
def test_wrong_output_gradient(cell):
    layer = make(cell, return_sequences=True, name="mine")
    _, tape = layer.forward(sequences(5, 4, 2))
    with pytest.raises(ValueError, match=r"mine: .*\(5, 3\), expected \(5, 4, 3\)"):
        layer.backward(tape, np.zeros((5, 3)))
    with pytest.raises(ValueError, match="mine: backward got 2 gradients, expected 1"):
        layer.backward(tape, [np.zeros((5, 4, 3)), np.zeros((5, 3))])


def test_words_and_ragged_lists_are_not_numbers():
    with pytest.raises(TypeError, match="array of numbers"):
        layers.LSTM(3)([[["a", "b"]]])
    with pytest.raises(ValueError, match="entries differ in length"):
        layers.LSTM(3)([[[1.0, 2.0], [1.0]]])


def test_unknown_precision():
    with pytest.raises(ValueError, match="dtype='float16' is not supported; use one of float32, float64"):
        layers.LSTM(3, dtype="float16")
