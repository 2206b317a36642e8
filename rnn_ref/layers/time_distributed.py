"""TimeDistributed: one layer applied to every time step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.layer import LayerGradients
from rnn_ref.layers.penalties import count, penalties_of, with_penalties
from rnn_ref.layers.symbolic import NEEDS_ALL_STEPS, entries, is_shape, pack
from rnn_ref.layers.wrapper import Wrapper, refuse_own_mask


@dataclass(slots=True)
class TimeDistributedTape:
    """What backward needs.

    Attributes
    ----------
    inner
        Tape of the wrapped layer; a list with one for each time step if they ran one by one.
    sizes : tuple of int
        ``(B, T)``, which were folded into one axis.
    outputs : list
        Those of each time step, if they ran one by one.
    penalties, scale
        See :mod:`rnn_ref.layers.penalties`.
    """

    inner: Any
    sizes: tuple[int, int]
    outputs: list = field(default_factory=list)
    penalties: list = field(default_factory=list)
    scale: list | None = None


class TimeDistributed(Wrapper):
    """Apply a layer to every time step, with the same weights.

        y[:, t] = layer(x[:, t])

    Input ``(B, T, ...)``, output ``(B, T, ...)``. Layers usually treat the samples of a batch independently, so time
    can be folded into the batch, and the layer runs once, on ``(B*T, ...)``. It runs step by step if it, or a layer
    inside it, mixes samples (BatchNormalization in training), has an ``activity_regularizer``, or is of a user's class,
    whose ``call`` could do anything; with ``mixes_samples = False`` such a class declares that its steps may run
    together.

    Parameters
    ----------
    layer : Layer
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``.

    References
    ----------
    https://keras.io/api/layers/recurrent_layers/time_distributed/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> layer = rnn_ref.layers.TimeDistributed(rnn_ref.layers.Dense(1))
    >>> layer(np.zeros((2, 10, 64))).shape, layer.count_params()
    ((2, 10, 1), 65)
    """

    supports_masking = True
    takes_mask = True
    call_arguments = ("training", "mask")

    def __init__(self, layer, **layer_options):
        super().__init__(layer, **layer_options)
        for inner in layer.with_all_inside():
            if getattr(inner, "stateful", False):
                raise ValueError(
                    f"{self.name}: {inner.name} is stateful, but here every time step is a sample of its own; "
                    "leave stateful out."
                )
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    def step_shape(self, input_shape) -> tuple:
        """The shape of one time step."""
        if not is_shape(input_shape) or len(input_shape) < 3:
            raise ValueError(
                f"{self.name}: expected one input (batch, time, ...), got shape {tuple(input_shape)}. {NEEDS_ALL_STEPS}"
            )
        return (input_shape[0], *input_shape[2:])

    def build(self, input_shape) -> None:
        super().build(self.step_shape(input_shape))

    def check_built_for(self, input_shape) -> None:
        self.layer.check_built_for(self.step_shape(input_shape))

    def compute_output_shape(self, input_shape):
        shape = self.layer.compute_output_shape(self.step_shape(input_shape))
        T = input_shape[1]
        return (shape[0], T, *shape[1:]) if is_shape(shape) else tuple((s[0], T, *s[1:]) for s in shape)

    def compute_mask(self, inputs, mask):
        if self.built and not self.layer_gives_one():
            return [mask] * len(self.compute_output_shape(self.input_shape))
        return mask

    def runs_apart(self, training: bool) -> bool:
        """Whether the layer runs step by step."""
        return any(_depends_on_batch(layer, training) for layer in self.layer.with_all_inside())

    def layer_gives_one(self) -> bool:
        """Whether the wrapped layer has a single output."""
        return is_shape(self.layer.compute_output_shape(self.step_shape(self.input_shape)))

    @property
    def can_forget(self) -> bool:
        return self.layer.can_forget

    def forward(self, x, *, mask=None, training: bool = False, **options):
        """``x`` (B, T, ...); a mask ``(B, T)`` or ``(B, T, ...)`` is passed to a layer that takes one.

        ``options`` are passed to the ``forward`` of the wrapped layer.
        """
        x = self.as_input(x) if xp.asarray(x).dtype.kind == "f" else self._integers(x)
        B, T = x.shape[:2]
        if T == 0:
            raise ValueError(f"{self.name}: got zero time steps; at least one is needed.")
        arguments = dict(options)
        if mask is not None:
            mask = xp.asarray(mask)
            if mask.shape[:2] != (B, T):
                raise ValueError(f"{self.name}: the mask has shape {mask.shape}, expected {(B, T)} (batch, time).")
            if self.layer.takes_mask:
                arguments["mask"] = mask.reshape(B * T, *mask.shape[2:])
        first = None if mask is None else mask[:, 0]
        refuse_own_mask(self, self.layer, x[:, 0], first, first)
        if self.runs_apart(training):
            return self._step_by_step(x, mask if "mask" in arguments else None, training, options)
        outputs, tape = self.layer.forward(x.reshape(B * T, *x.shape[2:]), training=training, **arguments)
        if isinstance(outputs, (list, tuple)):
            outputs = [y.reshape(B, T, *y.shape[1:]) for y in outputs]
        else:
            outputs = outputs.reshape(B, T, *outputs.shape[1:])
        return outputs, TimeDistributedTape(tape, (B, T))

    def _step_by_step(self, x, mask, training: bool, options: dict):
        B, T = x.shape[:2]
        tape = TimeDistributedTape([], (B, T))
        for t in range(T):
            arguments = {} if mask is None else {"mask": mask[:, t]}
            y, inner = self.layer.forward(x[:, t], training=training, **options, **arguments)
            tape.inner.append(inner)
            tape.outputs.append(y)
            tape.penalties += penalties_of(self.layer, entries(y), inner)
        outputs = [xp.stack(series, axis=1) for series in zip(*map(entries, tape.outputs))]
        return (list(outputs) if isinstance(tape.outputs[0], (list, tuple)) else outputs[0]), tape

    def _back_step_by_step(self, tape, grads, input_gradient: bool) -> LayerGradients:
        place, dx = 0, []
        weights: dict = {}
        for t, (y, inner) in enumerate(zip(tape.outputs, tape.inner)):
            ys = entries(y)
            scale = None if tape.scale is None else tape.scale[place:]
            place += count(self.layer, inner)
            dys = [None if dy is None else xp.asarray(dy, self.dtype)[:, t] for dy in entries(grads)]
            dys = with_penalties(self.layer, ys, inner, dys, scale)
            dys = [xp.zeros_like(own) if dy is None else dy for dy, own in zip(dys, ys)]
            step = self.layer.backward(inner, pack(y, dys), input_gradient=input_gradient)
            dx.append(step.inputs)
            for key, dw in step.inside(self.layer.name).items():
                weights[key] = weights[key] + dw if key in weights else dw
        return LayerGradients(inputs=xp.stack(dx, axis=1) if input_gradient else None, weights=weights)

    def _integers(self, x):
        """Fold without a cast, as the wrapped layer may need integers."""
        x = xp.asarray(x)
        self.ensure_built(x.shape)
        return x

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Fold the gradients in the same way."""
        B, T = tape.sizes
        if isinstance(tape.inner, list):
            return self._back_step_by_step(tape, grads, input_gradient)

        def fold(dy):
            return None if dy is None else xp.asarray(dy, self.dtype).reshape(B * T, *np.shape(dy)[2:])

        grads = [fold(dy) for dy in grads] if isinstance(grads, (list, tuple)) else fold(grads)
        inner = self.layer.backward(tape.inner, grads, input_gradient=input_gradient)
        dx = inner.inputs
        return LayerGradients(
            inputs=None if dx is None else dx.reshape(B, T, *dx.shape[1:]),
            weights=inner.inside(self.layer.name),
            flow={self.layer.name: inner.flow},
        )


def _depends_on_batch(layer, training: bool) -> bool:
    """Whether a sample's output may depend on the other samples of the batch."""
    if layer.activity_regularizer is not None:
        return True
    own_call = layer.by_call or "custom" in vars(layer)
    if own_call:
        return getattr(layer, "mixes_samples", None) is not False
    return bool(layer.mixes_samples) and training
