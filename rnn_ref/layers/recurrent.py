"""RNN: what every recurrent layer does around its cell: shapes, states, masks, direction, what to return."""

from __future__ import annotations

import numpy as np

from rnn_ref import checks, memory
from rnn_ref.device import asarray, converted, device, to_numpy, xp
from rnn_ref.layers import regularizers
from rnn_ref.layers.layer import NOT_GIVEN, Layer, LayerGradients
from rnn_ref.layers.recurrent_cells import as_cell, cell_from, describe_cell
from rnn_ref.layers.recurrent_shapes import RecurrentShapes
from rnn_ref.layers.recurrent_states import RecurrentStates
from rnn_ref.layers.starting import Started
from rnn_ref.layers.variable import Variable
from rnn_ref.layers.weight_owner import each_once


class RNN(RecurrentStates, RecurrentShapes):
    """A cell run over the time axis.

    Input ``(B, T, F)``; output ``(B, H)``, or ``(B, T, H)`` with ``return_sequences``; with ``return_state`` a
    list of the output and every final state.

    Parameters
    ----------
    cell : cell, or list of cells to be stacked
        A built-in cell runs on compiled kernels over the whole sequence.
    return_sequences : bool
        Return the output of every time step, not only the last.
    return_state : bool
        Return the final states too.
    go_backwards : bool
        Read the sequence backwards; outputs are in the order in which they were computed.
    stateful : bool
        Start each batch from the final states of the previous one, until :meth:`reset_states`. The batch size is fixed.
    unroll : bool
        Does not affect results: the loop over time is compiled. The number of time steps must be known, as in Keras.
    zero_output_for_mask : bool
        The output of a masked step is zero, instead of repeating the previous one.
    time_major : bool
        Inputs and outputs are ``(T, B, ...)``.
    activity_regularizer : Regularizer, optional
        Penalty on the output, divided by the batch size and added to the loss in ``fit``.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/recurrent_layers/rnn/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> layer = rnn_ref.layers.RNN(rnn_ref.layers.LSTMCell(8), return_sequences=True)
    >>> layer(np.zeros((2, 10, 5))).shape
    (2, 10, 8)
    """

    supports_masking = True
    takes_mask = True
    call_arguments = ("initial_state", "mask", "training")

    def __init__(
        self,
        cell,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=False,
        time_major=False,
        use_cudnn="auto",
        activity_regularizer=None,
        **layer_options,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **layer_options)
        if use_cudnn is True:
            raise ValueError(
                f"{self.name}: use_cudnn=True, but there is no cuDNN here; leave it at 'auto'. To run on a GPU, on "
                "kernels that take every option: rnn_ref.set_device('cuda')."
            )
        checks.one_of(use_cudnn, "use_cudnn", self.name, ("auto", False, None))
        self.cell = as_cell(cell, self.name)
        self.cell.adopt(self)
        self.return_sequences = checks.flag(return_sequences, "return_sequences", self.name)
        self.return_state = checks.flag(return_state, "return_state", self.name)
        self.go_backwards = checks.flag(go_backwards, "go_backwards", self.name)
        self.stateful = checks.flag(stateful, "stateful", self.name)
        self.unroll = checks.flag(unroll, "unroll", self.name)
        self.zero_output_for_mask = checks.flag(zero_output_for_mask, "zero_output_for_mask", self.name)
        self.time_major = checks.flag(time_major, "time_major", self.name)
        self.states: list[np.ndarray] | None = None  # the kept arrays themselves: writing into them sets them
        self._given_shape = self.input_shape
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    def __getattr__(self, name):
        # Options and weights of the cell (units, activation, kernel, ...) read as the layer's own, as in Keras.
        if name.startswith("_") or "cell" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self.cell, name)

    # -- weights and shapes -------------------------------------------------------------------------

    def build(self, input_shape) -> None:
        input_shape = self.sequence_shape(input_shape)
        if input_shape[-1] is None:
            raise ValueError(f"{self.name}: the number of features (last axis) must be known, got {input_shape}.")
        if self.unroll and input_shape[1] is None:
            raise ValueError(
                f"{self.name}: unroll=True needs a known number of time steps; give it in the Input, or leave it out."
            )
        if self.stateful and input_shape[0] is None:
            raise ValueError(
                f"{self.name}: stateful=True needs to know how many samples a batch has, got inputs of shape "
                f"{input_shape} (batch, time, features). Say it in the Input: Input(batch_shape=(8, 10, 5))."
            )
        self.cell.ensure_built((input_shape[0], *input_shape[2:]))

    def sublayers(self) -> list[Layer]:
        return [layer for layer in super().sublayers() if layer is not self.cell]

    def check_built_for(self, input_shape) -> None:
        if self.input_shape is None:  # only the cell has been built
            return
        given, expected = (self.sequence_shape(shape)[2:] for shape in (input_shape, self.input_shape))
        if tuple(given) != tuple(expected):
            expected, given = (sizes[0] if len(sizes) == 1 else tuple(sizes) for sizes in (expected, given))
            raise ValueError(
                f"{self.name}: expected {expected} features on the last axis (the size it was built with), got {given}."
            )

    def named_weights(self) -> dict:
        """The weights of the cell, and those that a subclass has added."""
        return self._beside(super().named_weights(), self.cell.named_weights())

    def trainable_named_weights(self) -> dict:
        if not self.trainable:
            return {}
        return self._beside(super().trainable_named_weights(), self.cell.trainable_named_weights())

    def _beside(self, own: dict, of_cell: dict) -> dict:
        if not own:
            return of_cell
        taken = {name for name in own if name in of_cell and own[name] is not of_cell[name]}
        return each_once({f"{self.name}/{name}" if name in taken else name: w for name, w in own.items()} | of_cell)

    def __call__(self, x=NOT_GIVEN, /, *more, **arguments):
        y = super().__call__(x, *more, **arguments)
        return self._by_cell(y) if isinstance(y, (list, tuple)) else y

    # -- running ------------------------------------------------------------------------------------

    def kernel_choice(self, batch_size: int = 32, *, training: bool = True):
        """The kernel that runs on the current device, and why it is not the fast one.

        Parameters
        ----------
        batch_size : int
            On a GPU the choice depends on how many samples there are to distribute.
        training : bool
            Whether dropout is applied: ``recurrent_dropout`` needs the slower kernel.

        Returns
        -------
        KernelChoice, or a list with one for each of several cells
            ``name`` and ``reason``.

        Examples
        --------
        >>> import rnn_ref
        >>> rnn_ref.layers.LSTM(8).kernel_choice()
        KernelChoice(name='compiled', reason=None)
        """
        return self.cell.kernel_choice(batch_size, training=training)

    @property
    def can_forget(self) -> bool:
        return self.cell.can_forget

    def forward(
        self,
        x,
        *,
        initial_state=None,
        constants=None,
        mask=None,
        training: bool = False,
        record: bool = True,
        run_cell=None,
        **options,
    ):
        """Run the layer.

        Parameters
        ----------
        x : ndarray, (B, T, F)
            Or a list: the sequence, then initial states.
        initial_state : list of ndarray, each (B, H), optional
            By default zeros.
        constants : list of ndarray, optional
            Passed to the cell at every step, if it takes them.
        mask : ndarray of bool, (B, T), optional
            False where a step is to be skipped, carrying the states over.
        training : bool
            Whether to apply dropout.
        record : bool
            False keeps only the outputs: memory does not grow with T, but there can be no backward pass.
        run_cell : callable, optional
            Replaces ``cell.run``, for inspection: called with this layer and then the same arguments, with ``x``
            (T, B, F) not copied; what it returns has ``outputs``, ``final_states`` and ``mask`` as a tape has.
        **options
            For the cell: ``keep_z=True`` keeps pre-activations; ``x_drop``, ``h_drop`` give the dropout masks.

        Returns
        -------
        outputs : ndarray or list of ndarray
        tape : rnn_ref.kernels.tape.Tape
            Time-major, in the order in which the steps were computed. It refers to ``x``, which must not change
            before :meth:`backward`.
        """
        if self.cell.only_on_cpu and xp.device != "cpu":
            given = {"initial_state": initial_state, "constants": constants, "mask": mask} | options
            x, given = converted((x, given), to_numpy)
            with device("cpu"):
                y, tape = RNN.forward(self, x, training=training, record=record, run_cell=run_cell, **given)
            return converted(y, asarray), tape
        if isinstance(x, (list, tuple)) and len(x) and getattr(x[0], "ndim", 0) >= 3:
            x, *given = x
            initial_state = given or initial_state
            mask = mask[0] if isinstance(mask, list) else mask
        x = self.as_input(x)
        if x.ndim < 3:
            raise ValueError(self.rank_message(x.shape, 3))
        given_shape = x.shape
        if not self.time_major:
            x = x.swapaxes(0, 1)
        T, B = x.shape[:2]
        self.cell.check_input(x, self.name)
        if T == 0:
            raise ValueError(f"{self.name}: got shape {given_shape}: zero time steps; at least one is needed.")
        if mask is not None:
            mask = checks.mask(xp.asarray(mask), self.name)
            expected = (T, B) if self.time_major else (B, T)
            if mask.shape != expected:
                raise ValueError(f"{self.name}: the mask has shape {mask.shape}, expected {expected} (batch, time).")
            mask = mask if self.time_major else mask.T
        states, start = self._first_states(initial_state, B)
        if self.go_backwards:
            x, mask = x[::-1], None if mask is None else mask[::-1]
        if constants is not None:
            if not self.cell.takes_constants:
                raise ValueError(f"{self.name}: got constants, but the call of its cell takes none.")
            options["constants"] = constants
        if run_cell is None:
            if not record and self.can_forget:
                options["keep"] = "outputs" if self.return_sequences else "last"
            elif xp.device != "cpu":
                x = memory.contiguous(x)  # products on a GPU take the rows of all steps as one matrix
            tape = self.cell.run(x, states, mask=mask, training=training, **options)
        else:
            tape = run_cell(self, x, states, mask=mask, training=training, **options)
        final = [state.copy() for state in tape.final_states] if self.return_state or self.stateful else []
        if self.stateful:
            self.states = [state.copy() for state in final]  # the caller may change the returned ones
        y, shown = tape.outputs, self._shown_steps(tape)
        if not self.return_sequences:
            y = y[-1:]
        if shown is not None:
            y = xp.where(_over(shown[-len(y) :], y), y, 0).astype(x.dtype, copy=False)
        y = self._from_time_major(y) if self.return_sequences else y[0].copy()
        tape = tape if start is None else Started(tape, start)
        return ([y, *final] if self.return_state else y), tape

    def _from_time_major(self, y):
        return y if self.time_major else y.swapaxes(0, 1)

    def _shown_steps(self, tape) -> np.ndarray | None:
        """Steps ``(T, B)``, or only the last ``(1, B)``, whose output is not zeroed; None for all.

        A masked step repeats the previous output; if there is none, Keras gives zeros.
        """
        if tape.mask is None:
            return None
        if self.zero_output_for_mask:
            return tape.mask
        return tape.mask.cumsum(axis=0) > 0 if self.return_sequences else tape.mask.any(axis=0, keepdims=True)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Backpropagation through time.

        Parameters
        ----------
        tape : Tape
            From :meth:`forward`.
        grads : ndarray or list of ndarray
            dL/d(outputs), in the structure of the outputs; None stands for zero.
        input_gradient : bool
            Whether to compute dL/dx.

        Returns
        -------
        LayerGradients
        """
        if self.cell.only_on_cpu and xp.device != "cpu":
            with device("cpu"):
                gradients = RNN.backward(self, tape, converted(grads, to_numpy), input_gradient=input_gradient)
            for part in ("inputs", "weights", "initial_state", "constants"):
                setattr(gradients, part, converted(getattr(gradients, part), asarray))
            return gradients
        start = None
        if isinstance(tape, Started):
            tape, start = tape.tape, tape.back
        dy, *dstates = grads if isinstance(grads, (list, tuple)) else [grads]
        expected = len(self.cell.state_sizes) if self.return_state else 0
        if len(dstates) != expected:
            raise ValueError(
                f"{self.name}: backward got {1 + len(dstates)} gradients, expected {1 + expected}, one for each output."
            )
        if dy is None:
            dys = xp.zeros_like(tape.outputs[-1:])
        else:
            dy = xp.asarray(dy, self.dtype)
            y = self._from_time_major(tape.outputs) if self.return_sequences else tape.outputs[-1]
            if dy.shape != y.shape:
                raise ValueError(f"{self.name}: the output gradient has shape {dy.shape}, expected {y.shape}.")
            dys = self._from_time_major(dy) if self.return_sequences else dy[None]  # also swaps back
            shown = self._shown_steps(tape)
            if shown is not None:
                dys = dys * _over(shown[-len(dys) :], dys)
        dstates = [None if d is None else xp.asarray(d, self.dtype) for d in dstates] or [None] * len(
            self.cell.state_sizes
        )
        gradients = self.cell.run_back(tape, dys, dstates, input_gradient=input_gradient)
        dx = gradients.inputs
        if dx is not None:
            gradients.inputs = self._from_time_major(dx[::-1] if self.go_backwards else dx)
        if start is not None:
            gradients.add(self, start(gradients.initial_state)[1])
        return gradients

    # -- configuration ------------------------------------------------------------------------------

    def get_config(self) -> dict:
        return (
            super().get_config()
            | self._cell_config()
            | {
                "return_sequences": self.return_sequences,
                "return_state": self.return_state,
                "go_backwards": self.go_backwards,
                "stateful": self.stateful,
                "unroll": self.unroll,
                "zero_output_for_mask": self.zero_output_for_mask,
            }
            | ({"time_major": True} if self.time_major else {})  # Keras 3 no longer has it
        )

    def _cell_config(self) -> dict:
        return {"cell": describe_cell(self.cell)}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None):
        config = dict(config)
        if isinstance(config.get("cell"), dict):
            config["cell"] = cell_from(config["cell"], custom_objects)
        return super().from_config(config)


class BuiltInRNN(RNN):
    """A layer that makes its own cell and shows its options as its own: SimpleRNN, LSTM, GRU."""

    def __setattr__(self, name, value):
        """Refuse to set the cell's options here: an attribute of the layer would shadow them and change nothing."""
        options = vars(self.cell) if "cell" in vars(self) else {}
        the_cell_s = name in options and name not in vars(self) and not hasattr(type(self), name)
        if the_cell_s and not name.startswith("_") and not isinstance(value, Variable):
            if not _same(options[name], value):
                raise AttributeError(
                    f"{self.name}: {name} is an option of its cell, and only read here. Make a new layer with another, "
                    f"or set layer.cell.{name}, as in Keras."
                )
            return
        super().__setattr__(name, value)

    def _cell_config(self) -> dict:
        config = {k: v for k, v in self.cell.get_config().items() if k not in ("name", "trainable", "dtype")}
        return config | {"activity_regularizer": regularizers.serialize(self.activity_regularizer)}


def _over(steps, array) -> np.ndarray:
    """``(T, B)`` with axes added, to the rank of an array ``(T, B, ...)``."""
    return steps.reshape(*steps.shape, *[1] * (array.ndim - steps.ndim))


def _same(a, b) -> bool:
    return a is b or (isinstance(a, (int, float, str)) and isinstance(b, (int, float, str)) and a == b)
