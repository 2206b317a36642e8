"""Models on the device "cuda" in Numba's simulator: the real kernels, NumPy in the place of CuPy."""

import warnings

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers
from rnn_ref.device import xp
from rnn_ref.equations.activations import CODES
from rnn_ref.kernels.cpu import pointwise as on_cpu
from rnn_ref.kernels.cuda import lookup, pointwise
from rnn_ref.kernels.cuda.choice import only_teaching

DRAWN = np.random.default_rng(0)
X, NUMBERS = DRAWN.normal(size=(4, 3, 2)).astype("float32"), DRAWN.normal(size=(4, 2)).astype("float32")
TOKENS, LABELS = DRAWN.integers(0, 5, (4, 3)), DRAWN.integers(0, 3, 4)

MODELS = {
    "lstm and gru": (
        lambda: [
            layers.Masking(),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.GRU(2),
            layers.Dense(2, "tanh"),
        ],
        X,
        NUMBERS,
        "mse",
    ),
    "tokens": (
        lambda: [
            layers.Embedding(5, 2, mask_zero=True),
            layers.SimpleRNN(3, recurrent_dropout=0.5),
            layers.Dense(3, "softmax"),
        ],
        TOKENS,
        LABELS,
        "sparse_categorical_crossentropy",
    ),
}


@pytest.mark.filterwarnings("ignore:.*teaching kernel")
@pytest.mark.parametrize("name", MODELS)
def test_training(name, assert_close):
    def run(device):
        make, x, y, loss = MODELS[name]
        rnn_ref.utils.set_random_seed(0)
        with rnn_ref.device(device):
            assert xp.module is np
            model = rnn_ref.Sequential(make())
            model.compile("adam", loss, metrics=["accuracy"])
            history = model.fit(x, y, batch_size=2, epochs=2, verbose=0).history
            flow = rnn_ref.gradient_flow(model, x, y)
            norms = [layer.norm for layer in flow.values()]
            return [np.array(list(history.values())), model.predict(x, verbose=0), *norms, *model.get_weights()]

    for ours, expected in zip(run("cuda"), run("cpu"), strict=True):
        assert_close(ours, expected, 1e-4)


def test_which_kernel_runs(monkeypatch):
    monkeypatch.setattr("rnn_ref.layers.targets._warned", set())
    with rnn_ref.device("cuda"):
        assert layers.LSTM(2).kernel_choice(4) == ("persistent", None)
        choice = layers.GRU(2, reset_after=False).kernel_choice()
        assert choice.name == "teaching"
        assert "reset_after=False" in choice.reason
        with pytest.warns(UserWarning, match="runs on the teaching kernel, which is slower: recurrent_dropout"):
            layers.LSTM(2, recurrent_dropout=0.5)(X, training=True)
    with rnn_ref.device("cuda"), only_teaching(), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert layers.LSTM(2).kernel_choice().name == "teaching"
        layers.LSTM(2)(X)  # as it was asked for
    with rnn_ref.device("auto"):
        assert rnn_ref.get_device() == "cpu"  # a simulator is no GPU


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_activations(code, dtype, assert_close):
    z, da = np.random.default_rng(1).normal(size=(2, 3, 4, 5)).astype(dtype) * 3
    a = pointwise.activate(z, code)
    assert a.dtype == dtype
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    assert_close(a, on_cpu.activate(z, code), tolerance)
    assert_close(pointwise.d_activate(z, a, da, code), on_cpu.d_activate(z, a, da, code), tolerance)
    assert pointwise.activate(z[:0], code).shape == (0, 4, 5)


@pytest.mark.parametrize("blocks", [lookup.MOST_BLOCKS, 1])
def test_sums_of_rows(blocks, monkeypatch):
    monkeypatch.setattr(lookup, "MOST_BLOCKS", blocks)
    rng = np.random.default_rng(2)
    tokens, dy, dE = rng.integers(0, 20, 30), rng.normal(size=(30, 3)), np.full((25, 3), np.nan)
    order = np.argsort(tokens, kind="stable")
    lookup.sum_rows(dy, order, tokens[order], dE)
    expected = np.zeros((25, 3))
    np.add.at(expected, tokens, dy)
    np.testing.assert_allclose(dE, expected, rtol=1e-14)
