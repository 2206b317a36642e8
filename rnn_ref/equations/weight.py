"""Weights that a cell's equations use number by number, besides those of products."""

from __future__ import annotations

from typing import Any, NamedTuple


class Weight(NamedTuple):
    """A weight that the equations use number by number.

    Attributes
    ----------
    initializer : str, Initializer, number or function
    per_unit : bool
        One number for each unit, or one for all.
    regularizer, constraint : optional
    """

    initializer: Any
    per_unit: bool
    regularizer: Any = None
    constraint: Any = None


def per_unit(initializer="zeros", *, regularizer=None, constraint=None) -> Weight:
    """A trainable weight of a cell's equations, ``(H,)``: one number for each unit; for an argument's annotation.

    Parameters
    ----------
    initializer : str, Initializer or number
    regularizer, constraint : optional
        As those of other weights.

    Returns
    -------
    Weight

    Examples
    --------
    >>> import rnn_ref
    >>> @rnn_ref.cell(gates=("candidate",), states=("hidden",))
    ... def ind_rnn(x_c, h_prev, u: rnn_ref.per_unit("ones")):
    ...     h = relu(x_c + u * h_prev)
    ...     return h
    >>> [weight.name for weight in ind_rnn(3, input_shape=(7, 2)).weights]
    ['kernel', 'bias', 'u']
    """
    return Weight(initializer, True, regularizer, constraint)


def scalar(initializer="zeros", *, regularizer=None, constraint=None) -> Weight:
    """A trainable weight of a cell's equations, ``(1,)``: one number for all units; for an argument's annotation.

    Parameters and result as of :func:`per_unit`.
    """
    return Weight(initializer, False, regularizer, constraint)
