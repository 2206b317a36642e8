"""TimeDistributed: one layer applied to every time step."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.layer import LayerGradients
from rnn_ref.layers.symbolic import NEEDS_ALL_STEPS, is_shape
from rnn_ref.layers.wrapper import Wrapper


class TimeDistributedTape(NamedTuple):
    """Tape of the layer inside (a list with one for each time step, if they ran one by one), and the sizes ``(B, T)``
    that were folded into one."""

    inner: Any
    sizes: tuple[int, int]


class TimeDistributed(Wrapper):
    """Apply a layer to every time step, with the same weights.

        y[:, t] = layer(x[:, t])

    Input ``(B, T, ...)``, output ``(B, T, ...)``. A layer treats the samples of a batch apart from each other, so the
    steps may stand in the batch: the layer runs once, on ``(B*T, ...)``. One that mixes them, BatchNormalization while
    it trains, runs step by step.

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
        if getattr(layer, "stateful", False):
            raise ValueError(
                f"{self.name}: {layer.name} is stateful, but here every time step is a sample of its own; "
                "leave stateful out."
            )
        if self.activity_regularizer is None:  # the penalty of all steps is that of the whole output
            self.activity_regularizer = layer.activity_regularizer
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    def step_shape(self, input_shape) -> tuple:
        """Shape of one time step."""
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

    def layer_gives_one(self) -> bool:
        """Whether the layer inside has one output."""
        return is_shape(self.layer.compute_output_shape(self.step_shape(self.input_shape)))

    @property
    def can_forget(self) -> bool:
        return self.layer.can_forget

    def forward(self, x, *, mask=None, training: bool = False, **options):
        """``x`` (B, T, ...); the mask ``(B, T)`` or ``(B, T, ...)`` reaches a layer that takes one.

        ``options`` go to the ``forward`` of the layer inside.
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
        if training and getattr(self.layer, "mixes_samples", False):
            masks = [{} if mask is None else {"mask": mask[:, t]} for t in range(T)]
            steps = [self.layer.forward(x[:, t], training=True, **options, **masks[t]) for t in range(T)]
            return xp.stack([y for y, _ in steps], axis=1), TimeDistributedTape([tape for _, tape in steps], (B, T))
        outputs, tape = self.layer.forward(x.reshape(B * T, *x.shape[2:]), training=training, **arguments)
        if isinstance(outputs, (list, tuple)):
            outputs = [y.reshape(B, T, *y.shape[1:]) for y in outputs]
        else:
            outputs = outputs.reshape(B, T, *outputs.shape[1:])
        return outputs, TimeDistributedTape(tape, (B, T))

    def _integers(self, x):
        """Token numbers stay integers: the layer inside decides."""
        x = xp.asarray(x)
        self.ensure_built(x.shape)
        return x

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """The same folding with the gradients."""
        B, T = tape.sizes
        if isinstance(tape.inner, list):
            dy = xp.asarray(grads, self.dtype)
            steps = [
                self.layer.backward(inner, dy[:, t], input_gradient=input_gradient)
                for t, inner in enumerate(tape.inner)
            ]
            return LayerGradients(
                inputs=xp.stack([step.inputs for step in steps], axis=1) if input_gradient else None,
                weights={
                    f"{self.layer.name}/{name}": sum(step.weights[name] for step in steps) for name in steps[0].weights
                },
            )

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
