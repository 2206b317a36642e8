"""Wraps every layer's ``build``: whoever calls it, the layer counts as built afterwards."""

from __future__ import annotations

import functools
from collections.abc import Callable

from rnn_ref.layers.symbolic import map_shapes


def built_once(build: Callable) -> Callable:
    """``build`` of a class, marking its layer as built; ``super().build(...)`` inside does not."""
    if getattr(build, "_marks_as_built", False):
        return build

    @functools.wraps(build)
    def wrapped(self, *shapes, **named_shapes):
        if hasattr(self, "walk_layers") or self.__dict__.get("_building"):  # models may be built anew
            return build(self, *shapes, **named_shapes)
        if self.built and self.weights:
            raise ValueError(
                f"{self.name}: build was called, but this layer is built already, for inputs of shape "
                f"{self.input_shape}. Make a new layer for other inputs."
            )
        before = dict(self._weights)
        self._building = True
        try:
            build(self, *shapes, **named_shapes)
        except BaseException:
            self._weights = before  # for another attempt, with another shape
            raise
        finally:
            del self._building
        shape = next(iter((*shapes, *named_shapes.values())), None)
        if shape is not None:
            self.input_shape = map_shapes(shape, _as_ints)
        self.built = True

    wrapped._marks_as_built = True
    return wrapped


def _as_ints(shape: tuple) -> tuple:
    return tuple(None if size is None else int(size) for size in shape)
