"""Errors about files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rnn_ref.custom_objects import UnknownObject


class FileError(ValueError):
    """A file cannot be read as what it should be."""


class BrokenFile(FileError):
    """It is damaged, or not of the kind that its name suggests."""


class UnsafeFile(FileError):
    """It asks for something no honest file needs: more memory than it has bytes, other files, paths outside."""


class WrongWeights(FileError):
    """Its weights are not those of the model."""


@contextmanager
def reading(path) -> Iterator[None]:
    """Report any failure within it as the file's fault; a missing file stays an OSError."""
    try:
        yield
    except (FileError, UnknownObject, FileNotFoundError, PermissionError, IsADirectoryError, ImportError):
        raise
    except MemoryError as error:
        raise UnsafeFile(f"{path}: it asks for more memory than there is.") from error
    except Exception as error:
        told = str(error) or type(error).__name__
        raise BrokenFile(f"{path}: cannot be read: {told}") from error
