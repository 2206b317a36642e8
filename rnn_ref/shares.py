"""The seam to training on several processes: each has a share of every batch, and all of them one model.

A loss, a gradient or a penalty that is a mean over a batch divides by what the *whole* batch has; then the sum over
all shares is what one process finds with the batch whole. Nothing here knows how processes talk to each other: that is
`rnn_ref.distribution`'s, which sets what :func:`together` returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

_together: Any = None
_share: Share | None = None


class Share(NamedTuple):
    """This process's part of the batch at hand.

    Attributes
    ----------
    rows, total : int
        Samples here, and of the whole batch.
    first : bool
        Whether this is the process that adds what belongs to no sample.
    add_up : callable
        From a number of this process to the sum over all.
    """

    rows: int
    total: int
    first: bool
    add_up: Callable[[float], float]


def together() -> Any:
    """Who trains on several processes, or None."""
    return _together


def set_together(distribution: Any) -> None:
    """Train with the processes of a distribution from now on; None: alone."""
    global _together
    _together = distribution


@contextmanager
def taking(share: Share) -> Iterator[None]:
    """What is computed here is of this share of a batch."""
    global _share
    before, _share = _share, share
    try:
        yield
    finally:
        _share = before


def whole(size: int) -> int:
    """How many there are in the whole batch of what this share has ``size`` of, as many for each sample.

    >>> with taking(Share(2, 8, True, float)):
    ...     whole(6)
    24
    """
    return size if _share is None else size * _share.total // _share.rows


def counted(amount):
    """The same of what only a look at the data tells, such as the steps that a mask leaves: all shares are asked."""
    return amount if _share is None else amount.dtype.type(_share.add_up(float(amount)))


def is_first() -> bool:
    """Whether to add here what belongs to no sample: penalties on weights."""
    return _share is None or _share.first


def refuse(what: str) -> None:
    """Where something is known for a batch as a whole only."""
    if _share is not None:
        raise NotImplementedError(
            f"{what}, which cannot be put together from shares of the batch. Return a number for each sample, or train "
            "on one process: distribution.set_distribution(None)."
        )
