"""States that are damaged, incomplete or ambiguous; none of it needs PyTorch."""

import json

import numpy as np
import pytest

from rnn_ref.interop.torch import find_modules, from_state_dict, to_state_dict
from rnn_ref.layers import LSTM

safetensors = pytest.importorskip("safetensors.numpy")


def lstm(H=2, F=3, bias=True, suffix="_l0"):
    found = {f"weight_ih{suffix}": np.ones((4 * H, F), "f"), f"weight_hh{suffix}": np.ones((4 * H, H), "f")}
    return found | ({f"bias_{part}{suffix}": np.ones(4 * H, "f") for part in ("ih", "hh")} if bias else {})


def without(state, name):
    return {key: array for key, array in state.items() if key != name}


@pytest.mark.parametrize(
    ("state", "options", "message"),
    [
        ({}, {}, "There is nothing"),
        ({"a.weight": np.ones((2, 2))}, {"prefix": "b"}, r"There is 'a' \(Embedding or Linear\)"),
        ({"weight": np.ones((2, 2))}, {}, "say kind='Embedding' or kind='Linear'"),
        ({"weight": np.ones((2, 2, 2))}, {}, "no module that is known"),
        ({"weight": np.ones((2, 2)), "bias": np.ones(3)}, {}, "do not fit together"),
        ({"weight": np.ones((2, 2)), "bias": np.ones(2, "f")}, {}, "bias is of float32, expected float64"),
        ({"weight": np.ones((2, 2), int), "bias": np.ones(2, int)}, {}, "is of int64, expected float32 or float64"),
        ({"weight": np.array(["a"])}, {}, "no array of numbers"),
        (lstm(), {"kind": "GRU"}, "are those of nn.LSTM; expected nn.GRU"),
        (lstm(), {"kind": "Transformer"}, "kind"),
        (lstm(), {"dropout": 2}, "dropout"),
        (lstm(), {"nonlinearity": "sigmoid"}, "nonlinearity"),
        (lstm(suffix=""), {}, "nn.LSTMCell"),
        (without(lstm(), "weight_hh_l0"), {}, "no module that is known"),
        (without(lstm(), "bias_hh_l0"), {}, "bias_hh_l0 is missing"),
        (lstm() | lstm(suffix="_l2"), {}, "weights of layer 1 are missing"),
        (lstm() | lstm(suffix="_l1"), {}, r"weight_ih_l1 has shape \(8, 3\), expected \(8, 2\)"),
        (lstm() | lstm(suffix="_l99999999"), {}, "cannot be there"),
        (lstm() | {"weight_ih_l0_reverse": np.ones((8, 3), "f")}, {}, "bias_hh_l0_reverse is missing"),
        (lstm() | {"weight_hr_l0": np.ones((1, 2), "f")}, {}, "proj_size"),
        (lstm() | {"more": np.ones(1)}, {}, "'more' is no weight of nn.LSTM"),
        (lstm() | {"bias_hh_l0": np.ones(7, "f")}, {}, r"bias_hh_l0 has shape \(7,\), expected \(8,\)"),
        (lstm(H=0), {}, "no module that is known"),
        (lstm() | {"weight_hh_l0": np.ones((8, 2))}, {}, "weight_hh_l0 is of float64, expected float32"),
    ],
)
def test_what_is_wrong_is_named(state, options, message):
    with pytest.raises(ValueError, match=message):
        from_state_dict(state, **options)


def test_no_state_at_all():
    with pytest.raises(TypeError, match="got int"):
        from_state_dict(3)


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "pytorch_model.bin", "model.ckpt"])
def test_pickles_are_not_read(tmp_path, name):
    class Trap:
        def __reduce__(self):
            return (tmp_path / "ran").touch, ()

    import pickle

    (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match=r"is a pickle.*safetensors"):
        from_state_dict(tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_other_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        from_state_dict(tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match="unknown ending"):
        from_state_dict(tmp_path / "model.txt")
    (tmp_path / "bf16.safetensors").write_bytes(archive({"w": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}))
    with pytest.raises(ValueError, match=r"bfloat16.*save it as float32"):
        from_state_dict(tmp_path / "bf16.safetensors")


def archive(header, data=b"\0\0") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def mutated(whole: bytes, rng) -> bytes:
    """A few bytes changed, cut off, doubled or put in."""
    data = bytearray(whole)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(data) // (1 if rng.random() < 0.3 else 4) or 1))
        match int(rng.integers(5)):
            case 0:
                data[at] = int(rng.integers(256))
            case 1:
                del data[at:]
            case 2:
                data[at:at] = bytes(rng.integers(0, 256, int(rng.integers(1, 9)), dtype="u1"))
            case 3:
                data[at:at] = data[: int(rng.integers(1, len(data) + 1))]
            case _:
                del data[at : at + int(rng.integers(1, 9))]
        if not data:
            break
    return bytes(data)


def check_mutated(count: int, seed: int, tmp_path) -> None:
    path, rng = tmp_path / "weights.safetensors", np.random.default_rng(seed)
    whole = safetensors.save(to_state_dict(LSTM(2, input_shape=(None, 3)), "lstm"))
    refused = 0
    for _ in range(count):
        path.write_bytes(mutated(whole, rng))
        try:
            find_modules(path)
            from_state_dict(path, "lstm")
        except ValueError:
            refused += 1
    assert refused > count / 2


def test_damaged_files(tmp_path):
    check_mutated(150, 0, tmp_path)


@pytest.mark.long
def test_many_damaged_files(tmp_path):
    check_mutated(5000, 1, tmp_path)
