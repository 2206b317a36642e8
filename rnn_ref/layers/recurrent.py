"""RNN: what every recurrent layer does around its cell: shapes, states, masks, direction, what to return."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_ref import checks, memory
from rnn_ref.device import asarray, converted, device, to_numpy, xp
from rnn_ref.guard import explained
from rnn_ref.layers import regularizers
from rnn_ref.layers.layer import Layer, LayerGradients, batch_size_of
from rnn_ref.layers.sharing import note, once
from rnn_ref.layers.starting import Started, asked, recorded_states
from rnn_ref.layers.symbolic import NEEDS_ALL_STEPS, leaves
from rnn_ref.layers.weight_owner import each_once
from rnn_ref.layers.wrapper import class_entry, class_of


class RNN(Layer):
    """A cell run over the time axis.

    Input ``(B, T, F)``; output ``(B, H)``, or ``(B, T, H)`` with ``return_sequences``; with ``return_state`` a
    list of the output and every final state.

    Parameters
    ----------
    cell : cell, or list of cells to be stacked
        A built-in cell runs on compiled kernels over the whole sequence.
    return_sequences : bool
        Return the output of every time step, not only of the last.
    return_state : bool
        Return the final states too.
    go_backwards : bool
        Read the sequence from its end; outputs stand in the order they were computed.
    stateful : bool
        Start each batch from the final states of the one before, until :meth:`reset_states`. The batch size is fixed.
    unroll : bool
        Of no effect on results: the loop over time is compiled. The number of time steps must be known, as in Keras.
    zero_output_for_mask : bool
        The output of a masked step is zero instead of a repetition of the one before.
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
        self.states: list[np.ndarray] | None = None  # those kept, themselves: to write into them is to set them
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
        if self.input_shape is None:  # only the cell was built
            return
        given, expected = (self.sequence_shape(shape)[2:] for shape in (input_shape, self.input_shape))
        if tuple(given) != tuple(expected):
            expected, given = (sizes[0] if len(sizes) == 1 else tuple(sizes) for sizes in (expected, given))
            raise ValueError(
                f"{self.name}: expected {expected} features on the last axis (the size it was built with), got {given}."
            )

    def named_weights(self) -> dict:
        """Those of the cell, and what a subclass has added."""
        return self._beside(super().named_weights(), self.cell.named_weights())

    def trainable_named_weights(self) -> dict:
        if not self.trainable:
            return {}
        return self._beside(super().trainable_named_weights(), self.cell.trainable_named_weights())

    def _beside(self, own: dict, of_cell: dict) -> dict:
        taken = {name for name in own if name in of_cell and own[name] is not of_cell[name]}
        return each_once({f"{self.name}/{name}" if name in taken else name: w for name, w in own.items()} | of_cell)

    def rank_message(self, shape, rank: int) -> str:
        return f"{self.name}: expected (batch, time, features), got shape {tuple(shape)}. {NEEDS_ALL_STEPS}"

    def sequence_shape(self, shape) -> tuple:
        """The input's shape, batch first; further inputs in a list are initial states."""
        if not all(size is None or isinstance(size, (int, np.integer)) for size in shape):
            shape = shape[0]
        if len(shape) < 3:
            raise ValueError(self.rank_message(shape, 3))
        return (shape[1], shape[0], *shape[2:]) if self.time_major else tuple(shape)

    def __call__(self, x, *more, **arguments):
        y = super().__call__(x, *more, **arguments)
        return self._by_cell(y) if isinstance(y, (list, tuple)) else y

    def _by_cell(self, outputs) -> tuple:
        """The output, and of a stack an entry for each cell: a list where the cell has several states."""
        y, *states = outputs
        sizes = self.cell.state_size if getattr(self.cell, "cells", None) else states
        left = iter(states)
        return (y, *([next(left) for _ in s] if isinstance(s, list) and len(s) > 1 else next(left) for s in sizes))

    def compute_output_shape(self, input_shape):
        shape = self.flat_output_shape(input_shape)
        return self._by_cell(shape) if self.return_state else shape

    def flat_output_shape(self, input_shape):
        """Shape of the output, and of every state."""
        B, T, *_ = self.sequence_shape(input_shape)
        size = size_tuple(self.cell.output_size)
        y = (B, T, *size) if self.return_sequences else (B, *size)
        if self.time_major and self.return_sequences:
            y = (T, B, *size)
        states = [(B, *size_tuple(s)) for s in self.cell.state_sizes]
        return (y, *states) if self.return_state else y

    def call_output_shape(self, input_shape, arguments: dict):
        """Shape of the output, once the initial states of a symbolic call are found to fit."""
        if arguments.get("initial_state") is not None:
            shapes = [tuple(state.shape) for state in flat_states(arguments["initial_state"])]
            self.check_state_shapes(shapes, self.sequence_shape(input_shape)[0])
        own = type(self).compute_output_shape is not RNN.compute_output_shape
        return self.compute_output_shape(input_shape) if own else self.flat_output_shape(input_shape)

    def compute_mask(self, inputs, mask):
        mask = mask[0] if isinstance(mask, list) else mask
        y = mask if self.return_sequences else None  # with go_backwards too it stays as it is, as in Keras
        return [y, *[None] * len(self.cell.state_sizes)] if self.return_state else y

    # -- states -------------------------------------------------------------------------------------

    @explained
    def get_initial_state(self, batch_size: int | None = None, *, inputs=None, dtype=None) -> list[np.ndarray]:
        """Zeros for every state, unless the cell says otherwise; ``inputs`` tell the batch size too."""
        states = self.cell.initial_states(batch_size_of(batch_size, inputs, self.name))
        return [state.astype(dtype or self.dtype) for state in states]

    def _fixed_batch_size(self) -> int | None:
        """What the ``batch_input_shape``, or an ``Input`` with a ``batch_shape``, said."""
        shapes = [self._given_shape, *(leaves(node.inputs)[0].shape for node in self.nodes)]
        return next((s[int(self.time_major)] for s in shapes if s and s[int(self.time_major)] is not None), None)

    @explained
    def reset_states(self, states=None) -> None:
        """Set the states a ``stateful`` layer starts from: zeros, or those given."""
        if not self.stateful:
            raise AttributeError(f"{self.name} keeps no states; make it with stateful=True.")
        self.states = None if states is None else [state.copy() for state in self.check_states(states, None)]

    reset_state = reset_states

    def check_states(self, states, B: int | None) -> list[np.ndarray]:
        """One ``(B, size)`` array for each state."""
        states = [xp.asarray(state, self.dtype) for state in flat_states(states)]
        self.check_state_shapes([state.shape for state in states], B)
        return states

    def check_state_shapes(self, shapes: list[tuple], B: int | None) -> None:
        """``(B, size)`` for each state; what is None is not known yet."""
        sizes, names = self.cell.state_sizes, self.cell.state_names
        if len(shapes) != len(sizes):
            raise ValueError(
                f"{self.name}: initial_state needs {len(sizes)} arrays ({', '.join(names)}), got {len(shapes)}."
            )
        for name, size, shape in zip(names, sizes, shapes):
            expected = (B, *size_tuple(size))
            if len(shape) != len(expected) or any(a != b and None not in (a, b) for a, b in zip(shape, expected)):
                raise ValueError(f"{self.name}: initial {name} state has shape {shape}, expected {expected}.")

    def _first_states(self, initial_state, B: int) -> tuple[list[np.ndarray], Callable | None]:
        """The initial states; and, if ``get_initial_state`` has made them of weights, the way back to these."""
        if initial_state is not None:
            return self.check_states(initial_state, B), None
        fixed = self._fixed_batch_size() if self.stateful else None
        if fixed not in (None, B):
            raise ValueError(
                f"{self.name}: stateful, made for batches of {fixed} samples, got {B}. Leave the samples that are too "
                "many out, or fill the batch up."
            )
        if self.stateful and self.states is not None:
            if len(self.states[0]) != B:
                raise ValueError(
                    f"{self.name}: stateful with states for {len(self.states[0])} samples, got a batch of {B}. Keep "
                    "the batch size fixed, or call reset_states() first."
                )
            return [xp.asarray(state) for state in self.states], None
        own = type(self).get_initial_state is not RNN.get_initial_state
        if not own and not self.cell.own_start:
            return self.cell.initial_states(B), None
        states, back = recorded_states(
            (lambda: asked(self.get_initial_state, B, self.dtype)) if own else (lambda: self.cell.initial_states(B)),
            f"{type(self if own else self.cell).__name__}.get_initial_state",
        )
        return self.check_states(states, B), back

    # -- running ------------------------------------------------------------------------------------

    def kernel_choice(self, batch_size: int = 32, *, training: bool = True):
        """Which kernel runs on the current device, and why it is not the fast one.

        Parameters
        ----------
        batch_size : int
            On a GPU it matters how many samples there are to be shared out.
        training : bool
            Whether dropout acts: ``recurrent_dropout`` needs the slower kernel.

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
            Zeros when absent.
        constants : list of ndarray, optional
            Handed to the cell at every step, if it takes them.
        mask : ndarray of bool, (B, T), optional
            False where a step is to be skipped: the states are carried over it.
        training : bool
            Whether dropout acts.
        record : bool
            False keeps no more than the outputs: memory does not grow with T, but there is no way back.
        run_cell : callable, optional
            Takes the place of ``cell.run``, for those who look on: gets this layer first, then the same arguments,
            ``x`` (T, B, F) not copied; what it returns has ``outputs``, ``final_states`` and ``mask`` as a tape has.
        **options
            For the cell: ``keep_z=True`` keeps pre-activations; ``x_drop``, ``h_drop`` give the dropout masks.

        Returns
        -------
        outputs : ndarray or list of ndarray
        tape : rnn_ref.kernels.tape.Tape
            Time-major, in the order the steps were computed. It refers to ``x``: change that only after the way back.
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
                x = memory.contiguous(x)  # products of a GPU take the rows of all steps as one matrix
            tape = self.cell.run(x, states, mask=mask, training=training, **options)
        else:
            tape = run_cell(self, x, states, mask=mask, training=training, **options)
        final = [state.copy() for state in tape.final_states] if self.return_state or self.stateful else []
        if self.stateful:
            self.states = [state.copy() for state in final]  # the caller may change those that are returned
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
        """Steps ``(T, B)``, or the last alone ``(1, B)``, whose output is not zeroed; None for all.

        A masked step repeats the output before it; there is none before the first, and there Keras gives zeros.
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
            dys = self._from_time_major(dy) if self.return_sequences else dy[None]  # swaps back, too
            shown = self._shown_steps(tape)
            if shown is not None:
                dys = dys * _over(shown[-len(dys) :], dys)
        dstates = [None if d is None else xp.asarray(d, self.dtype) for d in dstates] or [None] * len(tape.final_states)
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
            | ({"time_major": True} if self.time_major else {})  # Keras 3 has it no more
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

    def _cell_config(self) -> dict:
        config = {k: v for k, v in self.cell.get_config().items() if k not in ("name", "trainable", "dtype")}
        return config | {"activity_regularizer": regularizers.serialize(self.activity_regularizer)}


