"""Packing the parts of a batch into one tuple and unpacking it, for custom ``train_step`` methods."""

from __future__ import annotations

from typing import Any

from rnn_ref.guard import guarded


@guarded
def unpack_x_y_sample_weight(data: Any, source: str = "data", *, lists: bool = True) -> tuple:
    """``x``, ``y`` and ``sample_weight`` of a batch; None for those that are missing.

    Parameters
    ----------
    data
        ``x`` alone, or a tuple or list of one to three parts.
    source : str
        Where it comes from, for error messages.
    lists : bool
        Whether a list counts as a tuple.

    Raises
    ------
    ValueError
        If there are no parts, or more than three.

    Examples
    --------
    >>> unpack_x_y_sample_weight(("x", "y"))
    ('x', 'y', None)
    """
    if isinstance(data, list) and not lists:
        raise ValueError(
            f"{source}: a generator gives tuples (x,), (x, y) or (x, y, sample_weight), got a list of {len(data)}."
        )
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(f"{source}: a batch is (x,), (x, y) or (x, y, sample_weight), got {len(data)} entries.")
    return (*data, None, None)[:3]


@guarded
def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The shortest form of a batch: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``.

    An ``x`` that is itself a list or tuple becomes ``(x,)``.

    Examples
    --------
    >>> pack_x_y_sample_weight("x"), pack_x_y_sample_weight("x", "y"), pack_x_y_sample_weight(["a", "b"])
    ('x', ('x', 'y'), (['a', 'b'],))
    """
    if y is None:
        return (x,) if isinstance(x, (tuple, list)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
