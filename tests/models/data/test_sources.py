"""Sources of batches: what is drawn and when, what comes of their end, and what is refused."""

import warnings

import numpy as np
import pytest

from rnn_ref import Input, Model, Sequential, callbacks, layers

X = np.random.default_rng(0).normal(size=(12, 4, 3)).astype("float32")
Y = X.sum((1, 2))[:, None]


def model(rate=0.1):
    made = Sequential([Input((4, 3)), layers.GlobalAveragePooling1D(), layers.Dense(1, kernel_initializer="ones")])
    made.compile("sgd", "mse")
    made.optimizer.learning_rate = rate
    return made


def batches(times=1, size=4, drawn=None):
    for k in range(times * len(X) // size):
        if drawn is not None:
            drawn.append(k)
        rows = slice(k * size % len(X), k * size % len(X) + size)
        yield X[rows], Y[rows]


def same(first, second):
    assert list(first) == list(second)
    for name in first:
        np.testing.assert_allclose(first[name], second[name], rtol=1e-6)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_no_batch_too_many_is_drawn(method):
    drawn, source = [], batches(times=9)
    options = {"fit": {"steps_per_epoch": 2, "epochs": 3}}.get(method, {"steps": 6})
    source = ((drawn.append(k), batch)[1] for k, batch in enumerate(source))
    getattr(model(), method)(source, verbose=0, **options)
    assert drawn == list(range(6))


def test_a_generator_with_steps_is_what_arrays_are():
    arrays = model().fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    same(model().fit(batches(times=3), steps_per_epoch=3, epochs=3, verbose=0).history, arrays)


def test_a_generator_without_steps_is_used_again_with_a_warning():
    arrays = model().fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    buffer = [np.empty((4, 4, 3), "float32"), np.empty((4, 1), "float32")]

    def reusing_its_arrays():
        for x, y in batches():
            buffer[0][:], buffer[1][:] = x, y
            yield tuple(buffer)

    with pytest.warns(UserWarning, match="ran out of data after 3 batches") as caught:
        again = model().fit(reusing_its_arrays(), epochs=3, verbose=0).history
    same(again, arrays)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model().fit(batches(), verbose=0)  # one epoch: nothing is missing
        model().evaluate(batches(), verbose=0)


@pytest.mark.parametrize(("steps", "epochs", "seen"), [(5, 1, 1), (2, 3, 2), (3, 3, 1), (1, 9, 3)])
def test_training_ends_with_the_generator(steps, epochs, seen):
    ended = []
    watch = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ended.append(epoch))
    with pytest.warns(UserWarning, match="ran out of data"):
        history = model().fit(batches(), steps_per_epoch=steps, epochs=epochs, verbose=0, callbacks=[watch])
    assert len(history.history["loss"]) == len(ended) == seen
    assert len(set(history.history["loss"])) == seen  # no number of an epoch before


@pytest.mark.parametrize("steps", [None, 2])
def test_each_validation_sees_the_same(steps):
    held_out = (X[: 4 * steps], Y[: 4 * steps]) if steps else (X, Y)
    expected = model().fit(X, Y, epochs=3, shuffle=False, validation_data=held_out, verbose=0).history
    drawn = []
    source = batches(times=1 if steps is None else 99, drawn=drawn)
    found = (
        model().fit(X, Y, epochs=3, shuffle=False, validation_data=source, validation_steps=steps, verbose=0).history
    )
    same(found, expected)
    assert len(drawn) == (steps or 3)


def test_an_empty_source_says_so():
    used = batches()
    model().evaluate(used, verbose=0)
    for source in (iter(()), used, [].__iter__(), type("Empty", (), {"__iter__": lambda self: iter(())})()):
        for method in ("fit", "evaluate", "predict"):
            with pytest.raises(ValueError, match="gave no batch"):
                getattr(model(), method)(source, verbose=0)
    with pytest.raises(ValueError, match="gave no batch"):
        model().fit(X, Y, validation_data=iter(()), verbose=0)


