"""Checks of single arguments of ``fit``, ``evaluate`` and ``predict``."""

from __future__ import annotations

import warnings
from typing import Any

from rnn_ref import checks


def check_verbose(verbose: Any, name: str) -> int:
    """``verbose`` as 0, 1 or 2."""
    if isinstance(verbose, str) and verbose == "auto":
        return 1
    if isinstance(verbose, bool):
        return int(verbose)
    verbose = checks.integer(verbose, "verbose", name, least=0)
    if verbose > 2:
        raise ValueError(f"{name}: verbose must be 'auto', 0, 1 or 2, got {verbose!r}.")
    return verbose


def check_steps(steps: Any, what: str, name: str) -> int | None:
    """A number of batches, or None."""
    return checks.integer(steps, what, name, least=1, optional=True)


def check_epochs(initial_epoch: Any, epochs: Any, name: str) -> range:
    """The range of epochs to train."""
    epochs = checks.integer(epochs, "epochs", name, least=0)
    initial_epoch = checks.integer(initial_epoch, "initial_epoch", name, least=0)
    if initial_epoch >= max(epochs, 1):
        warnings.warn(
            f"{name}: nothing to train: initial_epoch={initial_epoch}, and epochs={epochs} is the number of the last, "
            "not how many are added.",
            stacklevel=3,
        )
    return range(initial_epoch, epochs)


def check_validation_freq(freq: Any, name: str) -> int | set[int]:
    """How often to validate: every so many epochs, or after the listed ones (counted from 1)."""
    if isinstance(freq, (list, tuple, set, range)):
        return {checks.integer(epoch, "an entry of validation_freq", name, least=1) for epoch in freq}
    return checks.integer(freq, "validation_freq", name, least=1)


def is_due(epoch: int, freq: int | set[int]) -> bool:
    """Whether to validate after this epoch, counted from 0.

    Examples
    --------
    >>> [epoch for epoch in range(6) if is_due(epoch, 2)], [epoch for epoch in range(6) if is_due(epoch, {1, 4})]
    ([1, 3, 5], [0, 3])
    """
    return epoch + 1 in freq if isinstance(freq, set) else (epoch + 1) % freq == 0
