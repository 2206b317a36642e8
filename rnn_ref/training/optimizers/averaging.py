"""Means over steps: of weights (`use_ema`) and of gradients (`gradient_accumulation_steps`)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rnn_ref.device import xp


class Averaging:
    """The part of `Optimizer` that averages; its arrays are the slots "average" and "gradient_accumulator"."""

    averages_swapped = False  # the averages are where the weights belong, and the other way round

    def _accumulated(self, grads: list[np.ndarray], weights: list) -> list[np.ndarray] | None:
        """The mean of the gradients since the last update; None if the next update is not due yet."""
        sums = [self._slots[self._places()[id(weight)]]["gradient_accumulator"] for weight in weights]
        steps = self.gradient_accumulation_steps
        if (self._iterations + 1) % steps:
            for total, gradient in zip(sums, grads):
                total += gradient
            return None
        means = [(gradient + total) / steps for gradient, total in zip(grads, sums)]
        for total in sums:
            total[...] = 0
        return means

    def _move_averages(self) -> None:
        """Move the averages towards the weights, of which they are copies after the first update."""
        momentum = self.ema_momentum if self.iterations else 0.0
        for weight, slots in zip(self._weights, self._slots):
            average = slots["average"]
            average *= momentum
            average += (1 - momentum) * weight.value
        if self.ema_overwrite_frequency and (self.iterations + 1) % self.ema_overwrite_frequency == 0:
            self._overwrite(self._weights)

    def _overwrite(self, weights: Iterable) -> None:
        for weight in weights:
            weight.value[...] = self._slots[self._places()[id(weight)]]["average"]

    def finalize_variable_values(self, var_list: Iterable) -> None:
        """With `use_ema`, put the averages in place of these weights. `fit` calls it at its end.

        Raises
        ------
        ValueError
            If a weight is not one of those that the optimizer was built with.
        """
        if not self.use_ema or not self.built:
            return
        weights = list(var_list)
        for weight in weights:
            if id(weight) not in self._places():
                raise ValueError(f"There is no average of {weight.name!r}: the optimizer was not built with it.")
        self._follow()
        if self.averages_swapped:
            self.swap_averages()
        self._overwrite(weights)

    def swap_averages(self) -> None:
        """Exchange weights and averages, and back the next time.

        Raises
        ------
        ValueError
            If there are none, as without `use_ema` or before the first step.
        """
        self._require_averages()
        for weight, slots in zip(self._weights, self._slots):
            kept = xp.array(weight.value)
            weight.value[...] = slots["average"]
            slots["average"][...] = kept
        self.averages_swapped = not self.averages_swapped

    def _require_averages(self) -> None:
        name = type(self).__name__
        if not self.use_ema:
            raise ValueError(f"{name} keeps no averages of the weights: make it with use_ema=True.")
        if not self.built:
            raise ValueError(f"{name} has no averages of the weights yet: they begin with the first step.")
        self._follow()
