"""Archives that were honest once: bytes changed, members exchanged, numbers made huge, groups turned into links."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np

import rnn_ref

from .legacy_files import gru_file

L = rnn_ref.layers


def originals() -> list[bytes]:
    """Small models that have something of everything."""
    from rnn_ref.interop.keras.archive import to_bytes

    ids, series = rnn_ref.Input((4,)), rnn_ref.Input((4, 3))
    x = L.Bidirectional(L.GRU(2, return_sequences=True))(L.Embedding(5, 3, mask_zero=True)(ids))
    x = L.MultiHeadAttention(1, 2)(x, series)
    functional = rnn_ref.Model([ids, series], L.Dense(1)(L.LSTM(2, dropout=0.1, kernel_regularizer="l2")(x * 2)))
    functional.compile(rnn_ref.optimizers.Adam(clipnorm=1.0), "mse", metrics=["mae", rnn_ref.metrics.AUC()])
    functional.train_on_batch([np.ones((2, 4)), np.ones((2, 4, 3))], np.ones((2, 1)))
    row = rnn_ref.Sequential(
        [
            rnn_ref.Input(batch_shape=(2, 6, 3)),
            L.Conv1D(2, 3, padding="causal"),
            L.BatchNormalization(),
            L.MaxPooling1D(2),
            L.RNN([L.LSTMCell(2), L.SimpleRNNCell(2)], stateful=True, return_sequences=True),
            L.TimeDistributed(L.Dense(2)),
            L.Flatten(),
            L.RepeatVector(3),
            L.Reshape((2, -1)),
        ]
    )
    return [to_bytes(functional), to_bytes(row)]


class Mutator:
    """Archives by number: the same number gives the same archive."""

    def __init__(self):
        self.originals = originals()
        self.model = rnn_ref.Sequential([rnn_ref.Input((4, 3)), L.GRU(2), L.Dense(1)])

    def loose_file(self, number: int) -> tuple[str, bytes]:
        """The ending of a file whose bytes nothing guards, and what stands in it."""
        rng = np.random.default_rng(number)
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / f"m{('.weights.h5', '.h5', '.safetensors')[number % 3]}"
            if number % 3 == 1:
                gru_file(path, (2, 6), reset_after=True)
            else:
                self.model.save_weights(path)
            return path.name[1:], _spoilt(rng, path.read_bytes())

    def archive(self, number: int) -> tuple[str, bytes]:
        """What was done, and the archive."""
        rng = np.random.default_rng(number)
        whole = self.originals[rng.integers(len(self.originals))]
        with zipfile.ZipFile(io.BytesIO(whole)) as file:
            parts = {name: file.read(name) for name in file.namelist()}
        kinds = [self.bytes_of_the_archive, self.description, self.description, self.bytes_of_weights, self.weights]
        kinds += [self.members]
        kind = kinds[rng.integers(len(kinds))]
        return kind.__name__, kind(rng, whole, parts)

    def bytes_of_the_archive(self, rng, whole, parts) -> bytes:
        return _spoilt(rng, whole)

    def bytes_of_weights(self, rng, whole, parts) -> bytes:
        return _zipped(parts | {"model.weights.h5": _spoilt(rng, parts["model.weights.h5"])})

    def description(self, rng, whole, parts) -> bytes:
        """A number, string, list or dict of the configuration becomes another."""
        text = parts["config.json"]
        if rng.random() < 0.2:
            return _zipped(parts | {"config.json": _spoilt(rng, text)})
        described = json.loads(text)
        for _ in range(rng.integers(1, 4)):
            holder, key = _places(described)[rng.integers(len(_places(described)))]
            holder[key] = _strange(rng, holder[key], described)
        return _zipped(parts | {"config.json": json.dumps(described).encode()})

    def weights(self, rng, whole, parts) -> bytes:
        """Groups and datasets become links, other shapes, other kinds, or vanish."""
        content = io.BytesIO(parts["model.weights.h5"])
        with h5py.File(content, "r+") as file:
            names: list[str] = []
            file.visit(names.append)
            place = names[rng.integers(len(names))]
            del file[place]
            what = rng.integers(9)
            if what == 0:
                file[place] = h5py.ExternalLink("/etc/passwd", "/")
            elif what == 1:
                file[place] = h5py.SoftLink("/")
            elif what == 2:
                file.create_dataset(place, shape=(1 << 30, 1 << 8), dtype="f4", chunks=(1024, 256))
            elif what == 3:
                file.create_dataset(place, (4,), "f4", external=[("/etc/passwd", 0, 16)])
            elif what == 4:
                layout = h5py.VirtualLayout((4,), "f4")
                layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
                file.create_virtual_dataset(place, layout)
            elif what == 5:
                file[place] = np.array([b"text"] * 3)
            elif what == 6:
                file[place] = file["/"]
            elif what == 7:
                file[place] = rng.normal(size=tuple(rng.integers(0, 4, rng.integers(0, 4))))
        return _zipped(parts | {"model.weights.h5": content.getvalue()})

    def members(self, rng, whole, parts) -> bytes:
        """Other members, other names, bombs, links."""
        what, compression = rng.integers(8), zipfile.ZIP_DEFLATED
        if what == 0:
            del parts[sorted(parts)[rng.integers(len(parts))]]
        elif what == 1:
            parts[["../../evil", "/tmp/evil", "..\\evil", "C:evil"][rng.integers(4)]] = b"x"
        elif what == 2:
            parts["config.json"] = b" " * (60 << 20) + parts["config.json"]
        elif what == 3:
            parts["model.weights.h5"] = b"\0" * (60 << 20)
        elif what == 4:
            parts |= {f"assets/{k}": b"" for k in range(11_000)}
        elif what == 5:
            parts["config.json"] = b"[" * 100_000
        elif what == 6:
            return _zipped(parts, zipfile.ZIP_LZMA)
        else:
            link = zipfile.ZipInfo("assets")
            link.external_attr = 0o120777 << 16
            return _zipped(parts | {link: b"/etc"})
        return _zipped(parts, compression)


def _zipped(parts: dict, compression=zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return content.getvalue()


def _spoilt(rng, content: bytes) -> bytes:
    """Some bytes are others; sometimes the end is missing, or a part comes twice."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        k, n = int(rng.integers(len(content))), int(rng.integers(1, 32))
        what = rng.integers(5)
        if what == 0:
            content[k] = int(rng.integers(256))
        elif what == 1:
            content[k] ^= 1 << int(rng.integers(8))
        elif what == 2:
            content[k : k + 8] = int(rng.choice(np.array([0, 1, 255, 2**31, 2**32 - 1, 2**63], "u8"))).to_bytes(
                8, "little"
            )
        elif what == 3:
            j = int(rng.integers(len(content)))
            content[k : k + n] = content[j : j + n]
        else:
            content[k:k] = content[k : k + n]
    return bytes(content[: int(rng.integers(len(content)))] if rng.random() < 0.05 else content)


