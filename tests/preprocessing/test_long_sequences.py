"""One long sequence in batches that go on from each to the next."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers
from rnn_ref.preprocessing.sequence import stateful_batches


@pytest.mark.parametrize(("steps", "batch_size", "length"), [(25, 2, 3), (25, 4, 6), (24, 1, 5), (100, 3, 1)])
def test_every_step_but_those_left_over_is_in_one_batch(steps, batch_size, length):
    data = np.arange(steps)
    batches = stateful_batches(data, batch_size, length)
    pairs = list(batches)
    assert len(pairs) == len(batches)
    assert all(x.shape == y.shape == (batch_size, length) for x, y in pairs)
    rows = np.concatenate([x for x, _ in pairs], axis=1)  # each row is one piece of the sequence
    np.testing.assert_array_equal(rows.ravel(), np.arange(steps - 1 - batches.left_over))
    np.testing.assert_array_equal(np.concatenate([y for _, y in pairs], axis=1), rows + 1)
    assert batches.left_over < batch_size * length


def test_given_targets_stand_beside_their_steps():
    data, targets = np.random.default_rng(0).standard_normal((20, 2)), np.arange(20)
    batches = stateful_batches(data, 2, 5, targets)
    assert batches.left_over == 0
    for x, y in batches:
        np.testing.assert_array_equal(x, data[y])


def language_model(batch_size, length):
    model = rnn_ref.Sequential(
        [
            rnn_ref.Input(batch_shape=(batch_size, length, 3)),
            layers.LSTM(4, stateful=True, return_sequences=True),
            layers.Dense(3),
        ]
    )
    model.compile("sgd", "mse")
    return model


def test_states_run_through_as_over_one_long_sequence(assert_close):
    data = np.random.default_rng(0).standard_normal((2 * 12 + 1, 3)).astype("float32")
    model, whole = language_model(2, 4), language_model(2, 12)
    whole.set_weights(model.get_weights())
    outputs = [model.predict_on_batch(x) for x, _ in stateful_batches(data, 2, 4)]
    assert_close(np.concatenate(outputs, axis=1), whole.predict_on_batch(data[:-1].reshape(2, 12, 3)), 1e-6)
    for state, expected in zip(model.layers[0].states, whole.layers[0].states):
        assert_close(state, expected, 1e-6)


def test_fit_goes_on_from_batch_to_batch_and_begins_anew_where_that_is_asked_for():
    data = np.random.default_rng(0).standard_normal((25, 3)).astype("float32")
    model, by_hand = language_model(2, 4), language_model(2, 4)
    by_hand.set_weights(model.get_weights())
    model.fit(stateful_batches(data, 2, 4, reset=model), epochs=2, verbose=0)
    for _ in range(2):
        by_hand.reset_states()
        for x, y in stateful_batches(data, 2, 4):
            by_hand.train_on_batch(x, y)
    for weight, expected in zip(model.get_weights(), by_hand.get_weights()):
        np.testing.assert_array_equal(weight, expected)


def test_without_reset_states_go_on_into_the_next_epoch():
    data = np.random.default_rng(0).standard_normal((25, 3)).astype("float32")
    model, by_hand = language_model(2, 4), language_model(2, 4)
    by_hand.set_weights(model.get_weights())
    model.fit(stateful_batches(data, 2, 4), epochs=2, verbose=0)
    for x, y in [*stateful_batches(data, 2, 4)] * 2:
        by_hand.train_on_batch(x, y)
    np.testing.assert_array_equal(model.get_weights()[0], by_hand.get_weights()[0])


def test_part_of_an_epoch_goes_on_with_the_states_it_had():
    data = np.random.default_rng(0).standard_normal((25, 3)).astype("float32")
    model, by_hand = language_model(2, 4), language_model(2, 4)
    by_hand.set_weights(model.get_weights())
    model.fit(stateful_batches(data, 2, 4, reset=model), epochs=3, steps_per_epoch=1, verbose=0)
    by_hand.fit(stateful_batches(data, 2, 4, reset=by_hand), epochs=1, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], by_hand.get_weights()[0])


def test_what_is_on_disk_is_read_a_batch_at_a_time(tmp_path):
    np.save(tmp_path / "steps.npy", np.arange(1000, dtype="int32"))
    x, y = next(iter(stateful_batches(np.load(tmp_path / "steps.npy", mmap_mode="r"), 3, 10)))
    assert x[1, 0] == 330
    assert y[2, -1] == 670


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": "a long text"}, "Tokenizer"),
        ({"data": range(6)}, "needs 7 steps, data has 6"),
        ({"data": np.float32(3)}, "axis of time"),
        ({"data": ["a", "b"]}, "numbers"),
        ({"batch_size": 0}, "batch_size"),
        ({"length": 1.5}, "length"),
        ({"targets": range(4)}, "data has 20 steps, targets 4"),
        ({"reset": "model"}, "reset_states"),
        ({"reset": layers.LSTM(2, name="lstm")}, "stateful=True"),
        ({"data": np.ma.masked_array([1.0], [True])}, "masked"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        stateful_batches(**{"data": range(20), "batch_size": 2, "length": 3} | arguments)
