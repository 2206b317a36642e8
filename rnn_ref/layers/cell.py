"""What recurrent cells on compiled kernels share: options, weights, and running one step or a whole sequence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnn_ref import checks, memory
from rnn_ref.device import like_given, xp
from rnn_ref.guard import explained
from rnn_ref.kernels.gate import admitted, admitted_tape, fits
from rnn_ref.kernels.tape import Tape
from rnn_ref.layers.cell_options import CellOptions
from rnn_ref.layers.inside import call_inside
from rnn_ref.layers.layer import LayerGradients, batch_size_of
from rnn_ref.layers.recording import now
from rnn_ref.layers.starting import asked
from rnn_ref.layers.symbolic import leaves
from rnn_ref.layers.targets import KernelChoice, Kernels, warn_of_fallback
from rnn_ref.layers.variable import Variable
from rnn_ref.spelling import spelled


class Cell(CellOptions):
    """A recurrent cell that runs on compiled kernels.

    A subclass states its record, its gates, its states and the modules with its kernels.
    """

    takes_constants = False
    call_arguments = ("states", "training")
    only_on_cpu = False
    can_forget = True
    is_cell = True
    kernels: Kernels
    recurrent_bias: Variable | None = None  # of separate recurrent products, if it is not part of ``bias``

    def seen(self, tape) -> Iterator[tuple[str, str, np.ndarray, str]]:
        """What a tape shows besides states: group, name in a trace, array ``(T, B, H)``, its gate."""
        gates = {} if tape.gates is None else dict(zip(self.GATES, tape.gates))
        for name, gate in gates.items():
            yield "gates", name, gate, name
        for name, z in zip(gates or self.STATES, () if tape.z is None else tape.z):
            yield "preactivations", name, z, name
        if tape.q is not None:
            apart = bool(self.record.q_gates)
            yield "projections", "projected_state" if apart else "reset_state", tape.q, "candidate"

    def equation_weights(self) -> dict[str, Variable]:
        """Weights that the equations use elementwise, by name."""
        return {}

    def equation_values(self, unit: int) -> dict[str, np.generic]:
        """Elementwise weights and constants of one unit, by their symbols in the equations."""
        return {}

    def arrays(self) -> tuple:
        """``W, U, b`` in the form the kernels take."""
        W, U, b, H = self.kernel.value, self.recurrent_kernel, self.bias, self.units
        W = admitted(W, (W.shape[0], self.blocks * H), self.dtype, self.name, "kernel")
        if U is not None:
            U = admitted(U.value, (H, self.products * H), self.dtype, self.name, "recurrent_kernel")
        if b is not None:
            b = b.value
            b = admitted(b, (*b.shape[:-1], self.blocks * H), self.dtype, self.name, "bias")
        return W, U, b

    def kernel_options(self) -> dict:
        """What the kernels need besides arrays."""
        options = vars(self)
        return {name: options[name].code for name in ("activation", "recurrent_activation") if name in options}

    # -- a whole sequence, as a recurrent layer asks for it -------------------------------------------

    def check_input(self, x, layer_name: str) -> None:
        """Check that ``x`` (T, B, F) has the number of features the cell was built for."""
        if x.ndim != 3:
            raise ValueError(f"{layer_name}: expected (batch, time, features), got {x.ndim} axes.")
        expected = self.kernel.shape[0]
        if x.shape[-1] != expected:
            raise ValueError(
                f"{layer_name}: expected {expected} features on the last axis (the size it was built with), "
                f"got {x.shape[-1]}."
            )

    def dropout_masks(self, B: int, F: int, training: bool) -> dict:
        """Random masks for a batch: 0, or ``1 / (1 - rate)`` where a number is kept; the same at all steps."""
        masks = {}
        count = self.blocks if self.implementation == 1 else 1
        if training and self.dropout:
            masks["x_drop"] = dropout_mask(self._generator, (count, B, F), self.dropout, self.dtype)
        if training and self.recurrent_dropout:
            shape = (self.products, B, self.units)
            masks["h_drop"] = dropout_mask(self._generator, shape, self.recurrent_dropout, self.dtype)
        return masks

    def run(
        self,
        x,
        states,
        *,
        mask=None,
        training: bool = False,
        keep: str = "tape",
        keep_z: bool = False,
        x_drop=None,
        h_drop=None,
    ) -> Tape:
        """A whole sequence: ``x`` (T, B, F), states (B, H), mask (T, B) -> tape.

        ``keep`` is "tape" for everything that backward needs, "outputs", or "last" for the final states only.
        ``x_drop`` and ``h_drop`` (see :mod:`rnn_ref.kernels.cpu.sequence`) replace random dropout masks.
        """
        T, B, F = x.shape
        masks = self.dropout_masks(B, F, training)
        if x_drop is not None:
            shared = np.shape(x_drop)[:1] == (1,)  # by all gates
            masks["x_drop"] = admitted(x_drop, (1 if shared else self.blocks, B, F), self.dtype, self.name, "x_drop")
        if h_drop is not None:
            masks["h_drop"] = admitted(h_drop, (self.products, B, self.units), self.dtype, self.name, "h_drop")
        if mask is not None and mask.shape != (T, B):
            raise ValueError(f"{self.name}: mask has shape {mask.shape}, expected {(T, B)} (time, batch).")
        if x.dtype != self.dtype:
            raise TypeError(f"{self.name}: the input is {x.dtype}, expected {self.dtype}.")
        shape, dtype = (B, self.units), self.dtype
        states = [
            s if fits(s, shape, dtype) else admitted(s, shape, dtype, self.name, f"the state {name!r}")
            for name, s in zip(self.STATES, states, strict=True)
        ]
        if xp.device == "cuda":
            self._look_at_choice(x.shape[1], training)
        return self.kernels.forward(
            x, *self.arrays(), *states, **self.kernel_options(), mask=mask, keep=keep, keep_z=keep_z, **masks
        )

    def kernel_choice(self, batch_size: int = 32, *, training: bool = True) -> KernelChoice:
        """The kernel to run; see :meth:`rnn_ref.layers.RNN.kernel_choice`."""
        if xp.device == "cpu":
            return KernelChoice("compiled")
        from rnn_ref.kernels.cuda.choice import choose

        choice = choose(
            B=batch_size,
            H=self.units,
            G=self.blocks,
            dtype=self.dtype,
            recurrent_dropout=training and self.recurrent_dropout > 0,
            reset_after=getattr(self, "reset_after", True),
        )
        return KernelChoice(choice.name, choice.reason)

    def _look_at_choice(self, batch_size: int, training: bool) -> None:
        """Say why the fast kernel cannot run, the first time it cannot."""
        if (batch_size, training) not in self._looked_at:
            self._looked_at.add((batch_size, training))
            warn_of_fallback(self.kernel_choice(batch_size, training=training), self.name)

    def run_back(self, tape: Tape, dys, dstates, *, input_gradient: bool = True) -> LayerGradients:
        """Backward, from gradients of all outputs ``(T, B, H)`` or only the last, and of the final states ``(B, H)``.

        None stands for a zero gradient of a state.
        """
        self.check_input(tape.x, self.name)
        steps, (T, B, _) = len(dys), tape.x.shape
        if tape.h.shape != (T + 1, B, self.units):
            raise ValueError(
                f"{self.name}: the tape holds states of shape {tape.h.shape}, expected {(T + 1, B, self.units)}: it "
                "was left by another layer, or without all steps."
            )
        if tape.gates is None and tape.z is None:
            raise ValueError(f"{self.name}: the tape was left by a call that kept no more than the states.")
        if xp.device == "cpu":
            tape = self.admitted_tape(tape)
        dys = admitted(dys, (steps, B, self.units), self.dtype, self.name, "the gradient of the outputs")
        dh, given = memory.empty_like(tape.h), len(tape.h) - steps
        dh[given:] = dys
        dh_T, *others = dstates
        if dh_T is not None:
            dh[-1] += dh_T
        others = [0 if d is None else d for d in others]
        flow = self.kernels.backward(
            tape, *self.arrays(), dh, *others, **self.kernel_options(), given=given, input_gradient=input_gradient
        )
        return LayerGradients(flow.dx, self.weight_gradients(flow), [d[0] for d in flow.dstates], flow)

    def admitted_tape(self, tape: Tape) -> Tape:
        """The tape in the form the kernels read, see :func:`rnn_ref.kernels.gate.admitted_tape`."""
        return admitted_tape(tape, self.blocks, len(self.GATES), self.units, self.dtype, self.name)

    def weight_gradients(self, flow) -> dict[str, np.ndarray]:
        """Gradients of weights by name."""
        weights = {"kernel": flow.dW, "recurrent_kernel": flow.dU}
        if flow.db is not None:
            weights["bias"] = flow.db
        return weights

    @property
    def own_start(self) -> bool:
        """Whether a subclass defines the initial states."""
        return type(self).get_initial_state is not Cell.get_initial_state

    def initial_states(self, batch_size: int) -> list[np.ndarray]:
        """``(B, H)`` for each state: zeros, unless a subclass has a ``get_initial_state`` of its own."""
        if self.own_start:
            return asked(self.get_initial_state, batch_size, self.dtype)
        return self._zeros(batch_size)

    def _zeros(self, batch_size: int) -> list[np.ndarray]:
        return [xp.zeros((batch_size, self.units), self.dtype) for _ in self.STATES]

    # -- one step, for using a cell by itself --------------------------------------------------------

    def get_initial_state(self, batch_size: int | None = None, *, inputs=None, dtype=None) -> list[np.ndarray]:
        """Zeros ``(B, H)`` for each state."""
        states = self._zeros(batch_size_of(batch_size, inputs, self.name))
        return [state.astype(dtype or self.dtype) for state in states]

    def forward(self, x, states=None, *, training: bool = False):
        """One step: ``x`` (B, F) and the states (B, H) -> ``(output, new states)`` and the tape."""
        x = self.as_input(x, rank=2)
        self.check_input(x[None], self.name)
        if states is None:
            states = self.initial_states(len(x))
        states = states if isinstance(states, (list, tuple)) else [states]
        tape = self.run(xp.ascontiguousarray(x[None]), [xp.asarray(s, self.dtype) for s in states], training=training)
        states = [state.copy() for state in tape.final_states]
        return (states[0].copy(), states), tape

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Backward through one step: ``grads`` is ``(d_output, [d_states])``."""
        dy, dstates = grads
        zero = xp.zeros_like(tape.h[0])
        dstates = [zero if d is None else xp.asarray(d, self.dtype) for d in dstates]
        gradients = self.run_back(tape, (zero if dy is None else xp.asarray(dy, self.dtype))[None], dstates)
        gradients.inputs = gradients.inputs[0]
        gradients.arguments = {"states": gradients.initial_state}
        return gradients

    @spelled
    @explained
    def __call__(self, x, states=None, training: bool | None = None):
        """One step: ``(output, new states)``."""
        if leaves([x, states]):
            raise TypeError(f"{self.name}: a cell runs on arrays; put a layer around it: RNN({self.name})({x!r}).")
        call = now()
        if call is not None:
            return call_inside(self, x, {"states": states, "training": training}, call)
        return like_given(
            self.forward(
                x, states=states, training=training is not None and checks.flag(training, "training", self.name)
            )[0],
            x,
        )

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)


def dropout_mask(generator: np.random.Generator, shape: tuple[int, ...], rate: float, dtype: str) -> np.ndarray:
    """0 with probability ``rate``, otherwise ``1 / (1 - rate)``, so that multiplying by it preserves the mean."""
    # Drawn on the CPU and then moved to the device, so that a seed gives the same numbers everywhere.
    kept = generator.random(shape) >= rate
    return xp.asarray(kept * np.dtype(dtype).type(1 / (1 - rate)) if rate < 1 else np.zeros(shape, dtype))
