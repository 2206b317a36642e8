"""Compiled kernels on disk: never stale, never in the way.

A kernel is compiled anew exactly if a file that it was made from changed: its own, or one of this package that it
imports, directly or not. Numba looks at the function's own file alone; after an edit to an equation in another file
the old machine code would silently stay.

A file that is damaged counts as missing, and where nothing can be written kernels live in memory only; either is said
once, in a warning.
"""

from __future__ import annotations

import ast
import glob
import hashlib
import os
import pickle
import warnings
from functools import cache
from pathlib import Path

from numba.core import caching

from rnn_ref.hardware import CACHE_STAMP

PACKAGE = Path(__file__).parent
LATEST = 8  # of a cell that is written as equations: versions, times precisions, times processors
ADVICE = "set the environment variable NUMBA_CACHE_DIR to a folder that you may write to"


# -- what a kernel was made from ---------------------------------------------------------------------------------------


def _file_of(parts: list[str], root: Path) -> Path | None:
    """Of the module with this name, below the folder that holds the package."""
    path = root.joinpath(*parts)
    candidates = path / "__init__.py", path.with_suffix(".py") if parts else path
    return next((file for file in candidates if file.is_file()), None)


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def _statements(body: list):
    """Every statement that may run, those inside functions too; expressions are not looked into, which takes longer."""
    for node in body:
        if not _is_for_type_checkers(node):
            yield node
            for inner in ("body", "orelse", "finalbody", "handlers", "cases"):
                yield from _statements(getattr(node, inner, ()))


