"""What compile is given: losses, their weights and metrics for one output and for several, against Keras."""

import itertools

import numpy as np
import pytest

import rnn_ref
from rnn_ref.models.structure import put_back

from ..keras_that_trains import keras

pytestmark = pytest.mark.usefixtures("that_trains")

rng = np.random.default_rng(0)
X = rng.normal(size=(10, 3)).astype("float32")
A, B = rng.normal(size=(10, 2)).astype("float32"), rng.normal(size=(10, 1)).astype("float32")


def made(library, kind):
    x = library.Input((3,))
    a = library.layers.Dense(2, name="a", kernel_initializer="ones")(x)
    b = library.layers.Dense(1, name="b", kernel_initializer="ones")(x)
    return library.Model(x, {"one": a, "list": [a, b], "dict": {"z": a, "y": b}}[kind])


COMPILED = {
    "one": ("one", A, {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mae"]}),
    "one, twice": ("one", A, {"loss": "mse", "metrics": ["mae", "mae"], "weighted_metrics": ["mae", "mse", "mae"]}),
    "one, nested": ("one", A, {"loss": ["mse"], "metrics": [["mae"]], "loss_weights": 0.5}),
    "one, dict": ("one", A, {"loss": "mae", "metrics": {"a": ["mse"]}, "loss_weights": [3]}),
    "list": ("list", [A, B], {"loss": "mse", "metrics": ["mae", "mse"]}),
    "list of lists": ("list", [A, B], {"loss": ["mse", "mae"], "metrics": [["mae", "mae"], None]}),
    "weighted": ("list", (A, B), {"loss": "mse", "metrics": [["mae"], []], "weighted_metrics": [["mae"], ["mae"]]}),
    "by name": ("list", {"b": B, "a": A}, {"loss": {"a": ["mse"], "b": ["mae"]}, "metrics": {"b": "mse"}}),
    "loss weights": ("list", [A, B], {"loss": {"a": "mse", "b": "mae"}, "loss_weights": {"b": 0.3, "a": 2.0}}),
    "one weight": ("list", [A, B], {"loss": "mse", "loss_weights": 0.3}),
    "free": ("list", [A, B], {"loss": ["mse", None], "metrics": [None, ["mae"]]}),
    "free, one target": ("list", A, {"loss": ["mse", None]}),
    "free, list of one target": ("list", [B], {"loss": [None, "mse"]}),
    "dict": ("dict", {"z": A, "y": B}, {"loss": {"z": "mse", "y": "mae"}, "metrics": {"z": ["mae"], "y": "mse"}}),
    "dict, one loss": ("dict", {"y": B, "z": A}, {"loss": "mse", "weighted_metrics": {"y": ["mae"]}}),
    "dict, listed": ("dict", [B, A], {"loss": "mse"}),
    "dict, free": ("dict", {"z": A, "y": B}, {"loss": {"z": "mse"}, "metrics": {"z": ["mae"]}}),
}
UNWEIGHTED = ("by name", "dict, listed", "free", "free, one target", "free, list of one target")  # not in Keras
TWICE = ("one", "one, twice")  # Keras lists the first of several metrics of one name once for each of them


def test_the_loss_comes_first_and_metrics_in_compile_s_order():
    model = made(rnn_ref, "one")
    model.compile("sgd", "mse", metrics=["mse", "mae"])
    names = ["loss", "mse", "mae"]
    assert list(model.fit(X, A, verbose=0).history) == names
    assert list(model.evaluate(X, A, verbose=0, return_dict=True)) == names


def in_names_order(logs):
    return [logs[name] for name in sorted(logs)]


@pytest.mark.parametrize("case", COMPILED)
def test_logs_and_histories_are_those_of_keras(case):
    kind, y, options = COMPILED[case]
    weight = np.linspace(0.5, 2, 10).astype("float32")
    runs = []
    for library in (rnn_ref, keras):
        model = made(library, kind)
        model.compile(library.optimizers.SGD(0.1), **options)
        weights = None if case in UNWEIGHTED else put_back(y, [weight, weight])
        history = model.fit(
            X, y, sample_weight=weights, batch_size=4, epochs=2, shuffle=False, verbose=0, validation_split=0.3
        ).history
        evaluated = model.evaluate(X, y, batch_size=5, verbose=0)
        if case in TWICE:
            evaluated = in_names_order(model.evaluate(X, y, batch_size=5, verbose=0, return_dict=True))
        on_batch = model.test_on_batch(X, y, return_dict=case in TWICE)
        on_batch = in_names_order(on_batch) if case in TWICE else on_batch
        runs.append((history, np.ravel(evaluated), np.ravel(on_batch), model.metrics_names))
    (history, *ours, names), (expected, *theirs, their_names) = runs
    assert set(history) == set(expected)
    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-4, err_msg=name)
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a, b, rtol=1e-4)
    assert names == their_names


