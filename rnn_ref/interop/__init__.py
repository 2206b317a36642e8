"""Importing models from other libraries, and exporting models to them.

Each module imports its library when it is used; the extra ``interop`` installs them: ``pip install
'rnn-ref[interop]'``. The contents of a file are checked before they are used; nothing here runs code from a file, and
nothing reads a pickle.
"""

import importlib

from rnn_ref.interop.errors import BrokenFile, FileError, UnsafeFile, WrongWeights

_MODULES = ("keras", "onnx", "tfjs", "torch")


def __getattr__(name: str):
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"rnn_ref.interop has no {name!r}; it has {', '.join(_MODULES)}.")


__all__ = ["BrokenFile", "FileError", "UnsafeFile", "WrongWeights", *_MODULES]
