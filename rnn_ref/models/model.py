"""Model: the base class of all models, and the one to subclass."""

from __future__ import annotations

import inspect
from itertools import repeat
from typing import Any

import numpy as np

from rnn_ref import checks
from rnn_ref.device import is_array, xp
from rnn_ref.guard import explained
from rnn_ref.layers.call_checks import look_for_nan
from rnn_ref.layers.input import Input
from rnn_ref.layers.layer import NOT_GIVEN, Layer, LayerGradients
from rnn_ref.layers.penalties import remember
from rnn_ref.layers.recording import now, weights_as_tensors
from rnn_ref.layers.symbolic import entries, leaves, map_shapes, pack, replace_entries, shapes_of
from rnn_ref.models.files import Files
from rnn_ref.models.structure import as_array, flatten, in_order, leaves_of, names_for, put_back, structure_of
from rnn_ref.models.summary import summary
from rnn_ref.models.training import Training
from rnn_ref.models.walk import MASK, VALUE, RecordedTensor, Walk


class Model(Training, Files, Layer):
    """Layers put together, with training.

    ``Model(inputs, outputs)`` is the graph between symbolic tensors: a :class:`~rnn_ref.models.functional.Functional`.
    A subclass may be made in the same way.

    A subclass makes layers in ``__init__`` (as attributes, or in lists or dicts that are attributes) and calls them in
    ``call(self, inputs)``, which may also take ``training`` or ``mask``. ``call`` receives not arrays but tensors that
    record which layers they pass through, so that gradients can flow back. NumPy functions would leave no such record,
    and are refused.

    Parameters
    ----------
    inputs, outputs : SymbolicTensor, or list or dict of them
        For a functional model.
    name : str, optional
    trainable : bool
    dtype : str, optional

    References
    ----------
    https://keras.io/api/models/model/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> from rnn_ref import layers
    >>> x = rnn_ref.Input((10, 5))
    >>> rnn_ref.Model(x, layers.Dense(1)(layers.LSTM(8)(x))).output_shape
    (None, 1)

    >>> class Reader(rnn_ref.Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.rnn = layers.LSTM(8)
    ...         self.out = layers.Dense(1)
    ...
    ...     def call(self, x):
    ...         return self.out(self.rnn(x))
    >>> Reader()(np.zeros((2, 10, 5))).shape
    (2, 1)
    """

    can_forget = True

    def __new__(cls, *arguments, **options):
        if cls is Model:
            from rnn_ref.models.functional import Functional

            if arguments or "inputs" in options or "outputs" in options:
                return super().__new__(Functional)
        its_own = {name: value for name, value in options.items() if name not in ("inputs", "outputs")}
        return super().__new__(cls, *arguments, **its_own)  # which checks for misspelt names

    def __init__(self, *inputs_and_outputs, name=None, trainable=True, dtype=None, **options):
        if inputs_and_outputs or options:
            if len(inputs_and_outputs) + len(options.keys() & {"inputs", "outputs"}) != 2 or len(options) > 2:
                raise TypeError(
                    f"{type(self).__name__}: a subclass of Model makes its layers itself and calls them in call(), or "
                    f"is given inputs and outputs; got {len(inputs_and_outputs)} arguments and {sorted(options)}."
                )
            from rnn_ref.models.functional import Functional

            _derive_from(Functional, type(self))
            Functional.__init__(self, *inputs_and_outputs, name=name, trainable=trainable, **options)
            return
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self._input_structure: Any = 0  # nested lists and dicts with one entry for each array
        self._output_structure: Any = 0
        self.output_shape = None

    # -- contents -----------------------------------------------------------------------------------

    def sublayers(self) -> list[Layer]:
        """Layers that are attributes, or in lists or dicts that are."""
        found = [e for value in self.__dict__.values() for e in entries(value) if isinstance(e, Layer)]
        return list(dict.fromkeys(found))

    @property
    def layers(self) -> list[Layer]:
        return self.sublayers()

    @explained
    def get_layer(self, name=None, index=None) -> Layer:
        """A layer by name or by place."""
        if (name is None) == (index is None):
            raise ValueError(f"{self.name}: get_layer takes a name or an index, got {name=} and {index=}.")
        if index is not None:
            index = checks.integer(index, "index", f"{self.name}.get_layer")
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"{self.name}: there is no layer {index}; there are {len(self.layers)}.")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"{self.name}: no layer is named {name!r}; there are {[l.name for l in self.layers]}.")

    def named_weights(self) -> dict:
        """Weights by the path of names that leads to them; a weight that several layers share appears once."""
        named: dict = {}
        for layer in self.sublayers():
            for key, weight in layer.named_weights().items():
                if named.setdefault(f"{layer.name}/{key}", weight) is not weight:
                    raise ValueError(f"{self.name}: two of its layers are named {layer.name!r}; names must differ.")
        named.update(self._weights)
        seen: dict = {}
        for name, weight in named.items():
            seen.setdefault(weight, name)
        return {name: weight for weight, name in seen.items()}

    def trainable_named_weights(self) -> dict:
        trainable = set(self.trainable_weights)
        return {name: weight for name, weight in self.named_weights().items() if weight in trainable}

    @property
    def trainable_weights(self) -> list:
        if not self.trainable:
            return []
        layers = [weight for layer in self.sublayers() for weight in layer.trainable_weights]
        return list(dict.fromkeys(layers + [weight for weight in self._weights.values() if weight.trainable]))

    # -- shapes -------------------------------------------------------------------------------------

    @explained
    def build(self, input_shape) -> None:
        """Make all weights by running ``call`` on symbolic tensors.

        Parameters
        ----------
        input_shape : tuple, or list or dict of tuples
            With the batch axis; None for unknown sizes.
        """
        self._output_structure = structure_of(self._call_symbolically(input_shape))
        self._input_structure = map_shapes(input_shape, lambda _: 0)
        self.output_shape = self.compute_output_shape(input_shape)
        self.input_shape = input_shape
        self.built = True

    def ensure_built(self, input_shape) -> None:
        if not self.built:
            self.build(input_shape)

    def _call_symbolically(self, input_shape):
        before = {layer: len(layer.nodes) for layer in self.sublayers()}
        inputs = map_shapes(input_shape, lambda shape: Input(batch_shape=shape, name="x"))
        try:
            return in_order(self.call(inputs))
        finally:  # these calls were only a rehearsal
            for layer in self.sublayers():
                layer.nodes.pop(len(layer.nodes) - before.get(layer, 0))

    @explained
    def compute_output_shape(self, input_shape):
        return shapes_of(self._call_symbolically(input_shape))

    def see(self, x) -> None:
        """Learn the structure of the inputs from the first data; functional models know it already."""
        if not self.built and isinstance(x, (list, tuple, dict)) and all(hasattr(e, "shape") for e in entries(x)):
            self._input_structure = replace_entries(x, lambda _: 0)

    def flatten_inputs(self, x, what: str) -> list:
        """The input arrays in a list, from an array, a list or a dict; the first ones build the model."""
        self.see(x)
        arrays = flatten(x, self.input_names, what)
        if not self.built and all(np.ndim(array) and len(array) for array in arrays):
            self.build_on([as_array(array) for array in arrays])
        return arrays

    def build_on(self, arrays: list) -> None:
        """Make all weights for inputs like these arrays."""
        shapes = [array.shape if self.batch_size_matters else (None, *array.shape[1:]) for array in arrays]
        self.build(pack(self._input_structure, shapes))

    @property
    def outputs_known(self) -> bool:
        """Whether the number and names of the outputs are known yet."""
        return self.built

    @property
    def input_names(self) -> list[str]:
        return names_for(self._input_structure, "input")

    @property
    def output_names(self) -> list[str]:
        return names_for(self._output_structure, "output")

    # -- running ------------------------------------------------------------------------------------

    def _through_layers(self, inputs, training, mask, *, run):
        """``super().call(inputs)`` in a subclass of a Sequential or functional model.

        ``run(inputs, call)`` calls the layers; the inputs are symbolic or recorded tensors, or arrays.
        """
        tensors = leaves(inputs)
        if not tensors:
            walk = Walk(record=False, training=bool(training))
            masks = repeat(None) if mask is None else iter(entries(mask))
            inputs = replace_entries(inputs, lambda array: walk.tensor(array, next(masks)))
            outputs = run(inputs, walk.call)
            return put_back(outputs, [tensor.value for tensor in leaves_of(outputs)])
        if not isinstance(tensors[0], RecordedTensor):
            return run(inputs, lambda layer, x, arguments=None: layer(x, **(arguments or {})))
        if mask is not None and any(m is not t.mask for m, t in zip(entries(mask), tensors)):
            raise ValueError(f"{self.name}: call() takes another mask than its inputs have; leave it out.")
        walk = tensors[0].walk
        before = walk.training
        walk.training = before if training is None else bool(training)
        try:
            return run(inputs, walk.call)
        finally:
            walk.training = before

    def call(self, inputs):
        """What a subclass computes from its inputs."""
        raise NotImplementedError(
            f"{type(self).__name__} has no call(self, inputs). Write one, or make the model with "
            "Model(inputs, outputs)."
        )

    @explained
    def __call__(self, x=NOT_GIVEN, /, *more, **arguments):
        """Run the model on arrays and return arrays; on symbolic tensors, connect it."""
        if more:
            names = list(inspect.signature(self.call).parameters)[1:]
            arguments = dict(zip(names, more)) | arguments
        if now() is None:
            look_for_nan(list(arguments.values()) if x is NOT_GIVEN else x, f"{self.name}: x")
        y = super().__call__(x, **arguments)
        return self.structure_outputs(leaves_of(y)) if isinstance(y, (list, tuple, dict)) else y

    def walk_layers(self, inputs, arguments: dict, walk: Walk):
        """Call the layers on recorded tensors, and return the outputs."""
        known = inspect.signature(self.call).parameters
        told = dict(arguments)
        if "training" in known:
            told["training"] = walk.training
        if "mask" in known:
            told["mask"] = replace_entries(inputs, lambda tensor: tensor.mask)
        with weights_as_tensors(walk.weight_as_tensor):
            return self.call(inputs, **told)

    def run(
        self,
        x,
        *,
        mask=None,
        training: bool = False,
        record: bool = True,
        keep_z: bool = False,
        walk: Walk | None = None,
        **arguments,
    ):
        """Outputs, the :class:`~rnn_ref.models.walk.Walk` that produced them, and the masks of the outputs.

        ``walk`` is an empty walk to use instead of a new one.
        """
        if isinstance(x, (list, tuple)) and not any(hasattr(entry, "shape") for entry in entries(x)):
            x = xp.asarray(x)  # numbers in nested lists are one array
        for array in entries(x):
            checks.unmasked(array, "x", self.name)
        if walk is None:
            walk = Walk(record=record or not self.built, keep_z=keep_z)
        walk.training = training
        masks = repeat(None) if mask is None else iter(entries(mask))
        walk.inputs = replace_entries(x, lambda array: None if array is None else walk.tensor(array, next(masks)))
        if arguments:
            walk.arguments = replace_entries(arguments, lambda entry: walk.tensor(entry) if is_array(entry) else entry)
        walk.outputs = in_order(self.walk_layers(walk.inputs, walk.arguments, walk))
        strays = [entry for entry in entries(walk.outputs) if not isinstance(entry, RecordedTensor)]
        if strays:
            raise TypeError(f"{self.name}: call() returned {strays[0]!r}; it must return what layers gave it.")
        if not self.built:
            self._after_first_run(walk)
        elif self._calls_itself:
            self._output_structure = structure_of(walk.outputs)
        remember(self, walk.penalties)
        return replace_entries(walk.outputs, VALUE), walk, replace_entries(walk.outputs, MASK)

    @property
    def losses(self) -> list:
        """Penalties of the last call, and those on the trainable weights."""
        return Layer.losses.fget(self) if self._recorded_losses is None else self._recorded_losses

    _calls_itself = False  # whether a subclass overrides the ``call`` of its kind of model

    def _after_first_run(self, walk: Walk) -> None:
        def shape(tensor):
            return (None, *tensor.shape[1:])

        self._input_structure = replace_entries(walk.inputs, lambda _: 0)
        self._output_structure = structure_of(walk.outputs)
        self.input_shape = replace_entries(walk.inputs, shape)
        self.output_shape = replace_entries(walk.outputs, shape)
        self.built = True

    def forward(self, x, *, training: bool = False, **arguments):
        """Outputs, and the walk that produced them."""
        outputs, walk, _ = self.run(x, training=training, **arguments)
        return outputs, walk

    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Gradients of inputs and weights, from the gradients of the outputs.

        Returns
        -------
        LayerGradients
            ``weights`` by the names of :meth:`named_weights`; ``flow`` lists every layer with its ``flow``, in the
            order they ran; ``initial_state`` has the gradients of further arguments of ``call``, in order.
        """
        return self.run_back(tape, entries(grads), input_gradient=input_gradient)

    def run_lists(self, inputs: list, **options):
        """:meth:`run` with inputs and outputs as lists."""
        outputs, walk, _ = self.run(pack(self._input_structure, inputs), **options)
        return entries(outputs), walk

    def run_back(self, tape: Walk, grads: list, *, input_gradient: bool = False) -> LayerGradients:
        """:meth:`backward` with the gradients of the outputs as a list."""
        sums, weights, flow = tape.back(grads, input_gradient=input_gradient)
        names = {weight: name for name, weight in self.named_weights().items()}
        return LayerGradients(
            replace_entries(tape.inputs, lambda tensor: sums.get(tensor)) if input_gradient else None,
            {names.get(weight, weight): dw for weight, dw in weights.items()},
            [sums.get(e) if isinstance(e, RecordedTensor) else None for e in entries(tape.arguments)],
            flow,
        )

    @explained
    def reset_states(self) -> None:
        """Reset the states of all ``stateful`` layers."""
        for layer in self.layers:
            if isinstance(layer, Model) or getattr(layer, "stateful", False):
                layer.reset_states()

    def output_masks(self, tape: Walk) -> list:
        """Masks of the outputs after a run."""
        return [tensor.mask for tensor in leaves(tape.outputs)]

    def structure_outputs(self, outputs: list):
        """A list of outputs, put into the structure that the model returns."""
        return put_back(self._output_structure, outputs)

    # -- inspection ---------------------------------------------------------------------------------

    @explained
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

    @classmethod
    @explained
    def from_config(cls, config: dict, custom_objects: dict | None = None):
        """A model from :meth:`get_config`'s dictionary; that of a subclass holds the arguments of its ``__init__``."""
        if cls is Model and "input_layers" in config:
            from rnn_ref.models.functional import Functional

            return Functional.from_config(config, custom_objects)
        return super().from_config(config)


def _derive_from(functional: type, cls: type) -> None:
    """Replace ``Model`` by the functional model among a class's bases, as Keras does."""
    for base in cls.__bases__:
        if issubclass(base, Model) and base is not Model and not issubclass(base, functional):
            _derive_from(functional, base)
    if not issubclass(cls, functional):
        cls.__bases__ = tuple(functional if base is Model else base for base in cls.__bases__)
