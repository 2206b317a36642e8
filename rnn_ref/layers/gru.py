"""GRU: an update and a reset gate on one state. Equations: :mod:`rnn_ref.equations.gru`."""

from __future__ import annotations

from rnn_ref import checks
from rnn_ref.equations import gru as equations
from rnn_ref.equations.record import Record
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.recurrent import BuiltInRNN
from rnn_ref.layers.targets import Kernels


class GRUCell(Cell):
    """One step of a :class:`GRU`; the arguments are described there.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> output, states = rnn_ref.layers.GRUCell(4)(np.ones((2, 3)))
    >>> output.shape, len(states)
    ((2, 4), 1)
    """

    GATES, STATES, blocks, kernels = equations.GATES, equations.STATES, 3, Kernels("gru")

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        reset_after=True,
        seed=None,
        **layer_options,
    ):
        super().__init__(
            units,
            activation=activation,
            recurrent_activation="linear" if recurrent_activation is None else recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **layer_options,
        )
        self.reset_after = checks.flag(reset_after, "reset_after", self.name)

    @property
    def record(self) -> Record:
        return equations.RESET_AFTER if self.reset_after else equations.RESET_BEFORE

    def bias_shape(self) -> tuple[int, ...]:
        """``(2, 3H)`` if inputs and state have separate biases, else ``(3H,)``."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def kernel_options(self) -> dict:
        return super().kernel_options() | {"reset_after": self.reset_after}

    def get_config(self) -> dict:
        return super().get_config() | {"reset_after": self.reset_after}


class GRU(BuiltInRNN):
    """Gated recurrent unit.

        z = recurrent_activation(x_t W_z + h_{t-1} U_z + b_z)          update gate
        r = recurrent_activation(x_t W_r + h_{t-1} U_r + b_r)          reset gate
        g = activation(x_t W_h + b_h + r (h_{t-1} U_h + b'_h))         candidate, reset_after=True
        g = activation(x_t W_h + b_h + (r h_{t-1}) U_h)                candidate, reset_after=False
        h_t = z h_{t-1} + (1 - z) g

    Input ``(B, T, F)``; output ``(B, H)`` or, with ``return_sequences``, ``(B, T, H)``.

    Parameters
    ----------
    units : int
        H, size of the state and of the output.
    activation : str
        Of the candidate.
    recurrent_activation : str
        Of the two gates.
    use_bias : bool
    kernel_initializer, recurrent_initializer, bias_initializer
        For ``kernel (F, 3*H)``, ``recurrent_kernel (H, 3*H)`` and ``bias``, blocks in the order ``z, r, h``; the
        bias is ``(2, 3*H)`` (input, recurrent) with ``reset_after``, else ``(3*H,)``.
    kernel_regularizer, recurrent_regularizer, bias_regularizer
        Penalties on these weights, added to the loss in ``fit``.
    activity_regularizer
        Penalty on the output.
    kernel_constraint, recurrent_constraint, bias_constraint
        Applied to these weights after every update.
    dropout, recurrent_dropout : float
        Fraction of the inputs, and of the recurrent state, set to zero in training; the same ones at every step.
    seed : int, optional
        For dropout.
    return_sequences : bool
        Return the output of every time step, not only the last.
    return_state : bool
        Return ``[output, h_T]``.
    go_backwards : bool
        Read the sequence backwards.
    stateful, unroll, zero_output_for_mask, time_major : bool
        See :class:`~rnn_ref.layers.RNN`.
    reset_after : bool
        Apply the reset gate after the recurrent product (True, as cuDNN does) or before it (False).
    use_cudnn : "auto" or False
        There is no cuDNN here: True is refused. A GPU is chosen with :func:`rnn_ref.set_device`.
    **layer_options
        ``implementation`` (1: one input dropout mask per gate; 2: one for all gates; recurrent dropout needs 1),
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014.
    https://keras.io/api/layers/recurrent_layers/gru/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> layer = rnn_ref.layers.GRU(64)
    >>> layer(np.zeros((2, 10, 5))).shape, layer.count_params()
    ((2, 64), 13632)
    """

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        reset_after=True,
        use_cudnn="auto",
        implementation=2,
        **layer_options,
    ):
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            reset_after=reset_after,
            seed=seed,
            implementation=implementation,
            name="gru_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            use_cudnn=use_cudnn,
            activity_regularizer=activity_regularizer,
            **layer_options,
        )
