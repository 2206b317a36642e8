"""clone_model: a copy of a model with the same layers and new weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from rnn_ref.layers.input import Input, InputLayer
from rnn_ref.layers.layer import Layer
from rnn_ref.layers.recurrent_cells import custom_classes
from rnn_ref.layers.sharing import while_reading, while_writing
from rnn_ref.layers.symbolic import entries, leaves, replace
from rnn_ref.layers.wrapper import describe, layer_from
from rnn_ref.models.functional import Functional
from rnn_ref.models.model import Model
from rnn_ref.models.sequential import Sequential
from rnn_ref.registry import copying


def clone_model(
    model: Model,
    input_tensors=None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable | None = None,
    recursive: bool = False,
) -> Model:
    """Copy a model, with new layers and new weights.

    The graph is walked again: every layer is cloned, and the clone is called wherever the original was. A layer that
    is called several times, or inside a nested model as well, is cloned once.

    Parameters
    ----------
    model : Sequential or functional Model, or a subclass with an ``__init__`` and ``get_config`` of its own
    input_tensors : SymbolicTensor or list of them, optional
        The inputs of the clone; by default new ones like the model's.
    clone_function : callable, optional
        ``clone_function(layer)`` returns the layer to use in its place, which may be of another class, or the layer
        itself. The default is ``type(layer).from_config(layer.get_config())``. Nested models count as layers.
    call_function : callable, optional
        ``call_function(layer, x, **arguments)`` calls the clone, and may add further layers after it; not for a
        Sequential.
    recursive : bool
        Whether ``clone_function`` and ``call_function`` get the layers of nested models instead of these models.

    Returns
    -------
    Model
        Compiled if the original is, with an optimizer of its own. To copy the weights as well:
        ``clone.set_weights(model.get_weights())``.

    Raises
    ------
    ValueError
        For a subclass of Model whose structure is unknown.
    NotImplementedError
        For a subclass of Model without ``get_config``, whose ``__init__`` was given more than numbers and strings.

    References
    ----------
    https://keras.io/api/models/model_training_apis/

    Examples
    --------
    >>> import rnn_ref
    >>> from rnn_ref import layers
    >>> model = rnn_ref.Sequential([rnn_ref.Input((10, 5)), layers.LSTM(64), layers.Dense(1)])
    >>> def both_ways(layer):
    ...     copy = type(layer).from_config(layer.get_config())
    ...     return layers.Bidirectional(copy) if isinstance(layer, layers.LSTM) else copy
    >>> rnn_ref.models.clone_model(model, clone_function=both_ways).count_params()
    35969
    """
    clone = _clone(model, input_tensors, clone_function, call_function, recursive)
    if model.compiled:
        try:
            clone.compile(**model.compile_arguments())
        except ValueError as error:  # settings name the old outputs
            warnings.warn(f"clone_model: the clone of {model.name} is not compiled: {error}", stacklevel=2)
    return clone


def _clone(model, input_tensors, clone_function, call_function, recursive) -> Model:
    kind = Sequential if isinstance(model, Sequential) else Functional
    own_init = type(model).__init__ is not kind.__init__
    if own_init or not isinstance(model, kind):  # only its configuration says how to make a copy
        if clone_function is not None or input_tensors is not None or call_function is not None:
            raise ValueError(
                f"clone_model: takes only the model {model.name} itself, as {type(model).__name__} makes its layers in "
                "its __init__: clone_function, call_function and input_tensors have no place there."
            )
        if type(model).get_config in (Sequential.get_config, Functional.get_config):
            raise ValueError(
                f"clone_model: cannot know how {type(model).__name__} makes its layers; write get_config, which "
                "returns the arguments of its __init__."
            )
        return type(model).from_config(model.get_config())
    if clone_function is None:
        with while_reading():
            return _clone(model, input_tensors, _Likes(model), call_function, recursive)
    if recursive and not isinstance(clone_function, _Likes):
        clone_function = _Inside(clone_function, call_function)
    given = None if input_tensors is None else leaves(input_tensors)
    if given is not None and (len(given) != len(entries(input_tensors)) or len(given) != len(model.inputs or [0])):
        raise ValueError(
            f"clone_model: input_tensors must be {len(model.inputs or [0])} symbolic tensors, one for each input of "
            f"{model.name}; got {input_tensors!r}."
        )
    if isinstance(input_tensors, (list, tuple, dict)) and isinstance(model.input, dict) != isinstance(
        input_tensors, dict
    ):
        raise ValueError(
            f"clone_model: input_tensors must be like the inputs of {model.name}, "
            f"a {type(model.input).__name__}; got {input_tensors!r}."
        )
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("clone_model: call_function is for a Model(inputs, outputs), not for a Sequential.")
        start = given or [_like_input(tensor) for tensor in model.inputs or []]
        return type(model)([*start, *map(clone_function, model.layers)], trainable=model.trainable, name=model.name)
    call = call_function or _call
    made = dict(zip(model.inputs, given or map(_like_input, model.inputs)))
    clones = {layer: clone_function(layer) for layer in model.layers if not isinstance(layer, InputLayer)}
    for node in model.calls:
        if node.layer in clones:
            y = call(clones[node.layer], replace(node.inputs, made.get), **replace(node.arguments, made.get))
            made.update(zip(node.outputs, leaves(y)))
    inputs, outputs = replace(model.input, made.get), replace(model.output, made.get)
    return type(model)(inputs, outputs, name=model.name, trainable=model.trainable)


def _call(layer, x, **arguments):
    """Call it as the original was called: with one input, or with query, value and key side by side."""
    return layer(*x, **arguments) if getattr(layer, "inputs_by_position", False) else layer(x, **arguments)


class _Inside:
    """Clones each layer of nested models once, and any other layer by the given function."""

    def __init__(self, clone_function: Callable, call_function: Callable | None):
        self.clone_function, self.call_function = clone_function, call_function
        self._made: dict[Layer, Layer] = {}

    def __call__(self, layer: Layer) -> Layer:
        if layer not in self._made:
            if isinstance(layer, (Sequential, Functional)):
                call = None if isinstance(layer, Sequential) else self.call_function
                self._made[layer] = _clone(layer, None, self, call, False)
            else:
                self._made[layer] = self.clone_function(layer)
        return self._made[layer]


class _Likes:
    """Makes, for each layer of a model, one of the same class and configuration with weights of its own."""

    def __init__(self, model: Model):
        with while_writing(), copying():  # all at once, so that a layer in several places has the same number in each
            self._described = {layer: describe(layer) for layer in _layers_of(model)}
        self._made: dict[Layer, Layer] = {}

    def __call__(self, layer: Layer) -> Layer:
        if layer not in self._made:
            inside = isinstance(layer, (Sequential, Functional))
            self._made[layer] = (
                _clone(layer, None, self, None, False)
                if inside
                else layer_from(self._described[layer], _classes_of(layer))
            )
        return self._made[layer]


def _layers_of(model) -> list[Layer]:
    """The layers of a model and of the models nested in it."""
    return [
        inner
        for layer in model.layers
        for inner in (_layers_of(layer) if isinstance(layer, (Sequential, Functional)) else [layer])
    ]


def _classes_of(layer) -> dict[str, type]:
    """The classes of a layer, of the layers inside it and of custom cells, by name."""
    classes = {type(layer).__name__: type(layer)} | (custom_classes(layer.cell) if "cell" in vars(layer) else {})
    for inner in layer.sublayers():
        classes |= _classes_of(inner)
    return classes


def _like_input(tensor):
    layer = tensor.node.layer if tensor.node is not None else None
    name, optional = getattr(layer, "name", None), getattr(layer, "optional", False)
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name, optional=optional)
