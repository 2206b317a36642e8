"""Functional: the model between symbolic tensors."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from rnn_ref.layers.input import InputLayer
from rnn_ref.layers.layer import Layer
from rnn_ref.layers.sharing import while_reading, while_writing
from rnn_ref.layers.symbolic import (
    Node,
    SymbolicTensor,
    entries,
    is_shape,
    leaves,
    map_shapes,
    output_shape,
    replace,
    replace_entries,
)
from rnn_ref.models import graph_config
from rnn_ref.models.graph import calls_between, cut, in_order_of_depth
from rnn_ref.models.model import Model
from rnn_ref.models.places import check_one, fit_to_place
from rnn_ref.models.structure import flatten, in_order, leaves_of, put_back
from rnn_ref.models.walk import RecordedTensor, Walk

_CONFIG = ("name", "trainable", "dtype", "layers", "input_layers", "output_layers")  # what makes up a graph


class Functional(Model):
    """A graph of layer calls, made by ``Model(inputs, outputs)``.

    Parameters
    ----------
    inputs : SymbolicTensor, or list or dict of them
        From ``Input``, or from a layer, in which case the graph is cut there.
    outputs : SymbolicTensor, or list or dict of them
    name : str, optional
    trainable : bool

    Attributes
    ----------
    layers : list of Layer
        In Keras's order, those farthest from the outputs first; includes the layers of the inputs.
    calls : list of Node
        Every call of a layer, in the order in which they run.
    inputs, outputs : list of SymbolicTensor
    input_names, output_names : list of str
        The names of the layers, or the keys of a dict of outputs.

    References
    ----------
    https://keras.io/guides/functional_api/

    Examples
    --------
    >>> import rnn_ref
    >>> from rnn_ref import layers
    >>> source, target = rnn_ref.Input((None, 5), name="source"), rnn_ref.Input((None, 3), name="target")
    >>> _, h, c = layers.LSTM(8, return_state=True)(source)
    >>> y = layers.LSTM(8, return_sequences=True)(target, initial_state=[h, c])
    >>> model = rnn_ref.Model([source, target], layers.Dense(3, "softmax")(y))
    >>> model.input_names, model.output_shape
    (['source', 'target'], (None, None, 3))
    """

    _warned_of_list = _warned_of_more = False

    def __init__(self, inputs, outputs, name=None, trainable=True):
        super().__init__(name=name, trainable=trainable)
        self._list_is_clear = not isinstance(inputs, dict) or list(inputs) == sorted(inputs, key=str)
        inputs, outputs = in_order(inputs), in_order(outputs)  # dicts sorted by key, as in Keras
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            for entry in entries(structure):
                if not isinstance(entry, SymbolicTensor):
                    raise ValueError(
                        f"{self.name}: {what} must be symbolic tensors (from Input, or layers), got {entry!r}."
                    )
        given, self.outputs = leaves(inputs), leaves(outputs)
        if not given or not self.outputs:
            raise ValueError(f"{self.name}: a model needs at least one input and one output.")
        if len(set(given)) < len(given):
            raise ValueError(f"{self.name}: an Input is given twice: {[t.name for t in given]}.")
        order = calls_between(given, self.outputs, self.name)
        self.inputs = given
        if not all(isinstance(t.node.layer, InputLayer) for t in given):
            self.inputs, self.outputs, order = cut(given, self.outputs, order)
        start = [t.node for t in self.inputs]
        self.calls, self._layers = in_order_of_depth(order, start, [t.node for t in self.outputs])
        self._check_names()
        self._input = _pack_leaves(inputs, self.inputs)
        self._output = put_back(outputs, self.outputs)
        self._input_structure = replace_entries(self._input, lambda _: 0)
        self._output_structure = put_back(outputs, [0] * len(self.outputs))
        self.input_shape = replace(self._input, lambda tensor: tensor.shape)
        self.output_shape = replace(self._output, lambda tensor: tensor.shape)
        self.built = True
        if not trainable:
            self.trainable = False  # and that of the layers inside it

    def _check_names(self) -> None:
        names: dict[str, Layer] = {}
        for layer in self._layers:
            if names.setdefault(layer.name, layer) is not layer:
                raise ValueError(f"{self.name}: two layers are named {layer.name!r}; names must differ.")

    @property
    def layers(self) -> list[Layer]:
        return self._layers

    def sublayers(self) -> list[Layer]:
        if type(self) is Functional:
            return self._layers
        return list(dict.fromkeys([*self._layers, *super().sublayers()]))  # a subclass may have more

    @property
    def input(self):
        """The input tensors, in the structure they were given in."""
        return self._input

    @property
    def output(self):
        return self._output

    def build(self, input_shape) -> None:
        """Do nothing: a graph is built when its layers are called."""

    @property
    def input_names(self) -> list[str]:
        return [tensor.node.layer.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        if isinstance(self._output_structure, dict) and len(self._output_structure) == len(self.outputs):
            return list(self._output_structure)
        if self._calls_itself and len(leaves_of(self._output_structure)) != len(self.outputs):
            return super().output_names
        return [tensor.node.layer.name for tensor in self.outputs]

    # -- running ------------------------------------------------------------------------------------

    def flatten_inputs(self, x, what: str) -> list:
        """The input arrays in a list; keys of a dict are names of the inputs, or the keys they were declared with."""
        if isinstance(x, dict) and isinstance(self._input_structure, dict):
            if not set(self._input_structure) <= set(x):
                return flatten(x, self.input_names, what)
            self._look_at_dict(x, what)
            x = {key: x[key] for key in self._input_structure}
        if isinstance(x, (list, tuple, dict)) and self._like_inputs(x):
            return leaves_of(in_order(x))
        if isinstance(x, dict) and set(self.input_names) < set(x):
            x = {name: x[name] for name in self.input_names}  # a table may have more columns than the model reads
        elif isinstance(x, (list, tuple)) and len(x) > 1:
            self._look_at_list(what)
        return flatten(x, self.input_names, what)

    def _look_at_list(self, what: str) -> None:
        """Reject or warn: a list has an order and a dict of inputs has names, so whether they agree is unknown."""
        keys = self._input_structure
        if not isinstance(keys, dict):
            return
        order = f"{what}: the inputs are a dict of {', '.join(map(str, keys))}, got a list"
        if not self._list_is_clear:
            raise ValueError(f"{order}. Give a dict, or make the model with a list of inputs.")
        if not self._warned_of_list:
            self._warned_of_list = True
            warnings.warn(f"{order}, which is taken in this order; give a dict.", stacklevel=4)

    def _look_at_dict(self, x: dict, what: str) -> None:
        """Warn that entries of a dict that are not inputs are ignored."""
        more = [key for key in x if key not in self._input_structure]
        if more and not self._warned_of_more:
            self._warned_of_more = True
            known = ", ".join(map(str, self._input_structure))
            warnings.warn(
                f"{what}: got {', '.join(map(str, more))} beside the inputs {known}; that is not read.", stacklevel=4
            )

    def _like_inputs(self, x) -> bool:
        """Whether data is nested as the inputs are."""
        structure = self._input_structure
        inside = structure.values() if isinstance(structure, dict) else structure
        if isinstance(structure, (list, dict)) and any(isinstance(inner, (list, dict)) for inner in inside):
            return _same_nesting(in_order(x), structure)
        return isinstance(x, dict) and isinstance(self._input_structure, dict)

    def call(self, inputs, training=None, mask=None):
        """Run the graph; a subclass may do more, and calls this with ``super().call(inputs)``."""
        return self._through_layers(inputs, training, mask, run=self._run_graph)

    @property
    def _calls_itself(self) -> bool:
        return type(self).call is not Functional.call

    def walk_layers(self, inputs, arguments: dict, walk: Walk):
        if self._calls_itself:
            return super().walk_layers(inputs, arguments, walk)
        if arguments:
            raise TypeError(f"{self.name}: a functional model takes no argument {', '.join(arguments)}.")
        return self._run_graph(inputs, walk.call)

    def _run_graph(self, inputs, call):
        made: dict[SymbolicTensor, RecordedTensor] = {}
        for place, tensor in zip(self.inputs, self.flatten_inputs(inputs, self.name)):
            check_one(tensor, place, self.name)
            if isinstance(tensor, RecordedTensor):
                fit_to_place(tensor, place, self.name)
            made[place] = tensor
        for node in self.calls:
            if isinstance(node.layer, InputLayer):
                continue
            outputs = call(node.layer, replace(node.inputs, made.get), replace(node.arguments, made.get))
            made.update(zip(node.outputs, leaves(outputs)))
        return put_back(self._output, [made[tensor] for tensor in self.outputs])

    def compute_output_shape(self, input_shape):
        if self._calls_itself:
            return super().compute_output_shape(input_shape)
        # A shape counts as one leaf here, not as nested numbers.
        shapes = self.flatten_inputs(map_shapes(input_shape, _Shape), self.name)
        made: dict[SymbolicTensor, Any] = {place: entry.shape for place, entry in zip(self.inputs, shapes)}
        for node in self.calls:
            if not isinstance(node.layer, InputLayer):
                out = output_shape(node.layer, replace(node.inputs, made.get), node.arguments)
                made.update(zip(node.outputs, _flat_shapes(out)))
        return replace(self._output, made.get)

    # -- configuration ------------------------------------------------------------------------------

    def get_config(self) -> dict:
        """The layers and the calls between them, in Keras 3's form."""
        with while_writing():
            return graph_config.write(self)

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Functional:
        """The same graph with new layers and new weights; a layer that nested models share stays shared."""
        with while_reading():
            inputs, outputs = graph_config.read(config, custom_objects)
        more = {key: value for key, value in config.items() if key not in _CONFIG}  # what a subclass has added
        return cls(inputs, outputs, name=config["name"], trainable=config.get("trainable", True), **more)

    def number_of(self, node: Node) -> int:
        """The number of a call among its layer's calls in this model."""
        return [other for other in self.calls if other.layer is node.layer].index(node)


@dataclass
class _Shape:
    """A single shape, as opposed to nested lists and dicts of shapes."""

    shape: tuple


def _pack_leaves(structure, tensors: list[SymbolicTensor]):
    tensors = iter(tensors)
    return replace(structure, lambda _: next(tensors))


def _same_nesting(data, structure) -> bool:
    if isinstance(structure, dict):
        return (
            isinstance(data, dict)
            and list(data) == list(structure)
            and all(_same_nesting(data[key], inner) for key, inner in structure.items())
        )
    if isinstance(structure, list):
        return (
            isinstance(data, (list, tuple)) and len(data) == len(structure) and all(map(_same_nesting, data, structure))
        )
    return not isinstance(data, dict)


def _flat_shapes(shapes) -> list:
    if is_shape(shapes):
        return [tuple(shapes)]
    return [s for shape in (shapes.values() if isinstance(shapes, dict) else shapes) for s in _flat_shapes(shape)]
