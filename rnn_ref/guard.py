"""At the border of the package: what arguments are, before anything is computed, and no error without a name.

Two things that every public function and class gets for nothing. :func:`guarded` holds the arguments against what the
signature says of them: a type hint (``int``, ``float``, ``bool``, ``str``), the type of the default, or a name that
means the same everywhere (``axis``). What no check has foreseen fails somewhere inside, in NumPy or on an attribute
that is not there; :func:`explained` then says whose arguments they were, what came, and what is expected there. Errors
raised on purpose, and those of code that a user wrote (a callback, a layer's ``call``), pass through both untouched.
"""

from __future__ import annotations

import dis
import functools
import inspect
import os
import re
import sysconfig
from collections.abc import Callable
from types import CodeType, TracebackType
from typing import Any, TypeVar

import numpy as np

from rnn_ref import checks

Function = TypeVar("Function", bound=Callable)
Class = TypeVar("Class", bound=type)
PACKAGE = os.path.dirname(__file__) + os.sep
RAISE, RERAISE = dis.opmap["RAISE_VARARGS"], dis.opmap["RERAISE"]
# Numbers whose default does not say it all, by the name that they have everywhere in the package.
INTERVALS = {
    "dropout": "[0, 1]",
    "recurrent_dropout": "[0, 1]",
    "epsilon": "[0, inf)",
    "momentum": "[0, 1]",
    "low": "[-inf, inf]",
    "high": "[-inf, inf]",
    "max_value": "[-inf, inf]",
    "order": "[-inf, inf]",
    "floor": "[0, inf)",
    "temperature": "[0, inf)",
}
OTHERS_TOO = {"learning_rate", "alpha", "threshold", "thresholds"}  # not always what the default is
# What an argument is by its name, wherever it occurs.
NAMED = {
    "name": lambda value, owner: checks.text(value, "name", owner, optional=True),
    "axis": lambda value, owner: checks.axes(value, "axis", owner),
    "k": lambda value, owner: checks.integer(value, "k", owner, least=1),
    "ignore_class": lambda value, owner: checks.integer(value, "ignore_class", owner, optional=True),
    "input_shape": lambda value, owner: checks.shape(value, "input_shape", owner),
    "batch_input_shape": lambda value, owner: checks.shape(value, "batch_input_shape", owner),
}
# What to say of arguments that a docstring does not mention.
MEANT = {
    "x": "array of numbers with a batch axis, or a list or dict of such arrays",
    "inputs": "array of numbers with a batch axis, or a list or dict of such arrays",
    "mask": "array of True and False, one for each sample and time step",
    "y_true": "array of numbers, shape (B, ...), as many rows as y_pred",
    "y_pred": "array of numbers, shape (B, ...)",
    "sample_weight": "array of numbers, shape (B,) or the beginning of the shape of the losses",
    "axis": "int that the arrays have as an axis",
    "dtype": "str, such as 'float32'",
    "name": "str",
    "config": "dict from get_config()",
}
NAMELESS = (
    "get",
    "deserialize",
    "get_pointwise",
    "serialize",
    "layer_from",
    "FromArray",
)  # whose argument it is, others know
NAMED_ALREADY = re.compile(r"[\w./\[\]()]+( \w+)?: |\S+ cannot work with ")
MEANS_A_VALUE = (ValueError, LookupError, ArithmeticError)
FROM_INSIDE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, StopIteration, AssertionError)
_LIBRARIES = ("numpy", "numba", "llvmlite", "autograd", "matplotlib", "scipy", "pandas")
_STANDARD = sysconfig.get_path("stdlib") + os.sep


def guarded(function: Function) -> Function:
    """Check the arguments of a function, or of a method, against its signature, and explain what fails inside.

    Examples
    --------
    >>> @guarded
    ... def repeat(word: str, times: int = 2):
    ...     return word * times
    >>> repeat("ab", 2.5)
    Traceback (most recent call last):
    ValueError: repeat: `times` must be an integer. Received: times=2.5
    """
    return _wrapped(function, _checks_of(function))


def explained(function: Function) -> Function:
    """Only explain what fails inside: for those that check their arguments themselves, or are called very often."""
    return _wrapped(function)


