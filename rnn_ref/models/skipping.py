"""Placeholders for layers of unknown classes in a file, for those who want the rest of the model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rnn_ref.custom_objects import UnknownObject
from rnn_ref.layers.identity import Identity
from rnn_ref.layers.wrapper import layer_from

_allowed: ContextVar[bool] = ContextVar("whether layers of unknown classes are left out", default=False)


class Skipped(Identity):
    """Passes on its first input, in place of a layer of an unknown class.

    Attributes
    ----------
    stands_for : str
        The name of that class.
    """

    def __init__(self, stands_for: str, name: str):
        super().__init__(name=name)
        self.stands_for = stands_for

    def get_config(self) -> dict:
        """Refused: once written, it would look like a layer that somebody intended."""
        raise NotImplementedError(
            f"{self.name}: stands where a layer of the unknown class {self.stands_for} was. Put one in its place "
            "before the model is written or copied: clone_model(model, clone_function=...)."
        )


@contextmanager
def skipping(allowed: bool) -> Iterator[None]:
    """Within this context, :func:`model_layer` replaces unknown layers by placeholders."""
    token = _allowed.set(allowed)
    try:
        yield
    finally:
        _allowed.reset(token)


def model_layer(entry: dict, custom_objects: dict | None = None):
    """A layer of a model from its description; if allowed, a placeholder for one of an unknown class."""
    try:
        return layer_from(entry, custom_objects)
    except UnknownObject as error:
        if not _allowed.get():
            raise
        name = str((entry.get("config") or {}).get("name") or entry.get("name"))
        warnings.warn(f"the layer {name!r} is left out, and its input handed on: {error}", stacklevel=8)
        return Skipped(str(entry["class_name"]), name)
