"""clone_model: new weights, the same graph."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, Sequential, layers
from rnn_ref.layers.symbolic import entries
from rnn_ref.models import clone_model

X = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")


class Decay(layers.Layer):
    state_size = 3

    def call(self, inputs, states):
        h = 0.5 * states[0] + inputs
        return h, [h]

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def stack():
    return Sequential([Input((6, 3)), layers.LSTM(4, dropout=0.3), layers.Dense(2)])


def graph():
    x, s = Input((6, 3), name="x"), Input((4,), name="s")
    shared = layers.Dense(4, activation="tanh")
    y, h = layers.GRU(4, return_sequences=True, return_state=True)(
        shared(layers.RNN(Decay(), return_sequences=True)(x)), initial_state=s
    )
    y = layers.Attention()([y, y])
    inner = Sequential([Input((4,)), layers.Dense(3)])
    return Model({"x": x, "s": s}, [inner(h), shared(layers.GlobalAveragePooling1D()(layers.Dense(3)(y)))])


DATA = {"x": X, "s": np.ones((2, 4), "float32")}


@pytest.mark.parametrize(("make", "data"), [(stack, X), (graph, DATA)])
def test_a_clone_has_new_weights_and_takes_those_of_the_model(make, data):
    model = make()
    clone = clone_model(model)
    mine, others = model.weights, clone.weights
    assert not set(map(id, mine)) & set(map(id, others))
    assert [w.shape for w in mine] == [w.shape for w in others]
    assert np.abs(np.concatenate([(a.value - b.value).ravel() for a, b in zip(mine, others)])).max() > 0.01
    clone.set_weights(model.get_weights())
    for a, b in zip(entries(model(data)), entries(clone(data))):
        np.testing.assert_array_equal(a, b)
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]


def test_a_layer_called_twice_is_cloned_once():
    model = graph()
    clone = clone_model(model)
    assert len(clone.layers) == len(model.layers)
    assert clone.count_params() == model.count_params()


def test_not_yet_built():
    model = Sequential([layers.LSTM(4), layers.Dense(2)])
    clone = clone_model(model)
    assert clone(X).shape == (2, 2)
    assert not model.built


def test_own_functions_and_inputs():
    def deterministic(layer):
        config = layer.get_config()
        if "seed" in config:
            config["seed"] = 7
        return type(layer).from_config(config)

    assert clone_model(stack(), clone_function=deterministic).layers[0].seed == 7
    model = stack()
    shared = clone_model(model, clone_function=lambda layer: layer)
    np.testing.assert_array_equal(shared(X), model(X))

    x = Input((6, 3))
    y = layers.Dense(2)(layers.Dense(5)(x))
    model = Model(x, y)

    def dropping(layer, x, **arguments):
        return layers.Dropout(0.5)(layer(x, **arguments))

    more = clone_model(model, clone_function=lambda layer: layer, call_function=dropping)
    assert [type(layer).__name__ for layer in more.layers] == ["InputLayer"] + ["Dense", "Dropout"] * 2
    np.testing.assert_array_equal(more(X), model(X))
    longer = clone_model(model, input_tensors=layers.Masking()(Input((6, 3))))
    assert longer.output_shape == (None, 6, 2)


def test_what_cannot_be_cloned():
    class Own(Model):
        def __init__(self, array):
            super().__init__()

        def call(self, x):
            return x

    with pytest.raises(NotImplementedError, match=r"array of its __init__ is no number.*Write get_config"):
        clone_model(Own(np.ones(2)))
    with pytest.raises(ValueError, match="call_function"):
        clone_model(stack(), call_function=lambda layer, x: layer(x))
    with pytest.raises(ValueError, match=r"2 symbolic tensors.*one for each input"):
        clone_model(graph(), input_tensors=[Input((6, 3))])
    assert rnn_ref.models.clone_model is clone_model


def test_a_subclass_is_made_again_with_what_it_was_made_with():
    class Own(Model):
        def __init__(self, units, activation=None):
            super().__init__()
            self.out = layers.Dense(units, activation)

        def call(self, x):
            return self.out(x)

    model = Own(3, activation="tanh")
    clone = clone_model(model)
    assert model(X).shape == clone(X).shape == (*X.shape[:2], 3)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone(X), model(X))
    assert clone.name == model.name


def test_a_compiled_model_gives_a_compiled_clone():
    model = stack()
    model.compile(rnn_ref.optimizers.Adam(0.25), "mse", metrics=["mae"])
    clone = clone_model(model)
    assert clone.compiled
    assert clone.optimizer is not model.optimizer
    assert float(clone.optimizer.learning_rate) == 0.25
    assert set(clone.evaluate(X, model.predict(X, verbose=0), verbose=0, return_dict=True)) == {"loss", "mae"}
    a = Input((3,))
    model = Model(a, layers.Dense(1, name="one")(a))
    model.compile("sgd", {"one": "mse"})

    def renamed(layer):
        return layer.__class__.from_config(layer.get_config() | {"name": layer.name + "_too"})

    with pytest.warns(UserWarning, match="is not compiled"):
        assert not clone_model(model, clone_function=renamed).compiled


def test_recursive_clones_reach_the_layers_of_models_inside():
    inner = rnn_ref.Sequential([Input((3,)), layers.Dense(4)])
    a = Input((3,))
    middle = Model(a, layers.Dense(3)(inner(a)))
    b = Input((3,))
    model = Model(b, layers.Dense(2)(middle(b)))
    seen = []

    def note(layer):
        seen.append(type(layer).__name__)
        return type(layer).from_config(layer.get_config())

    clone = clone_model(model, clone_function=note, recursive=True)
    assert sorted(seen) == ["Dense"] * 3
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone(X[:, 0]), model(X[:, 0]))

    def with_noise(layer, *inputs, **arguments):
        y = layer(*inputs, **arguments)
        return layers.Dropout(0.5)(y) if isinstance(layer, layers.Dense) else y

    noisy = clone_model(model, clone_function=lambda layer: layer, call_function=with_noise, recursive=True)
    assert [type(layer).__name__ for layer in noisy.layers] == ["InputLayer", "Functional", "Dense", "Dropout"]
    assert [type(layer).__name__ for layer in noisy.layers[1].layers] == [
        "InputLayer",
        "Sequential",
        "Dense",
        "Dropout",
    ]


def test_input_tensors_are_like_the_inputs():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    model = Model({"a": a, "b": b}, layers.Add()([a, b]))
    assert clone_model(model, input_tensors={"a": a, "b": b}).output_shape == (None, 3)
    with pytest.raises(ValueError, match="like the inputs of"):
        clone_model(model, input_tensors=(a, b))


def test_copies_keep_python_functions():
    def halves(shape, dtype=None):
        return np.full(shape, 0.5, dtype)

    def small(w):
        return np.clip(w, -0.1, 0.1)

    options = {"kernel_initializer": halves, "bias_initializer": lambda shape, dtype=None: np.ones(shape, dtype)}
    model = rnn_ref.Sequential(
        [
            rnn_ref.Input((3, 2)),
            layers.Bidirectional(layers.GRU(2, kernel_constraint=small, **options)),
            layers.Dense(2, activation=lambda x: 2 * x, **options),
        ]
    )
    twin = rnn_ref.models.clone_model(model)
    for made in (model, twin):
        both = made.layers[0]
        for weight in (both.forward_layer.cell.kernel, both.backward_layer.cell.kernel, made.layers[1].kernel):
            assert (weight.numpy() == 0.5).all()
        assert both.backward_layer.cell.kernel.constraint is small
    twin.set_weights(model.get_weights())
    x = np.ones((2, 3, 2), "float32")
    np.testing.assert_array_equal(twin(x), model(x))
    with pytest.raises(ValueError, match=r"cannot be saved|unknown initializer"):
        rnn_ref.Sequential.from_config(model.get_config())
