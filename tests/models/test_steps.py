"""Methods of a model that subclasses override: they take part, forward and backward, or are refused."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, Sequential, layers, metrics

from ..keras_that_trains import keras

pytestmark = pytest.mark.usefixtures("that_trains")

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(10, 3)).astype("float32"), rng.normal(size=(10, 2)).astype("float32")
WEIGHT = rng.random(10).astype("float32")


def numeric(model, x, y, eps=1e-5):
    """Central differences of the loss, by the names of the weights."""
    found = {}
    for name, weight in model.named_weights().items():
        found[name] = np.zeros(weight.shape)
        for k in np.ndindex(weight.shape):
            old, ends = weight.value[k], []
            for end in (old + eps, old - eps):
                weight.value[k] = end
                ends.append(model.gradients(x, y)[0])
            weight.value[k] = old
            found[name][k] = (ends[0] - ends[1]) / (2 * eps)
    return found


def both(ours, theirs, **options):
    """Compile and train the same model here and in Keras; histories must agree."""
    ours.build((None, 3))
    theirs.build((None, 3))
    theirs.set_weights(ours.get_weights())
    for model, library in ((ours, rnn_ref), (theirs, keras)):
        model.compile(library.optimizers.SGD(0.1), **options)
    found = ours.fit(X, Y, sample_weight=WEIGHT, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    expected = theirs.fit(X, Y, sample_weight=WEIGHT, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, err_msg=name)
    for a, b in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    expected = theirs.evaluate(X, Y, sample_weight=WEIGHT, verbose=0, return_dict=True)
    found = ours.evaluate(X, Y, sample_weight=WEIGHT, verbose=0, return_dict=True)
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, err_msg=name)


def custom(library, np):
    """The same class in both libraries: a loss, metrics and a tracker of its own."""

    class Custom(library.Sequential):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            self.size = library.metrics.Mean(name="size")
            self.more = [library.metrics.Mean(name="more")]

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = super().compute_loss(x, y, y_pred, sample_weight, training)
            self.size.update_state(np.mean(np.abs(y_pred)))
            return 2 * loss + 0.3 * np.mean(np.abs(y_pred)) + 0.1 * np.sum(np.square(x)) + sum(self.losses)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            self.more[0].update_state(np.mean(y_pred))
            return super().compute_metrics(x, y, y_pred, sample_weight)

    penalties = {"kernel_regularizer": "l2", "activity_regularizer": "l1"}
    return Custom([library.layers.Dense(4, "tanh", **penalties), library.layers.Dense(2, bias_regularizer="l2")])


def test_a_loss_and_metrics_of_ones_own_are_those_of_keras():
    both(custom(rnn_ref, np), custom(keras, keras.ops), loss="mse", metrics=["mae"], weighted_metrics=["mae", "mse"])


class Own(Model):
    """A loss of outputs, penalties and weights, with a model inside that has penalties too."""

    def __init__(self):
        super().__init__(dtype="float64")
        options = {"dtype": "float64", "activity_regularizer": "l2"}
        self.inner = Sequential([layers.Dense(3, "tanh", **options), layers.Dense(3, **options)])
        self.out = layers.Dense(2, dtype="float64", kernel_regularizer="l2", activity_regularizer="l1")

    def call(self, x):
        return self.out(self.inner(x))

    def compute_loss(self, x, y, y_pred, sample_weight=None):
        first, second, third, on_kernel = self.losses
        own = 0.1 * np.sum(self.out.kernel**2) * np.mean(y_pred)
        return np.mean(np.abs(y - y_pred) ** 3) + 2 * first + 3 * second - third + 5 * on_kernel + own


def test_gradients_of_a_loss_of_ones_own_are_exact():
    model = Own()
    model.compile("sgd")
    _, grads = model.gradients(X.astype("float64"), Y)
    for name, expected in numeric(model, X.astype("float64"), Y).items():
        np.testing.assert_allclose(grads[name], expected, atol=1e-7, err_msg=name)


def test_penalties_that_a_loss_leaves_out_have_no_gradient():
    class Bare(Sequential):
        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            return np.mean((y - y_pred) ** 2)

    model = Bare([Input((3,)), layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l2")])
    model.compile("sgd")
    loss, grads = model.gradients(X, Y)
    model.layers[0].activity_regularizer = model.layers[0].kernel.regularizer = None
    expected = Sequential(model.layers)
    expected.compile("sgd", "mse")
    expected_loss, by_keras_rule = expected.gradients(X, Y)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-6)
    for a, b in zip(grads.values(), by_keras_rule.values()):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_a_loss_that_no_weight_changes_leaves_them_as_they_are():
    class Constant(Sequential):
        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            return 3.0

    model = Constant([Input((3,)), layers.Dense(2)])
    model.compile("sgd")
    before = model.get_weights()
    assert model.fit(X, Y, verbose=0).history == {"loss": [3.0]}
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_masks_reach_a_loss_that_asks_the_one_of_compile():
    class Twice(Sequential):
        def compute_loss(self, *batch, **options):
            return 2 * super().compute_loss(*batch, **options)

    x = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [2, 2, 1, 3]])
    y = rng.normal(size=(3, 4, 1)).astype("float32")
    made = [layers.Embedding(4, 2, mask_zero=True), layers.SimpleRNN(2, return_sequences=True), layers.Dense(1)]
    plain, twice = Sequential([Input((4,)), *made]), Twice([Input((4,)), *made])
    for model in (plain, twice):
        model.compile("sgd", "mse")
    loss, grads = plain.gradients(x, y)
    double, doubled = twice.gradients(x, y)
    np.testing.assert_allclose(double, 2 * loss, rtol=1e-6)
    np.testing.assert_allclose(twice.test_on_batch(x, y), 2 * plain.test_on_batch(x, y), rtol=1e-6)
    for a, b in zip(grads.values(), doubled.values()):
        np.testing.assert_allclose(b, 2 * a, rtol=1e-5, atol=1e-7)


class Taught(Sequential):
    """The step as it is written on a blackboard."""

    def train_step(self, data):
        x, y = data
        loss, gradients = self.gradients(x, y)
        self.optimizer.apply(list(gradients.values()), self.trainable_weights)
        y_pred = self(x, training=True)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=len(x))
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics} | {"size": len(x)}


def test_a_step_of_ones_own_trains_as_the_default_one():
    def made(cls):
        model = cls(
            [Input((3,)), layers.Dense(2, kernel_initializer="ones"), layers.Dense(2, kernel_initializer="ones")]
        )
        model.compile("adam", "mse", metrics=["mae"])
        return model

    ours, default = made(Taught), made(Sequential)
    history = ours.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    expected = default.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-6)
    assert set(history) == {"loss", "mae", "size"}
    assert history["size"] == [2.0] * 3  # of the last batch, as in Keras
    for a, b in zip(ours.get_weights(), default.get_weights()):
        np.testing.assert_array_equal(a, b)


class Steps(Model):
    """Steps that return what they like."""

    def __init__(self):
        super().__init__()
        self.seen, self.out = [], layers.Dense(2)

    def call(self, x):
        return self.out(x)

    def train_step(self, data):
        self.seen.append(data)
        return {"loss": 1.0, "more": {"inside": np.float32(len(self.seen))}}

    def test_step(self, data):
        return {"half": len(data[0]) / 2}

    def predict_step(self, data):
        y = self(data)
        return {"all": y, "first": (y[:, 0],)}


def test_what_steps_return_is_what_is_reported():
    model = Steps()
    model.compile()
    history = model.fit(
        X, Y, batch_size=5, epochs=2, validation_data=(X, Y), validation_batch_size=10, verbose=0
    ).history
    assert history == {"loss": [1.0, 1.0], "inside": [2.0, 4.0], "val_half": [5.0, 5.0]}
    assert model.evaluate(X, Y, batch_size=10, verbose=0) == 5.0
    assert model.train_on_batch(X, Y, return_dict=True) == {"loss": 1.0, "inside": 5.0}
    found = model.predict(X, batch_size=4, verbose=0)
    assert found["all"].shape == (10, 2)
    assert isinstance(found["first"], tuple)
    assert found["first"][0].shape == (10,)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((X,), X),
        ((X, Y), (X, Y)),
        ((X, Y, WEIGHT), (X, Y, WEIGHT)),
        ((X, {"other": Y, "names": [Y]}), (X, {"other": Y, "names": [Y]})),
    ],
    ids=["x", "xy", "weights", "free targets"],
)
def test_a_step_gets_the_batch_as_it_was_given(given, expected):
    model = Steps()
    model.compile()
    weight = {"sample_weight": given[2]} if len(given) == 3 else {}
    model.fit(*given[:2], **weight, shuffle=False, verbose=0)
    got = model.seen[-1]
    assert type(got) is type(expected)
    assert rnn_ref.models.structure.put_back(got, [0] * 9) == rnn_ref.models.structure.put_back(expected, [0] * 9)
    for a, b in zip(*map(rnn_ref.models.structure.leaves_of, (got, expected))):
        np.testing.assert_array_equal(a, b)


def test_the_default_steps_can_be_called():
    class Watched(Sequential):
        def train_step(self, data):
            return super().train_step(data) | {"largest": np.abs(data[0]).max()}

        def test_step(self, data):
            return super().test_step(data) | {"samples": len(data[0])}

        def predict_step(self, data):
            return 2 * super().predict_step(data)

    model = Watched([Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, Y, epochs=2, verbose=0).history
    assert set(history) == {"loss", "mae", "largest"}
    assert history["loss"][1] < history["loss"][0]
    assert model.evaluate(X, Y, verbose=0, return_dict=True)["samples"] == 10
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * model(X), rtol=1e-6)


def test_metrics_and_results_of_ones_own():
    class Mine(Sequential):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.tracker = metrics.Mean(name="tracked")

        def compute_loss(self, x, y, y_pred, sample_weight, training=True):
            loss = np.mean(np.abs(y - y_pred))
            self.tracker.update_state(loss)
            return loss

        @property
        def metrics(self):
            return [self.tracker]

        def get_metrics_result(self):
            return {name: 10 * value for name, value in super().get_metrics_result().items()}

    model = Mine([Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    assert set(model.fit(X, Y, epochs=2, verbose=0).history) == {"tracked"}
    expected = 10 * np.mean(np.abs(Y - model(X)))
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), expected, rtol=1e-6)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), expected, rtol=1e-6)  # it was reset


@pytest.mark.parametrize("method", ["train_step", "compute_metrics"])
def test_logs_that_are_no_dict_are_refused(method):
    model = type("Silent", (Sequential,), {method: lambda self, *given: None})([Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=f"{method} must return a dict"):
        model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("method", ["make_train_function", "make_predict_function", "stateless_call"])
def test_what_is_never_called_is_refused(method):
    model = type("Never", (Sequential,), {method: lambda self: None})([Input((3,)), layers.Dense(2)])
    with pytest.raises(NotImplementedError, match=f"{method}, which would never be called"):
        model.compile("sgd", "mse")


def test_a_step_with_state_is_refused():
    model = type("Jax", (Sequential,), {"train_step": lambda self, state, data: None})([Input((3,)), layers.Dense(2)])
    with pytest.raises(TypeError, match=r"train_step\(self, data\)"):
        model.compile("sgd", "mse")


def test_a_loss_that_is_not_one_number_is_refused():
    model = type("Many", (Sequential,), {"compute_loss": lambda self, x, y, y_pred, sample_weight: y - y_pred})
    model = model([Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="compute_loss must return one number"):
        model.fit(X, Y, verbose=0)


def test_tools_that_do_not_see_a_loss_of_ones_own_say_so():
    cls = type("Own", (Sequential,), {"compute_loss": lambda self, x, y, y_pred, sample_weight: np.mean(y_pred)})
    model = cls([Input((4, 3)), layers.SimpleRNN(2)])
    model.compile("sgd")
    with pytest.raises(NotImplementedError, match="does not see compute_loss"):
        rnn_ref.gradient_flow(model, np.ones((2, 4, 3)), np.ones((2, 2)))
