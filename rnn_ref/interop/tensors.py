"""Named tensors of another library as NumPy arrays, from a dict, a module or a ``.safetensors`` file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnn_ref.interop.optional import need

PICKLED = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
LIMIT = 16 * 2**30  # bytes of a file


def read_state(state, where: str) -> dict[str, np.ndarray]:
    """Arrays by name; float16 and bfloat16 become float32, which holds all their values.

    Parameters
    ----------
    state : dict, module with a ``state_dict``, str or Path
        Of arrays or PyTorch tensors; or the path of a ``.safetensors`` file, for which PyTorch is not needed.
    where : str
        The caller, for error messages.

    Raises
    ------
    ValueError
        For a pickled or damaged file, and for anything but arrays of floats.
    """
    if isinstance(state, (str, Path)):
        return _from_file(Path(state), where)
    if hasattr(state, "state_dict") and not isinstance(state, Mapping):
        state = state.state_dict()
    if not isinstance(state, Mapping):
        raise TypeError(
            f"{where}: expected a dict of arrays or tensors (module.state_dict()), a module, or the path of a "
            f".safetensors file, got {type(state).__name__}."
        )
    return {str(name): as_array(tensor, f"{where}: {name}") for name, tensor in state.items()}


def as_array(tensor, what: str) -> np.ndarray:
    """A tensor or an array as a NumPy array; a copy of a tensor."""
    if hasattr(tensor, "detach"):  # PyTorch's
        tensor = tensor.detach().cpu()
        if str(tensor.dtype) == "torch.bfloat16":
            tensor = tensor.float()
        tensor = np.array(tensor.numpy())
    if not isinstance(tensor, (np.ndarray, np.generic, list, tuple, int, float)) or isinstance(
        tensor, np.ma.MaskedArray
    ):
        raise ValueError(f"{what} is no array of numbers, got {type(tensor).__name__}.")
    array = np.asarray(tensor)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{what} is no array of numbers, got {array.dtype}.")
    return array.astype("float32") if array.dtype == np.float16 else array


def _from_file(path: Path, where: str) -> dict[str, np.ndarray]:
    if path.suffix.lower() in PICKLED:
        raise ValueError(
            f"{where}: {path.name} is a pickle, and reading a pickle can run any code that its writer put there. Where "
            "the file is trusted, and PyTorch installed, write the numbers alone: "
            "safetensors.torch.save_file(module.state_dict(), 'model.safetensors')."
        )
    if path.suffix.lower() != ".safetensors":
        raise ValueError(f"{where}: {path.name} has an unknown ending; expected .safetensors.")
    if not path.is_file():
        raise FileNotFoundError(f"{where}: there is no file {path}.")
    if path.stat().st_size > LIMIT:
        raise ValueError(f"{where}: {path.name} has {path.stat().st_size} bytes, more than {LIMIT}.")
    safetensors = need("safetensors", "reading .safetensors files")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            found = {}
            for name in file.keys():  # noqa: SIM118 - no mapping
                if file.get_slice(name).get_dtype() == "BF16":
                    raise ValueError(f"{name} is of bfloat16, which NumPy lacks; save it as float32")
                found[name] = file.get_tensor(name)
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise ValueError(f"{where}: {path.name} cannot be read: {error}.") from error
    return {name: as_array(array, f"{where}: {name}") for name, array in found.items()}
