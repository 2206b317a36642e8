"""Layers that merge inputs elementwise: sums, products, means, extremes."""

from __future__ import annotations

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.merge import Merge, spread


class Add(Merge):
    """Sum.

        y = x_1 + x_2 + ...

    Input: a list of arrays ``(B, ...)``; the output has their shape, with axes of size 1 broadcast.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/add/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Add()([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[11., 22.]], dtype=float32)
    """

    def merge(self, inputs, masks):
        y = inputs[0]
        for x in inputs[1:]:
            y = y + x
        return y, None

    def merge_back(self, inputs, memory, dy):
        """``dx_k = dy``."""
        return [dy] * len(inputs)


class Subtract(Merge):
    """Difference of two inputs.

        y = x_1 - x_2

    Input: a list of two arrays ``(B, ...)``; the output has their shape, with axes of size 1 broadcast.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/subtract/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Subtract()([[[10.0, 20.0]], [[1.0, 2.0]]])
    array([[ 9., 18.]], dtype=float32)
    """

    inputs_expected = 2

    def merge(self, inputs, masks):
        return inputs[0] - inputs[1], None

    def merge_back(self, inputs, memory, dy):
        """``dx_1 = dy``, ``dx_2 = -dy``."""
        return [dy, -dy]


class Average(Add):
    """Mean of the inputs.

        y = (x_1 + ... + x_n) / n

    Input: a list of arrays ``(B, ...)``; the output has their shape, with axes of size 1 broadcast.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/average/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Average()([[[1.0, 2.0]], [[3.0, 6.0]]])
    array([[2., 4.]], dtype=float32)
    """

    def merge(self, inputs, masks):
        y, memory = super().merge(inputs, masks)
        return y / len(inputs), memory

    def merge_back(self, inputs, memory, dy):
        """``dx_k = dy / n``."""
        return super().merge_back(inputs, memory, dy / len(inputs))


class Multiply(Merge):
    """Elementwise product.

        y = x_1 ⊙ x_2 ⊙ ...

    A masked step counts as a factor of 1; if all inputs have a mask, ``y`` is 0 where all are masked.
    Input: a list of arrays ``(B, ...)``; the output has their shape, with axes of size 1 broadcast.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/multiply/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Multiply()([[[1.0, 2.0]], [[10.0, 20.0]]])
    array([[10., 40.]], dtype=float32)
    """

    takes_mask = True

    def merge(self, inputs, masks):
        """The memory: the factors, the mask of each, and the mask of the output (None where there is none)."""
        masks = [None if m is None else spread(m, x.shape) for x, m in zip(inputs, masks)]
        factors = [x if m is None else xp.where(m, x, 1) for x, m in zip(inputs, masks)]
        y = factors[0]
        for factor in factors[1:]:
            y = y * factor
        counted = None
        if all(m is not None for m in masks):
            counted = masks[0]
            for m in masks[1:]:
                counted = counted | m
            y = xp.where(counted, y, 0)
        return y, (factors, masks, counted)

    def merge_back(self, inputs, memory, dy):
        """``dx_k = dy`` times the other factors; dividing y by x_k would fail where x_k is 0."""
        factors, masks, counted = memory
        if counted is not None:
            dy = xp.where(counted, dy, 0)
        gradients = []
        for k, m in enumerate(masks):
            dx = dy
            for j, factor in enumerate(factors):
                if j != k:
                    dx = dx * factor
            gradients.append(dx if m is None else xp.where(m, dx, 0))
        return gradients


class Extremum(Merge):
    """What Maximum and Minimum share: they take one input after another, ignoring masked steps."""

    takes_mask = True

    def extremum(self, a, b) -> np.ndarray:
        """The elementwise winner of two arrays."""
        raise NotImplementedError(f"{type(self).__name__} has no extremum().")

    def merge(self, inputs, masks):
        """The memory: for each step ``(a, b, m_y, m_x)``, what was compared and which masks were used."""
        masks = [None if m is None else spread(m, x.shape) for x, m in zip(inputs, masks)]
        y, m_y, steps = inputs[0], masks[0], []
        for x, m_x in zip(inputs[1:], masks[1:]):
            b = x if m_x is None else xp.where(m_x, x, y)
            a = y if m_y is None else xp.where(m_y, y, b)
            steps.append((a, b, m_y, m_x))
            m_y = None if m_x is None or m_y is None else m_y | m_x
            y = self.extremum(a, b)
        return y, steps

    def merge_back(self, inputs, memory, dy):
        """The gradient goes to the input that was chosen; equal ones get half each."""
        gradients = []
        for a, b, m_y, m_x in reversed(memory):
            # The gradients stay in the full shape here; broadcast axes are summed at the end.
            taken = self.extremum(a, b)
            da = dy * ((a == taken) - 0.5 * (a == b)).astype(dy.dtype)
            db = dy - da
            if m_y is not None:
                da, db = xp.where(m_y, da, 0), xp.where(m_y, db, db + da)
            if m_x is not None:
                da, db = xp.where(m_x, da, da + db), xp.where(m_x, db, 0)
            gradients.append(db)
            dy = da
        return [dy, *reversed(gradients)]


class Maximum(Extremum):
    """Elementwise maximum of the inputs.

        y = max(x_1, x_2, ...)

    Masked steps are ignored. Input: a list of arrays ``(B, ...)``; the output has their broadcast shape.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/maximum/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Maximum()([[[1.0, 5.0]], [[3.0, 2.0]]])
    array([[3., 5.]], dtype=float32)
    """

    def extremum(self, a, b):
        """The larger number of each pair."""
        return xp.maximum(a, b)


class Minimum(Extremum):
    """Elementwise minimum of the inputs.

        y = min(x_1, x_2, ...)

    Masked steps are ignored. Input: a list of arrays ``(B, ...)``; the output has their broadcast shape.

    Parameters
    ----------
    **layer_options
        ``name``, ``dtype``, ``trainable``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/merging_layers/minimum/

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.layers.Minimum()([[[1.0, 5.0]], [[3.0, 2.0]]])
    array([[1., 2.]], dtype=float32)
    """

    def extremum(self, a, b):
        """The smaller number of each pair."""
        return xp.minimum(a, b)
