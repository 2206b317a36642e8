"""``.h5`` files in the layout of tf.keras 2, written here by hand with h5py."""

import json

import h5py
import numpy as np
import pytest

import rnn_ref
from rnn_ref.interop import BrokenFile, WrongWeights
from rnn_ref.models import load_model

from ..keras_on_numpy import keras
from .legacy_files import OLDER, F, H, arrays_of, dense, drawn, entry, gru_file, recurrent, write

pytestmark = pytest.mark.usefixtures("on_numpy")

X = drawn((5, 4, F), seed=7)[0]


@pytest.mark.parametrize(("reset_after", "bias"), [(True, (2, 3 * H)), (False, (3 * H,))])
def test_gru_with_either_bias_computes_what_keras_reads(reset_after, bias, tmp_path):
    weights = gru_file(tmp_path / "m.h5", bias, reset_after=reset_after)
    ours, theirs = load_model(tmp_path / "m.h5"), keras.models.load_model(tmp_path / "m.h5")
    assert all(map(np.array_equal, ours.get_weights(), weights))
    np.testing.assert_allclose(ours(X), np.asarray(theirs(X)), rtol=1e-6, atol=1e-6)


def test_gru_from_before_there_was_a_choice(tmp_path):
    gru_file(tmp_path / "m.h5", (3 * H,), with_input=False, kernel_initializer=OLDER, time_major=False)
    assert load_model(tmp_path / "m.h5").layers[0].cell.reset_after is False
    gru_file(tmp_path / "other.h5", (3 * H,), reset_after=True)
    with pytest.raises(WrongWeights, match=r"one without \(3H,\); here it is True"):
        load_model(tmp_path / "other.h5")


def test_hard_sigmoid_is_that_of_its_time(tmp_path):
    gru_file(tmp_path / "old.h5", (2, 3 * H), reset_after=True, recurrent_activation="hard_sigmoid")
    old = load_model(tmp_path / "old.h5")
    assert old.layers[0].cell.recurrent_activation.name == "hard_sigmoid_legacy"
    with h5py.File(tmp_path / "old.h5", "a") as file:
        file.attrs["keras_version"] = b"3.5.0"
    assert load_model(tmp_path / "old.h5").layers[0].cell.recurrent_activation.name == "hard_sigmoid"


def cudnn(W):
    """A kernel (F, H) as cuDNN's variable has it: the bytes of its transpose."""
    return np.ascontiguousarray(W.T).reshape(W.shape)


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_layers_of_cudnn(kind, gates, tmp_path):
    kernel, U, b, c = drawn((F, gates * H), (H, gates * H), (gates * H,), (gates * H,))
    there = [
        np.hstack([change(part) for part in np.hsplit(W, gates)]) for W, change in ((kernel, cudnn), (U, np.transpose))
    ]
    name, layer = f"cu_dnn{kind.lower()}", f"CuDNN{kind}"
    options = {"units": H, "return_sequences": False, "batch_input_shape": [None, 4, F]}
    config = {"class_name": "Sequential", "config": [entry(layer, name, **options)]}
    write(tmp_path / "m.h5", {name: arrays_of(name, *there, np.concatenate([b, c]), layer)}, config, "2.2.4")
    ours = load_model(tmp_path / "m.h5")
    expected = b + c if kind == "LSTM" else np.stack([b, c])
    for found, wanted in zip(ours.get_weights(), (kernel, U, expected), strict=True):
        np.testing.assert_array_equal(found, wanted)
    torch = pytest.importorskip("torch")
    layer = getattr(torch.nn, kind)(F, H, batch_first=True)  # runs cuDNN's equations
    order = [0, 1, 2, 3] if kind == "LSTM" else [1, 0, 2]  # PyTorch's GRU has r before z
    for parameter, array in zip(layer.parameters(), (kernel, U, b, c)):
        parts = np.split(array, gates, axis=-1)
        parameter.data = torch.from_numpy(np.concatenate([parts[k].T for k in order]).copy())
    with torch.no_grad():
        np.testing.assert_allclose(ours(X), layer(torch.from_numpy(X))[0][:, -1].numpy(), rtol=1e-5, atol=1e-6)


