"""What an optimizer remembers, as a dict of arrays: to stop training, and to go on from there."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_ref.device import to_numpy, xp


class State:
    """The part of `Optimizer` that hands out its state and takes it back."""

    def extra_state(self) -> dict[str, float]:
        """Numbers that a subclass remembers besides `slots`, as attributes of these names."""
        return {}

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything to continue training from here, in the order of Keras's `variables`.

        Returns
        -------
        dict of str to array
            ``"iteration"``, ``"learning_rate"`` (if it is a number) and copies of the slots, as
            ``"0/momentum"``: the number of the weight and the slot.
        """
        state: dict[str, Any] = {"iteration": np.array(self._iterations)}
        if not callable(self._learning_rate):
            state["learning_rate"] = np.array(self._learning_rate)
        for group in self._groups():
            for i, slots in enumerate(self._slots):
                state |= {f"{i}/{name}": np.array(to_numpy(slots[name])) for name in group}
        return state | {name: np.array(value) for name, value in self.extra_state().items()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over what `get_state` returned. The optimizer must have been built.

        Raises
        ------
        ValueError
            If names or shapes differ from those of this optimizer.
        """
        self._follow()
        own = self.get_state()
        if own.keys() != set(state):
            hint = "" if self.built else " Call `build(weights)` first."
            raise ValueError(
                f"The state does not fit {type(self).__name__}: missing {sorted(own.keys() - set(state))}, "
                f"unexpected {sorted(set(state) - own.keys())}.{hint}"
            )
        for key, value in own.items():
            if np.shape(state[key]) != value.shape:
                raise ValueError(f"{key!r} must have the shape {value.shape}. Received: {np.shape(state[key])}")
        self._iterations = int(state["iteration"])
        if "learning_rate" in state:
            self._learning_rate = float(state["learning_rate"])
        for i, slots in enumerate(self._slots):
            for name, array in slots.items():
                array[...] = xp.asarray(state[f"{i}/{name}"])
        for name in self.extra_state():
            setattr(self, name, float(state[name]))

    def set_weights(self, weights: list) -> None:
        """Take over arrays in the order of `variables`. The optimizer must have been built."""
        names = list(self.get_state())
        if len(names) != len(weights):
            hint = "" if self.built else " Call `build(weights)` first."
            raise ValueError(f"Expected {len(names)} arrays: {', '.join(names)}. Received: {len(weights)}.{hint}")
        self.set_state(dict(zip(names, weights)))

    @property
    def variables(self) -> list[np.ndarray]:
        """The values of `get_state`, in Keras's order."""
        return list(self.get_state().values())
