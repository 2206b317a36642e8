"""The states that a recurrent layer starts from, if a user's ``get_initial_state`` defines them."""

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
    """The result of a ``get_initial_state`` as a list, called with those arguments that it has."""
    offered = {"batch_size": batch_size, "dtype": dtype}
    known = {name: value for name, value in offered.items() if accepts(make, name)}
    states = make(**known) if known or accepts(make, "inputs") else make(batch_size)
    states = [value_of(state) for state in flat(states)]
    return [state if hasattr(state, "_trace") else xp.asarray(state, dtype) for state in states]


@dataclass
class Started:
    """A tape, and the backward pass from the initial states to the weights that they were made from.

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
        """The same initial states with another tape."""
        return replace(self, tape=tape)


def recorded_states(make: Callable, what: str) -> tuple[list, Callable | None]:
    """The states that ``make()`` returns, and the backward pass to weights if it has read any.

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
