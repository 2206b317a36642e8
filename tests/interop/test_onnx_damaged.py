"""ONNX files that are damaged or meant badly: a clear ValueError, nothing else."""

import time

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, layers

onnx = pytest.importorskip("onnx")
export, load = rnn_ref.interop.onnx.export, rnn_ref.interop.onnx.load
F, H = 3, 2


def model():
    x = Input((None, F), name="x")
    y = layers.Bidirectional(layers.GRU(H, return_sequences=True))(x)
    return export(Model(x, layers.Dense(2, "softmax")(layers.LSTM(H)(y))))


def mutated(whole: bytes, rng) -> bytes:
    data = bytearray(whole)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(len(data)))
        match int(rng.integers(5)):
            case 0 | 1:
                data[at] = int(rng.integers(256))
            case 2:
                data[at] ^= 1 << int(rng.integers(8))
            case 3:
                del data[at : at + int(rng.integers(1, 9))]
            case _:
                data[at:at] = data[at : at + int(rng.integers(1, 40))]
    return bytes(data)


def check_mutated(count: int, seed: int) -> None:
    whole, rng, refused = model().SerializeToString(), np.random.default_rng(seed), 0
    for _ in range(count):
        data, start = mutated(whole, rng), time.perf_counter()
        try:
            load(data)
        except ValueError:
            refused += 1
        assert time.perf_counter() - start < 60  # it ends
    assert refused > count / 3


def test_mutated_models():
    check_mutated(60, 0)


@pytest.mark.long
def test_many_mutated_models():
    check_mutated(5000, 1)


def changed(change):
    made = model()
    change(made)
    return made


def tensor(made, kind="kernel"):
    return next(t for t in made.graph.initializer if kind in t.name)


def grow(made):
    del tensor(made).dims[:]
    tensor(made).dims.extend([2**40, 2**40])


def lie(made):
    tensor(made).dims[0] += 1


def fill(made):
    """A constant of a terabyte, by its shape alone."""
    shape = onnx.numpy_helper.from_array(np.array([2**20, 2**20], "int64"), "shape_")
    made.graph.initializer.append(shape)
    made.graph.node.insert(0, onnx.helper.make_node("ConstantOfShape", ["shape_"], ["huge"]))
    made.graph.node.append(onnx.helper.make_node("Add", ["huge", "huge"], ["more"]))
    made.graph.output[0].name = "more"


def units(made):
    node = next(n for n in made.graph.node if n.op_type == "LSTM")
    next(a for a in node.attribute if a.name == "hidden_size").i = 10**9


def domain(made):
    made.graph.node[0].domain = "com.example"
    made.opset_import.append(onnx.helper.make_opsetid("com.example", 1))


def twice(made):
    made.graph.node.append(made.graph.node[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (grow, "that cannot be"),
        (lie, "cannot be read|valid"),
        (fill, "that cannot be"),
        (units, "hidden_size is 1000000000"),
        (domain, "of the domain com.example"),
        (twice, "valid"),
        (lambda made: made.graph.ClearField("node"), "valid|a constant"),
        (lambda made: made.graph.ClearField("input"), "valid|no inputs"),
    ],
)
def test_what_is_wrong_is_told(change, message):
    with pytest.raises(ValueError, match=message):
        load(changed(change))


def test_what_is_no_model(tmp_path):
    with pytest.raises(ValueError, match=r"no ONNX model|no valid"):
        load(b"not a model")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.onnx")
    with pytest.raises(TypeError, match="got int"):
        load(3)
    with pytest.raises(ValueError, match="no input 'V'; it has x"):
        load(model(), weights={"V": np.zeros(1)})


def beside(made, place: str, length: int | None = None):
    """The first kernel's data in another file."""
    kernel = tensor(made)
    data = onnx.numpy_helper.to_array(kernel).tobytes()
    kernel.ClearField("raw_data")
    kernel.data_location = onnx.TensorProto.EXTERNAL
    told = {"location": place, "offset": "0"} | ({} if length is None else {"length": str(length)})
    for key, value in told.items():
        kernel.external_data.add(key=key, value=value)
    return data


def test_data_beside_the_file(tmp_path):
    made = model()
    expected = load(made)(np.ones((1, 4, F), "float32"))
    (tmp_path / "weights.bin").write_bytes(beside(made, "weights.bin"))
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())
    np.testing.assert_array_equal(load(tmp_path / "model.onnx")(np.ones((1, 4, F), "float32")), expected)
    with pytest.raises(ValueError, match="load it from its path"):
        load(made)
    (tmp_path / "weights.bin").write_bytes(b"short")
    with pytest.raises(ValueError, match="does not have"):
        load(tmp_path / "model.onnx")


def test_data_outside_of_the_folder(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret").write_bytes(b"\0" * 4096)
    (inside / "link").symlink_to(tmp_path / "secret")
    for place in ("../secret", str(tmp_path / "secret"), "link", "a/../../secret", "none", ""):
        made = model()
        beside(made, place)
        (inside / "model.onnx").write_bytes(made.SerializeToString())
        with pytest.raises(ValueError, match=r"outside|a link|no file"):
            load(inside / "model.onnx")
