"""Files that are there whole or not at all: a crash while writing leaves what was there before."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of ``path`` at the end: at once, and only if nothing was raised.

    Raises
    ------
    OSError
        If the disk is full, or the folder is missing or read-only; what was at ``path`` is as before.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> with replacing(folder / "a") as file:
    ...     _ = file.write(b"whole")
    >>> [entry.name for entry in folder.iterdir()], (folder / "a").read_bytes()
    (['a'], b'whole')
    """
    path = Path(path)
    temporary = None
    try:
        # In the same folder, as only within one file system a name can be exchanged at once.
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        before = "what was there before is untouched" if path.exists() else "no file was made"
        raise type(error)(error.errno, f"{path} cannot be written ({error.strerror}); {before}") from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _mode(path: Path) -> int:
    """The permissions of the file that is replaced, or those that a new one would have."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Have the new name itself on the disk; not every system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