def as_cell(cell, where: str):
    """A list of cells is stacked; a cell that is not built in, or has a ``call`` of its own, is run step by step."""
    from rnn_ref.layers.cell import Cell
    from rnn_ref.layers.custom_cell import CustomCell
    from rnn_ref.layers.stacked_cells import StackedRNNCells

    if isinstance(cell, (list, tuple)):
        return StackedRNNCells(cell)
    stacked = isinstance(cell, StackedRNNCells)
    if stacked and type(cell).call is not StackedRNNCells.call:
        raise TypeError(
            f"{where}: {type(cell).__name__} overrides call of StackedRNNCells, whose cells run one after the other "
            "over the whole sequence, so that it would never run. Write a cell of your own that holds and calls the "
            "cells."
        )
    built_in = stacked or isinstance(cell, CustomCell) or (isinstance(cell, Cell) and not cell.by_call)
    if getattr(getattr(cell, "custom", cell), "activity_regularizer", None) is not None:
        raise NotImplementedError(
            f"{where}: the cell {type(cell).__name__} has an activity_regularizer, which would not be counted. Give it "
            "to the layer around the cell: RNN(cell, activity_regularizer=...)."
        )
    return cell if built_in else CustomCell(cell, where)


def describe_cell(cell) -> dict:
    """Class and config, for :func:`cell_from`; of a custom cell, those of the object inside."""
    described = getattr(cell, "custom", cell)
    config = cell.get_config()
    if "name" in config:  # Keras takes no names with the layer's in front
        config |= {"name": config["name"].rpartition("/")[2]}
    return note(described, class_entry(type(described)) | {"config": config})


