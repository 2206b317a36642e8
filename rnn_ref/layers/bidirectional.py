"""Bidirectional: a recurrent layer that reads forwards, one that reads backwards, and their outputs merged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.layer import Layer, LayerGradients
from rnn_ref.layers.penalties import count, penalties_of, with_penalties
from rnn_ref.layers.recurrent import RNN
from rnn_ref.layers.recurrent_cells import custom_classes, flat_states
from rnn_ref.layers.symbolic import entries
from rnn_ref.layers.wrapper import describe, layer_from, refuse_own_mask
from rnn_ref.registry import copying

MERGE_MODES = ("concat", "sum", "mul", "ave", None)


@dataclass(slots=True)
class BidirectionalTape:
    """Tapes and outputs ``y`` of both directions, with ``y_backward`` already in the order of the data.

    ``states`` are those of the forward and of the backward layer, if they are returned; for ``penalties`` and
    ``scale`` see :mod:`rnn_ref.layers.penalties`.
    """

    forward: Any
    backward: Any
    y_forward: np.ndarray
    y_backward: np.ndarray
    states: list[list]
    penalties: list = field(default_factory=list)
    scale: list | None = None


class Bidirectional(Layer):
    """Run a recurrent layer over the sequence in both directions.

        y = merge(forward_layer(x), backward_layer(x))

    With ``return_sequences`` the outputs of the backward layer are first reversed in time, so that both belong to the
    same time step. With ``return_state`` the states follow: those of the forward layer, then those of the backward one.

    Parameters
    ----------
    layer : RNN
        Both directions are made from its configuration, with new weights.
    merge_mode : {"concat", "sum", "mul", "ave", None}
        How to combine the two outputs; None returns both.
    weights : list of ndarray, optional
        Initial weights: the first half for the forward layer, the second for the backward layer.
    backward_layer : RNN, optional
        To be used instead of a copy of ``layer`` that reads backwards.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    Schuster and Paliwal, "Bidirectional recurrent neural networks", 1997.
    https://keras.io/api/layers/recurrent_layers/bidirectional/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> layer = rnn_ref.layers.Bidirectional(rnn_ref.layers.LSTM(64), input_shape=(10, 5))
    >>> layer(np.zeros((2, 10, 5))).shape, layer.count_params()
    ((2, 128), 35840)
    """

    supports_masking = True
    takes_mask = True
    call_arguments = ("initial_state", "mask", "training")

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **layer_options):
        for given in (layer, backward_layer):
            if given is not None and not isinstance(given, RNN):
                raise ValueError(f"Bidirectional takes recurrent layers, got {given!r}.")
        if layer is None:
            raise ValueError("Bidirectional takes a recurrent layer, got None.")
        if merge_mode not in MERGE_MODES:
            raise ValueError(f"Bidirectional: merge_mode={merge_mode!r} is unknown; use one of {MERGE_MODES}.")
        if "input_shape" not in layer_options and "batch_input_shape" not in layer_options and layer.input_shape:
            layer_options["batch_input_shape"] = layer.input_shape
        super().__init__(**({"dtype": layer.dtype} | layer_options))
        self.merge_mode = merge_mode
        self.forward_layer = _copy(layer, "forward", layer.go_backwards)
        self.backward_layer = backward_layer or _copy(layer, "backward", True)
        self._check_directions()
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.time_major = layer.time_major
        self._initial_weights = None if weights is None else list(weights)
        for direction in self.directions:
            # As in Keras: a masked step contributes zeros to a sequence of outputs.
            direction.zero_output_for_mask = self.return_sequences
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    @property
    def directions(self) -> list[RNN]:
        return [self.forward_layer, self.backward_layer]

    def _check_directions(self) -> None:
        first, second = self.directions
        if first.go_backwards == second.go_backwards:
            raise ValueError(
                f"{self.name}: both layers have go_backwards={first.go_backwards}; one must read backwards, one not. "
                + (
                    "Leave go_backwards out of the layer, or give a backward_layer with go_backwards=False."
                    if first.go_backwards
                    else "Make backward_layer with go_backwards=True."
                )
            )
        for option in ("stateful", "return_sequences", "return_state", "time_major", "dtype"):
            if getattr(first, option) != getattr(second, option):
                raise ValueError(
                    f"{self.name}: {option} must be the same in both directions, got {getattr(first, option)} (layer) "
                    f"and {getattr(second, option)} (backward_layer)."
                )
        if first.name == second.name:
            raise ValueError(f"{self.name}: both layers are named {first.name!r}; names must differ.")

    # -- weights and shapes --------------------------------------------------------------------------

    def sublayers(self) -> list[Layer]:
        return list(dict.fromkeys(self.directions + super().sublayers()))

    def build(self, input_shape) -> None:
        for direction in self.directions:
            direction.ensure_built(input_shape)
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)

    def check_built_for(self, input_shape) -> None:
        for direction in self.directions:
            direction.check_built_for(input_shape)

    def compute_output_shape(self, input_shape):
        shapes = [direction.call_output_shape(input_shape, {}) for direction in self.directions]
        states = [s for shape in shapes for s in shape[1:]] if self.return_state else []
        first, second = [shape[0] if self.return_state else shape for shape in shapes]
        if self.merge_mode is None:
            return (first, second, *states)
        if self.merge_mode == "concat":
            first = (*first[:-1], first[-1] + second[-1])
        return (first, *states) if states else first

    def call_output_shape(self, input_shape, arguments: dict):
        """Shape of the output, after checking the initial states of a symbolic call."""
        for direction, states in zip(self.directions, self._by_direction(arguments.get("initial_state"))):
            direction.call_output_shape(input_shape, {"initial_state": states})
        return self.compute_output_shape(input_shape)

    def compute_mask(self, inputs, mask):
        mask = mask[0] if isinstance(mask, list) else mask
        y = mask if self.return_sequences else None
        outputs = [y, y] if self.merge_mode is None else [y]
        if self.return_state:
            outputs += [None] * sum(len(direction.cell.state_sizes) for direction in self.directions)
        return outputs if len(outputs) > 1 else y

    # -- states --------------------------------------------------------------------------------------

    @property
    def states(self) -> list[np.ndarray] | None:
        """The states that a ``stateful`` layer starts from next."""
        first, second = (direction.states for direction in self.directions)
        return None if first is None else first + second

    def reset_states(self, states=None) -> None:
        """Set the states that a ``stateful`` layer starts from: the given ones, or zeros."""
        if not self.stateful:
            raise AttributeError(f"{self.name} keeps no states; make it with stateful=True inside.")
        for direction, own in zip(self.directions, self._by_direction(states)):
            direction.reset_states(own)

    reset_state = reset_states

    def _by_direction(self, states) -> list:
        """States of the forward layer, states of the backward layer."""
        if states is None:
            return [None, None]
        states = flat_states(states)
        counts = [len(direction.cell.state_sizes) for direction in self.directions]
        if len(states) != sum(counts):
            raise ValueError(
                f"{self.name}: initial_state needs {sum(counts)} arrays ({counts[0]} of the forward layer, then "
                f"{counts[1]} of the backward layer), got {len(states)}."
            )
        return [states[: counts[0]], states[counts[0] :]]

    # -- running -------------------------------------------------------------------------------------

    def kernel_choice(self, batch_size: int = 32, *, training: bool = True) -> list:
        """The kernel of each direction; see :meth:`rnn_ref.layers.RNN.kernel_choice`."""
        return [direction.kernel_choice(batch_size, training=training) for direction in self.directions]

    @property
    def can_forget(self) -> bool:
        return all(direction.can_forget for direction in self.directions)

    def forward(self, x, *, initial_state=None, constants=None, mask=None, training: bool = False, **options):
        """Run both directions.

        Parameters
        ----------
        x : ndarray, (B, T, F)
            Or a list: the sequence, then initial states.
        initial_state : list of ndarray, optional
            States of the forward layer, then those of the backward layer.
        constants, mask, training, **options
            See :meth:`RNN.forward`; passed to both directions.

        Returns
        -------
        outputs : ndarray or list of ndarray
        tape : BidirectionalTape
        """
        if isinstance(x, (list, tuple)) and not np.isscalar(x[0]) and np.ndim(x[0]) >= 3:
            x, *given = x
            initial_state = given or initial_state
            mask = mask[0] if isinstance(mask, list) else mask
        x = self.as_input(x)
        ys, states, tapes, penalties = [], [], [], []
        for direction, own in zip(self.directions, self._by_direction(initial_state)):
            outputs, tape = direction.forward(
                x, initial_state=own, constants=constants, mask=mask, training=training, **options
            )
            y, *final = outputs if self.return_state else [outputs]
            ys.append(self._turned(y) if direction is self.backward_layer else y)
            states.append(final)
            tapes.append(tape)
            penalties += penalties_of(direction, entries(outputs), tape)
            refuse_own_mask(self, direction, x, mask, RNN.compute_mask(direction, x, mask))
        outputs = [*self._merge(*ys), *states[0], *states[1]]
        return (outputs if len(outputs) > 1 else outputs[0]), BidirectionalTape(*tapes, *ys, states, penalties)

    def _turned(self, y):
        """The backward layer's outputs, or their gradients, between the order of computation and that of the data."""
        if not self.return_sequences or y is None:
            return y
        return xp.flip(y, axis=0 if self.time_major else 1)

    def _merge(self, a, b) -> list[np.ndarray]:
        if self.merge_mode is None:
            return [a, b]
        if self.merge_mode == "concat":
            return [xp.concatenate([a, b], axis=-1)]
        if self.merge_mode == "mul":
            return [a * b]
        return [a + b] if self.merge_mode == "sum" else [(a + b) / 2]

    def _merge_back(self, dy: list, a, b):
        """dL/d(merged) -> dL/da, dL/db."""
        if self.merge_mode is None:
            return dy
        (dy,) = dy
        if dy is None:
            return None, None
        dy = xp.asarray(dy, self.dtype)
        expected = self._merge(a, b)[0].shape
        if dy.shape != expected:
            raise ValueError(f"{self.name}: the output gradient has shape {dy.shape}, expected {expected}.")
        if self.merge_mode == "concat":
            return dy[..., : a.shape[-1]], dy[..., a.shape[-1] :]
        if self.merge_mode == "mul":
            return dy * b, dy * a
        return (dy, dy) if self.merge_mode == "sum" else (dy / 2, dy / 2)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Back through the merge, then through both layers; ``flow`` maps their names to their gradients."""
        grads = list(grads) if isinstance(grads, (list, tuple)) else [grads]
        own = 2 if self.merge_mode is None else 1
        counts = [len(direction.cell.state_sizes) if self.return_state else 0 for direction in self.directions]
        if len(grads) != own + sum(counts):
            raise ValueError(
                f"{self.name}: backward got {len(grads)} gradients, expected {own + sum(counts)}, one for each output."
            )
        da, db = self._merge_back(grads[:own], tape.y_forward, tape.y_backward)
        dys = [[da, *grads[own : own + counts[0]]], [self._turned(db), *grads[own + counts[0] :]]]
        first, second = (
            direction.backward(inner, dy, input_gradient=input_gradient)
            for direction, inner, dy in zip(self.directions, (tape.forward, tape.backward), self._penalized(tape, dys))
        )
        return LayerGradients(
            inputs=first.inputs + second.inputs if input_gradient else None,
            weights=_together(first.inside(self.forward_layer.name), second.inside(self.backward_layer.name)),
            initial_state=first.initial_state + second.initial_state,
            flow={self.forward_layer.name: first.flow, self.backward_layer.name: second.flow},
            constants=[a + b for a, b in zip(first.constants, second.constants)],
        )

    def _penalized(self, tape, dys: list) -> list:
        """Gradients of the outputs of both directions, including those of their penalties."""
        if not tape.penalties:
            return dys
        ys = [tape.y_forward, *tape.states[0]], [self._turned(tape.y_backward), *tape.states[1]]
        inner = tape.forward, tape.backward
        first = count(self.forward_layer, tape.forward)
        scales = [None, None] if tape.scale is None else [tape.scale[:first], tape.scale[first:]]
        return [with_penalties(*each) for each in zip(self.directions, ys, inner, dys, scales)]

    # -- configuration -------------------------------------------------------------------------------

    def get_config(self) -> dict:
        return super().get_config() | {
            "layer": describe(self.forward_layer),
            "backward_layer": describe(self.backward_layer),
            "merge_mode": self.merge_mode,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None):
        config = dict(config)
        for key in ("layer", "backward_layer"):
            if config.get(key) is not None:
                config[key] = layer_from(config[key], custom_objects)
        return super().from_config(config)


def _copy(layer: RNN, direction: str, go_backwards: bool) -> RNN:
    """A layer with the same configuration and new weights, named after its direction."""
    with copying():
        entry = describe(layer)
    name = f"{direction}_{layer.name.removeprefix(f'{direction}_')}"
    entry["config"] = entry["config"] | {"name": name, "go_backwards": go_backwards}
    classes = custom_classes(layer.cell) | {type(layer).__name__: type(layer)}
    return layer_from(entry, classes)


def _together(first: dict, second: dict) -> dict:
    """Gradients of weights; for a weight that both directions use, their sum."""
    return first | {key: first[key] + dw if key in first else dw for key, dw in second.items()}
