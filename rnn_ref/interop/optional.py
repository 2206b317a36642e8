"""Libraries that are imported on use, and what to install if they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType


def need(module: str, what_for: str) -> ModuleType:
    """Import a library of the extra ``interop``.

    Raises
    ------
    ImportError
        Names the extra.

    Examples
    --------
    >>> need("no_such_library", "reading .xyz files")
    Traceback (most recent call last):
    ImportError: reading .xyz files needs no_such_library: pip install 'rnn-ref[interop]'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        source = "pip install torch" if library == "torch" else "pip install 'rnn-ref[interop]'"
        raise ImportError(f"{what_for} needs {library}: {source}") from error
