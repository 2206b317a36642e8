"""One layer in several places of a model: its descriptions carry the same number, and are read back as one layer.

The key is the one in Keras's files, ``shared_object_id``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

KEY = "shared_object_id"

_written: ContextVar[dict | None] = ContextVar("descriptions by id of the layer", default=None)
_read: ContextVar[dict | None] = ContextVar("layers by number", default=None)


@contextmanager
def _scope(variable: ContextVar) -> Iterator[None]:
    """Opened by the outermost model; nested models find it open."""
    if variable.get() is not None:
        yield
        return
    token = variable.set({})
    try:
        yield
    finally:
        variable.reset(token)


def while_writing():
    """Within this context, :func:`note` numbers layers that occur twice."""
    return _scope(_written)


def while_reading():
    """Within this context, :func:`once` makes each numbered layer once."""
    return _scope(_read)


def note(layer, entry: dict) -> dict:
    """Number the description of a layer, and the one written before, if there is one."""
    written = _written.get()
    if written is not None:
        first = written.setdefault(id(layer), entry)
        if first is not entry:
            number = 1 + sum(KEY in other for other in written.values())
            entry[KEY] = first.setdefault(KEY, number)
    return entry


def once(entry: dict, make: Callable):
    """The layer made before for the same number, else a new one."""
    made, number = _read.get(), entry.get(KEY)
    if made is None or number is None:
        return make()
    if number not in made:
        made[number] = make()
    return made[number]
