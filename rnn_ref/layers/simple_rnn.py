"""SimpleRNN: ``h_t = activation(x_t W + h_{t-1} U + b)``. Equations: :mod:`rnn_ref.equations.simple_rnn`."""

from __future__ import annotations

from rnn_ref.equations import simple_rnn as equations
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.recurrent import BuiltInRNN
from rnn_ref.layers.targets import Kernels


class SimpleRNNCell(Cell):
    """One step of a :class:`SimpleRNN`; the arguments are described there.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> output, states = rnn_ref.layers.SimpleRNNCell(4)(np.ones((2, 3)))
    >>> output.shape, len(states)
    ((2, 4), 1)
    """

    record = equations.RECORD
    GATES, STATES, blocks, kernels = equations.GATES, equations.STATES, 1, Kernels("simple_rnn")

    def __init__(
        self,
        units,
        activation="tanh",
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
        seed=None,
        **layer_options,
    ):
        super().__init__(
            units,
            activation=activation,
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
            implementation=1,
            **layer_options,
        )


class SimpleRNN(BuiltInRNN):
    """Fully connected recurrent layer whose output is fed back to its input.

        h_t = activation(x_t W + h_{t-1} U + b)

    Input ``(B, T, F)``; output ``(B, H)`` or, with ``return_sequences``, ``(B, T, H)``.

    Parameters
    ----------
    units : int
        H, size of the state and of the output.
    activation : str
        Any pointwise activation.
    use_bias : bool
    kernel_initializer, recurrent_initializer, bias_initializer
        For ``kernel (F, H)``, ``recurrent_kernel (H, H)`` and ``bias (H,)``.
    kernel_regularizer, recurrent_regularizer, bias_regularizer
        Penalties on these weights, added to the loss in ``fit``.
    activity_regularizer
        Penalty on the output.
    kernel_constraint, recurrent_constraint, bias_constraint
        Applied to these weights after every update.
    dropout, recurrent_dropout : float
        Fraction of the inputs, and of the recurrent state, set to zero in training; the same ones at every step.
    return_sequences : bool
        Return the output of every time step, not only the last.
    return_state : bool
        Return ``[output, h_T]``.
    go_backwards : bool
        Read the sequence backwards.
    stateful, unroll, zero_output_for_mask, time_major : bool
        See :class:`~rnn_ref.layers.RNN`.
    seed : int, optional
        For dropout.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Elman, "Finding structure in time", 1990. https://keras.io/api/layers/recurrent_layers/simple_rnn/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> layer = rnn_ref.layers.SimpleRNN(64)
    >>> layer(np.zeros((2, 10, 5))).shape, layer.count_params()
    ((2, 64), 4480)
    """

    def __init__(
        self,
        units,
        activation="tanh",
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
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        seed=None,
        **layer_options,
    ):
        cell = SimpleRNNCell(
            units,
            activation=activation,
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
            name="simple_rnn_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **layer_options,
        )

    def _cell_config(self) -> dict:
        config = super()._cell_config()
        if config["seed"] is None:  # Keras does not write it
            del config["seed"]
        return config
