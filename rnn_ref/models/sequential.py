"""Sequential: layers in a row."""

from __future__ import annotations

import numpy as np

from rnn_ref.layers.input import SymbolicTensor
from rnn_ref.layers.layer import Layer, LayerGradients
from rnn_ref.models.summary import summary
from rnn_ref.models.training import Training


class Sequential(Training, Layer):
    """A model whose layers stand in a row: each takes what the one before gives.

    Parameters
    ----------
    layers : list of Layer, optional
        The first entry may be an :func:`~rnn_ref.Input`.
    trainable : bool
    name : str, optional

    References
    ----------
    https://keras.io/api/models/sequential/

    Examples
    --------
    >>> import rnn_ref
    >>> model = rnn_ref.Sequential([
    ...     rnn_ref.Input((10, 5)),
    ...     rnn_ref.layers.LSTM(64, return_sequences=True),
    ...     rnn_ref.layers.LSTM(32),
    ...     rnn_ref.layers.Dense(1),
    ... ])
    >>> model.count_params()
    30369
    """

    def __init__(self, layers=None, trainable=True, name=None):
        super().__init__(name=name, trainable=trainable)
        self._batch_input_shape: tuple | None = None
        self.layers: list[Layer] = []
        for layer in layers or []:
            self.add(layer)

    # -- putting it together ------------------------------------------------------------------------

    def add(self, layer) -> None:
        """Append a layer (or, first of all, an ``Input``)."""
        if isinstance(layer, SymbolicTensor):
            if self.layers or self._batch_input_shape is not None:
                raise ValueError(f"{self.name}: an Input must come first, and once.")
            self._batch_input_shape = layer.shape
            return
        if not isinstance(layer, Layer):
            raise TypeError(f"{self.name}: add() takes a layer, got {layer!r}.")
        if any(layer.name == other.name for other in self.layers):
            raise ValueError(f"{self.name}: there is a layer named {layer.name!r} already; names must differ.")
        if not self.layers and self._batch_input_shape is None and layer.input_shape is not None:
            self._batch_input_shape = layer.input_shape
        self.layers.append(layer)
        try:
            self._build_chain()
        except Exception:
            self.layers.pop()
            raise

    def pop(self) -> Layer:
        """Remove the last layer and return it."""
        if not self.layers:
            raise TypeError(f"{self.name}: there is no layer to remove.")
        layer = self.layers.pop()
        self.objective = None
        self._build_chain()
        return layer

    def _build_chain(self) -> None:
        shape = self._batch_input_shape
        if shape is None or not self.layers:
            self.built = False
            return
        for layer in self.layers:
            layer.ensure_built(shape)
            shape = layer.compute_output_shape(shape)
        self.built = True
        self.input_shape, self.output_shape = self._batch_input_shape, shape

    def build(self, input_shape=None) -> None:
        """Make all weights for inputs of this shape (batch included)."""
        if not self.layers:
            raise ValueError(f"{self.name} has no layers; add some first.")
        if input_shape is not None and self._batch_input_shape is None:
            self._batch_input_shape = (None, *tuple(input_shape)[1:])
        self._build_chain()

    ensure_built = build

    def sublayers(self) -> list[Layer]:
        return self.layers

    @property
    def input_names(self) -> list[str]:
        return ["input"]

    @property
    def output_names(self) -> list[str]:
        return [self.layers[-1].name if self.layers else "output"]

    def get_layer(self, name=None, index=None) -> Layer:
        """A layer by name or by place."""
        if index is not None:
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"{self.name}: no layer is named {name!r}; there are {[l.name for l in self.layers]}.")

    # -- running ------------------------------------------------------------------------------------

    def forward(self, x, *, training: bool = False):
        """Outputs, and the tapes of all layers in order."""
        outputs, tape = self.run([x], training=training)
        return outputs[0], tape

    def run(self, inputs: list, *, training: bool = False) -> tuple[list[np.ndarray], list]:
        """Forward with inputs and outputs as lists."""
        x = np.asarray(inputs[0])
        if not self.layers:
            raise ValueError(f"{self.name} has no layers; add some first.")
        if not self.built:
            self.build(x.shape)
        tapes = []
        for layer in self.layers:
            x, tape = layer.forward(x, training=training)
            tapes.append(tape)
        return [x], tapes

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Gradients of inputs and weights; the names are those of :meth:`named_weights`."""
        return self.run_back(tape, [grads], input_gradient=input_gradient)

    def run_back(self, tape, grads: list, *, input_gradient: bool = False) -> LayerGradients:
        """Backward with the gradients of the outputs as a list; ``flow`` maps layer names to their gradients."""
        dy, weights, flow = grads[0], {}, {}
        for place in range(len(self.layers) - 1, -1, -1):
            layer = self.layers[place]
            gradients = layer.backward(tape[place], dy, input_gradient=input_gradient or place > 0)
            dy = gradients.inputs
            weights.update({f"{layer.name}/{key}": g for key, g in gradients.weights.items()})
            flow[layer.name] = gradients.flow
        return LayerGradients(dy, weights, flow=flow)

    def output_masks(self, tape) -> list:
        return [None]

    def structure_outputs(self, outputs: list):
        return outputs[0]

    def compute_output_shape(self, input_shape):
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    # -- looking ------------------------------------------------------------------------------------

    def summary(self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False):
        """Print layers, output shapes and parameter counts; see :func:`rnn_ref.models.summary.summary`."""
        summary(
            self,
            line_length=line_length,
            positions=positions,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
        )

    def get_config(self) -> dict:
        return {
            "name": self.name,
            "trainable": self.trainable,
            "batch_input_shape": self._batch_input_shape,
            "layers": [{"class_name": type(l).__name__, "config": l.get_config()} for l in self.layers],
        }

    @classmethod
    def from_config(cls, config: dict) -> Sequential:
        """A model with the same layers and new weights."""
        from rnn_ref import layers as known

        model = cls(name=config["name"], trainable=config["trainable"])
        model._batch_input_shape = config["batch_input_shape"]
        for entry in config["layers"]:
            layer_class = cls if entry["class_name"] == "Sequential" else getattr(known, entry["class_name"])
            model.add(layer_class.from_config(entry["config"]))
        return model
