"""The states that a recurrent layer starts from where somebody's ``get_initial_state`` says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from rnn_ref.device import xp
from rnn_ref.layers.autodiff import accepts, pullback
from rnn_ref.layers.recording import Call, now, within
from rnn_ref.layers.variable import value_of


def flat(states) -> list:
    """Nested states as one list."""
    return [leaf for state in states for leaf in flat(state)] if isinstance(states, (list, tuple)) else [states]


def asked(make: Callable, batch_size: int, dtype: str) -> list:
    """What a ``get_initial_state`` returns, in a list, given as many of its arguments as it names."""
    offered = {"batch_size": batch_size, "dtype": dtype}
    known = {name: value for name, value in offered.items() if accepts(make, name)}
    states = make(**known) if known or accepts(make, "inputs") else make(batch_size)
    states = [value_of(state) for state in flat(states)]
    return [state if hasattr(state, "_trace") else xp.asarray(state, dtype) for state in states]


@dataclass
class Started:
    """A tape, and the way back from the initial states to the weights that they were made of.

    Attributes
    ----------
    tape
    back : callable
        See :func:`rnn_ref.layers.autodiff.pullback`.
    """

    tape: Any
    back: Callable

    def __getattr__(self, name: str):
        if name in ("tape", "back"):
            raise AttributeError(name)
        return getattr(self.tape, name)

    def replace(self, tape):
        """The same beginning of another tape."""
        return replace(self, tape=tape)


def recorded_states(make: Callable, what: str) -> tuple[list, Callable | None]:
    """The states that ``make()`` returns, and the way back to weights if it has read any.

    Parameters
    ----------
    make : callable
        Returns a list of states.
    what : str
        For error messages.
    """
    call = now() or Call()
    watched = Call(call.training)
    with within(watched):
        states = make()
    if not watched.read:
        return states, None
    return pullback(make, [], what)
