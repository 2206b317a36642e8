"""Layers made from a step written as equations: :func:`cell`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

from rnn_ref.equations.record import Gate, Record
from rnn_ref.equations.source import Program, program
from rnn_ref.equations.written import read
from rnn_ref.kernels.cpu.written import WrittenKernels
from rnn_ref.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from rnn_ref.layers.written_cell import WrittenCell, WrittenRNN


def _constructor(base: type, like: type, constants: dict[str, float]) -> Callable:
    """An ``__init__`` for a subclass of ``base``: the arguments of ``like`` without activation, plus the constants."""
    signature = inspect.signature(like.__init__)
    *named, rest = (parameter for key, parameter in signature.parameters.items() if key != "activation")
    own = {"implementation": 2} | constants
    only = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value) for name, value in own.items()]
    signature = signature.replace(parameters=[*named, *only, rest])
    positional = [parameter.name for parameter in named[2:]]

    @functools.wraps(base.__init__)
    def __init__(self, *arguments, **options):
        bound = signature.bind(self, *arguments, **options)
        base.__init__(*bound.args[:2], **dict(zip(positional, bound.args[2:])) | bound.kwargs)

    __init__.__signature__ = signature
    return __init__


def _record(made: Program) -> Record:
    functions = made.functions()
    gates = tuple(
        Gate(
            part.name,
            part.letter,
            made.symbols.get(part.letter, ""),
            product="h" if part.h else "",
            apart=part.h if part.apart else "",
            inputs=bool(part.x),
        )
        for part in made.written.parts
    )
    return Record(gates, made.written.states, functions["forward"], functions["backward"])


# Names used by layers and cells themselves.
_TAKEN = {
    "kernel",
    "recurrent_kernel",
    "bias",
    "recurrent_bias",
    "cell",
    "states",
    "built",
    "constants",
    "implementation",
}
_TAKEN |= {"name", "dtype", "input_shape", "training", "mask", "initial_state"}
_TAKEN |= set(inspect.signature(SimpleRNN.__init__).parameters)


def cell(*, gates, states=("hidden",)) -> Callable[[Callable], type[WrittenRNN]]:
    """Make a recurrent layer from a step written as equations.

    The step is a function of one unit at one time step. Its arguments say what it needs:

        z_f            x_t W_f + h_{t-1} U_f + b_f, the pre-activation of the gate with the letter f
        x_c, h_c       its two parts, x_t W_c + b_c and h_{t-1} U_c + b'_c, if needed separately; or just one of them
        h_prev         the state h before the step
        p: per_unit()  a trainable weight, one number for each unit (:func:`per_unit`), or ``scalar()``, one for all
        alpha=0.5      a constant, which becomes an option of the layer

    Its lines are ``symbol = expression`` with symbols, numbers, ``+ - * / **`` and activations by name; its last line
    returns the states, the first of which is the output and enters the recurrent products. The backward is derived from
    these lines, and both are compiled like those of the built-in cells; every tool that looks inside a layer reads
    them.

    Parameters
    ----------
    gates : tuple of str, or dict of str to str
        Names, in the order of their blocks in the weights. Their letters are the initials, or the keys of the dict:
        ``{"i": "input"}``.
    states : tuple of str
        Names of the returned states.

    Returns
    -------
    decorator
        It turns the function into a layer class with the arguments of :class:`~rnn_ref.layers.SimpleRNN` except
        activation; its ``Cell`` is the class of its cells.

    Raises
    ------
    ValueError
        If something is not as described; the message shows the line.

    Examples
    --------
    >>> import rnn_ref
    >>> @rnn_ref.cell(gates=("forget", "candidate"))
    ... def minimal_gated_unit(z_f, x_c, h_c, h_prev):
    ...     f = sigmoid(z_f)
    ...     g = tanh(x_c + f * h_c)
    ...     h = (1 - f) * h_prev + f * g
    ...     return h
    >>> layer = minimal_gated_unit(32, return_sequences=True, input_shape=(10, 5))
    >>> layer.compute_output_shape((None, 10, 5)), layer.count_params()
    ((None, 10, 32), 2464)
    """

    def make(function: Callable) -> type[WrittenRNN]:
        if not inspect.isfunction(function):
            raise TypeError(f"cell: the step must be a function with equations, got {function!r}.")
        written = read(function, gates, states)
        for name in (*written.weights, *written.constants):
            if name in _TAKEN or hasattr(WrittenCell, name) or hasattr(WrittenRNN, name):
                raise ValueError(
                    f"cell {written.name}: a layer has a {name} of its own; give the argument another name."
                )
        made = program(written)
        place = {
            "__module__": function.__module__,
            "__doc__": function.__doc__ or f"Written as equations:\n\n{written.text}",
        }
        own_cell = type(
            f"{function.__name__}Cell",
            (WrittenCell,),
            place
            | {
                "__init__": _constructor(WrittenCell, SimpleRNNCell, written.constants),
                "__qualname__": f"{function.__qualname__}.Cell",
                "equations": written,
                "program": made,
                "kernels": WrittenKernels(made),
                "record": _record(made),
                "GATES": tuple(part.name for part in written.parts),
                "STATES": tuple(written.states),
                "blocks": len(made.x_parts),
                "products": len(made.h_parts),
            },
        )
        return type(
            function.__name__,
            (WrittenRNN,),
            place
            | {
                "__init__": _constructor(WrittenRNN, SimpleRNN, written.constants),
                "__qualname__": function.__qualname__,
                "Cell": own_cell,
            },
        )

    return make