def _places(described) -> list[tuple]:
    """Every entry of nested lists and dicts, with what holds it."""
    found, waiting = [], [described]
    while waiting:
        holder = waiting.pop()
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            found.append((holder, key))
            if isinstance(value, (dict, list)):
                waiting.append(value)
    return found


def _strange(rng, value, described):
    strange = [
        None, True, -1, 0, 1, 7, 2**20, 2**31, 2**62, 10**30, 0.5, float("nan"), float("inf"), "", "relu", "\0",
        "x" * 10_000, [], {}, [[]], [None] * 50, {"class_name": "Lambda", "config": {}},
        {"class_name": "__lambda__", "config": {"code": "4w=="}}, {"class_name": "function", "config": "exit"},
        {"class_name": "Dense", "config": {"units": 2**28}}, "os.system", "Lambda", "Functional", "Sequential", "LSTM",
        "Orthogonal", "importlib", "__class__", "CustomCell", "Operator", "rnn",
    ]  # fmt: skip
    if rng.random() < 0.2:
        places = _places(described)
        holder, key = places[rng.integers(len(places))]
        return json.loads(json.dumps(holder[key]))
    if isinstance(value, int) and rng.random() < 0.5:
        return int(value) * int(rng.choice([2, 10, 1000, 10**6, 10**9]))
    return strange[rng.integers(len(strange))]
