"""What the three built-in recurrent cells share: options, weights, and one step or a whole sequence of them."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from rnn_ref.kernels.tape import Gradients, Tape
from rnn_ref.layers import activations, constraints, initializers, regularizers
from rnn_ref.layers.layer import Layer, positive_integer


class Cell(Layer):
    """A recurrent cell that runs on compiled kernels.

    Weights: ``kernel (F, G*H)``, ``recurrent_kernel (H, G*H)``, ``bias (G*H,)``.

    A subclass names its gates, its states and the module with its kernels.
    """

    GATES: tuple[str, ...]
    STATES: tuple[str, ...]
    blocks: int  # G: how many (F, H) blocks the kernel has
    kernels: ModuleType

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
        **layer_options,
    ):
        super().__init__(**layer_options)
        for name, value in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if value:
                raise NotImplementedError(
                    f"{self.name}: {name}={value!r} is not supported yet; leave it at 0."
                )
        self.units = positive_integer(units, "units", self.name)
        self.activation = activations.get_pointwise(activation, f"{self.name}: activation")
        if recurrent_activation is not None:
            self.recurrent_activation = activations.get_pointwise(
                recurrent_activation, f"{self.name}: recurrent_activation"
            )
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = float(dropout)
        self.recurrent_dropout = float(recurrent_dropout)
        self.seed = seed

    @property
    def state_size(self) -> int | list[int]:
        sizes = [self.units] * len(self.STATES)
        return sizes if len(sizes) > 1 else self.units

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

    def arrays(self) -> tuple:
        """``W, U, b`` as the kernels take them."""
        bias = None if self.bias is None else self.bias.value
        return self.kernel.value, self.recurrent_kernel.value, bias

    def kernel_options(self) -> dict:
        """What the kernels must know besides arrays."""
        options = {"activation": self.activation.code}
        if hasattr(self, "recurrent_activation"):
            options["recurrent_activation"] = self.recurrent_activation.code
        return options

    def run(self, x, states, *, keep_z: bool = False) -> Tape:
        """A whole sequence: ``x`` (T, B, F), states (B, H) -> tape."""
        return self.kernels.forward(x, *self.arrays(), *states, **self.kernel_options(), keep_z=keep_z)

    def run_back(self, tape: Tape, dh, dstates, *, input_gradient: bool = True) -> Gradients:
        """And back: ``dh`` (T + 1, B, H) and the further final states' (B, H) gradients from outside."""
        return self.kernels.backward(
            tape, *self.arrays(), dh, *dstates, **self.kernel_options(), input_gradient=input_gradient
        )

    def get_initial_state(self, batch_size: int) -> list[np.ndarray]:
        """Zeros ``(B, H)`` for each state."""
        return [np.zeros((batch_size, self.units), self.dtype) for _ in self.STATES]

    def forward(self, x, states=None, *, training: bool = False):
        """One step: ``x`` (B, F) and a list of states (B, H) -> ``(output, new states)`` and the tape."""
        x = self.as_input(x, rank=2)
        self.check_features(x.shape[-1], self.kernel.shape[0])
        states = self.get_initial_state(len(x)) if states is None else states
        tape = self.run(x[None], [np.asarray(s, self.dtype) for s in states])
        new_states = [state[1] for state in tape.states]
        return (new_states[0], new_states), tape

    def get_config(self) -> dict:
        config = super().get_config() | {"units": self.units, "activation": self.activation.name}
        if hasattr(self, "recurrent_activation"):
            config["recurrent_activation"] = self.recurrent_activation.name
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
            "seed": self.seed,
        }
