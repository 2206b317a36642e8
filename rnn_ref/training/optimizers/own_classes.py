"""What is looked at in optimizers that users write, and in how they call one."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping

ARGUMENTS = 5  # of update_step, without self


class OwnClasses:
    """The part of :class:`Optimizer` that refuses an `update_step` as Keras has it."""

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        step = vars(cls).get("update_step")
        if step is None:
            return
        parameters = list(inspect.signature(step).parameters.values())[1:]
        if len(parameters) == ARGUMENTS or any(p.kind is p.VAR_POSITIONAL for p in parameters):
            return
        raise TypeError(
            f"{cls.__name__}.update_step takes ({', '.join(p.name for p in parameters)}); here it is update_step(self, "
            "gradient, value, learning_rate, slots, work). Change `value`, the array of one weight, in place; what is "
            "remembered for each weight is named in the class, slots = ('momentum',), and found in slots['momentum']."
        )


def in_a_row(grads: Iterable, method: str, instead: str) -> list:
    """Gradients, or pairs, as a list; a dict is refused."""
    if isinstance(grads, Mapping):
        raise TypeError(f"{method}: takes a list in the order of the weights, got a dict; pass {instead}.")
    return list(grads)
