"""Sequential: layers in a row."""

from __future__ import annotations

from rnn_ref.config import policy
from rnn_ref.layers.input import Input, InputLayer
from rnn_ref.layers.layer import Layer
from rnn_ref.layers.sharing import while_reading, while_writing
from rnn_ref.layers.symbolic import SymbolicTensor, is_shape, shapes_of
from rnn_ref.layers.wrapper import describe
from rnn_ref.models.model import Model
from rnn_ref.models.places import check_one, fit_to_place
from rnn_ref.models.skipping import model_layer
from rnn_ref.models.structure import flatten, leaves_of, put_back
from rnn_ref.models.walk import RecordedTensor, Walk


class Sequential(Model):
    """A model whose layers form a row: each takes the output of the one before it.

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
        self._layers: list[Layer] = []
        self._chain: list = []  # once the input's shape is known: the input tensor, and the output of each layer
        for layer in layers or []:
            self.add(layer)

    # -- building -----------------------------------------------------------------------------------

    def add(self, layer) -> None:
        """Append a layer (or, as the first, an ``Input``)."""
        if isinstance(layer, InputLayer):
            layer = layer.nodes.first.outputs[0]
        if isinstance(layer, SymbolicTensor):
            if self._layers or self._chain:
                raise ValueError(f"{self.name}: an Input must come first, and once.")
            self._chain = [layer]
            return
        if not isinstance(layer, Layer):
            raise ValueError(f"{self.name}: add() takes a layer, got {layer!r}.")
        if any(layer.name == other.name for other in self._layers):
            raise ValueError(f"{self.name}: there is a layer named {layer.name!r} already; names must differ.")
        if not self._layers and not self._chain and layer.input_shape is not None:
            self._chain = [Input(batch_shape=layer.input_shape)]
        self._layers.append(layer)
        try:
            self._connect()
        except Exception:
            self._layers.pop()
            raise

    def pop(self) -> Layer:
        """Remove the last layer and return it."""
        if not self._layers:
            raise TypeError(f"{self.name}: there is no layer to remove.")
        layer = self._layers.pop()
        if self._chain:
            self._chain.pop()
            layer.nodes.pop()
        self._connect()
        return layer

    def _connect(self) -> None:
        """Call the layers that are not connected yet, each on the output of the one before it."""
        self.built = bool(self._chain and self._layers)
        if not self._chain:
            return
        for layer in self._layers[len(self._chain) - 1 :]:
            if isinstance(self._chain[-1], (list, tuple, dict)):
                raise ValueError(
                    f"{self.name}: the layer before {layer.name!r} gives several tensors; in a Sequential only the "
                    "last may. Leave return_state out, or use Model(inputs, outputs)."
                )
            self._chain.append(layer(self._chain[-1]))
        self._output_structure = put_back(self._chain[-1], [0] * len(leaves_of(self._chain[-1])))
        self.input_shape, self.output_shape = self._chain[0].shape, shapes_of(self._chain[-1])

    def build(self, input_shape=None) -> None:
        """Make all weights for inputs of this shape (batch included)."""
        if not self._layers:
            raise ValueError(f"{self.name} has no layers; add some first.")
        if input_shape is None:
            return
        if not isinstance(input_shape, (list, tuple)) or not is_shape(input_shape):
            raise ValueError(f"{self.name}: build takes the shape of one input, batch included, got {input_shape!r}.")
        if self._chain:
            known = self._chain[0].shape
            if len(known) != len(input_shape) or any(
                None not in (size, asked) and size != asked for size, asked in zip(known[1:], tuple(input_shape)[1:])
            ):
                raise ValueError(
                    f"{self.name}: build got the input shape {tuple(input_shape)}, but the model begins with {known}. "
                    "Make a new model for other inputs."
                )
        else:
            B, *sample = input_shape
            self._chain = [Input(batch_shape=(B if self.batch_size_matters else None, *sample))]
            try:
                self._connect()
            except Exception:
                self._chain, self.built = [], False
                raise

    outputs_known = True

    @property
    def layers(self) -> list[Layer]:
        return self._layers

    def sublayers(self) -> list[Layer]:
        if type(self) is Sequential:
            return self._layers
        return list(dict.fromkeys([*self._layers, *super().sublayers()]))  # a subclass may have more

    @property
    def inputs(self) -> list[SymbolicTensor] | None:
        """The input tensor in a list; None while its shape is unknown."""
        return self._chain[:1] or None

    @property
    def outputs(self) -> list[SymbolicTensor] | None:
        if not self.built:
            return None
        return list(self.output) if isinstance(self.output, (list, tuple)) else [self.output]

    @property
    def input(self) -> SymbolicTensor:
        self._check_built()
        return self._chain[0]

    @property
    def output(self):
        self._check_built()
        return self._chain[-1]

    def _check_built(self) -> None:
        if not self.built:
            raise ValueError(f"{self.name} is not built yet: start it with an Input, or call it on data.")

    @property
    def input_names(self) -> list[str]:
        return [self._chain[0].name if self._chain else "input"]

    @property
    def output_names(self) -> list[str]:
        if self._calls_itself and isinstance(self._output_structure, (list, tuple, dict)):
            return super().output_names
        name = self._layers[-1].name if self._layers else "output"
        outputs = self._chain[-1] if self.built else name
        return [name] * (len(outputs) if isinstance(outputs, (list, tuple)) else 1)

    # -- running ------------------------------------------------------------------------------------

    def flatten_inputs(self, x, what: str) -> list:
        """The one input, in a list."""
        return flatten(x, self.input_names, what)

    def call(self, inputs, training=None, mask=None):
        """Run the layers in a row; a subclass may do more, and calls this with ``super().call(inputs)``."""
        return self._through_layers(inputs, training, mask, run=self._run_layers)

    @property
    def _calls_itself(self) -> bool:
        return type(self).call is not Sequential.call

    def walk_layers(self, inputs, arguments: dict, walk: Walk):
        if self._calls_itself:
            return super().walk_layers(inputs, arguments, walk)
        if arguments:
            raise TypeError(f"{self.name}: a Sequential takes no argument {', '.join(arguments)}.")
        return self._run_layers(inputs, walk.call)

    def _run_layers(self, inputs, call):
        (x,) = self.flatten_inputs(inputs, self.name)
        if self._chain:
            check_one(x, self._chain[0], self.name)
        if self._chain and isinstance(x, RecordedTensor):
            fit_to_place(x, self._chain[0], self.name, sizes=False)
        if not self.built:
            self.build(x.shape)
        for layer in self._layers:
            x = call(layer, x)
        return x

    def compute_output_shape(self, input_shape):
        if self._calls_itself:
            return super().compute_output_shape(input_shape)
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    # -- configuration ------------------------------------------------------------------------------

    def get_config(self) -> dict:
        """Name and layers, the input layer first, in Keras 3's form."""
        layers = [tensor.node.layer for tensor in self._chain[:1]] + self._layers
        with while_writing():
            described = [describe(layer) for layer in layers]
        config = {"name": self.name, "trainable": self.trainable, "dtype": policy(self.dtype), "layers": described}
        return config | ({"build_input_shape": self._chain[0].shape} if self._chain else {})

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Sequential:
        """A model with the same layers and new weights."""
        with while_reading():
            layers = [model_layer(entry, custom_objects) for entry in config["layers"]]
        model = cls(layers, name=config["name"], trainable=config.get("trainable", True))
        if not model.built and config.get("build_input_shape"):
            model.build(tuple(config["build_input_shape"]))
        return model
