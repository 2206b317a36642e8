"""Wraps every layer's ``build``, so that the layer counts as built afterwards, whoever called it."""

from __future__ import annotations

import functools
from collections.abc import Callable

from rnn_ref.layers.symbolic import map_shapes


def built_once(build: Callable) -> Callable:
    """The ``build`` of a class, which marks the layer as built; ``super().build(...)`` inside it does not."""
    if getattr(build, "_marks_as_built", False):
        return build

    @functools.wraps(build)
    def wrapped(self, *shapes, **named_shapes):
        if hasattr(self, "walk_layers") or self.__dict__.get("_building"):  # models may be built again
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
            self._weights = before  # so that it can be tried again with another shape
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
