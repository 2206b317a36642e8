"""Conv1D: the same small product at every position of a sequence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.kernels.gate import admitted
from rnn_ref.layers import activations, constraints, initializers, regularizers
from rnn_ref.layers.activation_option import ActivationOption
from rnn_ref.layers.affine import affine, d_affine
from rnn_ref.layers.layer import Layer, LayerGradients
from rnn_ref.layers.windows import (
    Windows,
    check_data_format,
    check_padding,
    check_sequence,
    features_last,
    one_size,
)


class Conv1DTape(NamedTuple):
    """Contents of the ``windows (groups, B, T', K F / groups)``; ``z`` and ``a (B, T', H)``; T of the input."""

    windows: np.ndarray
    z: np.ndarray
    a: np.ndarray
    steps: int


class Conv1D(Layer):
    """Convolution over time.

        z[t] = Σ_k x[stride t + dilation k - margin] W[k] + b
        a = activation(z)

    Steps outside the sequence are 0. Input ``(B, T, F)``, output ``(B, T', H)``; weights ``kernel W (K, F, H)``,
    ``bias b (H,)``. Masks end here, because a step of the output belongs to several of the input.

    Parameters
    ----------
    filters : int
        H, the number of output features.
    kernel_size : int
        K, the number of steps in a window.
    strides : int
        Steps from one window to the next.
    padding : {"valid", "same", "causal"}
        Whole windows only: T' = (T - span) // stride + 1 with span = dilation (K - 1) + 1; or windows centred on their
        step, or ending at it: T' = T / stride rounded up.
    data_format : {"channels_last", "channels_first"}, optional
        With ``"channels_first"`` inputs are ``(B, F, T)`` and outputs ``(B, H, T')``.
    dilation_rate : int
        Distance in steps between neighbours in a window.
    groups : int
        Number of groups that the features are divided into, each seen by its share of the filters; the kernel is then
        ``(K, F / groups, H)``.
    activation : str, optional
    use_bias : bool
    kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer
    kernel_constraint, bias_constraint
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/convolution_layers/convolution1d/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> layer = rnn_ref.layers.Conv1D(1, 3, padding="causal", kernel_initializer="ones")
    >>> layer(np.array([[[1.0], [10.0], [100.0], [200.0]]]))[0, :, 0]
    array([  1.,  11., 111., 310.], dtype=float32)
    """

    activation = ActivationOption()

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **layer_options,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **layer_options)
        self.filters = checks.positive_integer(filters, "filters", self.name)
        self.kernel_size = (one_size(kernel_size, "kernel_size", self.name),)
        self.strides = (one_size(strides, "strides", self.name),)
        self.padding = check_padding(padding, ("valid", "same", "causal"), self.name)
        self.data_format = check_data_format(data_format, self.name)
        self.dilation_rate = (one_size(dilation_rate, "dilation_rate", self.name),)
        self.groups = checks.positive_integer(groups, "groups", self.name)
        if self.filters % self.groups:
            raise ValueError(f"{self.name}: {self.filters} filters cannot be divided into {self.groups} equal groups.")
        if self.strides[0] > 1 and self.dilation_rate[0] > 1:
            raise ValueError(
                f"{self.name}: strides={self.strides} and dilation_rate={self.dilation_rate} cannot both be above 1."
            )
        self.activation = activation
        self.use_bias = checks.flag(use_bias, "use_bias", self.name)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        if self.input_shape is not None:
            self.ensure_built(self.input_shape)

    @property
    def windows(self) -> Windows:
        return Windows(self.kernel_size[0], self.strides[0], self.padding, self.dilation_rate[0])

    def build(self, input_shape) -> None:
        check_sequence(self, input_shape)
        features = input_shape[2 if self.data_format == "channels_last" else 1]
        if features is None:
            raise ValueError(f"{self.name}: the number of features must be known, got shape {tuple(input_shape)}.")
        if features % self.groups:
            raise ValueError(f"{self.name}: {features} features cannot be divided into {self.groups} equal groups.")
        self.kernel = self.add_weight(
            (*self.kernel_size, features // self.groups, self.filters),
            self.kernel_initializer,
            "kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.filters,),
                self.bias_initializer,
                "bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _matrices(self) -> list[tuple[np.ndarray, np.ndarray | None, slice]]:
        """For each group, its kernel as a matrix ``(K F / groups, H / groups)``, its bias, and its filters."""
        share = self.filters // self.groups
        each = [slice(start, start + share) for start in range(0, self.filters, share)]
        W = self.kernel.value.reshape(-1, self.filters)
        return [(W[:, part], None if self.bias is None else self.bias.value[part], part) for part in each]

    def check_built_for(self, input_shape) -> None:
        axis = -1 if self.data_format == "channels_last" else 1
        self.check_features(input_shape[axis], self.kernel.shape[1] * self.groups)

    def forward(self, x, *, training: bool = False):
        """``x (B, T, F)`` -> ``a (B, T', H)`` and a :class:`Conv1DTape`."""
        x = self.as_input(x)
        check_sequence(self, x.shape)
        x = features_last(x, self.data_format)
        B, T, F = x.shape
        self.check_features(F, self.kernel.shape[1] * self.groups)
        count = self.windows.count(T, self.name, x.shape)
        steps = self.windows.padded(x, 0)
        # Each window's contents in one row, so that each group takes one product.
        held = xp.stack([steps[:, places] for places in self.windows.slices(count)], axis=2)  # (B, T', K, F)
        held = held.reshape(B, count, self.kernel_size[0], self.groups, F // self.groups)
        held = xp.ascontiguousarray(held.transpose(3, 0, 1, 2, 4)).reshape(self.groups, B, count, -1)
        z = [affine(rows, W, b, owner=self.name) for rows, (W, b, _) in zip(held, self._matrices())]
        z = z[0] if self.groups == 1 else xp.concatenate(z, axis=-1)
        a = self.activation.compute(z)
        return features_last(a, self.data_format), Conv1DTape(held, z, a, T)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """dL/da (B, T', H) -> dL/dx, dL/dW, dL/db; each step of x sums over all windows that contain it."""
        da = features_last(xp.asarray(grads, self.dtype), self.data_format)
        da = admitted(da, tape.z.shape, self.dtype, self.name, "the gradient of the output")
        dz = self.activation.gradient(tape.z, tape.a, da)
        parts = [
            d_affine(rows, W, dz[..., part], input_gradient=input_gradient, owner=self.name)
            for rows, (W, _, part) in zip(tape.windows, self._matrices())
        ]
        weights = {"kernel": xp.concatenate([dW for _, dW, _ in parts], axis=1).reshape(self.kernel.shape)}
        if self.bias is not None:
            weights["bias"] = xp.concatenate([db for *_, db in parts])
        if not input_gradient:
            return LayerGradients(None, weights)
        _, B, count, _ = tape.windows.shape
        K, F = self.kernel_size[0], self.kernel.shape[1] * self.groups
        held = xp.stack([dx for dx, *_ in parts]).reshape(self.groups, B, count, K, -1)
        held = held.transpose(1, 2, 3, 0, 4).reshape(B, count, K, F)
        before, behind = self.windows.margins(tape.steps)
        dx = xp.zeros((B, before + tape.steps + behind, F), self.dtype)
        for k, places in enumerate(self.windows.slices(count)):
            dx[:, places] += held[:, :, k]
        return LayerGradients(features_last(dx[:, before : before + tape.steps], self.data_format), weights)

    def compute_output_shape(self, input_shape):
        check_sequence(self, input_shape)
        first = self.data_format == "channels_first"
        T = self.windows.count(input_shape[2 if first else 1], self.name, input_shape)
        return (input_shape[0], self.filters, T) if first else (input_shape[0], T, self.filters)

    def get_config(self) -> dict:
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }
