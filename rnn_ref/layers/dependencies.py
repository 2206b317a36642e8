"""Which gradient belongs to which input of a call."""

from __future__ import annotations

from collections.abc import Callable

from rnn_ref.layers.symbolic import entries


def dependencies(layer, inputs, arguments: dict, gradients, moves: Callable) -> list[tuple]:
    """The entries of inputs and arguments that a call depends on, each with its gradient.

    ``gradients.inputs`` has the structure of the inputs, ``initial_state`` and ``constants`` those of the arguments so
    named; a recurrent layer called on ``[x, h, c]`` gives inputs and initial states one after the other. A model gives
    the gradients of all its arguments as ``initial_state``. ``gradients.arguments``, if present, are those of the
    arguments by name.

    Parameters
    ----------
    layer : Layer
    inputs, arguments
        What the layer was called on.
    gradients : LayerGradients
    moves : callable
        ``moves(entry)`` says whether an entry's gradient is needed.

    Returns
    -------
    list of (entry, ndarray or None)
    """
    arguments = {name: value for name, value in arguments.items() if name not in ("mask", "training")}
    found = None if gradients.inputs is None else _in_order_of(inputs, gradients.inputs)
    inputs, states = entries(inputs), list(gradients.initial_state)
    if gradients.arguments is not None:
        pairs = list(zip(inputs, found or [None] * len(inputs)))
        for name, value in arguments.items():
            pairs += zip(entries(value), entries(gradients.arguments.get(name, [None] * len(entries(value)))))
        return [(entry, dx) for entry, dx in pairs if moves(entry)]
    is_model = hasattr(layer, "walk_layers")
    constants = [] if is_model else entries(arguments.pop("constants", []))
    for name, value in arguments.items():
        if any(map(moves, entries(value))) and name != "initial_state" and not is_model:
            raise ValueError(
                f"{layer.name}: the argument {name}= is a tensor, but {type(layer).__name__} gives no "
                "gradient for it. Pass an array, or hand the tensor over in the first argument."
            )
    if found is None:
        in_list = 0 if arguments or len(inputs) == 1 else len(states)
        found = [None] * (len(inputs) - in_list)
    pairs = [*zip(inputs + entries(arguments), found + states), *zip(constants, gradients.constants)]
    return [(entry, dx) for entry, dx in pairs if moves(entry)]


def _in_order_of(inputs, found) -> list:
    """The gradients of inputs, those in dicts in the order of their keys."""
    if isinstance(inputs, dict) and isinstance(found, dict):
        return [dx for key, value in inputs.items() for dx in _in_order_of(value, found[key])]
    if isinstance(inputs, (list, tuple)) and isinstance(found, (list, tuple)) and len(inputs) == len(found):
        return [dx for value, own in zip(inputs, found) for dx in _in_order_of(value, own)]
    return entries(found)
