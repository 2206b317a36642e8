"""Misspelt arguments: an error that says what was meant."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable


def unknown_argument(name: str, known: Iterable[str], owner: str) -> TypeError:
    """The error about an argument that does not exist.

    Examples
    --------
    >>> unknown_argument("return_sequence", ["units", "return_sequences"], "LSTM")
    TypeError("LSTM has no argument 'return_sequence'. Did you mean 'return_sequences'?")
    """
    known = list(dict.fromkeys(known))
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Its arguments are {', '.join(known) or 'none'}."
    return TypeError(f"{owner} has no argument {name!r}. {hint}")


_HANDED_ON = ("layer_options", "*")  # how this package writes the options of the class above; else they are its own


def arguments_of(cls: type) -> list[str]:
    """Names of a constructor's arguments: where it hands ``**options`` on, also those of the class above."""
    names = []
    for each in cls.__mro__:
        if "__init__" in vars(each) and each is not object:
            named, open_end = _names(each.__init__)
            names += named[1:]
            if not open_end:
                break
    return list(dict.fromkeys(names))


@functools.cache
def _names(function: Callable) -> tuple[tuple[str, ...], str]:
    """Names of arguments, and what takes any others: the name of a dict, or ``*args`` and it."""
    parameters = inspect.signature(function).parameters.values()
    named = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    open_end = "".join(p.name for p in parameters if p.kind is p.VAR_KEYWORD)
    return named, "*" if open_end and any(p.kind is p.VAR_POSITIONAL for p in parameters) else open_end


class Spelled:
    """Base of classes whose constructor says what was meant by a misspelt argument.

    It looks only where Python itself would refuse: what a user's constructor that takes any argument does with them is
    its own business.
    """

    def __new__(cls, *arguments, **options):
        if options:
            _, open_end = _names(cls.__init__)
            constructors = [c for c in cls.__mro__ if "__init__" in vars(c) and c is not object]
            ours = all(c.__module__.startswith("rnn_ref.") for c in constructors) and open_end in _HANDED_ON
            if not open_end or ours:
                known = arguments_of(cls)
                for name in options:
                    if name not in known:
                        raise unknown_argument(name, known, cls.__name__)
        return super().__new__(cls)


def spelled(function: Callable) -> Callable:
    """A method whose misspelt arguments are answered with what was meant."""
    named, open_end = _names(function)

    @functools.wraps(function)
    def checked(self, *arguments, **options):
        for name in options:
            if name not in named and not open_end:
                raise unknown_argument(name, named[1:], f"{type(self).__name__}.{function.__name__}()")
        return function(self, *arguments, **options)

    return checked
