"""Where arrays live: on the CPU, where they are NumPy's, or on a GPU, where they are CuPy's.

``set_device("cuda")`` or ``with device("cuda"):`` chooses; everything that runs afterwards runs there, and weights
follow by themselves. Layers, losses and optimizers are written once, over ``xp``: the array module of the current
device. CuPy is imported when a GPU is asked for, never by ``import rnn_ref``.

In Numba's CUDA simulator (``NUMBA_ENABLE_CUDASIM=1``) "cuda" needs no GPU: NumPy stands in for CuPy.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numba import config

OLDEST = 75  # compute capability 7.5, the least that current CUDA compilers know: Turing, 2018
INSTALL = "It comes with: pip install 'rnn-ref[cuda]'"
_REAL = {name: np.dtype(name) for name in ("float32", "float64")}  # to compare with "float32" itself takes longer
ALIGNMENT = 256  # bytes; where an array begins in memory that several share


class ArrayModule:
    """NumPy or CuPy, whichever the current device takes: ``xp.zeros((2, 3))``.

    ``asarray`` also takes arrays of the other device, and moves them.
    """

    def __init__(self):
        self.use("cpu", np)

    def use(self, name: str, module: ModuleType) -> None:
        # Functions found once are kept here, so that `xp.zeros` costs no more than `np.zeros`.
        self.__dict__ = {"device": name, "module": module, "asarray": asarray}

    def __getattr__(self, name: str):
        found = self.__dict__[name] = getattr(self.module, name)
        return found


def array_module(x) -> ModuleType:
    """``cupy`` for an array on the GPU, else ``numpy``; CuPy is imported only by those who made such an array."""
    cupy = sys.modules.get("cupy")
    return cupy if cupy is not None and isinstance(x, cupy.ndarray) else np


def is_array(x) -> bool:
    """Whether this is an array, on whichever device."""
    return isinstance(x, np.ndarray) or array_module(x) is not np


def asarray(x, dtype=None):
    """As :func:`numpy.asarray`, on the current device; arrays of numbers that are elsewhere are moved."""
    if type(x) is xp.module.ndarray and (dtype is None or x.dtype is _REAL.get(dtype) or x.dtype == dtype):
        return x
    if xp.module is np:
        try:
            return np.asarray(x, dtype)
        except TypeError:
            if array_module(x) is np:
                raise
            return np.asarray(array_module(x).asnumpy(x), dtype)
    if isinstance(x, xp.module.ndarray):
        return xp.module.asarray(x, dtype)
    host = np.asarray(x, dtype)
    return xp.module.asarray(host) if host.dtype.kind in "fiub" else host


def to_numpy(x) -> np.ndarray:
    """An array of either device as NumPy's; one that is already stays as it is."""
    module = array_module(x)
    return np.asarray(x) if module is np else module.asnumpy(x)


def like_given(result, given):
    """Arrays that were computed, NumPy's if what was given held no array of a GPU: a caller gets the kind he gave."""
    if xp.module is np or any(array_module(x) is not np for x in arrays_in(given)):
        return result
    return converted(result, to_numpy)


def arrays_in(structure) -> Iterator:
    """The arrays in nested lists and dicts."""
    if isinstance(structure, (list, tuple)):
        for entry in structure:
            yield from arrays_in(entry)
    elif isinstance(structure, dict):
        yield from arrays_in(list(structure.values()))
    elif is_array(structure):
        yield structure


def converted(structure, function: Callable):
    """The same lists, dicts and records with ``function(array)`` in the place of every array."""
    if isinstance(structure, (list, tuple)):
        entries = [converted(entry, function) for entry in structure]
        return type(structure)(*entries) if hasattr(structure, "_fields") else type(structure)(entries)
    if isinstance(structure, dict):
        return {key: converted(entry, function) for key, entry in structure.items()}
    if dataclasses.is_dataclass(structure) and not isinstance(structure, type):
        names = [field.name for field in dataclasses.fields(structure)]
        return dataclasses.replace(structure, **{n: converted(getattr(structure, n), function) for n in names})
    return function(structure) if is_array(structure) else structure


