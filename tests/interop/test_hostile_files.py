"""Files that ask for what no honest file needs are refused by name; mutated ones by a clean error, soon and cheaply."""

import io
import json
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import rnn_ref
from rnn_ref.interop import BrokenFile, UnsafeFile
from rnn_ref.interop.keras.archive import to_bytes
from rnn_ref.models import load_model

from .mutations import Mutator

ROOT = Path(__file__).parents[2]


def fuzzed(first: int, count: int) -> dict:
    command = [sys.executable, "-m", "tests.interop.fuzzed", str(first), str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3000, check=False)
    assert done.returncode == 0, f"crashed or hung at {done.stderr[-2000:]}"
    return json.loads(done.stdout.splitlines()[-1])


def test_30_mutated_archives():
    found = fuzzed(0, 30)
    assert found["wrong"] == []
    assert found["refused"] > 30


@pytest.mark.long(minutes=1)
def test_200_mutated_archives():
    """``python -m tests.interop.fuzzed 10000 5000`` takes far more."""
    found = fuzzed(10_000, 200)
    assert found["wrong"] == []
    assert found["refused"] > 100


def test_a_file_that_hdf5_does_not_come_to_an_end_of(tmp_path):
    ending, content = Mutator().loose_file(15649)
    path = tmp_path / f"m{ending}"
    path.write_bytes(content)
    with pytest.raises(BrokenFile, match="does not come to an end of it"):
        load_model(path)


def test_a_file_that_crashes_hdf5(tmp_path, monkeypatch):
    crashing = tmp_path / "crashing.py"
    crashing.write_text("import os; os.abort()")
    monkeypatch.setattr("rnn_ref.interop.hdf5_probe.__file__", str(crashing))
    model = rnn_ref.Sequential([rnn_ref.Input((3,)), rnn_ref.layers.Dense(2)])
    for name in ("m.keras", "m.weights.h5"):
        (model.save if name == "m.keras" else model.save_weights)(tmp_path / name)
        with pytest.raises(BrokenFile, match="HDF5 crashes on it"):
            (load_model if name == "m.keras" else model.load_weights)(tmp_path / name)


@pytest.fixture(scope="module")
def parts():
    model = rnn_ref.Sequential([rnn_ref.Input((3,)), rnn_ref.layers.Dense(2, name="out")])
    model.compile("sgd", "mse", metrics=["mae"])
    with zipfile.ZipFile(io.BytesIO(to_bytes(model))) as file:
        return {name: file.read(name) for name in file.namelist()}


def archive(path, parts, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two members of one name
        for name, content in parts.items() if isinstance(parts, dict) else parts:
            file.writestr(name, content)
    return path


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([("../evil", b"")], r"'../evil' lies outside"),
        ([("/tmp/evil", b"")], "lies outside"),
        ([("..\\evil", b"")], "lies outside"),
        ([("C:evil", b"")], "lies outside"),
        ([(link("assets"), b"/etc")], "is a link"),
        ([("config.json", b"{}")], "two members of one name"),
        ([(f"assets/{k}", b"") for k in range(10_001)], "at most 10000 are read"),
    ],
)
def test_archives(parts, more, message, tmp_path):
    with pytest.raises(UnsafeFile, match=message):
        load_model(archive(tmp_path / "m.keras", [*parts.items(), *more]))


def test_bombs(parts, tmp_path):
    path = tmp_path / "m.keras"
    with pytest.raises(UnsafeFile, match=r"would grow from \d+ to 41943040 bytes"):
        load_model(archive(path, parts | {"config.json": b" " * (40 << 20)}, zipfile.ZIP_DEFLATED))
    with pytest.raises(UnsafeFile, match="at most 8388608 are read"):
        load_model(archive(path, parts | {"config.json": b" " * (9 << 20)}))
    with pytest.raises(BrokenFile, match="cannot be read"):
        load_model(archive(path, parts | {"config.json": b"[" * 200_000}))
    with pytest.raises(UnsafeFile, match="compressed in a way that is not read"):
        load_model(archive(path, parts, zipfile.ZIP_LZMA))
    nested: list = []
    for _ in range(300):
        nested = [nested]
    with pytest.raises(UnsafeFile, match="nested more than 200 times"):
        load_model(archive(path, parts | {"config.json": json.dumps({"config": nested})}))


