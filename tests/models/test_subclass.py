"""Subclassed models: call() on recorded tensors, against functional models and finite differences."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, Sequential, layers


class Reader(Model):
    def __init__(self, dropout=0.0):
        super().__init__()
        self.rnn = layers.LSTM(8, return_sequences=True)
        self.heads = [layers.GRU(4), layers.GRU(4)]
        self.drop = layers.Dropout(dropout)
        self.out = layers.Dense(1)

    def call(self, x, training=False, mask=None):
        y = self.rnn(x, mask=mask)
        y = self.heads[0](y) * self.heads[1](y)
        return self.out(self.drop(y, training=training))


def data(samples=12):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(samples, 5, 3)).astype("float32")
    return x, x[:, :, 0].sum(axis=1, keepdims=True)


def functional_twin():
    x = Input((5, 3))
    y = layers.LSTM(8, return_sequences=True)(x)
    y = layers.Multiply()([layers.GRU(4)(y), layers.GRU(4)(y)])
    return Model(x, layers.Dense(1)(y))


def test_a_subclass_trains_like_its_functional_twin():
    x, y = data()
    histories, weights = [], None
    for model in (Reader(), functional_twin()):
        model(x)
        if weights is None:
            weights = model.get_weights()
        model.set_weights(weights)
        model.compile("adam", loss="mse", metrics=["mae"])
        histories.append(model.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0).history)
        histories[-1]["predictions"] = model.predict(x, verbose=0).ravel()
    for key in histories[0]:
        np.testing.assert_allclose(histories[0][key], histories[1][key], rtol=1e-5)


def test_layers_and_lists_of_layers_are_tracked():
    model = Reader()
    assert len(model.layers) == 5
    model.compile("sgd", "mse")
    x, y = data()
    model.fit(x, y, verbose=0)  # builds
    assert model.count_params() == sum(layer.count_params() for layer in model.layers)
    assert model.get_layer(model.rnn.name) is model.rnn
    assert model.output_shape == (None, 1)
    lines = []
    model.summary(print_fn=lines.append)
    assert f"Total params: {model.count_params()}" in "\n".join(lines)
    assert not model.rnn.nodes  # the rehearsal left nothing behind


def test_gradients_are_right():
    errors = rnn_ref.check_gradients(Reader(), data(3)[0])
    assert len(errors) == 12
    assert max(errors.values()) < 1e-6, errors


def test_training_is_told():
    model = Reader(dropout=0.5)
    x, _ = data()
    np.testing.assert_array_equal(model(x), model(x))
    assert not np.array_equal(model(x, training=True), model(x))


def test_masks_reach_call():
    x, _ = data()
    mask = np.ones((12, 5), bool)
    mask[:, 3:] = False
    model = Reader()
    outputs = model(x, mask=mask)
    x[:, 3:] = 9
    np.testing.assert_array_equal(model(x, mask=mask), outputs)


class Seq2Seq(Model):
    """Several inputs and outputs, states handed over, another model inside."""

    def __init__(self):
        super().__init__()
        self.encoder = layers.LSTM(4, return_state=True)
        self.decoder = layers.LSTM(4, return_sequences=True, return_state=True)
        self.words = Sequential([layers.Dense(2, "softmax")])

    def call(self, inputs):
        source, target = inputs
        _, *states = self.encoder(source)
        y, h, _ = self.decoder(target, initial_state=states)
        return {"words": self.words(y), "state": h}


def test_structures_of_inputs_and_outputs():
    generator = np.random.default_rng(1)
    x = [generator.normal(size=(6, 5, 3)), generator.normal(size=(6, 4, 2))]
    model = Seq2Seq()
    model.compile("sgd", loss={"words": "categorical_crossentropy", "state": "mse"})
    y = {"words": np.eye(2)[generator.integers(0, 2, (6, 4))], "state": np.zeros((6, 4))}
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert set(history) == {"loss", "words_loss", "state_loss"}
    assert {key: value.shape for key, value in model.predict(x, verbose=0).items()} == {
        "words": (6, 4, 2),
        "state": (6, 4),
    }
    assert set(rnn_ref.trace(model, x).recurrent) == {model.encoder.name, model.decoder.name}


def test_a_subclass_is_a_layer():
    x = Input((5, 3))
    reader = Reader()
    model = Model(x, layers.Dense(2)(reader(x)))
    assert model.layers[1] is reader
    assert max(rnn_ref.check_gradients(model, data(3)[0]).values()) < 1e-6


class Decoder(Model):
    def __init__(self):
        super().__init__()
        self.rnn = layers.GRU(4, return_sequences=True, return_state=True)

    def call(self, x, states=None):
        return self.rnn(x, initial_state=states)


class Translator(Model):
    def __init__(self):
        super().__init__()
        self.start, self.decoder, self.decode_again = layers.Dense(4), Decoder(), Decoder()

    def call(self, x):
        h = self.start(layers_last(x, self))
        y, h = self.decoder(x, states=h)
        y, _ = self.decode_again(y, h)
        return y


def layers_last(x, model):
    if not hasattr(model, "pool"):
        model.pool = layers.GlobalAveragePooling1D()
    return model.pool(x)


def test_states_handed_to_an_inner_model_get_gradients():
    errors = rnn_ref.check_gradients(Translator(), data(3)[0])
    assert max(errors.values()) < 1e-6, errors


def test_numpy_is_refused():
    class Wrong(Model):
        def __init__(self):
            super().__init__()
            self.rnn = layers.GRU(3)

        def call(self, x):
            return np.tanh(self.rnn(x))

    with pytest.raises(TypeError, match=r"numpy\.tanh .* use a layer"):
        Wrong()(data()[0])

    class Forgetful(Model):
        def call(self, x):
            return np.zeros(3)

    with pytest.raises(TypeError, match="must return what layers gave"):
        Forgetful()(data()[0])
    with pytest.raises(NotImplementedError, match="has no call"):
        Model()(data()[0])
