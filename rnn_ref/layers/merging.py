"""Layers that combine several arrays: Add, Multiply, Concatenate, Dot, and so on.

Elementwise layers broadcast axes of size 1 as NumPy does, and inputs with fewer axes get new ones after the batch.
The gradient of an input that was broadcast is the sum over its copies.
"""

from __future__ import annotations

from rnn_ref.guard import explained
from rnn_ref.layers.merging_axes import Concatenate, Dot
from rnn_ref.layers.merging_numbers import Add, Average, Maximum, Minimum, Multiply, Subtract


@explained
def add(inputs, **layer_options):
    """:class:`Add` as a function."""
    return Add(**layer_options)(inputs)


@explained
def subtract(inputs, **layer_options):
    """:class:`Subtract` as a function."""
    return Subtract(**layer_options)(inputs)


@explained
def multiply(inputs, **layer_options):
    """:class:`Multiply` as a function."""
    return Multiply(**layer_options)(inputs)


@explained
def average(inputs, **layer_options):
    """:class:`Average` as a function."""
    return Average(**layer_options)(inputs)


@explained
def maximum(inputs, **layer_options):
    """:class:`Maximum` as a function."""
    return Maximum(**layer_options)(inputs)


@explained
def minimum(inputs, **layer_options):
    """:class:`Minimum` as a function."""
    return Minimum(**layer_options)(inputs)


@explained
def concatenate(inputs, axis=-1, **layer_options):
    """:class:`Concatenate` as a function."""
    return Concatenate(axis=axis, **layer_options)(inputs)


@explained
def dot(inputs, axes=-1, **layer_options):
    """:class:`Dot` as a function."""
    return Dot(axes=axes, **layer_options)(inputs)