def move_together(arrays: list) -> list:
    """Arrays of a batch (or None) on the current device; those of the host travel in one transfer."""
    if xp.module is np:
        return [None if a is None else asarray(a) for a in arrays]
    # One that several outputs share is sent once.
    host = {id(a): np.asarray(a) for a in arrays if a is not None and array_module(a) is np}
    places, end = {}, 0
    for key, a in host.items():
        places[key] = end
        end += -(-a.nbytes // ALIGNMENT) * ALIGNMENT
    packed = np.empty(end, np.uint8)
    for key, a in host.items():
        np.copyto(packed[places[key] : places[key] + a.nbytes].view(a.dtype).reshape(a.shape), a)
    sent = xp.module.asarray(packed) if host else None
    moved = {key: sent[places[key] : places[key] + a.nbytes].view(a.dtype).reshape(a.shape) for key, a in host.items()}
    return [None if a is None else moved.get(id(a), a) for a in arrays]


# -- choosing ---------------------------------------------------------------------------------------------


def get_device() -> str:
    """The current device: ``"cpu"`` or ``"cuda"``.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.get_device()
    'cpu'
    """
    return xp.device


def set_device(name: str) -> None:
    """Choose where everything runs from now on, in all threads.

    Parameters
    ----------
    name : {"cpu", "cuda", "auto"}
        ``"auto"`` takes a GPU when there is one that can be used, else the CPU. Which of several GPUs is up to the
        environment variable ``CUDA_VISIBLE_DEVICES``.

    Raises
    ------
    ValueError
        If the name is another one.
    ImportError
        If CuPy, cuBLAS or numba-cuda is missing.
    RuntimeError
        If there is no driver, no GPU, or it is too old.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.set_device("cpu")
    """
    if name == "auto":
        name = "cuda" if not config.ENABLE_CUDASIM and _gpu_is_usable() else "cpu"
    if name not in ("cpu", "cuda"):
        raise ValueError(
            f"set_device: {name!r} is not a device; use 'cpu', 'cuda' or 'auto'. To choose among several GPUs, set "
            "CUDA_VISIBLE_DEVICES before Python starts."
        )
    xp.use(name, np if name == "cpu" else _gpu_arrays())


@contextmanager
def device(name: str) -> Iterator[None]:
    """Run what stands in the block on this device; afterwards the one from before is back.

    Parameters
    ----------
    name : {"cpu", "cuda", "auto"}
        See :func:`set_device`, also for the errors.

    Examples
    --------
    >>> import rnn_ref
    >>> with rnn_ref.device("auto"):
    ...     y = rnn_ref.layers.LSTM(4)([[[1.0], [2.0]]])
    >>> y.shape
    (1, 4)
    """
    before = xp.device, xp.module
    set_device(name)
    try:
        yield
    finally:
        xp.use(*before)


def runs_on_cpu(function: Callable) -> Callable:
    """A function that computes on the CPU whatever the current device is: arguments and results are moved."""

    @functools.wraps(function)
    def wrapped(*arguments, **options):
        if xp.device == "cpu":
            return function(*arguments, **options)
        arguments, options = converted((arguments, options), to_numpy)
        with device("cpu"):
            result = function(*arguments, **options)
        return converted(result, asarray)

    return wrapped


def _gpu_is_usable() -> bool:
    try:
        _gpu_arrays()
    except (ImportError, RuntimeError):
        return False
    return True


def _gpu_arrays() -> ModuleType:
    """CuPy, once it is certain that there is a GPU it can use."""
    if config.ENABLE_CUDASIM:
        return np
    for needed, package in (("CuPy", "cupy"), ("numba-cuda", "numba_cuda")):
        _check(needed, lambda package=package: import_module(package))
    runtime = sys.modules["cupy"].cuda.runtime
    if not runtime.driverGetVersion():
        raise RuntimeError(
            "The device 'cuda' needs NVIDIA's driver, and none is installed here (nvidia-smi would show it). Install "
            "it, or stay on the CPU: set_device('cpu')."
        )
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:  # without GPUs, or with a driver older than CuPy's CUDA
        raise RuntimeError(f"The device 'cuda' cannot be used: {error}. {_UPDATE}") from None
    if not count:
        raise RuntimeError(f"The device 'cuda' needs a GPU, and the driver sees none. {_UPDATE}")
    capability = sys.modules["cupy"].cuda.Device().compute_capability  # "90" is 9.0
    if int(capability) < OLDEST:
        raise RuntimeError(
            f"The GPU has compute capability {capability[:-1]}.{capability[-1]}; at least 7.5 (Turing, 2018) is "
            "needed. Stay on the CPU: set_device('cpu')."
        )
    _check("cuBLAS", lambda: sys.modules["cupy"].cuda.cublas)  # loads it now, not in the middle of the first layer
    return sys.modules["cupy"]


def _check(needed: str, load: Callable) -> None:
    try:
        load()
    except ImportError as error:
        raise ImportError(f"The device 'cuda' needs {needed}, which cannot be loaded ({error}). {INSTALL}") from None


_UPDATE = (
    "See whether nvidia-smi lists a GPU and whether CUDA_VISIBLE_DEVICES hides it; update the driver if it is old."
)


# -- memory -----------------------------------------------------------------------------------------------


def explain_memory(error: MemoryError, where: str) -> None:
    """Add to an error what can be done about it."""
    if xp.device == "cuda" and not getattr(error, "__notes__", None):
        error.add_note(
            f"(The memory of the GPU is full, in {where}. Give a smaller batch_size or shorter sequences, a smaller "
            "model, or run on the CPU: set_device('cpu').)"
        )


xp: Any = ArrayModule()
