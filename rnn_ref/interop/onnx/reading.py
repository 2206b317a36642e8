"""An ONNX file as a checked graph: nothing in it is used before, and no other file is opened without checks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rnn_ref.interop.errors import BrokenFile, UnsafeFile
from rnn_ref.interop.optional import need

LIMIT = 2**31  # bytes: what a protobuf may have
ELEMENTS = 2**28  # of one tensor
NODES = 100_000
NUMBERS = "fiub"


def read_model(source):
    """The model from a path, bytes, or as it is; external data stays where it is.

    Raises
    ------
    BrokenFile, UnsafeFile
        If it is not a valid model, or too large to be one.
    """
    onnx = need("onnx", "reading ONNX files")
    if isinstance(source, (str, Path)):
        path = Path(source)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}.")
        if path.stat().st_size > LIMIT:
            raise UnsafeFile(f"{path.name} has {path.stat().st_size} bytes, more than {LIMIT}.")
        source = path.read_bytes()
    if isinstance(source, (bytes, bytearray)):
        data, source = bytes(source), onnx.ModelProto()
        try:
            source.ParseFromString(data)
        except Exception as error:  # protobuf's DecodeError, which has no common base
            raise BrokenFile(f"this is no ONNX model: {error}.") from error
    if not isinstance(source, onnx.ModelProto):
        raise TypeError(f"expected a path, bytes or an onnx.ModelProto, got {type(source).__name__}.")
    if len(source.graph.node) > NODES:
        raise UnsafeFile(f"the graph has {len(source.graph.node)} nodes, more than {NODES}.")
    if source.graph.sparse_initializer:
        raise BrokenFile("the graph has sparse initializers, which are not read.")
    for tensor in source.graph.initializer:
        _check_size(tensor)
    try:
        onnx.checker.check_model(_without_external(onnx, source))
    except (onnx.checker.ValidationError, ValueError, TypeError, RuntimeError, UnicodeDecodeError) as error:
        raise BrokenFile(f"this is no valid ONNX model: {_first_line(error)}") from error
    return source


def _without_external(onnx, model):
    """A copy without the tensors in other files, which the checker would open."""
    if not any(_is_external(tensor) for tensor in model.graph.initializer):
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for tensor in copy.graph.initializer:
        if _is_external(tensor):
            tensor.data_location = 0
            del tensor.external_data[:]
            dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            tensor.raw_data = b"\0" * (int(np.prod(list(tensor.dims), dtype=object)) * dtype.itemsize)
    return copy


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _check_size(tensor) -> None:
    if any(n < 0 for n in tensor.dims) or int(np.prod(list(tensor.dims), dtype=object)) > ELEMENTS:
        raise UnsafeFile(f"the tensor {tensor.name!r} has the shape {tuple(tensor.dims)}; that cannot be.")


def _is_external(tensor) -> bool:
    return tensor.data_location == 1


def array_of(tensor, folder: Path | None) -> np.ndarray:
    """A tensor of the file as an array; float16 and bfloat16 become float32.

    Parameters
    ----------
    tensor : onnx.TensorProto
    folder : Path or None
        The folder of the file, for external data.

    Raises
    ------
    BrokenFile, UnsafeFile
        If its data does not fit its shape, or lies outside of the folder.
    """
    onnx = need("onnx", "reading ONNX files")
    _check_size(tensor)
    try:
        if _is_external(tensor):
            dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            array = np.frombuffer(_external(tensor, folder, dtype), dtype.newbyteorder("<")).reshape(list(tensor.dims))
        else:
            array = onnx.numpy_helper.to_array(tensor)
    except UnsafeFile as error:
        raise UnsafeFile(f"the tensor {tensor.name!r} cannot be read: {error}") from error
    except (ValueError, TypeError, KeyError, RuntimeError, OverflowError) as error:
        raise BrokenFile(f"the tensor {tensor.name!r} cannot be read: {_first_line(error)}") from error
    if array.dtype.name in ("float16", "bfloat16"):
        array = array.astype("float32")
    if array.dtype.kind not in NUMBERS:
        raise BrokenFile(f"the tensor {tensor.name!r} is of {array.dtype}, no kind of number that is known here.")
    if array.shape != tuple(tensor.dims):
        raise BrokenFile(f"the tensor {tensor.name!r} has data of shape {array.shape}, not {tuple(tensor.dims)}.")
    return np.array(array, array.dtype.newbyteorder("="))


def _external(tensor, folder: Path | None, dtype: np.dtype) -> bytes:
    """External data: in the file's folder, not a link, and of the size that the shape requires."""
    told = {entry.key: entry.value for entry in tensor.external_data}
    place = told.get("location", "")
    if folder is None:
        raise ValueError("its data lie in another file; load it from its path")
    parts = Path(place).parts
    if not place or Path(place).is_absolute() or ".." in parts or "\\" in place or "\0" in place:
        raise UnsafeFile(f"its data are said to lie in {place!r}, outside of the model's folder")
    path = folder
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise UnsafeFile(f"its data are said to lie in {place!r}, which is a link")
    if not path.is_file():
        raise ValueError(f"its data are said to lie in {place!r}, where there is no file")
    count = int(np.prod(list(tensor.dims), dtype=object)) * dtype.itemsize
    offset = int(told.get("offset") or 0)
    if offset < 0 or int(told.get("length") or count) != count or offset + count > path.stat().st_size:
        raise ValueError(f"its shape takes {count} bytes, which {place!r} does not have where it says")
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(count)
