"""Models of other libraries in, and models of this one out.

Each module imports the library that it is about when it is used; what is missing is in the extra ``interop``:
``pip install 'rnn-ref[interop]'``. What a file says is checked before it is believed; nothing here runs code from a
file, and nothing reads a pickle.
"""

import importlib

from rnn_ref.interop.errors import BrokenFile, FileError, UnsafeFile, WrongWeights

_MODULES = ("keras", "onnx", "tfjs", "torch")


def __getattr__(name: str):
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"rnn_ref.interop has no {name!r}; it has {', '.join(_MODULES)}.")


__all__ = ["BrokenFile", "FileError", "UnsafeFile", "WrongWeights", *_MODULES]
