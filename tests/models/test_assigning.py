"""Weights that a model's ``call`` assigns: what they hold, what steps before and after see, beside Keras."""

import keras as theirs
import numpy as np
import pytest

import rnn_ref as ours

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def counting(keras, assign):
    class Tally(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1, kernel_initializer="ones")
            self.count = self.add_weight(shape=(), initializer="ones", trainable=False, name="count")

        def call(self, x):
            before = self.dense(x * self.count)
            assign(self.count)
            return before + self.count * x[:, :1]

    return Tally()


@pytest.mark.parametrize(
    "assign",
    [lambda w: w.assign(w + 1), lambda w: w.assign_add(2), lambda w: w.assign(w * w + 0.5), lambda w: w.assign(3.0)],
    ids=["sum", "assign_add", "product", "number"],
)
def test_as_in_keras(assign):
    results = []
    for keras in (ours, theirs):
        model = counting(keras, assign)
        outputs = [np.asarray(model(X)) for _ in range(2)]
        model.compile(keras.optimizers.SGD(0.01), "mse")
        history = model.fit(X, X[:, :1], batch_size=2, epochs=2, shuffle=False, verbose=0).history["loss"]
        results.append([*outputs, history, np.asarray(model.count), *map(np.asarray, model.dense.get_weights())])
    for mine, other in zip(*results, strict=True):
        np.testing.assert_allclose(mine, other, rtol=2e-5)


def test_a_weight_that_is_trained_is_not_assigned():
    model = counting(ours, lambda weight: weight.assign(2.0))
    model.count.trainable = True
    with pytest.raises(TypeError, match="count: assign in the call of a model changes a weight that is trained"):
        model(X)


def test_numbers_of_weights():
    weight = ours.layers.Layer().add_weight(shape=(), initializer="ones", name="w")
    assert (float(weight), int(weight)) == (1.0, 1)
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(weight)
    schedule = ours.optimizers.schedules.PiecewiseConstantDecay([0, 4], [1.0, 0.5, 0.1])
    assert schedule(weight) == 0.5
    with pytest.raises(TypeError):
        float(ours.layers.Layer().add_weight(shape=(2,), name="w"))
