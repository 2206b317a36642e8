"""fit, evaluate, predict: against Keras step by step, and what a user can get wrong."""

import numpy as np
import pytest

from rnn_ref import Input, Sequential, callbacks, layers, losses, optimizers, regularizers, utils

from ..keras_that_trains import keras

pytestmark = pytest.mark.usefixtures("that_trains")


def data(samples=22, T=4, F=3, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(samples, T, F)).astype("float32")
    y = x[:, :, 0].sum(axis=1, keepdims=True).astype("float32")
    return x, y


def model_of(module, *, last="linear", regularizer=None, outputs=1):
    return module.Sequential(
        [
            module.Input((4, 3)),
            module.layers.LSTM(5, return_sequences=True),
            module.layers.GRU(4, kernel_regularizer=regularizer),
            module.layers.Dense(outputs, activation=last),
        ]
    )


def pair(**options):
    """The same model here and in Keras, with the same weights."""
    import rnn_ref

    regularizer = options.pop("regularizer", None)
    theirs = model_of(keras, regularizer=regularizer and keras.regularizers.L2(regularizer), **options)
    ours = model_of(rnn_ref, regularizer=regularizer and regularizers.L2(regularizer), **options)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


@pytest.mark.parametrize(
    ("optimizer", "loss", "last", "outputs", "metrics"),
    [
        ("sgd", "mse", "linear", 1, ["mae"]),
        ("adam", "binary_crossentropy", "sigmoid", 1, ["accuracy"]),
        ("rmsprop", "sparse_categorical_crossentropy", "softmax", 6, ["accuracy", "sparse_top_k_categorical_accuracy"]),
    ],
)
def test_training_follows_keras(optimizer, loss, last, outputs, metrics):
    """Losses, metrics and weights after several epochs, with validation and sample weights."""
    ours, theirs = pair(last=last, outputs=outputs, regularizer=0.01)
    x, y = data()
    if loss != "mse":
        y = (np.abs(y) * 1.3).astype(int) % max(2, outputs)
    weight = np.linspace(0.5, 1.5, len(x)).astype("float32")
    histories = []
    for model in (ours, theirs):
        model.compile(optimizer, loss=loss, metrics=metrics, weighted_metrics=["mse"] if loss == "mse" else None)
        history = model.fit(
            x, y, epochs=3, batch_size=8, shuffle=False, sample_weight=weight, validation_split=0.2, verbose=0
        )
        histories.append(history.history)
    assert set(histories[0]) == set(histories[1])
    for name, values in histories[1].items():
        np.testing.assert_allclose(histories[0][name], values, rtol=2e-4, atol=2e-5, err_msg=name)
    for mine, other in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(mine, other, atol=1e-3)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-3)
    np.testing.assert_allclose(ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), rtol=1e-3, atol=1e-4)


def test_class_weights_follow_keras():
    ours, theirs = pair(last="softmax", outputs=3)
    x, y = data()
    y = np.abs(y * 2).astype(int) % 3
    history = []
    for model in (ours, theirs):
        model.compile("sgd", "sparse_categorical_crossentropy")
        fitted = model.fit(x, y, class_weight={0: 1.0, 1: 5.0, 2: 0.2}, epochs=2, shuffle=False, verbose=0)
        history.append(fitted.history["loss"])
    np.testing.assert_allclose(*history, rtol=1e-4)


def test_train_and_test_on_batch():
    ours, theirs = pair()
    x, y = data()
    for model in (ours, theirs):
        model.compile("sgd", "mse")
    np.testing.assert_allclose(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), rtol=1e-4)
    ours.reset_metrics()
    theirs.reset_metrics()
    np.testing.assert_allclose(ours.test_on_batch(x, y), theirs.test_on_batch(x, y), rtol=1e-4)
    np.testing.assert_allclose(ours.predict_on_batch(x), theirs.predict_on_batch(x), atol=1e-5)


def small():
    model = Sequential([Input((4, 3)), layers.GRU(4), layers.Dense(1)])
    model.compile(optimizers.Adam(0.01), "mse")
    return model


def test_same_seed_same_bits():
    x, y = data()
    weights = []
    for _ in range(2):
        utils.set_random_seed(7)
        model = small()
        model.fit(x, y, epochs=2, verbose=0)
        weights.append(model.get_weights())
    for first, second in zip(*weights):
        np.testing.assert_array_equal(first, second)


def test_fit_learns_and_stops_early():
    x, y = data(200)
    model = small()
    stop = callbacks.EarlyStopping(monitor="loss", min_delta=10.0, patience=2)
    history = model.fit(x, y, epochs=50, callbacks=[stop], verbose=0)
    assert len(history.history["loss"]) == 3
    history = model.fit(x, y, epochs=30, initial_epoch=3, verbose=0)
    assert len(history.epoch) == 27
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]