@cache
def _imports(file: Path, package: Path) -> tuple[Path, ...]:
    """The files of the package that this file imports. ``from a import b`` is the module ``a.b`` where there is one."""
    root, found = package.parent, set()
    for node in _statements(ast.parse(file.read_bytes()).body):
        if isinstance(node, ast.Import):
            modules = [(alias.name.split("."), None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(file.relative_to(root).parent.parts) if node.level else []
            base = base[: len(base) - max(node.level - 1, 0)] + (node.module.split(".") if node.module else [])
            modules = [(base, alias.name) for alias in node.names]
        else:
            continue
        for parts, name in modules:
            if parts[:1] == [package.name]:
                found.add((name and _file_of([*parts, name], root)) or _file_of(parts, root))
    return tuple(sorted(found - {None, file}))


def sources(file: Path, package: Path = PACKAGE) -> list[Path]:
    """The file, and those of the package that it imports, directly or not."""
    seen, waiting = set(), [file]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting += _imports(file, package)
    return sorted(seen)


@cache
def source_stamp(file: Path, package: Path = PACKAGE) -> str:
    """Hash of all that the kernels in this file are made from."""
    digest = hashlib.sha256()
    for source in sources(file, package):
        content = source.read_bytes()
        digest.update(f"{os.path.relpath(source, package)} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()


# -- files -------------------------------------------------------------------------------------------------------------


@cache
def _warn(what: str, advice: str) -> None:
    """Once for each kind of trouble."""
    warnings.warn(f"rnn_ref: {what}; {advice}.", RuntimeWarning, stacklevel=2)


def _damaged(where: str) -> None:
    _warn("a file of compiled kernels is damaged and is made anew", f"it lies in {where}")


def _not_kept(error: OSError | None = None) -> None:
    reason = f" ({error})" if error else ""
    _warn(f"compiled kernels cannot be kept on disk{reason}: every start compiles them, for minutes", ADVICE)


class _Files(caching.IndexDataCacheFile):
    """Machine code goes to disk before the index that names it, with a checksum, under a name that only it can have.

    So neither a process that is killed while it writes nor two that write together leave an index that names another's.
    """

    def __init__(self, cache_path, filename_base, source_stamp, latest: int | None = None):
        super().__init__(cache_path, filename_base, source_stamp)
        self._latest = latest  # how many are kept; all, unless whoever edits a cell would leave one at every edit
        self._begin = f"{filename_base}.", f"{filename_base}.{source_stamp[:12]}."  # of all names, of this source's

    def save(self, key, data):
        name = f"{self._begin[1]}{hashlib.sha256(repr(key).encode()).hexdigest()[:12]}.nbc"
        self._save_data(name, data)
        index = {**self._load_index(), key: name}
        for old in list(index)[: -self._latest] if self._latest else ():
            Path(self._data_path(index.pop(old))).unlink(missing_ok=True)
        self._save_index(index)
        self._forget_earlier_sources()

    def _forget_earlier_sources(self) -> None:
        """Should a process that runs still want their machine code, it compiles anew."""
        for path in Path(self._cache_path).glob(glob.escape(self._begin[0]) + "*.nbc"):
            if not path.name.startswith(self._begin[1]):
                path.unlink(missing_ok=True)

    def _load_index(self):
        try:
            return super()._load_index()
        except Exception:  # whatever unpickling makes of other bytes than were written
            _damaged(self._cache_path)
            return {}

    def load(self, key):
        try:
            return super().load(key)
        except Exception:
            _damaged(self._cache_path)
            return None

    def _save_data(self, name, data):
        content = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(hashlib.sha256(content).digest() + content)

    def _load_data(self, name):
        content = Path(self._data_path(name)).read_bytes()
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            raise ValueError(f"{name} is not as it was written")
        return pickle.loads(content[32:])


def _stamped(locator: type) -> type:
    return type(locator.__name__, (locator,), {"get_source_stamp": lambda self: source_stamp(Path(self._py_file))})


class _ReadOnlyLocator(_stamped(caching.InTreeCacheLocator)):
    """Beside the source, as in an image that was made by somebody else: to be read, not to be written to."""

    def ensure_cache_path(self):
        pass


class _Implementation(caching.CompileResultCacheImpl):
    _locator_classes = [  # noqa: RUF012 - Numba's own attribute
        _stamped(caching.UserProvidedCacheLocator),
        _stamped(caching.InTreeCacheLocator),
        _stamped(caching.UserWideCacheLocator),
        _ReadOnlyLocator,
    ]


class KernelCache(caching.FunctionCache):
    """What Numba asks for machine code, and gives it to. Where nothing can be written it may still be read.

    ``made_from`` is a hash of what a function's closure holds, for one that is made anew for every cell.
    """

    _impl_class = _Implementation

    def __init__(self, function, made_from: str = ""):
        self._made_from = made_from
        super().__init__(function)
        implementation = self._impl
        self._cache_file = self._files(implementation.locator)
        beside = _ReadOnlyLocator(function, function.__code__.co_filename)
        self._beside = None if beside.get_cache_path() == self._cache_path else self._files(beside)
        self._read_only = isinstance(implementation.locator, _ReadOnlyLocator)

    def _files(self, locator) -> _Files:
        latest = LATEST if self._made_from else None
        return _Files(locator.get_cache_path(), self._impl.filename_base, locator.get_source_stamp(), latest)

    def _index_key(self, sig, codegen):
        if self._made_from:  # what its closure holds; Numba would pickle that, to other bytes in every process
            code = hashlib.sha256(self._py_func.__code__.co_code).hexdigest()
            return sig, codegen.magic_tuple(), (code, self._made_from), CACHE_STAMP
        return (*super()._index_key(sig, codegen), CACHE_STAMP)

    def _load_overload(self, sig, target_context):
        key = self._index_key(sig, target_context.codegen())
        for files in filter(None, (self._cache_file, self._beside)):
            data = files.load(key)
            if data is not None:
                return self._impl.rebuild(target_context, data)
        return None

    def save_overload(self, sig, data):
        if self._read_only:
            _not_kept()
            return
        try:
            super().save_overload(sig, data)
        except OSError as error:  # the folder went, or the disk is full
            _not_kept(error)
