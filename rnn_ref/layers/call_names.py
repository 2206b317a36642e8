"""The arguments that a layer's call accepts, for errors about one that it does not."""

from __future__ import annotations

from functools import cache
from inspect import Parameter, signature

from rnn_ref.spelling import unknown_argument

FOR_KERNELS = ("keep_z", "x_drop", "h_drop")  # of recurrent layers and their wrappers
NOT_GIVEN = object()  # takes the place of a layer's input
KERAS = ("inputs", "sequences", "sequence", "x")  # names for it in Keras and here
ALWAYS = ("mask", "training")  # accepted by every layer; ignored if not needed


@cache
def _named(function) -> tuple[tuple[str, ...], bool]:
    """The names of arguments after ``self`` and the input, and whether any others are accepted."""
    parameters = list(signature(function).parameters.values())
    names = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return names[2:] if names[:1] == ("self",) else names[1:], any(p.kind is Parameter.VAR_KEYWORD for p in parameters)


def check_names(layer, arguments: dict) -> None:
    """Raise a TypeError about the first argument that the layer does not accept."""
    unknown = [name for name in arguments if name not in ALWAYS and name not in layer.call_arguments]
    if not unknown:
        return
    known, takes_any = _of_call(layer)
    for name in unknown:
        if name not in known and not takes_any:
            known = dict.fromkeys([*layer.call_arguments, *known, *ALWAYS])
            shown = [each for each in known if each not in (*FOR_KERNELS, "record", "run_cell")]
            raise unknown_argument(name, shown, f"{layer.name}: the call of {type(layer).__name__}")


def _of_call(layer) -> tuple[tuple[str, ...], bool]:
    if layer.by_call or hasattr(layer, "walk_layers"):
        return _named(layer.call if "call" in vars(layer) else type(layer).call)
    known, takes_any = _named(type(layer).forward)
    if not takes_any:
        return known, False
    if hasattr(layer, "cell") or hasattr(layer, "directions"):
        return known + FOR_KERNELS, False
    if "layer" not in vars(layer):
        return known, True
    inner, takes_any = _of_call(layer.layer)  # TimeDistributed passes them on
    return known + inner, takes_any


def first_by_name(layer, arguments: dict):
    """Take a layer's input out of the keyword arguments of a call.

    Raises
    ------
    TypeError
        If it is missing.
    """
    own_call = layer.by_call or hasattr(layer, "walk_layers")
    names = KERAS
    if own_call:
        names = tuple(signature(layer.call).parameters)
        names = names[:1] + (("x",) if "x" not in names else ())  # the name used everywhere here
    for name in names:
        if name in arguments and (own_call or name not in layer.call_arguments):
            return arguments.pop(name)
    raise TypeError(
        f"{layer.name}: called without its input. Expected: {' or '.join(names[:1]) or 'x'}, an array, or a list or "
        f"dict of arrays. Received: {', '.join(sorted(arguments)) or 'nothing'}."
    )
