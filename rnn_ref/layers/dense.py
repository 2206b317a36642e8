"""Dense: ``activation(x W + b)`` on the last axis."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_ref import checks, memory
from rnn_ref.device import xp
from rnn_ref.kernels.cpu.products import d_project_x, project
from rnn_ref.kernels.cpu.threads import lock, prepare
from rnn_ref.kernels.cpu.weights import d_weights, split_bias, with_bias
from rnn_ref.kernels.gate import admitted
from rnn_ref.layers import activations, constraints, initializers, regularizers
from rnn_ref.layers.activation_option import ActivationOption
from rnn_ref.layers.layer import Layer, LayerGradients


class DenseTape(NamedTuple):
    """``x (..., F)``, pre-activation ``z (..., H)`` and output ``a (..., H)``."""

    x: np.ndarray
    z: np.ndarray
    a: np.ndarray


class Dense(Layer):
    """Fully connected layer on the last axis.

        z = x W + b
        a = activation(z)

    Input ``(B, ..., F)``, output ``(B, ..., H)``.

    Parameters
    ----------
    units : int
        H, size of the output.
    activation : str or callable, optional
        Linear by default; see :mod:`rnn_ref.layers.activations`.
    use_bias : bool
    kernel_initializer, bias_initializer
        For ``kernel (F, H)`` and ``bias (H,)``.
    kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint
    activity_regularizer
        Penalty on the output, divided by the batch size and added to the loss in ``fit``.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/core_layers/dense/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> rnn_ref.layers.Dense(3)(np.ones((2, 5))).shape
    (2, 3)
    """

    supports_masking = True
    call_arguments = ("training",)
    activation = ActivationOption()

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        quantization_config=None,
        **layer_options,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **layer_options)
        if quantization_config is not None:
            raise NotImplementedError(f"{self.name}: quantization_config is not there; leave it out.")
        self.units = checks.positive_integer(units, "units", self.name)
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

    def build(self, input_shape) -> None:
        if input_shape[-1] is None:
            raise ValueError(f"{self.name}: the last axis must have a known size, got shape {input_shape}.")
        self.kernel = self.add_weight(
            (input_shape[-1], self.units),
            self.kernel_initializer,
            "kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                "bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def check_built_for(self, input_shape) -> None:
        self.check_features(input_shape[-1], self.kernel.shape[0])

    def forward(self, x, *, training: bool = False):
        """``x`` (B, ..., F) -> ``a`` (B, ..., H) and a :class:`DenseTape`."""
        x = self.as_input(x)
        if x.ndim < 2:
            raise ValueError(self.rank_message(x.shape, 2))
        self.check_features(x.shape[-1], self.kernel.shape[0])
        x = memory.contiguous(x)
        z = self._project(x)
        a = self.activation.compute(z)
        return a, DenseTape(x, z, a)

    def _project(self, x):
        """``z = x W + b``; on a GPU computed by cuBLAS."""
        W, b = self._arrays(x.shape[-1])
        rows = x.reshape(-1, x.shape[-1])
        if xp.device != "cpu":
            z = rows @ W if b is None else rows @ W + b
            return z.reshape(*x.shape[:-1], self.units)
        z = memory.empty((*x.shape[:-1], self.units), x.dtype)
        lock[True]
        try:
            prepare(x.dtype, work=x.size * self.units)
            project(rows, W, np.zeros(self.units, x.dtype) if b is None else b, z.reshape(-1, self.units))
        finally:
            lock.release()
        return z

    def _arrays(self, F: int) -> tuple:
        """``W`` and ``b`` in the form the kernels take."""
        W = admitted(self.kernel.value, (F, self.units), self.dtype, self.name, "kernel")
        return W, None if self.bias is None else admitted(self.bias.value, W.shape[1:], self.dtype, self.name, "bias")

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """dL/da (B, ..., H) -> dL/dx, dL/dW, dL/db."""
        shape = (*tape.x.shape[:-1], self.units)
        if tape.z.shape != shape:
            raise ValueError(f"{self.name}: the tape holds z of shape {tape.z.shape}, expected {shape}.")
        grads = admitted(
            grads, self.activation.output_shape(shape), self.dtype, self.name, "the gradient of the output"
        )
        dz = xp.ascontiguousarray(self.activation.gradient(tape.z, tape.a, grads))
        x, dz = tape.x.reshape(-1, tape.x.shape[-1]), dz.reshape(1, -1, self.units)
        W, _ = self._arrays(x.shape[-1])
        if xp.device != "cpu":
            weights = {"kernel": x.T @ dz[0]}
            if self.bias is not None:
                weights["bias"] = dz[0].sum(axis=0)
            return LayerGradients((dz[0] @ W.T).reshape(tape.x.shape) if input_gradient else None, weights)
        dx = memory.empty_like(tape.x) if input_gradient else None
        dWb = with_bias(W, self.bias)
        lock[True]
        try:
            threads = prepare(x.dtype, work=x.size * self.units)
            d_weights(x[None], None, dz[None], dWb, None, threads=threads)
            if input_gradient:
                d_project_x(dz, W, dx.reshape(x.shape))
        finally:
            lock.release()
        dW, db = split_bias(dWb, self.bias)
        weights = {"kernel": dW} if db is None else {"kernel": dW, "bias": db}
        return LayerGradients(dx, weights)

    def compute_output_shape(self, input_shape):
        return self.activation.output_shape((*input_shape[:-1], self.units))

    def get_config(self) -> dict:
        return super().get_config() | {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }
