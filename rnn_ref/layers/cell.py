"""What the three built-in recurrent cells share: options, weights, and one step or a whole sequence of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref import checks, memory, random
from rnn_ref.device import like_given, xp
from rnn_ref.equations.record import Record
from rnn_ref.guard import explained
from rnn_ref.kernels.gate import admitted, admitted_tape
from rnn_ref.kernels.tape import Tape
from rnn_ref.layers import activations, constraints, initializers, regularizers
from rnn_ref.layers.inside import call_inside
from rnn_ref.layers.layer import Layer, LayerGradients, batch_size_of
from rnn_ref.layers.recording import now
from rnn_ref.layers.starting import asked
from rnn_ref.layers.symbolic import leaves
from rnn_ref.layers.targets import KernelChoice, Kernels, warn_of_fallback
from rnn_ref.named import Named
from rnn_ref.spelling import spelled


class GateWeights(NamedTuple):
    """One gate's ``kernel (F, H)``, ``recurrent_kernel (H, H)`` and ``bias`` (``(H,)``, GRU ``(2, H)``, or None)."""

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray | None


class Cell(Layer):
    """A recurrent cell that runs on compiled kernels.

    Weights: ``kernel (F, G*H)``, ``recurrent_kernel (H, G*H)``, ``bias (G*H,)``.

    A subclass names its record, its gates, its states and the modules with its kernels.
    """

    record: Record
    GATES: tuple[str, ...]
    STATES: tuple[str, ...]
    takes_constants = False
    call_arguments = ("states", "training")
    only_on_cpu = False
    can_forget = True
    is_cell = True
    blocks: int  # G: how many (F, H) blocks the kernel has
    kernels: Kernels

    def __init__(
        self,
        units,
        *,
        activation,
        recurrent_activation=None,
        use_bias,
        kernel_initializer,
        recurrent_initializer,
        bias_initializer,
        kernel_regularizer,
        recurrent_regularizer,
        bias_regularizer,
        kernel_constraint,
        recurrent_constraint,
        bias_constraint,
        dropout,
        recurrent_dropout,
        seed,
        implementation=2,
        **layer_options,
    ):
        super().__init__(**layer_options)
        if checks.integer(implementation, "implementation", self.name) not in (1, 2):
            raise ValueError(f"{self.name}: implementation must be 1 or 2, got {implementation!r}.")
        self.units = checks.positive_integer(units, "units", self.name)
        self.activation = activations.get_pointwise(activation, f"{self.name}: activation")
        if recurrent_activation is not None:
            self.recurrent_activation = activations.get_pointwise(
                recurrent_activation, f"{self.name}: recurrent_activation"
            )
        self.use_bias = checks.flag(use_bias, "use_bias", self.name)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = checks.fraction(dropout, "dropout", self.name)
        self.recurrent_dropout = checks.fraction(recurrent_dropout, "recurrent_dropout", self.name)
        # As in Keras: 1 drops inputs with a mask for each gate, 2 with one for all; recurrent dropout needs 1.
        self.implementation = 1 if recurrent_dropout else implementation
        self.seed = seed
        self._generator = random.make(seed)
        self._looked_at: set = set()  # batch sizes for which the kernel was chosen

    def adopt(self, layer) -> None:
        """Become the cell of a recurrent layer."""
        self.name = f"{layer.name}/{self.name.rpartition('/')[2]}"
        self.dtype = layer.dtype

    @property
    def state_sizes(self) -> list[int]:
        return [self.units] * len(self.STATES)

    @property
    def state_names(self) -> tuple[str, ...]:
        return self.STATES

    @property
    def state_size(self) -> int | list[int]:
        sizes = self.state_sizes
        return sizes if len(sizes) > 1 else sizes[0]

    @property
    def output_size(self) -> int:
        return self.units

    def bias_shape(self) -> tuple[int, ...]:
        return (self.blocks * self.units,)

    def build(self, input_shape) -> None:
        features, width = input_shape[-1], self.blocks * self.units
        self.kernel = self.add_weight(
            (features, width),
            self.kernel_initializer,
            "kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            (self.units, width),
            self.recurrent_initializer,
            "recurrent_kernel",
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                self.bias_shape(),
                self.bias_initializer,
                "bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def gate_weights(self) -> dict[str, GateWeights]:
        """Views of every gate's part of the weights, by gate name; writing to them changes the cell.

        Examples
        --------
        >>> import rnn_ref
        >>> layer = rnn_ref.layers.LSTM(3, input_shape=(7, 2))
        >>> layer.gate_weights()["forget"].bias
        array([1., 1., 1.], dtype=float32)
        """
        if not self.built:
            raise ValueError(
                f"{self.name} was never built, so its gates have no weights yet: call it on data, or give it an input "
                "shape."
            )
        names = self.GATES or ("hidden",)
        blocks = [
            [None] * len(names) if weight is None else xp.split(weight.value, self.blocks, axis=-1)
            for weight in (self.kernel, self.recurrent_kernel, self.bias)
        ]
        gates = {name: GateWeights(*parts) for name, *parts in zip(names, *blocks)}
        return Named(gates, f"{self.name}: no gate")

    def arrays(self) -> tuple:
        """``W, U, b`` as the kernels take them."""
        columns, found = self.blocks * self.units, []
        for name in ("kernel", "recurrent_kernel", "bias"):
            weight = getattr(self, name)
            if weight is not None:
                value = weight.value
                rows = (self.units,) if name == "recurrent_kernel" else value.shape[:-1]
                weight = admitted(value, (*rows, columns), self.dtype, self.name, name)
            found.append(weight)
        return tuple(found)

    def kernel_options(self) -> dict:
        """What the kernels must know besides arrays."""
        options = {"activation": self.activation.code}
        if hasattr(self, "recurrent_activation"):
            options["recurrent_activation"] = self.recurrent_activation.code
        return options

    # -- a whole sequence, as a recurrent layer asks for it -------------------------------------------

    def check_input(self, x, layer_name: str) -> None:
        """``x`` (T, B, F) must have the features the cell was built for."""
        if x.ndim != 3:
            raise ValueError(f"{layer_name}: expected (batch, time, features), got {x.ndim} axes.")
        expected = self.kernel.shape[0]
        if x.shape[-1] != expected:
            raise ValueError(
                f"{layer_name}: expected {expected} features on the last axis (the size it was built with), "
                f"got {x.shape[-1]}."
            )

    def dropout_masks(self, B: int, F: int, training: bool) -> dict:
        """Random masks for a batch: zeros, and ``1 / (1 - rate)`` where a number is kept; shared by all steps."""
        masks = {}
        count = self.blocks if self.implementation == 1 else 1
        if training and self.dropout:
            masks["x_drop"] = dropout_mask(self._generator, (count, B, F), self.dropout, self.dtype)
        if training and self.recurrent_dropout:
            shape = (self.blocks, B, self.units)
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

        ``keep`` is "tape" for all that the way back needs, "outputs", or "last" for the final states only.
        ``x_drop`` and ``h_drop`` (see :mod:`rnn_ref.kernels.cpu.sequence`) take the place of random dropout masks.
        """
        T, B, F = x.shape
        masks = self.dropout_masks(B, F, training)
        if x_drop is not None:
            shared = np.shape(x_drop)[:1] == (1,)  # by all gates
            masks["x_drop"] = admitted(x_drop, (1 if shared else self.blocks, B, F), self.dtype, self.name, "x_drop")
        if h_drop is not None:
            masks["h_drop"] = admitted(h_drop, (self.blocks, B, self.units), self.dtype, self.name, "h_drop")
        if mask is not None and mask.shape != (T, B):
            raise ValueError(f"{self.name}: mask has shape {mask.shape}, expected {(T, B)} (time, batch).")
        if x.dtype != self.dtype:
            raise TypeError(f"{self.name}: the input is {x.dtype}, expected {self.dtype}.")
        states = [
            admitted(state, (B, self.units), self.dtype, self.name, f"the state {name!r}")
            for name, state in zip(self.STATES, states, strict=True)
        ]
        if xp.device == "cuda":
            self._look_at_choice(x.shape[1], training)
        return self.kernels.forward(
            x, *self.arrays(), *states, **self.kernel_options(), mask=mask, keep=keep, keep_z=keep_z, **masks
        )

    def kernel_choice(self, batch_size: int = 32, *, training: bool = True) -> KernelChoice:
        """Which kernel runs; see :meth:`rnn_ref.layers.RNN.kernel_choice`."""
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
        """The first time that the fast kernel cannot run, say why."""
        if (batch_size, training) not in self._looked_at:
            self._looked_at.add((batch_size, training))
            warn_of_fallback(self.kernel_choice(batch_size, training=training), self.name)

    def run_back(self, tape: Tape, dys, dstates, *, input_gradient: bool = True) -> LayerGradients:
        """And back: gradients of all outputs ``(T, B, H)``, or of the last only, and of the final states ``(B, H)``.

        None stands for a zero gradient of a state.
        """
        self.check_input(tape.x, self.name)
        steps, (T, B, _) = len(dys), tape.x.shape
        if tape.h.shape != (T + 1, B, self.units):
            raise ValueError(
                f"{self.name}: the tape holds states of shape {tape.h.shape}, expected {(T + 1, B, self.units)}: it "
                "was left by another layer, or without all steps."
            )
        if (tape.z if self.blocks == 1 else tape.gates) is None:
            raise ValueError(f"{self.name}: the tape was left by a call that kept no more than the states.")
        if xp.device == "cpu":
            tape = admitted_tape(tape, self.blocks, len(self.GATES), self.units, self.dtype, self.name)
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
        weights = {"kernel": flow.dW, "recurrent_kernel": flow.dU}
        if flow.db is not None:
            weights["bias"] = flow.db
        return LayerGradients(flow.dx, weights, [d[0] for d in flow.dstates], flow)

    @property
    def own_start(self) -> bool:
        """Whether a subclass says what to start from."""
        return type(self).get_initial_state is not Cell.get_initial_state

    def initial_states(self, batch_size: int) -> list[np.ndarray]:
        """``(B, H)`` for each state: zeros, unless a subclass has its own ``get_initial_state``."""
        if self.own_start:
            return asked(self.get_initial_state, batch_size, self.dtype)
        return self._zeros(batch_size)

    def _zeros(self, batch_size: int) -> list[np.ndarray]:
        return [xp.zeros((batch_size, self.units), self.dtype) for _ in self.STATES]

    # -- one step, for those who use the cell alone --------------------------------------------------

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
        """Back through one step: ``grads`` is ``(d_output, [d_states])``."""
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

    def get_config(self) -> dict:
        config = super().get_config() | {"units": self.units, "activation": self.activation.name}
        if hasattr(self, "recurrent_activation"):
            config["recurrent_activation"] = self.recurrent_activation.name
        # Keras does not write it; recurrent dropout, and a single gate, leave no choice.
        if self.blocks > 1 and self.implementation == 1 and not self.recurrent_dropout:
            config["implementation"] = 1
        return config | {
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "recurrent_constraint": constraints.serialize(self.recurrent_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": random.to_config(self.seed),
        }


def dropout_mask(generator: np.random.Generator, shape: tuple[int, ...], rate: float, dtype: str) -> np.ndarray:
    """Zeros with probability ``rate``, elsewhere ``1 / (1 - rate)``: the mean of what is multiplied stays."""
    # Drawn on the CPU whatever the device, and moved: a seed gives the same numbers everywhere.
    kept = generator.random(shape) >= rate
    return xp.asarray(kept * np.dtype(dtype).type(1 / (1 - rate)) if rate < 1 else np.zeros(shape, dtype))
