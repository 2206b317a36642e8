"""Models as TensorFlow.js saves them, and as its converter writes those of tf.keras 2."""

import json

import numpy as np
import pytest

import rnn_ref
from rnn_ref.interop import UnsafeFile, WrongWeights, tfjs

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

F, H, T = 3, 2, 4
X = np.random.default_rng(0).normal(size=(2, T, F)).astype("float32")


def old_hard_sigmoid(x):
    return keras.ops.clip(0.2 * x + 0.5, 0, 1)


def numbers(*shapes, seed=0):
    g = np.random.default_rng(seed)
    return [g.normal(size=shape).astype("float32") for shape in shapes]


def write(folder, topology, weights: dict, *, shards=1, change=None):
    """``model.json`` and its shards; ``change`` may spoil the description before."""
    data = b"".join(np.ascontiguousarray(a).tobytes() for a in weights.values())
    size = -(-len(data) // shards)
    paths = [f"group1-shard{k + 1}of{shards}.bin" for k in range(shards)]
    for k, place in enumerate(paths):
        (folder / place).write_bytes(data[k * size : (k + 1) * size])
    entries = [{"name": name, "shape": list(a.shape), "dtype": "float32"} for name, a in weights.items()]
    described = {
        "format": "layers-model", "generatedBy": "TensorFlow.js tfjs-layers v4.22.0", "convertedBy": None,
        "modelTopology": topology, "weightsManifest": [{"paths": paths, "weights": entries}],
    }  # fmt: skip
    if change is not None:
        change(described)
    (folder / "model.json").write_text(json.dumps(described))
    return folder / "model.json"


def sequential(*layers):
    """As TensorFlow.js describes one: what is left out has its default."""
    made = [{"class_name": kind, "config": {"trainable": True, "dtype": "float32"} | config} for kind, config in layers]
    made[0]["config"]["batch_input_shape"] = [None, None, F]
    by = {"keras_version": "tfjs-layers 4.22.0", "backend": "tensor_flow.js"}
    return {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": made}} | by


LSTM_WEIGHTS = dict(zip(("kernel", "recurrent_kernel", "bias"), numbers((F, 4 * H), (H, 4 * H), (4 * H,)), strict=True))
DENSE_WEIGHTS = dict(zip(("kernel", "bias"), numbers((H, 1), (1,), seed=1), strict=True))


def lstm_model(folder, **options):
    topology = sequential(("LSTM", {"units": H, "name": "lstm_LSTM1"}), ("Dense", {"units": 1, "name": "dense_Dense1"}))
    weights = {f"lstm_LSTM1/{n}": a for n, a in LSTM_WEIGHTS.items()}
    weights |= {f"dense_Dense1/{n}": a for n, a in DENSE_WEIGHTS.items()}
    return write(folder, topology, weights, **options)


@pytest.mark.parametrize("shards", [1, 3])
def test_gates_begin_with_a_hard_sigmoid(tmp_path, shards):
    path = lstm_model(tmp_path, shards=shards)
    model = tfjs.load(path)
    assert model.layers[0].recurrent_activation.name == "hard_sigmoid_legacy"
    theirs = keras.Sequential(
        [keras.Input((None, F)), keras.layers.LSTM(H, recurrent_activation=old_hard_sigmoid), keras.layers.Dense(1)]
    )
    theirs.set_weights([*LSTM_WEIGHTS.values(), *DENSE_WEIGHTS.values()])
    np.testing.assert_allclose(model(X), np.asarray(theirs(X)), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(tfjs.load(tmp_path)(X), model(X))
    assert rnn_ref.trace(model, X)["lstm_LSTM1"].gates["forget"].shape == (2, T, H)


def test_a_gru_resets_before(tmp_path):
    kernel, recurrent, bias = numbers((F, 3 * H), (H, 3 * H), (3 * H,))
    topology = sequential(
        ("GRU", {"units": H, "name": "g", "recurrent_activation": "sigmoid", "return_sequences": True})
    )
    path = write(tmp_path, topology, {"g/kernel": kernel, "g/recurrent_kernel": recurrent, "g/bias": bias})
    theirs = keras.Sequential([keras.Input((None, F)), keras.layers.GRU(H, reset_after=False, return_sequences=True)])
    theirs.set_weights([kernel, recurrent, bias])
    np.testing.assert_allclose(tfjs.load(path)(X), np.asarray(theirs(X)), rtol=0, atol=1e-6)


def test_what_the_converter_writes(tmp_path):
    """A functional model of tf.keras 2: both directions, weights in order of their names, a moving mean."""
    lstm = {"class_name": "LSTM", "config": {"name": "lstm", "units": H, "recurrent_activation": "sigmoid",
                                             "return_sequences": True}}  # fmt: skip
    layers = [
        {"class_name": "InputLayer", "name": "in", "inbound_nodes": [],
         "config": {"batch_input_shape": [None, T, F], "dtype": "float32", "sparse": False, "name": "in"}},
        {"class_name": "Bidirectional", "name": "both", "inbound_nodes": [[["in", 0, 0, {}]]],
         "config": {"name": "both", "layer": lstm, "merge_mode": "concat"}},
        {"class_name": "BatchNormalization", "name": "bn", "inbound_nodes": [[["both", 0, 0, {}]]],
         "config": {"name": "bn", "axis": [2], "epsilon": 0.001}},
    ]  # fmt: skip
    config = {"name": "model", "layers": layers, "input_layers": [["in", 0, 0]], "output_layers": [["bn", 0, 0]]}
    topology = {
        "keras_version": "2.15.0",
        "backend": "tensorflow",
        "model_config": {"class_name": "Functional", "config": config},
    }
    weights = {}
    for seed, way in enumerate(("backward", "forward")):
        for name, array in zip(LSTM_WEIGHTS, numbers((F, 4 * H), (H, 4 * H), (4 * H,), seed=seed)):
            weights[f"both/{way}_lstm/lstm_cell/{name}"] = array
    for name, array in zip(("beta", "gamma", "moving_mean", "moving_variance"), numbers(*[(2 * H,)] * 4, seed=3)):
        weights[f"bn/{name}"] = np.abs(array)
    model = tfjs.load(write(tmp_path, topology, weights))
    x = keras.Input((T, F))
    y = keras.layers.Bidirectional(keras.layers.LSTM(H, return_sequences=True))(x)
    theirs = keras.Model(x, keras.layers.BatchNormalization()(y))
    arrays = list(weights.values())
    theirs.set_weights([*arrays[3:6], *arrays[:3], arrays[7], arrays[6], *arrays[8:]])
    np.testing.assert_allclose(model(X), np.asarray(theirs(X)), rtol=0, atol=2e-6)


def test_quantized_weights(tmp_path):
    kernel = np.array([[0], [128], [255]], "uint8")

    def quantize(described):
        (entry,) = described["weightsManifest"][0]["weights"]
        entry["quantization"] = {"dtype": "uint8", "scale": 0.5, "min": -1.0, "original_dtype": "float32"}

    topology = sequential(("Dense", {"units": 1, "use_bias": False, "name": "d"}))
    path = write(tmp_path, topology, {"d/kernel": kernel}, change=quantize)
    np.testing.assert_array_equal(tfjs.load(path).get_weights()[0], [[-1.0], [63.0], [126.5]])


def test_nothing_is_read_outside_of_the_folder(tmp_path):
    (tmp_path / "secret").write_bytes(b"\0" * 400)
    inside = tmp_path / "model"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path / "secret")
    for place in ("../secret", str(tmp_path / "secret"), "link", "", "a/../../secret"):
        path = lstm_model(inside, change=lambda d, place=place: d["weightsManifest"][0].update(paths=[place]))
        with pytest.raises(UnsafeFile, match=r"outside of its folder|a link"):
            tfjs.load(path)


def entry(described, k=0):
    return described["weightsManifest"][0]["weights"][k]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="graph-model"), "tfjs_layers_model"),
        (lambda d: d.pop("modelTopology"), "no modelTopology"),
        (lambda d: d.pop("weightsManifest"), "no weights for"),
        (lambda d: entry(d).update(shape=[F, 99]), "not in its shards|their weights"),
        (lambda d: entry(d).update(shape=[-1, 8]), "not in its shards"),
        (lambda d: entry(d).update(shape=[8, F]), r"has shape \(8, 3\), the model has \(3, 8\)"),
        (lambda d: entry(d).update(dtype="string"), "is of string"),
        (lambda d: entry(d).update(name="other/kernel"), "the weight of no layer"),
        (lambda d: entry(d, 1).update(name=entry(d)["name"]), "twice"),
        (lambda d: d["weightsManifest"][0]["weights"].pop(), "bytes, their weights"),
        (lambda d: d["weightsManifest"][0].update(paths=["none.bin"]), "no file"),
        (lambda d: d["modelTopology"]["config"]["layers"][0]["config"].update(units=10**7), "."),
        (lambda d: d["modelTopology"]["config"]["layers"][0].update(class_name="Lambda"), "."),
        (lambda d: d.update(modelTopology={"class_name": "Sequential", "config": 3}), "."),
    ],
)
def test_damaged_models(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        tfjs.load(lstm_model(tmp_path, change=change))


def check_mutated(count: int, seed: int, folder) -> None:
    """Characters of model.json changed, cut off or doubled."""
    path, rng = lstm_model(folder), np.random.default_rng(seed)
    whole, refused = path.read_bytes(), 0
    for _ in range(count):
        data = bytearray(whole)
        for _ in range(int(rng.integers(1, 4))):
            at = int(rng.integers(len(data)))
            match int(rng.integers(3)):
                case 0:
                    data[at] = int(rng.choice(list(b'0123456789"{}[],:-eaz')))
                case 1:
                    del data[at : at + int(rng.integers(1, 20))]
                case _:
                    data[at:at] = data[at : at + int(rng.integers(1, 20))]
        path.write_bytes(data)
        try:
            tfjs.load(path)
        except ValueError:
            refused += 1
    assert refused > count / 3


def test_mutated_models(tmp_path):
    check_mutated(60, 0, tmp_path)


@pytest.mark.long
def test_many_mutated_models(tmp_path):
    check_mutated(3000, 1, tmp_path)


def test_weights_that_are_too_many_are_not_dropped(tmp_path):
    path = lstm_model(tmp_path)
    described = json.loads(path.read_text())
    described["modelTopology"]["config"]["layers"].pop()
    path.write_text(json.dumps(described))
    with pytest.raises(WrongWeights, match="dense_Dense1/kernel is the weight of no layer"):
        tfjs.load(path)