def cell_from(entry: dict, custom_objects: dict | None):
    """The cell that :func:`describe_cell` described."""
    cell_class = class_of(entry, custom_objects, "cell")
    return once(entry, lambda: _make_cell(cell_class, entry["config"], custom_objects))


def _make_cell(cell_class, config: dict, custom_objects: dict | None):
    from rnn_ref.layers.stacked_cells import StackedRNNCells

    if not hasattr(cell_class, "from_config"):
        return cell_class(**config)
    if cell_class is StackedRNNCells:
        return cell_class.from_config(config, custom_objects)
    return cell_class.from_config(config)


def custom_classes(cell) -> dict:
    """Classes of the custom cells in a cell, by name."""
    if hasattr(cell, "cells"):
        return {name: found for each in cell.cells for name, found in custom_classes(each).items()}
    return {type(cell.custom).__name__: type(cell.custom)} if "custom" in vars(cell) else {}


def _over(steps, array) -> np.ndarray:
    """``(T, B)`` in the rank of an array ``(T, B, ...)``."""
    return steps.reshape(*steps.shape, *[1] * (array.ndim - steps.ndim))


def size_tuple(size) -> tuple:
    """A state of 8 is ``(B, 8)``; one of (3, 4) is ``(B, 3, 4)``."""
    return (size,) if isinstance(size, (int, np.integer)) else tuple(size)


def flat_states(states) -> list:
    """Nested states as one list."""
    if isinstance(states, (list, tuple)):
        return [leaf for state in states for leaf in flat_states(state)]
    return leaves(states) or [states]