def test_batches_from_an_iterable():
    x, y = data(20)
    pieces = [(x[k : k + 5], y[k : k + 5]) for k in range(0, 20, 5)]
    from_arrays, from_pieces = small(), small()
    from_pieces.set_weights(from_arrays.get_weights())

    class Dataset:
        def __len__(self):
            return len(pieces)

        def __iter__(self):
            return iter(pieces)

    a = from_arrays.fit(x, y, batch_size=5, epochs=2, shuffle=False, verbose=0).history["loss"]
    b = from_pieces.fit(Dataset(), epochs=2, verbose=0).history["loss"]
    np.testing.assert_array_equal(a, b)


def test_verbose_one_shows_a_bar_and_two_a_line(capsys):
    x, y = data()
    model = small()
    model.fit(x, y, epochs=2, verbose=2)
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 2
    assert out[1].startswith("Epoch 2/2")
    assert "loss:" in out[1]
    model.fit(x, y, epochs=1, verbose=1)
    captured = capsys.readouterr()
    assert "100%" in captured.out + captured.err
    model.fit(x, y, epochs=1, verbose=0)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_ctrl_c_leaves_model_and_history():
    x, y = data()
    model = small()

    class Interrupt(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=5, callbacks=[Interrupt()], verbose=0)
    assert len(model.history.history["loss"]) == 2
    assert np.isfinite(model.predict(x, verbose=0)).all()
    model.fit(x, y, epochs=1, verbose=0)


def test_a_fit_that_turns_nan_says_where():
    x, y = data()
    model = small()
    model.compile(optimizers.SGD(1e30), "mse")
    with (
        np.errstate(all="ignore"),
        pytest.warns(RuntimeWarning, match=r"the loss became (nan|inf) at epoch \d+, step \d+"),
    ):
        model.fit(x, y, epochs=4, batch_size=8, verbose=0)


def test_nan_in_data_is_named():
    x, y = data()
    x[3, 1, 2] = np.nan
    for use in ("fit", "train_on_batch", "test_on_batch", "gradients"):
        with pytest.warns(RuntimeWarning, match=r"x holds nan at index \(3, 1, 2\)"):
            getattr(small(), use)(x, y, **({"verbose": 0} if use == "fit" else {}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.zeros((3, 1))}, "y has 3 samples, x has 22"),
        ({"x": np.zeros((0, 4, 3)), "y": np.zeros((0, 1))}, "empty"),
        ({"x": np.zeros((22, 4, 2))}, "expected 3 features"),
        ({"x": np.zeros((22, 0, 3))}, "zero time steps"),
        ({"x": np.zeros((22, 3))}, r"expects shape \(None, 4, 3\), got \(22, 3\)"),
        ({"y": None}, "no target"),
        ({"batch_size": 0}, "batch_size"),
        ({"validation_split": 1.5}, "validation_split"),
        ({"verbose": 7}, "verbose"),
    ],
)
def test_what_a_user_can_get_wrong(change, message):
    x, y = data()
    with pytest.raises(ValueError, match=message):
        small().fit(**({"x": x, "y": y, "verbose": 0} | change))


def test_strings_that_nobody_knows():
    model = Sequential([Input((4, 3)), layers.GRU(4), layers.Dense(1)])
    with pytest.raises(ValueError, match="mean_squared_error"):
        model.compile("adam", "mean_squared_eror")
    with pytest.raises(ValueError, match="adam"):
        model.compile("adamm", "mse")
    with pytest.raises(ValueError, match="compile"):
        model.fit(*data())
    model.compile("adam")
    with pytest.raises(ValueError, match="without a loss"):
        model.fit(*data(), verbose=0)


def test_a_loss_of_ones_own():
    class Cubic(losses.Loss):
        def call(self, y_true, y_pred):
            return (np.abs(y_pred - y_true) ** 3).mean(axis=-1)

        def gradient(self, y_true, y_pred):
            d = y_pred - y_true
            return 3 * d * np.abs(d) / d.shape[-1]

    model = small()
    model.compile("adam", Cubic())
    history = model.fit(*data(100), epochs=5, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_training_that_an_error_ended_has_no_end(error, capsys):
    """As in Keras: no callback is told of an end, so EarlyStopping leaves the weights as they are."""
    told = []

    class Last(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise error

        def on_train_end(self, logs=None):
            told.append("end")

    x, y = data()
    model = small()
    stopping = callbacks.EarlyStopping("loss", mode="max", patience=5, restore_best_weights=True)
    with pytest.raises(error):
        model.fit(x, y, epochs=4, callbacks=[stopping, Last()])
    assert told == []
    assert not any((a == b).all() for a, b in zip(model.get_weights(), stopping.best_weights) if a.any())
    capsys.readouterr()
    model.fit(x, y, epochs=1, callbacks=[Last()], validation_split=0.5)  # the bar is that of a new training
    assert told == ["end"]
    assert "Evaluate" not in capsys.readouterr().out
