"""Options of the recurrent layers: states kept, masks, directions, time first, dropout, stacks; against Keras."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, Sequential, layers
from rnn_ref.layers import GRU, LSTM, RNN, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell

from ..keras_on_numpy import keras
from ..slopes import check_slopes

pytestmark = pytest.mark.usefixtures("on_numpy")

B, T, F, H = 3, 5, 4, 2
KINDS = [SimpleRNN, GRU, LSTM]
CELLS = [("LSTMCell", 3), ("GRUCell", 2), ("SimpleRNNCell", 4)]
GATES = {SimpleRNN: 1, GRU: 3, LSTM: 4}


def data(shape=(B, T, F), seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def holes():
    mask = np.random.default_rng(1).random((B, T)) > 0.4
    mask[0] = False  # a row without a single step
    mask[1] = [False, True, False, True, False]
    return mask


def as_list(y):
    return list(y) if isinstance(y, (list, tuple)) else [y]


@pytest.fixture
def float64(keras_in):
    with keras_in("float64"):
        yield


def compare(ours, theirs, x, *, mask=None, training=False, **drops):
    """Outputs, states and all gradients of two layers with the same weights."""
    ours.ensure_built(x.shape)
    theirs.build(x.shape)
    ours.set_weights([w + 0.1 * data(w.shape, 9) for w in ours.get_weights()])
    outputs, tape = ours.forward(x, mask=mask, training=training, **drops)
    outputs = as_list(outputs)
    dys = [data(y.shape, 20 + k) for k, y in enumerate(outputs)]
    gradients = ours.backward(tape, dys if len(dys) > 1 else dys[0])

    def run(x, *weights):
        theirs.set_weights(weights)
        y = theirs(x, training=training) if mask is None else theirs(x, mask=mask, training=training)
        return keras.tree.flatten(y)

    arrays = [x, *ours.get_weights()]
    for y, expected in zip(outputs, run(*arrays), strict=True):
        np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-12)
    found = [gradients.inputs, *(gradients.weights[name] for name in ours.named_weights())]
    check_slopes(lambda *a: sum((y * dy).sum() for y, dy in zip(run(*a), dys)), arrays, found)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("zero_output_for_mask", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.usefixtures("float64")
def test_masks_with_holes(kind, go_backwards, zero_output_for_mask, return_sequences):
    options = {
        "go_backwards": go_backwards,
        "zero_output_for_mask": zero_output_for_mask,
        "return_sequences": return_sequences,
        "return_state": True,
    }
    theirs = getattr(keras.layers, kind.__name__)(H, dtype="float64", **options)
    compare(kind(H, dtype="float64", **options), theirs, data(), mask=holes())


def test_masked_steps_at_the_beginning_put_out_zero():
    """Also with initial states, as in Keras on PyTorch and TensorFlow; on NumPy and JAX these come out."""
    x, h, mask = data(), data((B, H), 1), holes()
    ours, theirs = LSTM(H, return_sequences=True), keras.layers.LSTM(H, return_sequences=True)
    y, other = (np.asarray(each(x, mask=mask, initial_state=[h, h])) for each in (ours, theirs))
    np.testing.assert_array_equal(y[0], 0)
    np.testing.assert_array_equal(y[1, 0], 0)
    np.testing.assert_allclose(other[1, 0], h[1], rtol=1e-6)


@pytest.mark.parametrize("implementation", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("float64")
def test_dropout_with_given_masks(kind, implementation, monkeypatch):
    options = {"dropout": 0.3, "recurrent_dropout": 0.2, "return_sequences": True}
    if implementation == 2:
        options.pop("recurrent_dropout")
    extra = {} if kind is SimpleRNN else {"implementation": implementation}
    ours = kind(H, dtype="float64", **options, **extra)
    theirs = getattr(keras.layers, kind.__name__)(H, dtype="float64", **options, **extra)
    count = GATES[kind] if implementation == 1 else 1
    generator = np.random.default_rng(4)
    x_drop = ((generator.random((count, B, F)) > 0.3) / 0.7).astype("float32")
    h_drop = ((generator.random((GATES[kind], B, H)) > 0.2) / 0.8).astype("float32")
    single = getattr(theirs.cell, "dropout_mask_count", None) is None

    def shaped(masks):
        return masks[0] if single or len(masks) == 1 else list(masks)

    monkeypatch.setattr(type(theirs.cell), "get_dropout_mask", lambda cell, x: shaped(x_drop))
    monkeypatch.setattr(
        type(theirs.cell), "get_recurrent_dropout_mask", lambda cell, h: shaped(h_drop) if implementation == 1 else None
    )
    drops = {"x_drop": x_drop} | ({"h_drop": h_drop} if implementation == 1 else {})
    compare(ours, theirs, data(), training=True, **drops)


def test_random_dropout_keeps_the_mean_and_rests_outside_training():
    layer = SimpleRNN(300, activation="linear", dropout=0.4, recurrent_dropout=0.25, seed=3)
    x = np.ones((50, 2, 200), "float32")
    _, tape = layer.forward(x, training=True)
    for drop, rate in ((tape.x_drop, 0.4), (tape.h_drop, 0.25)):
        assert set(np.unique(drop)) == {np.float32(0), np.float32(1 / (1 - rate))}
        assert (drop == 0).mean() == pytest.approx(rate, abs=0.02)
    _, other = layer.forward(x, training=True)
    assert not np.array_equal(tape.x_drop, other.x_drop)
    again = SimpleRNN(300, dropout=0.4, recurrent_dropout=0.25, seed=3)
    np.testing.assert_array_equal(again.forward(x, training=True)[1].x_drop, tape.x_drop)
    assert layer.forward(x)[1].x_drop is None


@pytest.mark.parametrize(
    ("kind", "options", "masks"),
    [
        (SimpleRNN, {"recurrent_dropout": 0.5}, (1, 1)),
        (GRU, {"implementation": 1}, (3, None)),
        (GRU, {}, (1, None)),
        (GRU, {"recurrent_dropout": 0.5}, (3, 3)),
        (LSTM, {"implementation": 1}, (4, None)),
        (LSTM, {}, (1, None)),
        (LSTM, {"recurrent_dropout": 0.5}, (4, 4)),
    ],
)
def test_masks_are_drawn_for_samples_and_gates(kind, options, masks):
    """As many as Keras has, each without correlation with the others; recurrent dropout needs one for each gate."""
    layer = kind(300, dropout=0.5, seed=1, **options)
    tape = layer.forward(np.zeros((40, 3, 300)), training=True)[1]
    for drop, count in zip((tape.x_drop, tape.h_drop), masks):
        if count is None:
            assert drop is None
            continue
        assert drop.shape == (count, 40, 300)
        between = np.corrcoef((drop == 0).reshape(count * 40, 300))[np.triu_indices(count * 40, 1)]
        assert abs(between.mean()) < 0.01
        assert between.std() == pytest.approx(1 / np.sqrt(300), rel=0.1)


def test_one_mask_for_a_whole_sequence():
    """What is dropped at one step is dropped at all, of the inputs and of the states."""
    layer = SimpleRNN(
        20, activation="linear", dropout=0.5, recurrent_dropout=0.5, return_sequences=True, dtype="float64", seed=1
    )
    x = np.repeat(data((5, 1, 30)), 6, axis=1)
    y = layer(x, training=True)
    # With the same input at every step h(t+1) - h(t) = (h(t) - h(t-1)) D U: linear, if D is the same at every step.
    u = layer.get_weights()[1]
    steps = np.diff(np.concatenate([np.zeros((5, 1, 20)), y], axis=1), axis=1)
    dropped = np.linalg.solve(u.T, steps[:, 1:].reshape(-1, 20).T).T.reshape(5, 5, 20) / steps[:, :-1]
    np.testing.assert_allclose(dropped, np.repeat(dropped[:, :1], 5, axis=1), atol=1e-6)
    np.testing.assert_allclose(np.unique(dropped.round(6)), [0, 2])
    assert np.ptp(dropped[:, 0], axis=0).max() > 0  # another for each sample


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.usefixtures("float64")
def test_stacked_cells_with_nested_states(masked):
    cells = [getattr(keras.layers, name)(n, dtype="float64") for name, n in CELLS]
    theirs = keras.layers.RNN(
        keras.layers.StackedRNNCells(cells, dtype="float64"),
        return_sequences=True,
        return_state=True,
        zero_output_for_mask=True,
        dtype="float64",
    )
    ours = RNN(
        [getattr(layers, name)(n) for name, n in CELLS],
        return_sequences=True,
        return_state=True,
        zero_output_for_mask=True,
        dtype="float64",
    )
    compare(ours, theirs, data(), mask=holes() if masked else None)
    x, nested = data(), [[data((B, 3), 1), data((B, 3), 2)], data((B, 2), 3), [data((B, 4), 4)]]
    flat = [nested[0][0], nested[0][1], nested[1], nested[2][0]]
    for a, b in zip(ours(x, initial_state=nested), ours(x, initial_state=flat)):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("kind", "cell"), [(SimpleRNN, SimpleRNNCell), (GRU, GRUCell), (LSTM, LSTMCell)])
def test_a_layer_is_its_cell_run_by_rnn_bit_for_bit(kind, cell):
    layer, by_cell = kind(8, return_sequences=True), RNN(cell(8), return_sequences=True)
    x, mask = data(), holes()
    by_cell.ensure_built(x.shape)
    layer.ensure_built(x.shape)
    by_cell.set_weights(layer.get_weights())
    (y, tape), (y2, tape2) = layer.forward(x, mask=mask), by_cell.forward(x, mask=mask)
    np.testing.assert_array_equal(y, y2)
    dy = data(y.shape, 1)
    one, two = layer.backward(tape, dy), by_cell.backward(tape2, dy)
    np.testing.assert_array_equal(one.inputs, two.inputs)
    for name, gradient in one.weights.items():
        np.testing.assert_array_equal(gradient, two.weights[name])


@pytest.mark.parametrize("kind", KINDS)
def test_stateful(kind):
    layer = kind(H, stateful=True, return_sequences=True, dtype="float64")
    x = data()
    pieces = [layer(x[:, :2]), layer(x[:, 2:])]
    layer.reset_states()
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), layer(x), atol=1e-12)
    with pytest.raises(ValueError, match="batch"):
        layer(x[:2])
    layer.reset_states()
    layer(x[:2])
    given = [data((B, H), k) for k in range(2 if kind is LSTM else 1)]
    layer.reset_states(given)
    whole = RNN(layer.cell, return_sequences=True, dtype="float64")
    np.testing.assert_array_equal(layer(x), whole(x, initial_state=given))
    with pytest.raises(AttributeError, match="stateful"):
        whole.reset_states()


@pytest.mark.parametrize("kind", KINDS)
def test_time_major(kind):
    layer = kind(H, return_sequences=True, go_backwards=True, dtype="float64")
    x, mask = data(), holes()
    y, tape = layer.forward(x, mask=mask)
    major = RNN(layer.cell, return_sequences=True, go_backwards=True, time_major=True, dtype="float64")
    y2, tape2 = major.forward(x.swapaxes(0, 1), mask=mask.T)
    np.testing.assert_array_equal(y2, y.swapaxes(0, 1))
    dy = data(y.shape, 1)
    one, two = layer.backward(tape, dy), major.backward(tape2, dy.swapaxes(0, 1))
    np.testing.assert_array_equal(two.inputs, one.inputs.swapaxes(0, 1))
    assert major.compute_output_shape((T, B, F)) == (T, B, H)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_by_differences(kind):
    layer = kind(H, return_sequences=True, return_state=True, go_backwards=True)
    states = [data((B, H), k) for k in range(2 if kind is LSTM else 1)]
    errors = rnn_ref.check_gradients(layer, data(), mask=holes(), initial_state=states)
    assert max(errors.values()) < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_config_round_trip(kind):
    layer = kind(H, return_sequences=True, go_backwards=True, stateful=True, dropout=0.1, name="memory")
    again = kind.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    stack = RNN([LSTMCell(3), GRUCell(2)], zero_output_for_mask=True, return_state=True)
    assert RNN.from_config(stack.get_config()).get_config() == stack.get_config()


def test_bad_input_is_explained():
    layer = LSTM(H)
    layer(data())
    with pytest.raises(ValueError, match="return_sequences=True"):
        layer(data((B, F)))
    with pytest.raises(ValueError, match="features"):
        layer(data((B, T, F + 1)))
    with pytest.raises(ValueError, match="zero time steps"):
        layer(data((B, 0, F)))
    with pytest.raises(ValueError, match="mask has shape"):
        layer(data(), mask=np.ones((B, T + 1)))
    with pytest.raises(ValueError, match="needs 2 arrays"):
        layer(data(), initial_state=[data((B, H))])
    with pytest.raises(ValueError, match="shape"):
        layer(data(), initial_state=[data((B, H + 1))] * 2)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.GRU(H, stateful=True)(Input((T, F))),
        lambda: layers.RNN([layers.GRUCell(H)], stateful=True)(Input((T, F))),
        lambda: layers.Bidirectional(layers.GRU(H, stateful=True))(Input((T, F))),
        lambda: layers.GRU(H, stateful=True).build((None, T, F)),
        lambda: Sequential([Input((T, F)), layers.GRU(H, stateful=True)]),
        lambda: Sequential([layers.GRU(H, stateful=True)]).build((None, T, F)),
    ],
)
def test_a_stateful_layer_needs_to_know_the_batch_size(make):
    with pytest.raises(ValueError, match=r"how many samples a batch has, got.*\(None, .*Input\(batch_shape="):
        make()


def test_a_stateful_model_learns_the_batch_size_from_its_first_data():
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.inner = layers.GRU(H, stateful=True)

        def call(self, x):
            return self.inner(x)

    x = np.ones((B, T, F), "float32")
    for model in (Sequential([layers.GRU(H, stateful=True)]), Own()):
        model.compile("sgd", "mse")
        model.fit(x, np.zeros((B, H)), batch_size=B, verbose=0)
        with pytest.raises(ValueError, match=rf"(batches of|states for) {B} samples, got"):
            model(x[:1])
