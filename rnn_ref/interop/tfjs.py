"""Models of TensorFlow.js: ``model.json`` in the Layers format, with its shards of weights; read only.

By default TensorFlow.js uses a hard sigmoid, clip(0.2 x + 0.5, 0, 1), for the gates of an LSTM and a GRU, and so does
this reader. Its GRU has only ``reset_after=False``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rnn_ref.guard import explained
from rnn_ref.interop.errors import BrokenFile, UnsafeFile, WrongWeights, reading
from rnn_ref.interop.keras import archive
from rnn_ref.interop.keras.legacy_config import modern, with_old_hard_sigmoid

LONGEST = 1 << 26  # bytes of model.json
MOST = 1 << 34  # bytes of weights
TYPES = {"float32": 4, "int32": 4, "bool": 1, "uint8": 1, "uint16": 2, "float16": 2}
GATED = ("LSTM", "GRU", "LSTMCell", "GRUCell")


@explained
def load(path):
    """Read a model written by TensorFlow.js or its converter.

    Parameters
    ----------
    path : str or Path
        Of ``model.json``, or of its folder. Shards are read only from that folder.

    Returns
    -------
    Sequential or Model
        Not compiled.

    Raises
    ------
    BrokenFile, UnsafeFile, WrongWeights
        If the files are damaged, refer to anything outside of their folder, or hold weights other than the model's. A
        graph model, which no longer has layers, is refused.

    References
    ----------
    https://www.tensorflow.org/js/guide/save_load
    """
    path = Path(path)
    path = path / "model.json" if path.is_dir() else path
    if path.stat().st_size > LONGEST:
        raise UnsafeFile(f"{path}: has {path.stat().st_size} bytes; at most {LONGEST} are read.")
    described = archive.parsed(path.read_bytes(), str(path))
    with reading(path):
        if described.get("format") == "graph-model":
            raise BrokenFile(
                f"{path}: is a graph model, which holds operations and no layers. Convert it to the Layers format: "
                "tensorflowjs_converter --output_format=tfjs_layers_model."
            )
        topology = described.get("modelTopology")
        if not isinstance(topology, dict):
            raise BrokenFile(f"{path}: has no modelTopology.")
        arrays = _weights(described.get("weightsManifest") or [], path)
        try:
            config = modern(with_defaults(topology.get("model_config", topology)))
        except NotImplementedError as error:
            raise BrokenFile(f"{path}: {error}") from error
    model = archive.made(with_old_hard_sigmoid(config), _Sizes(arrays), str(path), compile=False, skip_unknown=False)
    _assign(model, arrays, path)
    return model


class _Sizes:
    def __init__(self, arrays: dict[str, np.ndarray]):
        self.arrays = arrays

    def sizes(self) -> int:
        """The number of values."""
        return sum(array.size for array in self.arrays.values())


def with_defaults(entry: Any) -> Any:
    """A description with TensorFlow.js's defaults filled in.

    Examples
    --------
    >>> with_defaults({"class_name": "LSTM", "config": {"units": 2}})["config"]
    {'units': 2, 'recurrent_activation': 'hard_sigmoid'}
    """
    if isinstance(entry, list):
        return [with_defaults(inner) for inner in entry]
    if not isinstance(entry, dict):
        return entry
    entry = {key: with_defaults(inner) for key, inner in entry.items()}
    if entry.get("class_name") in GATED and isinstance(entry.get("config"), dict):
        entry["config"].setdefault("recurrent_activation", "hard_sigmoid")
    return entry


def _weights(manifest, path: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for group in manifest:
        data = b"".join(_shard(path, place) for place in group["paths"])
        at = 0
        for entry in group["weights"]:
            name, shape = str(entry["name"]), [int(n) for n in entry["shape"]]
            quantized = entry.get("quantization") or {}
            stored = quantized.get("dtype", entry["dtype"])
            if stored not in TYPES or entry["dtype"] not in ("float32", "int32", "bool"):
                raise BrokenFile(f"{path}: {name} is of {entry['dtype']} ({stored}); {', '.join(TYPES)} are read.")
            count = int(np.prod(shape, dtype=object)) if min(shape, default=1) >= 0 else -1
            end = at + count * TYPES[stored]
            if count < 0 or end > len(data) or name in found:
                raise BrokenFile(f"{path}: {name} of shape {shape} is there twice, or not in its shards.")
            raw = np.frombuffer(data[at:end], np.dtype(stored).newbyteorder("<")).reshape(shape)
            found[name] = _original(raw, entry["dtype"], quantized)
            at = end
        if at != len(data):
            raise BrokenFile(f"{path}: the shards {group['paths']} have {len(data)} bytes, their weights {at}.")
    return found


def _original(raw: np.ndarray, dtype: str, quantized: dict) -> np.ndarray:
    if "scale" in quantized:
        scale, least = np.float32(quantized["scale"]), np.float32(quantized.get("min", 0))
        return (raw.astype("float32") * scale + least).astype(dtype)
    return raw.astype(dtype)


def _shard(path: Path, place) -> bytes:
    parts = Path(str(place)).parts
    if not isinstance(place, str) or not parts or Path(place).is_absolute() or ".." in parts or "\0" in place:
        raise UnsafeFile(f"{path}: its weights are said to lie in {place!r}, outside of its folder.")
    file = path.parent
    for part in parts:
        file = file / part
        if file.is_symlink():
            raise UnsafeFile(f"{path}: its weights are said to lie in {place!r}, which is a link.")
    if not file.is_file():
        raise BrokenFile(f"{path}: its weights are said to lie in {place!r}, where there is no file.")
    if file.stat().st_size > MOST:
        raise UnsafeFile(f"{file}: has {file.stat().st_size} bytes; at most {MOST} are read.")
    return file.read_bytes()


def _assign(model, arrays: dict[str, np.ndarray], path: Path) -> None:
    """Assign each array to the weight with its name; all of them, or none."""
    taken: dict = {}
    for name, array in arrays.items():
        parts = name.partition(":")[0].split("/")
        found = [
            weight
            for layer in model.layers
            if _speaks_of(layer, parts)
            for weight in _direction(layer, parts)
            if weight.name == parts[-1] and weight not in taken
        ]
        if not found:
            raise WrongWeights(f"{path}: {name} is the weight of no layer of the model.")
        if found[0].shape != array.shape:
            raise WrongWeights(f"{path}: {name} has shape {array.shape}, the model has {found[0].shape}.")
        taken[found[0]] = array
    missing = [weight.path for weight in model.weights if weight not in taken]
    if missing:
        raise WrongWeights(f"{path}: there are no weights for {', '.join(missing[:5])}.")
    for weight, array in taken.items():
        weight.assign(array)


def _speaks_of(layer, parts: list[str]) -> bool:
    """Whether a weight's name starts with the layer's: ``lstm_1/lstm_cell/kernel``, or ``lstm_1_LSTM2/kernel``."""
    names = {layer.name, *(inner.name.rpartition("/")[2] for inner in layer.with_all_inside() if inner is not layer)}
    first = parts[0].rpartition("_")[0] if parts[0].rpartition("_")[2].rstrip("0123456789").isalpha() else parts[0]
    return layer.name == parts[0] or bool(names & {parts[0], first})


def _direction(layer, parts: list[str]) -> list:
    """The weights of one direction of a Bidirectional, if the name says which."""
    for way in ("forward", "backward"):
        inner = getattr(layer, f"{way}_layer", None)
        if inner is not None and any(part.startswith(f"{way}_") for part in parts):
            return inner.weights
    return layer.weights