def test_batches_are_checked_as_arrays_are():
    for message, batch in {
        "y has 1 samples": (X, Y[:1]),
        "sample_weight has 2 samples": (X, Y, np.ones(2)),
        "x is empty": (X[:0], Y[:0]),
        "dtype object": (X, np.array([None] * 12)),
        "masked": (np.ma.masked_greater(X, 0), Y),
        "got 4 entries": (X, Y, None, None),
        "a list of 2 arrays": ([X, X], Y),
        "list of numbers": ([1.0, 2.0], Y),
    }.items():
        with pytest.raises(ValueError, match=message):
            model().fit(iter([batch]), verbose=0)
        if len(batch) == 2:
            with pytest.raises(ValueError, match=message):
                model().fit(*batch, verbose=0)
    bad = X.copy()
    bad[1, 2, 0] = np.nan
    with pytest.warns(RuntimeWarning, match=r"x holds nan at index \(1, 2, 0\)"):
        model().predict(iter([(X,), (bad,)]), verbose=0)


def test_generators_give_tuples_and_others_may_give_lists():
    with pytest.raises(ValueError, match="a generator gives tuples"):
        model().fit(iter([[X, Y]]), verbose=0)
    lists = type("Lists", (), {"__iter__": lambda self: iter([[X, Y]])})()
    same(model().fit(lists, verbose=0).history, model().fit(X, Y, shuffle=False, verbose=0).history)
    np.testing.assert_array_equal(model().predict(iter([X]), verbose=0), model().predict(X, verbose=0))


def test_whatever_has_a_length_and_numbers():
    class Data:
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]

    expected = model().fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    same(model().fit(Data(), epochs=2, shuffle=False, verbose=0).history, expected)


def test_what_is_no_source():
    torch = pytest.importorskip("torch")
    single = torch.utils.data.TensorDataset(torch.as_tensor(X), torch.as_tensor(Y))
    for x, message in [("data.csv", "a str"), (3, "a int"), (batches, r"Call it: batches\(\)"), (single, "DataLoader")]:
        with pytest.raises(TypeError, match=message):
            model().fit(x, verbose=0)


def test_columns_go_to_the_inputs_of_their_names():
    pandas = pytest.importorskip("pandas")
    a, b = Input((1,), name="a"), Input((1,), name="b")
    made = Model([a, b], layers.Subtract()([a, b]))
    frame = pandas.DataFrame({"b": [1.0, 2.0], "a": [5, 5]})
    np.testing.assert_array_equal(made.predict(frame, verbose=0), [[4], [3]])
    with pytest.raises(ValueError, match=r"'a': (object|str)"):
        made.predict(frame.assign(a=["x", "y"]), verbose=0)


def test_shuffling_within_batches():
    seen = []

    class Spy(layers.Layer):
        def call(self, x, training=False):
            if training:
                seen.append(np.asarray(getattr(x, "_value", x))[:, 0].tolist())
            return x * 1.0

    made = Sequential([Input((1,)), Spy(), layers.Dense(1)])
    made.compile("sgd", "mse")
    numbers = np.arange(40.0)[:, None]
    made.fit(numbers, numbers, batch_size=10, shuffle="batch", verbose=0)
    assert [sorted(rows) for rows in seen] == [list(range(k, k + 10)) for k in range(0, 40, 10)]
    assert any(rows != sorted(rows) for rows in seen)


@pytest.mark.parametrize(("method", "flag"), [("evaluate", "stop_evaluating"), ("predict", "stop_predicting")])
def test_a_callback_can_stop(method, flag):
    hook = {"evaluate": "on_test_batch_end", "predict": "on_predict_batch_end"}[method]
    made, drawn = model(), []

    def stop(batch, logs):
        setattr(made, flag, batch == 1)

    getattr(made, method)(
        batches(times=3, drawn=drawn), verbose=0, callbacks=[callbacks.LambdaCallback(**{hook: stop})]
    )
    assert drawn == [0, 1]
