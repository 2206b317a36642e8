"""Lambda: a function as a layer."""

from __future__ import annotations

import inspect

import numpy as np

from rnn_ref import checks
from rnn_ref.device import is_array, runs_on_cpu, xp
from rnn_ref.layers.autodiff import pullback
from rnn_ref.layers.function_config import describe_function, function_from
from rnn_ref.layers.layer import Layer, LayerGradients
from rnn_ref.layers.recording import Call, within
from rnn_ref.layers.several_inputs import as_arrays
from rnn_ref.layers.symbolic import is_shape
from rnn_ref.layers.variable import value_of


class Lambda(Layer):
    """Wrap a NumPy function as a layer.

        y = function(x, **arguments)

    There are three ways to handle its gradient: pass it as ``gradient``; or write the function with ``autograd.numpy``
    instead of ``numpy`` and let the package `autograd <https://github.com/HIPS/autograd>`_ find it (the backward pass
    runs the function again, so it must not draw random numbers); or do without, if no layer before this one has
    weights.

    Parameters
    ----------
    function : callable
        Takes the inputs, ``(B, ...)`` or a list, and also ``training`` and ``mask`` if it has arguments with these
        names. Returns an array.
    output_shape : tuple or callable, optional
        Shape of the output without the batch, or a function from the input shape to the output shape, both with the
        batch. By default it is found by running the function.
    mask : ndarray or callable, optional
        Mask of the output, or a function from the inputs and their mask to it. By default masks end here.
    arguments : dict, optional
        Further arguments of the function.
    gradient : callable, optional
        ``gradient(x, y, dy) -> dx``, where ``dy`` is dL/dy in the shape of the output, and ``dx`` dL/dx in that of the
        inputs.
    **layer_options
        ``name``, ``dtype``, ``trainable``, ``input_shape``: see :class:`~rnn_ref.layers.layer.Layer`.

    References
    ----------
    https://keras.io/api/layers/core_layers/lambda/

    Examples
    --------
    >>> import rnn_ref
    >>> layer = rnn_ref.layers.Lambda(lambda x: x**2, gradient=lambda x, y, dy: 2 * x * dy)
    >>> y, tape = layer.forward([[1.0, 3.0]])
    >>> layer.backward(tape, [[1.0, 1.0]]).inputs
    array([[2., 6.]], dtype=float32)
    """

    takes_mask = True
    call_arguments = ("mask", "training")

    def __init__(self, function, output_shape=None, mask=None, arguments=None, *, gradient=None, **layer_options):
        super().__init__(**layer_options)
        for what, value in (("function", function), ("gradient", gradient)):
            if not callable(value) and not (what == "gradient" and value is None):
                raise TypeError(f"{self.name}: {what} must be callable, got {value!r}.")
        if not (mask is None or callable(mask) or hasattr(mask, "dtype")):
            raise TypeError(f"{self.name}: mask must be an array or a function that gives one, got {mask!r}.")
        if not (arguments is None or isinstance(arguments, dict)):
            raise TypeError(f"{self.name}: arguments must be a dict of the function's arguments, got {arguments!r}.")
        self.function = function
        self.gradient = gradient
        self.mask = mask if mask is None or callable(mask) else checks.mask(mask, self.name)
        self.supports_masking = mask is not None
        self.arguments = dict(arguments or {})
        self._output_shape = (
            output_shape if callable(output_shape) else checks.shape(output_shape, "output_shape", self.name)
        )
        try:
            names = inspect.signature(function).parameters
        except ValueError:  # some functions written in C have no signature
            names = {}
        self._takes = [name for name in ("mask", "training") if name in names]

    def check_shapes(self, shapes) -> None:
        """Accept any inputs."""

    def forward(self, x, *, mask=None, training: bool = False):
        """``y = function(x)``; the tape is the inputs, the output, and the function's other arguments."""
        x = as_arrays(self, x) if _is_list_of_arrays(x) else self.as_input(x)
        arguments = self.arguments | {name: {"mask": mask, "training": training}[name] for name in self._takes}
        try:
            with within(Call(training)) as call:
                y = xp.asarray(value_of(self.function(x, **arguments)))
        except TypeError as error:
            if xp.module is not np:
                error.add_note(
                    f"({self.name}: on a GPU the function gets CuPy arrays. NumPy's functions take them; others, and "
                    "arrays made by np.zeros and the like beside them, need CuPy's own, or the CPU: "
                    "with rnn_ref.device('cpu'): ...)"
                )
            raise
        if y.dtype.kind not in "fiub":
            raise TypeError(f"{self.name}: the function must return an array of numbers, got dtype {y.dtype}.")
        if y.dtype.kind == "f":
            y = y.astype(self.dtype, copy=False)
        if call.read and self.gradient is not None:
            raise ValueError(
                f"{self.name}: the function uses a weight, and gradient= cannot say what its gradient is. Leave it "
                "out, or write a layer of your own with forward and backward."
            )
        return y, (x, y, arguments, call.read)

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """``dx`` from ``gradient``, or from autograd."""
        x, y, arguments, reads_weights = tape
        if not input_gradient and not reads_weights:
            return LayerGradients(None)
        dy = xp.asarray(grads, self.dtype)
        # autograd knows only NumPy arrays
        weights: dict = {}
        if self.gradient is None:
            dx = runs_on_cpu(self._differentiate)(x, arguments, dy, weights)
        else:
            dx = self.gradient(x, y, dy)
        several = isinstance(x, (list, tuple))
        xs, dxs = (x, dx) if several else ([x], [dx])
        if [np.shape(d) for d in dxs] != [a.shape for a in xs]:
            raise ValueError(
                f"{self.name}: the gradient has shape {[np.shape(d) for d in dxs]}, but the inputs have "
                f"{[a.shape for a in xs]}."
            )
        dxs = [xp.asarray(d, self.dtype) for d in dxs]
        return LayerGradients(dxs if several else dxs[0], weights)

    def _differentiate(self, x, arguments: dict, dy, weights: dict):
        """dL/dx; gradients of weights that the function uses are put into ``weights``."""
        try:
            import autograd  # noqa: F401
        except ImportError:
            raise ImportError(
                f"{self.name}: the gradient of a Lambda needs the package autograd: pip install autograd. Or give it "
                "yourself: Lambda(function, gradient=lambda x, y, dy: dx)."
            ) from None
        advice = (
            f"{self.name}: autograd cannot differentiate this function. Write it with `import autograd.numpy as np` "
            "(of plain NumPy it follows only a part), or give its gradient: "
            "Lambda(function, gradient=lambda x, y, dy: dx)."
        )
        several = isinstance(x, (list, tuple))
        xs = list(x) if several else [x]
        try:
            _, back = pullback(
                lambda *boxes: [self.function(list(boxes) if several else boxes[0], **arguments)],
                xs,
                f"the function of {self.name}",
                Call(bool(arguments.get("training", False))),
            )
        except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
            raise TypeError(f"{advice} The error was: {error}") from error
        found, of_weights = back([dy])
        weights |= of_weights
        found = [np.zeros_like(a) if d is None else d for d, a in zip(found, xs)]
        return found if several else found[0]

    def compute_mask(self, inputs, mask=None):
        """The mask given by the layer's ``mask``."""
        if callable(self.mask):
            return self.mask(inputs, mask)
        return super().compute_mask(inputs, mask) if self.mask is None else self.mask

    def compute_output_shape(self, input_shape):
        if callable(self._output_shape):
            return tuple(self._output_shape(input_shape))
        if self._output_shape is not None:
            return (input_shape[0] if is_shape(input_shape) else input_shape[0][0], *self._output_shape)
        # Output sizes that change with the unknown sizes of the input are unknown too.
        two, three = self._try_out(input_shape, 2), self._try_out(input_shape, 3)
        if len(two) != len(three):
            raise NotImplementedError(
                f"{self.name}: the number of axes of the output depends on the sizes of the input {input_shape}."
            )
        return tuple(a if a == b else None for a, b in zip(two, three))

    def _try_out(self, input_shape, unknown: int) -> tuple:
        def zeros(shape):
            return xp.zeros(tuple(unknown if n is None else n for n in shape), self.dtype)

        x = zeros(input_shape) if is_shape(input_shape) else [zeros(shape) for shape in input_shape]
        arguments = self.arguments | {name: {"mask": None, "training": False}[name] for name in self._takes}
        try:
            return np.shape(self.function(x, **arguments))
        except Exception as error:
            raise NotImplementedError(
                f"{self.name}: could not find the shape of the output by trying the function on zeros of shape "
                f"{input_shape} ({error}); say it: Lambda(function, output_shape=...)."
            ) from error

    def get_config(self) -> dict:
        """Named functions by their name, lambdas by their code, as in Keras."""

        def described(entry):
            return describe_function(entry, self.name) if callable(entry) else entry

        config = super().get_config() | {"function": described(self.function), "arguments": self.arguments}
        if self._output_shape is not None:
            config["output_shape"] = described(self._output_shape)
        if self.mask is not None:
            config["mask"] = described(self.mask)
        return config if self.gradient is None else config | {"gradient": described(self.gradient)}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None, safe_mode: bool | None = None):
        """A layer from :meth:`get_config`'s dictionary.

        Functions are looked up by name in ``custom_objects``, lambdas by the name of the layer; the code of a lambda is
        run only with ``safe_mode=False``.
        """
        name = config.get("name", cls.__name__)

        def function(key):
            place = name if key == "function" else f"{name}/{key}"
            return function_from(config[key], custom_objects, safe_mode is not False, place, {"np": np, "numpy": np})

        functions = ("function", "output_shape", "mask", "gradient")
        return super().from_config(config | {key: function(key) for key in functions if key in config})


def _is_list_of_arrays(x) -> bool:
    return isinstance(x, (list, tuple)) and len(x) > 0 and all(is_array(a) for a in x)