def guard_class(cls: type, own: str = "rnn_ref.") -> None:
    """Guard the constructor of a class of this package, and its ``from_config``; those of users' classes are theirs."""
    if not cls.__module__.startswith(own):
        return
    if "__init__" in vars(cls):
        cls.__init__ = _constructor(vars(cls)["__init__"])
    for name in ("__call__", "compute_output_shape"):
        if inspect.isfunction(vars(cls).get(name)):
            setattr(cls, name, explained(vars(cls)[name]))
    if isinstance(vars(cls).get("from_config"), classmethod):
        cls.from_config = classmethod(explained(vars(cls)["from_config"].__func__))


def guard_methods(cls: Class) -> Class:
    """A class decorator: guard the constructor and all public methods."""
    for name, method in list(vars(cls).items()):
        if name in ("__init__", "__call__") or not name.startswith("_"):
            if inspect.isfunction(method) and not inspect.isgeneratorfunction(method):
                setattr(cls, name, (_constructor if name == "__init__" else guarded)(method))
            elif isinstance(method, classmethod | staticmethod):
                setattr(cls, name, type(method)(guarded(method.__func__)))
    return cls


class Guarded:
    """Base of classes whose subclasses in this package have guarded constructors and calls."""

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        guard_class(cls)


def _wrapped(function: Callable, first: dict | None = None, last: dict | None = None) -> Any:
    """The function between checks of its arguments before and after it; what fails inside is explained."""
    signature = inspect.signature(function) if first or last else None

    @functools.wraps(function)
    def call(*args, **kwargs):
        if first:
            args, kwargs = _checked_arguments(function, signature, first, args, kwargs)
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            if _can_stay(error):
                _say_whose(error, function, args)
                raise
            if error.__traceback__.tb_next is None:  # the arguments' names or number
                raise TypeError(str(error)) from None
            if last:
                _checked_arguments(function, signature, last, args, kwargs)
            kind = ValueError if isinstance(error, MEANS_A_VALUE) else TypeError
            raise kind(_failure(function, args, kwargs)) from error
        if last:
            _checked_arguments(function, signature, last, args, kwargs)
        return result

    return call


def _constructor(init: Callable) -> Callable:
    """A constructor that refuses what its signature does not mean, once its own checks, which say more, have passed."""
    return _wrapped(init, last=_checks_of(init))


# -- arguments against the signature -------------------------------------------------------------------------


def _checks_of(function: Callable) -> dict[str, Callable]:
    """By name of the argument: a function of the value and its owner, that returns it or raises."""
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        kind = _kind_of(name, parameter)
        if kind is not None:
            found[name] = kind
    return found


def _kind_of(name: str, parameter: inspect.Parameter) -> Callable | None:
    if name in NAMED:
        return NAMED[name]
    hint, default = parameter.annotation, parameter.default
    if hint is not inspect.Parameter.empty:
        text = hint if isinstance(hint, str) else getattr(hint, "__name__", None) or str(hint)
        text = text if isinstance(hint, str | type) else str(hint)
        kind, *rest = [part.strip() for part in text.split("|")]
        if rest not in ([], ["None"]):
            return None
        optional = bool(rest) or default is None
    elif name in OTHERS_TOO:
        return None
    else:
        kind, optional = type(default).__name__, False
        if kind not in ("bool", "float"):  # an int may stand for a tuple of them, a str for an object
            return None
    checker = {"bool": _flag, "int": _integer, "float": _number, "str": _text}.get(kind)
    return checker and functools.partial(checker, name, optional)


def _flag(name, optional, value, owner):
    return None if optional and value is None else checks.flag(value, name, owner)


def _integer(name, optional, value, owner):
    return checks.integer(value, name, owner, optional=optional)


def _number(name, optional, value, owner):
    return checks.number(value, name, owner, INTERVALS.get(name, "(-inf, inf)"), optional)


def _text(name, optional, value, owner):
    return checks.text(value, name, owner, optional)


def _checked_arguments(function, signature, checked, args, kwargs) -> tuple:
    """The arguments, those of ``checked`` as their checks return them; whether they fit, the call itself says."""
    for place, (name, parameter) in enumerate(signature.parameters.items()):
        if name not in checked:
            continue
        if name in kwargs:
            if kwargs[name] is not parameter.default:
                kwargs = kwargs | {name: checked[name](kwargs[name], _owner(function, args))}
        elif place < len(args) and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            value = args[place]
            value = value if value is parameter.default else checked[name](value, _owner(function, args))
            args = (*args[:place], value, *args[place + 1 :])
    return args, kwargs


# -- what fails inside ----------------------------------------------------------------------------------------


