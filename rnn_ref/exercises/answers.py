"""What checks are made of: run an answer, hold it against the truth, and say what is wrong with it."""

from __future__ import annotations

import copy
import inspect
import traceback
from collections.abc import Mapping

import numpy as np


class Wrong(Exception):
    """An answer is wrong; the message says what is."""


class Unanswered(Exception):
    """Nothing has been filled in."""


def is_blank(answer) -> bool:
    """Whether an answer is what stands where something is to be filled in."""
    return answer is None or answer is Ellipsis or (isinstance(answer, tuple) and any(map(is_blank, answer)))


def function(answer, *parameters: str):
    """The answer, if it is a function that takes these parameters in this order."""
    if is_blank(answer):
        raise Unanswered
    wanted = f"{getattr(answer, '__name__', 'answer')}({', '.join(parameters)})"
    if not callable(answer):
        raise Wrong(
            f"expected a function of {', '.join(parameters)}, got {answer!r}: give the function, not its result."
        )
    try:
        inspect.signature(answer).bind(*parameters)
    except TypeError:
        raise Wrong(f"expected {wanted}, which takes {len(parameters)} arguments; yours does not.") from None
    return answer


def run(answer, *arguments, shown: str):
    """Call a function on copies; ``shown`` says with what, in case that it fails."""
    given = copy.deepcopy(arguments)
    try:
        value = answer(*given)
    except NotImplementedError:
        raise Unanswered from None
    except Exception as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.name == answer.__name__]
        line = f", in the line `{own[-1].line}`" if own and own[-1].line else ""
        raise Wrong(f"with {shown} it raised {type(error).__name__}: {error}{line}.") from None
    if is_blank(value):
        raise Unanswered
    for before, after in zip(arguments, given):
        if isinstance(before, np.ndarray) and not np.array_equal(before, after):
            raise Wrong("it changes an array that it was given; whoever calls it may need that array again.")
    return value


def parts(value, *names: str) -> tuple:
    """A tuple of as many values as there are names."""
    if is_blank(value):
        raise Unanswered
    if not isinstance(value, tuple | list) or len(value) != len(names):
        got = f"{len(value)} values" if isinstance(value, tuple | list) else type(value).__name__
        raise Wrong(f"it should return {len(names)} values, {', '.join(names)}; it returned {got}.")
    return tuple(value)


def array(value, shape: tuple[int, ...], name: str) -> np.ndarray:
    """A float array of this shape."""
    try:
        found = np.asarray(value, dtype="float64")
    except (TypeError, ValueError):
        raise Wrong(f"{name} should be numbers of shape {shape}, got {type(value).__name__}.") from None
    if found.shape != shape:
        turned = ": transposed?" if found.shape == shape[::-1] else "."
        raise Wrong(f"{name} should have shape {shape}, got {found.shape}{turned}")
    if not np.isfinite(found).all():
        raise Wrong(f"{name} has entries that are not finite.")
    return found


def compare(value, truth, name: str, mistakes: Mapping[str, object] | None = None, *, rtol=1e-6, atol=1e-9) -> None:
    """Pass if ``value`` is ``truth``; otherwise say which mistake it comes from, or where it differs first.

    Parameters
    ----------
    value : number or array_like
    truth : number or ndarray
    name : str
        What it is, with what it was asked for.
    mistakes : dict of str to number or ndarray, optional
        What typical mistakes lead to, by what is to be said about them.
    rtol, atol : float
    """
    truth = np.asarray(truth, dtype="float64")
    found = array(value, truth.shape, name)
    if np.allclose(found, truth, rtol=rtol, atol=atol):
        return
    for message, wrong in (mistakes or {}).items():
        if np.shape(wrong) == truth.shape and np.allclose(found, wrong, rtol=rtol, atol=atol):
            raise Wrong(message)
    if truth.ndim == 0:
        raise Wrong(f"{name} should be {truth:.6g}, got {found:.6g}.")
    place = tuple(int(k) for k in np.argwhere(~np.isclose(found, truth, rtol=rtol, atol=atol))[0])
    right = int(np.isclose(found, truth, rtol=rtol, atol=atol).sum())
    raise Wrong(
        f"{name}{list(place)} should be {truth[place]:.6g}, got {found[place]:.6g} ({right} of {truth.size} entries "
        "are right)."
    )
