"""Which methods of a class are used: ``forward`` with its ``backward``, or a ``call`` that autograd differentiates.

Whatever a subclass overrides takes effect. The most derived class decides: if it defines ``forward``, its own
``backward`` is used; if it defines only ``call``, that is differentiated, even if a base class has a ``forward``, and
``super().call`` is then the base class's computation, as one step of what is differentiated.
"""

from __future__ import annotations

import inspect

# Belong to a ``forward``, and do not apply to a ``call`` that a subclass puts in its place.
GOES_WITH_FORWARD = ("forward", "backward", "run", "can_forget", "compute_output_shape", "call_output_shape")


def choose_way(cls: type, base: type) -> None:
    """Record on a new class which of its methods are used.

    ``written`` is the nearest class with a ``forward`` of its own, or None; ``by_call`` says that ``call`` is used;
    ``holds_layers``, that layers and weights in its attributes are its own.
    """
    above = cls.__mro__[: cls.__mro__.index(base)]
    forwards = [k for k in above if vars(k).get("forward", base.forward) is not base.forward]
    calls = [k for k in above if "call" in vars(k)]
    cls.written = forwards[0] if forwards else None
    cls.by_call = bool(calls) and (not forwards or above.index(calls[0]) < above.index(forwards[0]))
    cls.holds_layers = any(not k.__module__.startswith(("rnn_ref.layers.", "rnn_ref.models.")) for k in above)
    if not cls.by_call:
        return
    for name in GOES_WITH_FORWARD:
        if name == "run" and cls.is_cell:  # a cell's ``run`` takes a sequence
            continue
        first = next((k for k in above if name in vars(k)), base)
        if first is not base and above.index(first) > above.index(calls[0]):
            setattr(cls, name, vars(base)[name])
    if cls.run is not base.run:  # it manages everything itself
        return
    if not any("takes_mask" in vars(k) for k in above[: above.index(calls[0]) + 1]):
        cls.takes_mask = True  # so that it can be passed to layers inside
    cls.can_forget = True
    names = [
        name
        for name, parameter in inspect.signature(cls.call).parameters.items()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    cls.call_arguments = tuple(names[2:])