def _can_stay(error: Exception) -> bool:
    """Whether an error needs no other words: it was raised on purpose, or in code that is not ours."""
    kind = type(error)
    if not issubclass(kind, FROM_INSIDE) and not kind.__module__.startswith("numba."):  # Numba has a family of its own
        return True
    if issubclass(kind, FloatingPointError):  # asked for, by np.errstate
        return True
    frame = error.__traceback__.tb_next
    if frame is None:
        return kind is not TypeError
    while frame.tb_next is not None:
        if not _known(frame.tb_frame.f_code):
            return True
        frame = frame.tb_next
    return not _known(frame.tb_frame.f_code) or _on_purpose(frame)


def _say_whose(error: Exception, function, args) -> None:
    """Put a name before a message of this package that has none: it was written where the name is not known."""
    owner = _owner(function, args)
    if type(error) not in (ValueError, TypeError, NotImplementedError, checks.UnknownObject) or owner in NAMELESS:
        return
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    text = str(error)
    if _on_purpose(last) and not NAMED_ALREADY.match(text) and owner.partition(".")[0] not in text:
        error.args = (f"{owner}: {text}",)


def _known(code: CodeType) -> bool:
    """Whether code is the package's own, or of a library that works for it: not a user's."""
    path = code.co_filename
    if path.startswith(PACKAGE) or path.startswith(("<frozen ", "<__array_function__")):
        return True
    if path.endswith(".pyx"):  # compiled into NumPy
        return True
    if path.startswith(_STANDARD) and "site-packages" not in path:
        return True
    _, found, tail = path.replace(os.sep, "/").rpartition("site-packages/")
    return bool(found) and tail.split("/")[0].partition(".")[0] in _LIBRARIES


def _on_purpose(frame: TracebackType) -> bool:
    """Whether an error comes from a ``raise`` of this package."""
    code = frame.tb_frame.f_code
    return code.co_filename.startswith(PACKAGE) and code.co_code[frame.tb_lasti] in (RAISE, RERAISE)


def _failure(function, args, kwargs) -> str:
    given = _given(function, args, kwargs)
    came = ", ".join(f"{name}={_short(value)}" for name, value in given.items()) or "no arguments"
    expected = "; ".join(dict.fromkeys(_meant(function, args, name) for name in given)) or "arguments"
    owner = _owner(function, args)
    return f"{'' if owner in NAMELESS else owner + ' '}cannot work with {came}. Expected: {expected}."


def _owner(function, args) -> str:
    """The name of a layer, or else the class or function: what messages begin with."""
    name, _, method = function.__qualname__.rpartition(".")
    if not name or "<locals>" in name:
        return function.__name__
    this = args[0] if args else None
    of_class = this.__name__ if isinstance(this, type) else type(this).__name__ if this is not None else name
    if method == "__init__":
        return of_class
    named = getattr(this, "__dict__", {}).get("name") if not isinstance(this, type) else None
    return f"{named if isinstance(named, str) else of_class}{'' if method == '__call__' else '.' + method}"


def _given(function, args, kwargs) -> dict[str, Any]:
    """Arguments by name, without those that are what they are by default."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except TypeError:
        return dict(kwargs)
    given = {}
    for name, value in bound.arguments.items():
        parameter = bound.signature.parameters[name]
        if parameter.kind is parameter.VAR_KEYWORD:
            given |= value
        elif name not in ("self", "cls") and value is not parameter.default:
            given[name] = value
    return given


def _meant(function, args, name: str) -> str:
    """What an argument is: a line of a docstring, of the function or of its class and those above; or its type."""
    documents = [inspect.getdoc(function)]
    if args:
        cls = args[0] if isinstance(args[0], type) else type(args[0])
        documents += [inspect.getdoc(each) for each in cls.__mro__[:-1]]
    for line in "\n".join(filter(None, documents)).splitlines():
        match = re.fullmatch(r"(\*{0,2}\w[\w, *]*?) ?: (\S.*)", line)
        if match and name in re.split(r", ?", match[1].lstrip("*")):
            return f"{name}: {match[2]}"
    if name in MEANT:
        return f"{name}: {MEANT[name]}"
    parameter = inspect.signature(function).parameters.get(name)
    if parameter is None or parameter.default in (None, parameter.empty):
        return f"{name} as help({function.__qualname__.removesuffix('.__init__')}) describes it"
    return f"{name}: such as {parameter.default!r}"


def _short(value) -> str:
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}, {value.dtype}"
    if isinstance(value, list | tuple) and any(isinstance(each, np.ndarray) for each in value):
        return f"[{', '.join(map(_short, value))}]"
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 60 else text[:57] + "..."