def test_functional_model_with_states_and_shared_layer(tmp_path):
    """Encoder and decoder as tf.keras 2 wrote them: states are inputs of the call, calls are lists."""
    a, b, c = (
        drawn((F, 4 * H), (H, 4 * H), (4 * H,)),
        drawn((F, 4 * H), (H, 4 * H), (4 * H,), seed=1),
        drawn((H, 2), (2,)),
    )
    call = [["target", 0, 0, {}], ["encoder", 0, 1, {}], ["encoder", 0, 2, {}]]
    layers = [
        entry("InputLayer", "source", batch_input_shape=[None, 4, F], sparse=False) | {"inbound_nodes": []},
        entry("InputLayer", "target", batch_input_shape=[None, 4, F], ragged=False) | {"inbound_nodes": []},
        recurrent("LSTM", "encoder", return_state=True) | {"inbound_nodes": [[["source", 0, 0, {}]]]},
        recurrent("LSTM", "decoder", return_sequences=True) | {"inbound_nodes": [call]},
        dense("dense", 2) | {"inbound_nodes": [[["decoder", 0, 0, {}]], [["added", 0, 0, {}]]]},
        entry("Add", "added") | {"inbound_nodes": [[["decoder", 0, 0, {}], ["decoder", 0, 0, {}]]]},
    ]  # fmt: skip
    for layer in layers:
        layer["name"] = layer["config"]["name"]
        if layer["class_name"] == "InputLayer":
            del layer["config"]["trainable"]
    inside = {"name": "inside", "layers": [entry("InputLayer", "i", batch_input_shape=[None, 4, 2])], "trainable": True}
    del inside["layers"][0]["config"]["trainable"]
    inside["layers"].append(entry("Activation", "x", activation="tanh"))
    layers.append(
        {"class_name": "Sequential", "name": "inside", "config": inside, "inbound_nodes": [[["dense", 1, 0, {}]]]}
    )
    config = {
        "class_name": "Functional",
        "config": {
            "name": "model",
            "layers": layers,
            "input_layers": [["source", 0, 0], ["target", 0, 0]],
            "output_layers": [["dense", 0, 0], ["inside", 1, 0]],  # calls of a model inside count from 1
        },
    }
    weights = {
        "source": {}, "target": {}, "encoder": arrays_of("encoder", *a, "lstm_cell"),
        "decoder": arrays_of("decoder", *b, "lstm_cell_1"), "added": {},
        "dense": {"dense/kernel:0": c[0], "dense/bias:0": c[1]},
    }  # fmt: skip
    training = {
        "optimizer_config": {"class_name": "Custom>Adam", "config": {"learning_rate": 0.25, "decay": 0.0}},
        "loss": {"class_name": "Huber", "config": {"delta": 2.0, "reduction": "auto", "fn": "huber"}},
        "metrics": None, "weighted_metrics": None, "loss_weights": None,
    }  # fmt: skip
    write(tmp_path / "m.h5", weights, config, training_config=json.dumps(training))
    ours = load_model(tmp_path / "m.h5")
    assert (ours.optimizer.learning_rate, ours._settings[0].delta) == (0.25, 2.0)
    x = drawn((5, 4, F), (5, 4, F), seed=3)
    source, target = rnn_ref.Input((4, F)), rnn_ref.Input((4, F))
    encoder, decoder = rnn_ref.layers.LSTM(H, return_state=True), rnn_ref.layers.LSTM(H, return_sequences=True)
    out = rnn_ref.layers.Dense(2)
    _, *states = encoder(source)
    y = decoder(target, initial_state=states)
    expected = rnn_ref.Model([source, target], [out(y), rnn_ref.layers.Activation("tanh")(out(y + y))])
    for layer, values in ((encoder, a), (decoder, b), (out, c)):
        layer.set_weights(values)
    for one, other in zip(ours(x), expected(x), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_keras_3_writes_as_h5_is_read(tmp_path):
    L = keras.layers
    theirs = keras.Sequential(
        [
            keras.Input((4,)),
            L.Embedding(7, 3, mask_zero=True),
            L.Bidirectional(L.LSTM(2, return_sequences=True)),
            L.BatchNormalization(),
            L.Dense(2),
        ]
    )
    theirs.compile("adam", "mse")
    theirs.save(tmp_path / "m.h5")
    ours = load_model(tmp_path / "m.h5", compile=False)
    ids = np.random.default_rng(0).integers(0, 7, (3, 4))
    np.testing.assert_allclose(ours(ids), np.asarray(theirs(ids)), rtol=1e-5, atol=1e-6)


def test_weights_only_in_order_or_by_name(tmp_path):
    arrays = drawn((F, 4 * H), (H, 4 * H), (4 * H,))
    W, b = drawn((H, 1), (1,), seed=1)
    layers = {"first": arrays_of("first", *arrays, "lstm_cell"), "last": {"last/kernel:0": W, "last/bias:0": b}}
    write(tmp_path / "w.h5", layers)

    def model(*names, units=1):
        inputs = [rnn_ref.Input((4, F)), rnn_ref.layers.LSTM(H, name=names[0])]
        return rnn_ref.Sequential([*inputs, *(rnn_ref.layers.Dense(units, name=name) for name in names[1:])])

    ours = model("a", "b")
    ours.load_weights(tmp_path / "w.h5")
    assert all(map(np.array_equal, ours.get_weights(), [*arrays, W, b]))
    longer = model("first", "middle", "other")
    with pytest.raises(WrongWeights, match=r"has weights of 2 layers, sequential.* has 3"):
        longer.load_weights(tmp_path / "w.h5")
    before = longer.get_weights()
    longer.load_weights(tmp_path / "w.h5", by_name=True)
    assert all(map(np.array_equal, longer.get_weights(), [*arrays, *before[3:]]))
    wider = model("first", "last", units=5)
    with pytest.raises(WrongWeights, match="'last' has weights of the shapes"):
        wider.load_weights(tmp_path / "w.h5", by_name=True)
    with pytest.warns(UserWarning, match="The others are taken"):
        wider.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    assert np.array_equal(wider.get_weights()[0], arrays[0])
    with pytest.raises(BrokenFile, match=r"if it holds weights only, use model.load_weights"):
        load_model(tmp_path / "w.h5")


def test_what_is_not_there_any_more_is_named(tmp_path):
    gru_file(tmp_path / "m.h5", (2, 3 * H), reset_after=True, time_major=True)
    with pytest.raises(BrokenFile, match="gru: the argument time_major of GRU is not there any more"):
        load_model(tmp_path / "m.h5")
