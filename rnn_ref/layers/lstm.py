"""LSTM: gates ``i, f, o`` and a cell state that is carried along. Equations: :mod:`rnn_ref.equations.lstm`."""

from __future__ import annotations

from rnn_ref import checks
from rnn_ref.equations import lstm as equations
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.recurrent import BuiltInRNN
from rnn_ref.layers.targets import Kernels


class LSTMCell(Cell):
    """One step of an :class:`LSTM`; the arguments are described there.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> output, states = rnn_ref.layers.LSTMCell(4)(np.ones((2, 3)))
    >>> output.shape, len(states)
    ((2, 4), 2)
    """

    record = equations.RECORD
    GATES, STATES, blocks, kernels = equations.GATES, equations.STATES, 4, Kernels("lstm")

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
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
        self.unit_forget_bias = checks.flag(unit_forget_bias, "unit_forget_bias", self.name)

    def build(self, input_shape) -> None:
        super().build(input_shape)
        if self.use_bias and self.unit_forget_bias:
            self.bias.value[self.units : 2 * self.units] = 1

    def get_config(self) -> dict:
        return super().get_config() | {"unit_forget_bias": self.unit_forget_bias}


class LSTM(BuiltInRNN):
    """Long short-term memory.

        i = recurrent_activation(x_t W_i + h_{t-1} U_i + b_i)     input gate
        f = recurrent_activation(x_t W_f + h_{t-1} U_f + b_f)     forget gate
        g = activation(x_t W_c + h_{t-1} U_c + b_c)               candidate
        o = recurrent_activation(x_t W_o + h_{t-1} U_o + b_o)     output gate
        c_t = f c_{t-1} + i g
        h_t = o activation(c_t)

    Input ``(B, T, F)``; output ``(B, H)`` or, with ``return_sequences``, ``(B, T, H)``.

    Parameters
    ----------
    units : int
        H, size of the states and of the output.
    activation : str
        Of the candidate, and of the cell state before the output gate.
    recurrent_activation : str
        Of the three gates.
    use_bias : bool
    kernel_initializer, recurrent_initializer, bias_initializer
        For ``kernel (F, 4*H)``, ``recurrent_kernel (H, 4*H)`` and ``bias (4*H,)``, blocks in the order ``i, f, c, o``.
    unit_forget_bias : bool
        Start the forget gate's bias at 1, so that a new network remembers (Jozefowicz et al. 2015).
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
        Return ``[output, h_T, c_T]``.
    go_backwards : bool
        Read the sequence backwards.
    stateful, unroll, zero_output_for_mask, time_major : bool
        See :class:`~rnn_ref.layers.RNN`.
    use_cudnn : "auto" or False
        There is no cuDNN here: True is refused. A GPU is chosen with :func:`rnn_ref.set_device`.
    **layer_options
        ``implementation`` (1: one input dropout mask per gate; 2: one for all gates; recurrent dropout needs 1),
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gers et al., "Learning to forget", 2000.
    https://keras.io/api/layers/recurrent_layers/lstm/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> layer = rnn_ref.layers.LSTM(64, return_state=True)
    >>> output, h, c = layer(np.zeros((2, 10, 5)))
    >>> output.shape, c.shape, layer.count_params()
    ((2, 64), (2, 64), 17920)
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
        unit_forget_bias=True,
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
        use_cudnn="auto",
        implementation=2,
        **layer_options,
    ):
        cell = LSTMCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            implementation=implementation,
            name="lstm_cell",
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