REFUSED = {
    "a metric without list": ("one", {"loss": "mse", "metrics": "mae"}, "must be a list"),
    "an unknown metric": ("one", {"loss": "mse", "metrics": ["mea"]}, "Unknown metric 'mea'"),
    "a metric of an unknown output": ("one", {"loss": "mse", "metrics": {"q": ["mae"]}}, "the outputs are"),
    "a metric named loss": ("one", {"metrics": [rnn_ref.metrics.Mean(name="loss")]}, "would hide the loss"),
    "metrics of one of two": ("list", {"loss": "mse", "metrics": ["mae"]}, "1 entries for 2 outputs"),
    "too many losses": ("one", {"loss": ["mse", "mae"]}, "2 entries"),
    "a loss too few": ("list", {"loss": ["mse"]}, "1 entries"),
    "weights too few": ("list", {"loss": "mse", "loss_weights": [1.0]}, "1 entries"),
    "weights of unknown outputs": ("list", {"loss": "mse", "loss_weights": {"c": 1.0}}, "the outputs are"),
    "a weight that is no number": ("one", {"loss": "mse", "loss_weights": "x"}, "must be numbers"),
    "a weight that is not finite": ("one", {"loss": "mse", "loss_weights": np.nan}, "must be numbers"),
    "steps per execution": ("one", {"loss": "mse", "steps_per_execution": 0}, "positive integer"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused(case):
    kind, options, message = REFUSED[case]
    model = made(rnn_ref, kind)
    with pytest.raises(ValueError, match=message):
        model.compile("sgd", **options)
    assert not model.compiled


def test_options_that_change_nothing():
    found = []
    for options in ({}, {"run_eagerly": True, "steps_per_execution": 3}, {"jit_compile": True}):
        model = made(rnn_ref, "one")
        model.compile("sgd", "mse", **options)
        found.append(model.fit(X, A, shuffle=False, verbose=0).history)
    assert found[0] == found[1] == found[2]


class Several(rnn_ref.Model):
    def __init__(self, kind):
        super().__init__()
        self.a, self.b, self.kind = rnn_ref.layers.Dense(2), rnn_ref.layers.Dense(1), kind

    def call(self, x):
        a, b = self.a(x), self.b(x)
        return {"list": [a, b], "tuple": (a, b), "dict": {"z": a, "y": b}}[self.kind]


@pytest.mark.parametrize("kind", ["list", "tuple", "dict"])
def test_every_number_of_a_subclass_has_a_name(kind):
    model = Several(kind)
    model.compile("sgd", "mse", metrics={"z": ["mae"]} if kind == "dict" else [["mae"], ["mae"]])
    history = model.fit(X, {"z": A, "y": B} if kind == "dict" else [A, B], verbose=0).history
    listed = {"loss", "output_1_loss", "output_2_loss", "output_1_mae", "output_2_mae"}
    assert set(history) == ({"loss", "z_loss", "y_loss", "z_mae"} if kind == "dict" else listed)
    for found in (model(X), model.predict(X, verbose=0), model.predict_on_batch(X)):
        assert type(found).__name__ == kind


def test_a_function_as_loss_trains_as_in_keras():
    def ours(y_true, y_pred):
        return np.mean(np.abs(y_true - y_pred) ** 3, axis=-1)

    def theirs(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)

    histories = []
    for library, loss in ((rnn_ref, ours), (keras, theirs)):
        model = made(library, "one")
        model.compile(library.optimizers.SGD(0.01), loss)
        histories.append(model.fit(X, A, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-4)


def test_on_batch_tells_of_this_batch_alone():
    runs = []
    for library in (rnn_ref, keras):
        model = made(library, "one")
        model.compile(library.optimizers.SGD(0.1), "mse", metrics=["mae"])
        batches = [(X[:4], A[:4]), (X[4:], A[4:])]
        steps = itertools.chain(
            [model.train_on_batch(*batch) for batch in batches], [model.test_on_batch(*batch) for batch in batches]
        )
        runs.append([np.ravel(step) for step in steps])
    np.testing.assert_allclose(*runs, rtol=1e-4)


def test_losses_hold_the_penalties_of_the_last_call():
    runs = []
    for library in (rnn_ref, keras):
        x = library.Input((3,))
        options = {"kernel_initializer": "ones", "kernel_regularizer": "l2"}
        model = library.Model(x, library.layers.Dense(2, activity_regularizer="l1", **options)(x))
        model(X)
        layer = model.layers[1]
        layer_alone = library.layers.Dense(2, activity_regularizer="l2", kernel_initializer="ones")
        layer_alone(X)
        runs.append([float(value) for value in [*model.losses, *layer.losses, *layer_alone.losses]])
    np.testing.assert_allclose(*runs, rtol=1e-5)
    assert len(runs[0]) == 5


@pytest.mark.parametrize("loss", [["mse", "mae"], ["mse", None], [["mse", "mae"]], []])
def test_several_losses_of_one_output_are_refused(loss):
    model = rnn_ref.Sequential([rnn_ref.Input((3,)), rnn_ref.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"there are 1 outputs|A loss must be a name"):
        model.compile("sgd", loss)


def test_outputs_of_one_layer_have_targets_of_their_own():
    x = rnn_ref.Input((3,))
    shared, other = rnn_ref.layers.Dense(1), rnn_ref.layers.Dense(1)
    model = rnn_ref.Model(x, [shared(x), shared(2 * x), other(x)])
    assert model.output_names[0] == model.output_names[1]
    model.compile("sgd", ["mse", "mse", None])
    zeros, ones = np.zeros((10, 1)), np.ones((10, 1))
    first, second, _ = model.predict(X, verbose=0)
    expected = np.mean(first**2) + np.mean((second - 1) ** 2)
    np.testing.assert_allclose(
        model.evaluate(X, [zeros, ones], verbose=0, return_dict=True)["loss"], expected, rtol=1e-5
    )
    model.compile("sgd", [None, "mse", None])
    np.testing.assert_allclose(model.evaluate(X, ones, verbose=0), np.mean((second - 1) ** 2), rtol=1e-5)
