"""One task for all contenders: a recurrent layer's last output, and one training step towards a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

CELLS = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}  # gates
CASES = (  # batch, time, features, units
    (32, 10, 5, 64),
    (1, 100, 32, 64),
    (32, 100, 32, 64),
    (32, 100, 128, 128),
    (32, 100, 256, 256),
    (64, 50, 512, 512),
)


@dataclass(frozen=True)
class Problem:
    """A cell and a case ``(batch, time, features, units)``; float32 throughout."""

    rate: ClassVar[float] = 0.1  # of gradient descent

    cell: str
    B: int
    T: int
    F: int
    H: int

    @property
    def case(self) -> tuple[int, int, int, int]:
        return self.B, self.T, self.F, self.H

    @property
    def gates(self) -> int:
        return CELLS[self.cell]

    def draw(self):
        """The same numbers in every process: ``x`` (B, T, F), target (B, H), and weights in Keras's layout.

        The GRU is Keras's default, ``reset_after=True``, which is PyTorch's.
        """
        generator = np.random.default_rng(0)

        def normal(*shape, scale=1.0):
            return generator.normal(scale=scale, size=shape).astype("float32")

        G, scale = self.gates, self.H**-0.5
        bias = (2, G * self.H) if self.cell == "GRU" else (G * self.H,)
        weights = [normal(self.F, G * self.H, scale=scale), normal(self.H, G * self.H, scale=scale), normal(*bias)]
        return normal(self.B, self.T, self.F), normal(self.B, self.H), weights

    def operations(self, training: bool, *, input_gradient: bool = False) -> float:
        """Floating-point operations of the matrix products, a multiply-add counted as two.

        Forward, ``x W`` and ``h U``: ``2 B T (F + H) G H``. Training: three times that (forward; the gradients of
        the states and of the inputs; those of both kernels), less ``2 B T F G H``, since the gradient of the inputs is
        not needed. Only a layer above another needs it. Products with the initial state, which is zero, are counted:
        a T-th of those with ``U``. What happens pointwise is not.
        """
        one = 2.0 * self.B * self.T * self.gates * self.H
        forward = one * (self.F + self.H)
        return 3 * forward - (0 if input_gradient else one * self.F) if training else forward
