"""Regularizers and constraints: on every weight that Keras allows, counted in the loss and kept to in training."""

import inspect

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, layers

from ..keras_that_trains import keras

pytestmark = pytest.mark.usefixtures("that_trains")

B, T, F, H = 4, 3, 3, 5


class SelfAttention(layers.MultiHeadAttention):
    def __call__(self, x):
        return super().__call__(x, x)


RATE, L2, MOST = 0.1, 0.3, 0.7
# How to make the layer with options, and the shape of its input; tokens where that is (T,).
MAKE = {
    "Conv1D": (lambda **options: layers.Conv1D(H, 2, **options), (T, F)),
    "Dense": (lambda **options: layers.Dense(H, **options), (F,)),
    "Embedding": (lambda **options: layers.Embedding(7, H, **options), (T,)),
    "GRU": (lambda **options: layers.GRU(H, **options), (T, F)),
    "GRUCell": (lambda **options: layers.RNN(layers.GRUCell(H, **options)), (T, F)),
    "LSTM": (lambda **options: layers.LSTM(H, **options), (T, F)),
    "LSTMCell": (lambda **options: layers.RNN(layers.LSTMCell(H, **options)), (T, F)),
    "LayerNormalization": (lambda **options: layers.LayerNormalization(**options), (F,)),
    "MultiHeadAttention": (lambda **options: SelfAttention(2, 3, **options), (T, F)),
    "SimpleRNN": (lambda **options: layers.SimpleRNN(H, **options), (T, F)),
    "SimpleRNNCell": (lambda **options: layers.RNN(layers.SimpleRNNCell(H, **options)), (T, F)),
}


def on_weights(module, kind):
    """For each layer of a package: the weights that an argument such as ``kernel_regularizer`` is for."""
    found = {}
    for name in MAKE:
        arguments = inspect.signature(getattr(module.layers, name).__init__).parameters
        found[name] = {a.removesuffix(f"_{kind}") for a in arguments if a.endswith(kind) and not a.startswith("activ")}
    return found


WEIGHTS = on_weights(keras, "regularizer")


def test_weights_are_those_of_keras():
    for kind in ("regularizer", "constraint"):
        theirs = on_weights(keras, kind)
        assert theirs == WEIGHTS
        assert on_weights(rnn_ref, kind) == theirs
    others = [c for c in vars(layers).values() if isinstance(c, type) and issubclass(c, layers.Layer)]
    named = {c.__name__ for c in others if any("kernel_reg" in a for a in inspect.signature(c.__init__).parameters)}
    assert named <= set(MAKE)


def model_of(name, **options):
    make, shape = MAKE[name]
    layer = make(dtype="float64", **options)
    x = Input(shape, dtype="int32" if name == "Embedding" else "float64")
    model = Model(x, layer(x))
    weights = [np.random.default_rng(k).normal(size=w.shape) for k, w in enumerate(model.weights)]
    model.set_weights(weights)
    model.compile(rnn_ref.optimizers.SGD(RATE), "mse")
    return model


def data(model):
    drawn = np.random.default_rng(9)
    shape = (B, *model.inputs[0].shape[1:])
    x = drawn.integers(0, 7, shape) if model.inputs[0].dtype == "int32" else drawn.normal(size=shape)
    return x, drawn.normal(size=(B, *model.output_shape[1:]))


def named(model):
    return {w.name: w.numpy() for w in model.weights}


@pytest.mark.parametrize(("name", "weight"), [(name, w) for name, of in WEIGHTS.items() for w in sorted(of)])
def test_one_step(name, weight):
    """Beside a model without: the penalty is in the loss, its gradient in the step, the constraint comes after it."""
    options = {
        f"{weight}_regularizer": rnn_ref.regularizers.L2(L2),
        f"{weight}_constraint": rnn_ref.constraints.MaxNorm(MOST),
    }
    plain, held = model_of(name), model_of(name, **options)
    x, y = data(plain)
    before = plain.get_weights()
    losses = [model.fit(x, y, epochs=1, verbose=0, batch_size=B).history["loss"][0] for model in (plain, held)]
    kept = {"recurrent": "recurrent_kernel"}.get(weight, weight)
    of_kind = [w.name == kept for w in held.weights]  # attention has several
    penalty = L2 * sum((w**2).sum() for w, own in zip(before, of_kind) if own)
    assert losses[1] == pytest.approx(losses[0] + penalty, rel=1e-6)
    for variable, old, expected, own in zip(held.weights, before, plain.get_weights(), of_kind, strict=True):
        if own:
            expected = expected - RATE * 2 * L2 * old
            norm = np.sqrt((expected**2).sum(axis=0, keepdims=True))
            expected = expected * np.clip(norm, 0, MOST) / (1e-7 + norm)
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6, atol=1e-9, err_msg=variable.path)


PENALTIES = {
    "l1": (rnn_ref.regularizers.L1(L2), keras.regularizers.L1(L2)),
    "l2": (rnn_ref.regularizers.L2(L2), keras.regularizers.L2(L2)),
    "l1_l2": (rnn_ref.regularizers.L1L2(L2, 0.2), keras.regularizers.L1L2(L2, 0.2)),
    "orthogonal": (rnn_ref.regularizers.OrthogonalRegularizer(L2), keras.regularizers.OrthogonalRegularizer(L2)),
}
BOUNDS = {
    "max_norm": (rnn_ref.constraints.MaxNorm(MOST), keras.constraints.MaxNorm(MOST)),
    "min_max_norm": (rnn_ref.constraints.MinMaxNorm(0.4, 0.6, 0.8), keras.constraints.MinMaxNorm(0.4, 0.6, 0.8)),
    "non_neg": (rnn_ref.constraints.NonNeg(), keras.constraints.NonNeg()),
    "unit_norm": (rnn_ref.constraints.UnitNorm(), keras.constraints.UnitNorm()),
}


@pytest.mark.parametrize("penalty", PENALTIES)
def test_every_penalty_is_in_the_loss(penalty):
    ours, theirs = PENALTIES[penalty]
    plain, held = model_of("LSTM"), model_of("LSTM", recurrent_regularizer=ours)
    x, y = data(plain)
    expected = plain.evaluate(x, y, verbose=0) + float(theirs(named(plain)["recurrent_kernel"].astype("float32")))
    assert held.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("bound", BOUNDS)
def test_every_constraint_is_kept(bound):
    ours, theirs = BOUNDS[bound]
    plain, held = model_of("GRU"), model_of("GRU", kernel_constraint=ours)
    x, y = data(plain)
    for model in (plain, held):
        model.fit(x, y, verbose=0, batch_size=B)
    expected = theirs(named(plain)["kernel"].astype("float32"))
    np.testing.assert_allclose(named(held)["kernel"], expected, rtol=1e-5, atol=1e-6)
