"""CustomCell: lets a recurrent layer run any object that follows Keras's contract for cells."""

from __future__ import annotations

import inspect

import numpy as np

from rnn_ref.device import asarray, get_device, like_given, runs_on_cpu
from rnn_ref.layers.autodiff import accepts, as_list, pullback
from rnn_ref.layers.custom_tape import CustomFlow, CustomTape, one_size, over, shape_of
from rnn_ref.layers.layer import Layer, LayerGradients, batch_size_of
from rnn_ref.layers.recording import Call, now, within
from rnn_ref.layers.starting import asked
from rnn_ref.layers.targets import KernelChoice
from rnn_ref.layers.variable import value_of
from rnn_ref.registry import snake_case


class CustomCell(Layer):
    """An object that follows the cell contract, run step by step.

    :class:`~rnn_ref.layers.RNN` and :class:`~rnn_ref.layers.StackedRNNCells` wrap cells that are not built in with it.
    It runs on the CPU; if the device is a GPU, sequences are moved to the CPU and back.

    Parameters
    ----------
    custom : object
        With

        - ``call(inputs, states)``, returning ``(output, new_states)``: ``inputs`` (B, ...), ``states`` a list of one
          array (B, ...) for each state. It may also name ``constants`` and ``training``.
        - ``state_size``: an int; or a list or tuple with an int, or a tuple (the shape), for each state.
        - ``output_size``, optional: an int or a shape; by default that of the first state.
        - ``get_initial_state``, optional, with any of ``inputs``, ``batch_size``, ``dtype``; by default zeros.
        - ``build(input_shape)``, optional.
        - ``backward(inputs, states, d_output, d_states)``, optional, with ``constants`` and ``training`` where ``call``
          has them: returns ``(d_inputs, d_states, {weight name: gradient})``, and a list of the gradients of
          the constants as a fourth if there are any. Without it, autograd differentiates ``call``.

        A subclass of :class:`~rnn_ref.layers.Layer` makes weights with ``add_weight``.

    References
    ----------
    https://keras.io/api/layers/recurrent_layers/rnn/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> class Decay:
    ...     state_size = 3
    ...
    ...     def call(self, inputs, states):
    ...         h = 0.5 * states[0] + inputs
    ...         return h, [h]
    >>> rnn_ref.layers.RNN(Decay())(np.ones((1, 4, 3)))
    array([[1.875, 1.875, 1.875]], dtype=float32)
    """

    GATES = ()
    only_on_cpu = True

    def __init__(self, custom, where: str = "RNN"):
        kind = type(custom).__name__
        if not callable(getattr(custom, "call", None)):
            raise ValueError(
                f"{where}: {custom!r} is not a cell: it has no call(inputs, states). "
                "A cell has `call` and `state_size`; the built-in ones are SimpleRNNCell, GRUCell and LSTMCell."
            )
        if getattr(custom, "state_size", None) is None:
            raise ValueError(
                f"{where}: the cell {kind} has no `state_size`. Set it to the size of the state, "
                "or to a list with the size of each state."
            )
        self.custom = custom
        super().__init__(name=getattr(custom, "name", None) or snake_case(kind), dtype=getattr(custom, "dtype", None))
        self._trainable = getattr(custom, "trainable", True)
        self.takes_constants = accepts(custom.call, "constants")
        self.needs_constants = self.takes_constants and _has_no_default(custom.call, "constants")
        self.takes_training = accepts(custom.call, "training")
        _ = self.state_sizes  # raises if anything is wrong with it

    def __getattr__(self, name):
        # Other attributes of the object (units, kernel, ...) read as the cell's own.
        if name.startswith("_") or "custom" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self.custom, name)

    # -- the wrapped object --------------------------------------------------------------------------

    @property
    def is_layer(self) -> bool:
        return isinstance(self.custom, Layer)

    @property
    def dtype(self) -> str:
        """Precision; setting it also sets that of the wrapped object and of its existing weights."""
        return self.__dict__["dtype"]

    @dtype.setter
    def dtype(self, dtype: str) -> None:
        self.__dict__["dtype"] = dtype
        if self.is_layer and self.custom.dtype != dtype:
            self.custom.dtype = dtype
            for weight in self.custom.weights:
                weight.value = weight.value.astype(dtype)

    def adopt(self, layer) -> None:
        """Become the cell of a recurrent layer."""
        self.name = f"{layer.name}/{self.name.rpartition('/')[2]}"
        self.dtype = layer.dtype
        if self.is_layer:
            self.custom.name = self.name

    def sublayers(self) -> list[Layer]:
        return [self.custom] if self.is_layer else []

    def named_weights(self) -> dict:
        return self.custom.named_weights() if self.is_layer else {}

    def trainable_named_weights(self) -> dict:
        return self.custom.trainable_named_weights() if self.is_layer and self.trainable else {}

    def build(self, input_shape) -> None:
        if self.is_layer:
            self.custom.ensure_built(input_shape)
        elif hasattr(self.custom, "build"):
            self.custom.build(input_shape)

    def get_config(self) -> dict:
        if not hasattr(self.custom, "get_config"):
            raise ValueError(
                f"{self.name}: the cell {type(self.custom).__name__} has no get_config(), so it cannot be copied. "
                "Give it one that returns the arguments of its constructor."
            )
        return self.custom.get_config()

    # -- sizes and states ----------------------------------------------------------------------------

    @property
    def state_size(self):
        return self.custom.state_size

    @property
    def state_sizes(self) -> list:
        size = self.custom.state_size
        sizes = list(size) if isinstance(size, (list, tuple)) else [size]
        try:
            return [one_size(each) for each in sizes]
        except (TypeError, ValueError):
            raise ValueError(
                f"{self.name}: state_size must be an int, or a list or tuple with an int or a shape for each state, "
                f"got {size!r}."
            ) from None

    @property
    def state_names(self) -> list[str]:
        count = len(self.state_sizes)
        return ["hidden"] if count == 1 else [f"state_{k}" for k in range(count)]

    STATES = state_names

    @property
    def output_size(self):
        size = getattr(self.custom, "output_size", None)
        return self.state_sizes[0] if size is None else one_size(size)

    @property
    def own_start(self) -> bool:
        """Whether the cell defines the initial states."""
        return hasattr(self.custom, "get_initial_state")

    def initial_states(self, batch_size: int) -> list[np.ndarray]:
        """The result of the cell's ``get_initial_state``, or zeros: ``(B, ...)`` for each state."""
        shapes = [(batch_size, *shape_of(size)) for size in self.state_sizes]
        make = getattr(self.custom, "get_initial_state", None)
        if make is None:
            return [np.zeros(shape, self.dtype) for shape in shapes]
        states = asked(make, batch_size, self.dtype)
        if [state.shape for state in states] != shapes:
            raise ValueError(
                f"{self.name}: get_initial_state returned shapes {[s.shape for s in states]}, expected {shapes} "
                "(batch_size, then state_size)."
            )
        return states

    def get_initial_state(self, batch_size: int | None = None, *, inputs=None, dtype=None) -> list[np.ndarray]:
        """The states that a sequence starts from, as a list of arrays."""
        states = self.initial_states(batch_size_of(batch_size, inputs, self.name))
        return [state.astype(dtype or self.dtype) for state in states]

    def kernel_choice(self, batch_size: int = 32, *, training: bool = True) -> KernelChoice:
        """Python, not a kernel; see :meth:`rnn_ref.layers.RNN.kernel_choice`."""
        kind = type(self.custom).__name__
        return KernelChoice("Python", f"{kind} is a custom cell: its call is Python, run step by step on the CPU")

    def check_input(self, x, layer_name: str) -> None:
        """Check that ``x`` (T, B, ...) has the features the cell was built for."""
        if self.built and tuple(x.shape[2:]) != tuple(self.input_shape[1:]):
            raise ValueError(
                f"{layer_name}: expected {tuple(self.input_shape[1:])} after batch and time (what it was built with), "
                f"got {tuple(x.shape[2:])}."
            )

    # -- running -------------------------------------------------------------------------------------

    def step(self, x, states: list, constants: list, training: bool) -> list:
        """``[output, *new states]`` of one step."""
        result = self.custom.call(x, list(states), **self._extras(self.custom.call, constants, training))
        if not isinstance(result, (list, tuple)) or len(result) != 2:
            raise ValueError(f"{self.name}: call must return (output, new_states), got {type(result).__name__}.")
        output, new_states = result
        new_states = as_list(new_states)
        if len(new_states) != len(states):
            raise ValueError(f"{self.name}: call returned {len(new_states)} states, expected {len(states)}.")
        return [output, *new_states]

    def _extras(self, function, constants: list, training: bool) -> dict:
        extras = {"constants": constants} if constants and accepts(function, "constants") else {}
        return extras | ({"training": training} if accepts(function, "training") else {})

    @property
    def has_own_backward(self) -> bool:
        backward = getattr(type(self.custom), "backward", None)
        return backward is not None and not backward.__module__.startswith("rnn_ref.layers.")

    def run(self, x, states, *, mask=None, training: bool = False, constants=None, keep_z: bool = False) -> CustomTape:
        """All steps: ``x`` (T, B, ...), states (B, ...), mask (T, B).

        ``keep_z`` asks built-in cells for their pre-activations and has no effect here.
        """
        constants = [np.asarray(c, self.dtype) for c in as_list([] if constants is None else constants)]
        if constants and not self.takes_constants:
            raise ValueError(f"{self.name}: got constants, but the cell's call has no argument `constants`.")
        if self.needs_constants and not constants:
            raise ValueError(f"{self.name}: the cell's call needs constants; give them: layer(x, constants=[...]).")
        T, B = x.shape[:2]
        shapes = [(B, *shape_of(size)) for size in (self.output_size, *self.state_sizes)]
        tape = CustomTape(
            x=x,
            states=[np.empty((T + 1, *state.shape), self.dtype) for state in states],
            outputs=np.empty((T, *shapes[0]), self.dtype),
            mask=mask,
            constants=constants,
            training=training,
        )
        for state, first in zip(tape.states, states):
            state[0] = first
        record = training and not self.has_own_backward  # record now: a second run might draw different random numbers
        for t in range(T):
            old = [state[t] for state in tape.states]
            if record:
                new, back = self._record(tape, t)
                tape.backs.append(back)
            else:
                call = Call(training, self.custom if self.is_layer else None)
                with within(call):
                    new = [value_of(part) for part in self.step(x[t], old, constants, training)]
                    self._refuse_penalties(call)
                tape.output_is_state = new[0] is new[1]
            self._check_shapes(new, shapes)
            held = [np.zeros(shapes[0], self.dtype) if t == 0 else tape.outputs[t - 1], *old]
            for k, series in enumerate([tape.outputs, *(state[1:] for state in tape.states)]):
                series[t] = new[k] if mask is None else np.where(over(mask[t], new[k]), new[k], held[k])
        return tape

    def _check_shapes(self, new: list, shapes: list) -> None:
        for name, array, shape in zip(["output", *self.state_names], new, shapes):
            if np.shape(array) != shape:
                raise ValueError(
                    f"{self.name}: call returned {name} of shape {np.shape(array)}, expected {shape} "
                    f"(by {'output_size' if name == 'output' else 'state_size'})."
                )

    def _record(self, tape: CustomTape, t: int):
        """Step t under autograd: ``[output, *new states]``, and the backward pass."""
        S = len(tape.states)

        def function(x, *rest):
            new = self.step(x, list(rest[:S]), list(rest[S:]), tape.training)
            self._refuse_penalties(call)
            tape.output_is_state = new[0] is new[1]
            return new

        arrays = [tape.x[t], *(state[t] for state in tape.states), *tape.constants]
        call = Call(tape.training, self.custom if self.is_layer else None)
        return pullback(function, arrays, f"{type(self.custom).__name__}.call", call)

    def _refuse_penalties(self, call: Call) -> None:
        for layer, _ in call.penalties:
            raise NotImplementedError(
                f"{self.name}: the penalty of {layer.name} (activity_regularizer or add_loss), in the call of a cell, "
                "is not counted over the time steps. Give the activity_regularizer to the layer around the cell."
            )

    # -- backward ------------------------------------------------------------------------------------

    def run_back(self, tape: CustomTape, dys, dstates, *, input_gradient: bool = True) -> LayerGradients:
        """Backward, from gradients of all outputs ``(T, B, ...)`` or the last, and of the final states (or None).

        A masked row passes its gradients on: that of its output to the previous output, those of its states to the
        previous states. Its step gets zeros and returns zeros, since a step is linear in its gradients.
        """
        d_weights = {name: np.zeros(weight.shape, self.dtype) for name, weight in self.named_weights().items()}
        d_constants = [np.zeros_like(constant) for constant in tape.constants]
        dx = np.zeros_like(tape.x)
        flow = [np.zeros_like(state) for state in tape.states]
        parts = []
        d_held = np.zeros_like(dys[0])
        unused = [d_held] * (len(tape.x) - len(dys))
        dys = [*unused, *dys]
        d_next = [np.zeros_like(state) if d is None else d for state, d in zip(tape.final_states, dstates)]
        for t in range(len(tape.x) - 1, -1, -1):
            d_output = dys[t] + d_held
            for series, d in zip(flow, d_next):
                series[t + 1] = d
            if tape.output_is_state:
                flow[0][t + 1] += d_output
            kept = [np.zeros_like(d) for d in d_next]
            d_held = np.zeros_like(d_held)
            if tape.mask is not None:
                counts = [over(tape.mask[t], d) for d in (d_output, *d_next)]
                d_held = np.where(counts[0], 0, d_output)
                kept = [np.where(c, 0, d) for c, d in zip(counts[1:], d_next)]
                d_output = np.where(counts[0], d_output, 0)
                d_next = [np.where(c, d, 0) for c, d in zip(counts[1:], d_next)]
            dx[t], d_states, of_weights, of_constants = self._step_back(tape, t, d_output, d_next)
            d_next = [d + k for d, k in zip(d_states, kept)]
            for name, dw in of_weights.items():
                d_weights[name] = np.asarray(d_weights[name] + dw if name in d_weights else dw)
            if tape.keep_parts:
                parts.append({name: np.array(part, self.dtype) for name, part in of_weights.items()})
            for total, d in zip(d_constants, of_constants):
                total += d
        for series, d in zip(flow, d_next):
            series[0] = d
        return LayerGradients(
            dx if input_gradient else None, d_weights, d_next, CustomFlow(dx, flow, parts[::-1]), constants=d_constants
        )

    def _step_back(self, tape: CustomTape, t: int, d_output, d_states):
        """Gradients of inputs, states, weights and constants at step t."""
        S, C = len(tape.states), len(tape.constants)
        if not self.has_own_backward:
            back = tape.backs[t] if tape.backs else self._record(tape, t)[1]
            d, of_weights = back([d_output, *d_states])
            arrays = [tape.x[t], *(state[t] for state in tape.states), *tape.constants]
            d = [np.zeros_like(array) if part is None else part for part, array in zip(d, arrays)]
            names = {weight: name for name, weight in self.named_weights().items()}
            of_weights = {names.get(weight, weight): dw for weight, dw in of_weights.items()}
            return d[0], d[1 : 1 + S], of_weights, d[1 + S : 1 + S + C]
        backward = self.custom.backward
        states = [state[t] for state in tape.states]
        result = backward(
            tape.x[t], states, d_output, d_states, **self._extras(backward, tape.constants, tape.training)
        )
        if not isinstance(result, (list, tuple)) or len(result) != (4 if C else 3):
            raise ValueError(
                f"{self.name}: backward must return (d_inputs, d_states, {{weight name: gradient}})"
                f"{' and a list of the gradients of the constants' if C else ''}."
            )
        dx, d_states, of_weights, of_constants = *result, *([] if C else [[]])
        unknown = set(of_weights) - set(self.named_weights())
        if unknown:
            raise ValueError(
                f"{self.name}: backward returned gradients for {sorted(unknown)}, but the weights are "
                f"{list(self.named_weights())}."
            )
        d_states = as_list(d_states)
        if len(d_states) != S or len(of_constants) != C:
            raise ValueError(
                f"{self.name}: backward returned gradients of {len(d_states)} states, {len(of_constants)} constants, "
                f"expected {S} and {C}."
            )
        return dx, d_states, of_weights, of_constants

    def __call__(self, x, states=None, **arguments):
        """One step, as the object itself computes it: ``(output, new states)``. Runs on the CPU."""
        if get_device() != "cpu":
            return like_given(runs_on_cpu(self.__call__)(x, states, **arguments), x)
        if now() is not None and self.is_layer:
            return self.custom(x, states, **arguments)
        x = asarray(x, self.dtype)
        self.ensure_built(x.shape)
        states = self.initial_states(len(x)) if states is None else [np.asarray(s, self.dtype) for s in as_list(states)]
        if not self.takes_training:
            arguments.pop("training", None)
        return self.custom.call(x, states, **arguments)

    call = __call__


def _has_no_default(function, name: str) -> bool:
    parameter = inspect.signature(function).parameters[name]
    return parameter.default is inspect.Parameter.empty
