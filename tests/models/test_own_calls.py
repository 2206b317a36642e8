"""Subclasses of Sequential and of functional models: a ``call`` of their own, and how they are made."""

import pickle

import numpy as np
import pytest

from rnn_ref import Input, Model, Sequential, layers
from rnn_ref.models import clone_model

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))


class More(Sequential):
    """A layer of its own behind the row."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.extra = layers.Dense(2, dtype="float64")

    def call(self, x, training=None):
        y = super().call(x, training=training)
        return layers.Add(dtype="float64")([y, self.extra(y)])


class Bent(Model):
    """A functional model that makes its own graph, and bends what it gives."""

    def __init__(self, units):
        x = Input((3,), dtype="float64")
        super().__init__(inputs=x, outputs=layers.Dense(units, dtype="float64")(x))
        self.bend = layers.Activation("tanh", dtype="float64")

    def call(self, x, training=None, mask=None):
        return self.bend(super().call(x, training, mask))


def more():
    return More([Input((3,), dtype="float64"), layers.Dense(2, dtype="float64")])


@pytest.mark.parametrize("make", [more, lambda: Bent(2)], ids=["Sequential", "functional"])
def test_a_call_of_ones_own_takes_part_forward_and_backward(make):
    model = make()
    first = X @ model.weights[0].numpy() if len(model.weights) else None
    y = model(X)
    plain = type(model).__mro__[1].call(model, X)
    np.testing.assert_allclose(plain, first, atol=1e-12)  # super().call on arrays
    expected = plain + model.extra(plain) if isinstance(model, More) else np.tanh(plain)
    np.testing.assert_allclose(y, expected, atol=1e-12)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, atol=1e-12)
    assert model.compute_output_shape((None, 3)) == (None, 2)
    model.compile("sgd", "mse")
    _, grads = model.gradients(X, Y)
    assert len(grads) == len(model.trainable_weights) == (4 if isinstance(model, More) else 2)
    for name, weight in model.named_weights().items():
        k, ends = (0,) * weight.ndim, []
        old = weight.value[k]
        for step in (1e-6, -1e-6):
            weight.value[k] = old + step
            ends.append(model.gradients(X, Y)[0])
        weight.value[k] = old
        np.testing.assert_allclose(grads[name][k], (ends[0] - ends[1]) / 2e-6, atol=1e-7, err_msg=name)


def test_a_call_of_ones_own_inside_another_model():
    inner = more()
    outer = Sequential([Input((3,), dtype="float64"), inner, layers.Dense(1, dtype="float64")])
    np.testing.assert_allclose(outer(X), outer.layers[1](inner(X)), atol=1e-12)
    assert len(outer.weights) == 6


def test_dropout_that_is_always_on():
    class MonteCarlo(Sequential):
        def call(self, x):
            return super().call(x, training=True)

    y = MonteCarlo([Input((50,)), layers.Dropout(0.5)]).predict(np.ones((50, 50)), verbose=0)
    assert 0.4 < np.mean(y == 0) < 0.6


def test_a_call_that_leaves_the_layers_is_refused():
    class Zero(Sequential):
        def call(self, x):
            return 0

    with pytest.raises(TypeError, match=r"call\(\) returned 0"):
        Zero([Input((3,)), layers.Dense(2)])(X)


def test_more_outputs_than_losses_are_refused():
    class Pair(Sequential):
        def call(self, x):
            y = super().call(x)
            return y, y

    model = Pair([Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="returned 2 outputs"):
        model.fit(X, Y, verbose=0)
    assert isinstance(model(X), tuple)


def test_a_subclass_of_model_made_of_inputs_and_outputs():
    class Watched(Model):
        def train_step(self, data):
            return super().train_step(data) | {"samples": len(data[0])}

    x = Input((3,))
    model = Watched(inputs=x, outputs=layers.Dense(2)(x), name="watched")
    model.compile("sgd", "mse")
    assert model.fit(X, Y, verbose=0).history["samples"] == [6.0]
    assert model.name == "watched"
    assert "input_layers" in model.get_config()
    assert type(clone_model(model)) is Watched
    again = pickle.loads(pickle.dumps(Bent(2)))
    assert again(X).shape == (6, 2)
    with pytest.raises(TypeError, match="is given inputs and outputs"):
        type("Wrong", (Model,), {"__init__": lambda self: Model.__init__(self, 3)})()


def test_clones_of_subclasses():
    class Sized(Model):
        def __init__(self, units):
            super().__init__()
            self.units, self.out = units, layers.Dense(units)

        def call(self, x):
            return self.out(x)

        def get_config(self):
            return {"units": self.units}

    assert clone_model(Sized(5)).units == 5
    with pytest.raises(ValueError, match="clone_function"):
        clone_model(Sized(5), clone_function=lambda layer: layer)
    with pytest.raises(ValueError, match="get_config"):
        clone_model(more())
    plain = type("Plain", (Sequential,), {})([Input((3,)), layers.Dense(2)])
    assert type(clone_model(plain)) is type(plain)


def test_outputs_come_in_the_types_they_were_given_in():
    x = Input((3,))
    a, b = layers.Dense(1, name="a")(x), layers.Dense(2, name="b")(x)
    for outputs in ((a, b), [a, b], {"z": (a,), "y": [b]}):
        model = Model(x, outputs)
        for found in (model(X), model.predict(X, verbose=0), model.predict_on_batch(X)):
            assert type(found) is type(outputs)
            if isinstance(found, dict):
                assert list(found) == ["y", "z"]  # sorted, as Keras takes them
                assert isinstance(found["z"], tuple)
                assert found["z"][0].shape == (6, 1)
    assert [layer.name for layer in model.layers][-2:] == ["b", "a"]


def test_inputs_in_nested_dicts_and_lists():
    p, q = Input((3,), name="p"), Input((2,), name="q")
    joined = layers.Concatenate()([p, q])
    expected = np.concatenate([X, Y], axis=1)
    for inputs, given in (
        ({"n": {"q": q, "p": p}}, {"n": {"p": X, "q": Y}}),
        ({"q": q, "p": p}, {"p": X, "q": Y}),
        ({"p": p, "q": q}, [X, Y]),  # as in Keras: in the order of the keys, which must leave no doubt
    ):
        model = Model(inputs, joined)
        np.testing.assert_allclose(model.predict(given, verbose=0), expected, rtol=1e-6)
        np.testing.assert_allclose(model(given), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="'p' expects shape"):
        model([Y, X])
    with pytest.raises(ValueError, match="expected"):
        model.predict({"p": X}, verbose=0)
    np.testing.assert_allclose(Model([p, [q]], joined)([X, [Y]]), expected, rtol=1e-6)


def test_building_a_sequential_for_another_shape_is_refused():
    model = Sequential([Input((3,)), layers.Dense(1)])
    model.build((8, 3))
    for shape in ((None, 5), (None, 3, 1), [(None, 3)]):
        with pytest.raises(ValueError, match="build"):
            model.build(shape)


def test_a_summary_before_shapes_are_known(capsys):
    Sequential([layers.Dense(2)]).summary()
    assert "0 (unbuilt" in capsys.readouterr().out
    x = Input((3,))
    Model(x, {"b": layers.Dense(2)(x), "a": layers.Dense(1)(x)}).summary()
    assert "Total params: 12" in capsys.readouterr().out
