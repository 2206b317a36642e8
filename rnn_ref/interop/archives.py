"""Zip archives, read with limits: nothing is unpacked to disk, and no more is read than is plausible for the file."""

from __future__ import annotations

import os
import stat
import zipfile

from rnn_ref.interop.errors import BrokenFile, UnsafeFile, reading

MEMBERS = 10_000
EXPANSION = 100  # times its size in the archive; Keras does not compress at all
SMALL = 1 << 20  # bytes up to which expansion is not checked


def read_members(path, wanted: dict[str, int]) -> dict[str, bytes]:
    """The requested members of an archive, as far as they exist.

    Parameters
    ----------
    path : str, path, or file open for reading bytes
    wanted : dict of str to int
        The most bytes that each may have.

    Raises
    ------
    UnsafeFile
        For an archive with too many members, names that lead outside, links, encryption, or impossible sizes.
    BrokenFile
        If it is not an archive, or damaged.
    """
    with reading(path):
        size = _size(path)
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check(entries, size, path)
            return {
                entry.filename: _read(archive, entry, wanted[entry.filename], path)
                for entry in entries
                if entry.filename in wanted
            }


def _size(file) -> int:
    if not hasattr(file, "seek"):
        return os.stat(file).st_size
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def _check(entries: list[zipfile.ZipInfo], size: int, path) -> None:
    if len(entries) > MEMBERS:
        raise UnsafeFile(f"{path}: has {len(entries)} members; at most {MEMBERS} are read.")
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names):
        raise UnsafeFile(f"{path}: has two members of one name.")
    if sum(entry.compress_size for entry in entries) > size:
        raise UnsafeFile(f"{path}: its members are larger together than the file; they lie over each other.")
    for entry in entries:
        name = entry.filename
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
            raise UnsafeFile(f"{path}: the member {name!r} lies outside of the archive.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise UnsafeFile(f"{path}: the member {name!r} is a link.")
        if entry.flag_bits & 1:
            raise UnsafeFile(f"{path}: the member {name!r} is encrypted.")
        if entry.file_size > max(SMALL, EXPANSION * entry.compress_size):
            raise UnsafeFile(
                f"{path}: the member {name!r} would grow from {entry.compress_size} to {entry.file_size} bytes."
            )


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int, path) -> bytes:
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnsafeFile(f"{path}: the member {entry.filename!r} is compressed in a way that is not read.")
    if entry.file_size > most:
        raise UnsafeFile(f"{path}: the member {entry.filename!r} has {entry.file_size} bytes; at most {most} are read.")
    with archive.open(entry) as member:
        content = member.read(entry.file_size + 1)
        if len(content) != entry.file_size or member.read(1):
            raise BrokenFile(f"{path}: the member {entry.filename!r} is not of the size that the archive says.")
    return content