def changed(parts, **options):
    config = json.loads(parts["config.json"])
    config["config"]["layers"][1]["config"] |= options
    return parts | {"config.json": json.dumps(config)}


def test_descriptions(parts, tmp_path):
    path = tmp_path / "m.keras"
    with pytest.raises(BrokenFile, match=r"a weight of shape \(3, 1000000\) is more than the file has numbers for"):
        load_model(archive(path, changed(parts, units=1_000_000)))
    with pytest.raises(UnsafeFile, match="units=1000000000000000 is larger than any model needs"):
        load_model(archive(path, changed(parts, units=10**15)))
    with pytest.raises(BrokenFile, match=r"cannot be read|makes no model"):
        load_model(archive(path, parts | {"config.json": b"\xff\xfe"}))
    config = json.loads(parts["config.json"])
    for name in ("importlib", "rnn", "Layer", "_wrapper", "os.system", "__class__"):
        config["config"]["layers"][1]["class_name"] = name
        with pytest.raises(ValueError, match="unknown layer"):
            load_model(archive(path, parts | {"config.json": json.dumps(config)}))
    config = json.loads(parts["config.json"])
    config["compile_config"]["metrics"] = [{"class_name": "AUC", "config": {"num_thresholds": 10**9}}]
    with pytest.raises(UnsafeFile, match="num_thresholds=1000000000"):
        load_model(archive(path, parts | {"config.json": json.dumps(config)}))


def put_external(file):
    file["layers/dense"] = h5py.ExternalLink("/etc/passwd", "/")


def put_soft(file):
    file["layers/dense"] = h5py.SoftLink("/")


def put_elsewhere(file):
    file.create_dataset("layers/dense/vars/0", (3, 2), "f4", external=[("/etc/passwd", 0, 24)])


def put_virtual(file):
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, 2))
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def put_huge(file):
    file.create_dataset("layers/dense/vars/0", (1 << 20, 1 << 12), "f4", chunks=(1024, 1024))


def put_itself(file):
    file["layers/dense"] = file["layers"]


def put_text(file):
    file["layers/dense/vars/0"] = np.array([b"text"])


@pytest.mark.parametrize(
    ("put", "kind", "message"),
    [
        (put_external, UnsafeFile, "is a ExternalLink, which may lead to other files"),
        (put_soft, UnsafeFile, "is a SoftLink"),
        (put_elsewhere, UnsafeFile, "lie in another file"),
        (put_virtual, UnsafeFile, "put together from other datasets"),
        (put_huge, UnsafeFile, "says to be 17179869184 bytes, and 0 are stored"),
        (put_itself, UnsafeFile, "holds itself|without end"),
        (put_text, BrokenFile, "weights are numbers"),
    ],
)
def test_weights(parts, put, kind, message, tmp_path):
    content = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(content, "r+") as file:
        del file["layers/dense"]
        put(file)
    with pytest.raises(kind, match=message):
        load_model(archive(tmp_path / "m.keras", parts | {"model.weights.h5": content.getvalue()}))
    (tmp_path / "w.weights.h5").write_bytes(content.getvalue())
    model = rnn_ref.Sequential([rnn_ref.Input((3,)), rnn_ref.layers.Dense(2)])
    with pytest.raises(kind, match=message):
        model.load_weights(tmp_path / "w.weights.h5")


def test_safetensors_that_lie(tmp_path):
    model, path = rnn_ref.Sequential([rnn_ref.Input((3,)), rnn_ref.layers.Dense(2)]), tmp_path / "w.safetensors"
    header = json.dumps({"x": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4 << 40]}}).encode()
    for content in (b"", b"x" * 100, len(header).to_bytes(8, "little") + header, (1 << 60).to_bytes(8, "little")):
        path.write_bytes(content)
        with pytest.raises(BrokenFile, match="cannot be read"):
            model.load_weights(path)


def test_no_pickle_and_no_marshal_is_read():
    """Nothing that reads a file knows how to."""
    for file in [*(ROOT / "rnn_ref" / "interop" / "keras").glob("*.py"), ROOT / "rnn_ref" / "state_file.py"]:
        text = file.read_text(encoding="utf-8")
        for word in ("import pickle", "import marshal", "eval(", "exec(", "allow_pickle=True", "safe_mode=False"):
            assert word not in text, f"{file.name}: {word}"
