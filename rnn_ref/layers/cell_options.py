"""Options and weights of a recurrent cell that runs on compiled kernels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref import checks, random
from rnn_ref.device import xp
from rnn_ref.equations.record import Record
from rnn_ref.layers import activations, constraints, initializers, regularizers
from rnn_ref.layers.activation_option import ActivationOption
from rnn_ref.layers.layer import Layer
from rnn_ref.named import Named

IN_THE_EQUATIONS = object()  # activations that are not options


class GateWeights(NamedTuple):
    """One gate's ``kernel (F, H)``, ``recurrent_kernel (H, H)`` and ``bias`` (``(H,)``, GRU ``(2, H)``, or None)."""

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray | None


class CellOptions(Layer):
    """The options of :class:`rnn_ref.layers.cell.Cell`.

    Weights: ``kernel (F, G*H)``, ``recurrent_kernel (H, G*H)``, ``bias (G*H,)``.
    """

    record: Record
    GATES: tuple[str, ...]
    STATES: tuple[str, ...]
    blocks: int  # G: the number of (F, H) blocks in the kernel
    activation = ActivationOption(activations.get_pointwise)
    recurrent_activation = ActivationOption(activations.get_pointwise)
    products: int  # the number of (H, H) blocks in the recurrent kernel; G unless a cell says otherwise

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
        if checks.integer(implementation, "implementation", self.name) not in (0, 1, 2):  # 0: from old files, means 1
            raise ValueError(f"{self.name}: implementation must be 1 or 2, got {implementation!r}.")
        self.units = checks.positive_integer(units, "units", self.name)
        if activation is not IN_THE_EQUATIONS:
            self.activation = activation
        if recurrent_activation is not None:
            self.recurrent_activation = recurrent_activation
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
        # As in Keras: 1 drops inputs with one mask per gate, 2 with one for all gates; recurrent dropout needs 1.
        self.implementation = 1 if recurrent_dropout or not implementation else implementation
        self.seed = seed
        self._generator = random.make(seed)
        self._looked_at: set = set()  # batch sizes for which the kernel has been chosen

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "blocks" in vars(cls) and "products" not in vars(cls):
            cls.products = cls.blocks

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
        self.kernel = self.recurrent_kernel = self.bias = None
        self.kernel = self.add_weight(
            (features, width),
            self.kernel_initializer,
            "kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.products:
            self.recurrent_kernel = self.add_weight(
                (self.units, self.products * self.units),
                self.recurrent_initializer,
                "recurrent_kernel",
                regularizer=self.recurrent_regularizer,
                constraint=self.recurrent_constraint,
            )
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

    def get_config(self) -> dict:
        config = super().get_config() | {"units": self.units}
        if hasattr(self, "activation"):
            config["activation"] = self.activation.name
        if hasattr(self, "recurrent_activation"):
            config["recurrent_activation"] = self.recurrent_activation.name
        # Not in Keras's configuration: with recurrent dropout or a single gate there is no choice.
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
