"""The base of every layer: its weights, its name, and the pair ``forward`` / ``backward``."""

from __future__ import annotations

import warnings
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnn_ref import checks, config
from rnn_ref.config import policy
from rnn_ref.device import explain_memory, xp
from rnn_ref.guard import explained, guard_class, guarded
from rnn_ref.layers import autodiff, regularizers
from rnn_ref.layers.border import handed_out, with_masks
from rnn_ref.layers.building import built_once
from rnn_ref.layers.call_checks import check_call
from rnn_ref.layers.call_names import NOT_GIVEN, check_names, first_by_name
from rnn_ref.layers.calls import SymbolicCalls
from rnn_ref.layers.inside import call_by_hand, call_inside
from rnn_ref.layers.overrides import choose_way
from rnn_ref.layers.own_arguments import make, note_arguments, own_arguments
from rnn_ref.layers.penalties import penalties_of, remember
from rnn_ref.layers.recording import now
from rnn_ref.layers.symbolic import connect, entries, leaves, output_shape, shapes_of
from rnn_ref.layers.variable import Variable
from rnn_ref.layers.weight_owner import WeightOwner
from rnn_ref.registry import snake_case
from rnn_ref.spelling import arguments_of, unknown_argument


@dataclass(slots=True)
class LayerGradients:
    """What ``layer.backward`` returns.

    Attributes
    ----------
    inputs : ndarray, list of ndarray, or None
        dL/dx in the shape of the inputs; None if it was not asked for.
    weights : dict of str to ndarray
        dL/dw by the names of :meth:`Layer.named_weights`. A weight of another layer, used by a user's ``call``, is its
        own key in place of a name.
    initial_state : list of ndarray
        dL/ds_0, one ``(B, H)`` array for each state of a recurrent layer.
    flow : rnn_ref.kernels.tape.Gradients or None
        For recurrent layers, the gradients at every time step.
    constants : list of ndarray
        For recurrent layers that were given ``constants``, dL/d(constant) for each.
    arguments : dict or None
        dL/d(argument) by the names of all further arguments of the call, in their structure; None if they are in
        ``initial_state`` and ``constants``.
    """

    inputs: Any
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    initial_state: list[np.ndarray] = field(default_factory=list)
    flow: Any = None
    constants: list = field(default_factory=list)
    arguments: dict | None = None

    def add(self, layer, of_weights: dict) -> None:
        """Add gradients of weights, keyed by the weights themselves."""
        names = {weight: name for name, weight in layer.named_weights().items()}
        for weight, dw in of_weights.items():
            key = names.get(weight, weight)
            self.weights[key] = self.weights[key] + dw if key in self.weights else np.asarray(dw)

    def inside(self, name: str) -> dict:
        """``weights`` under the names that they have in an enclosing layer."""
        return {f"{name}/{key}" if isinstance(key, str) else key: dw for key, dw in self.weights.items()}


_names_given: dict[str, int] = defaultdict(int)


def unique_name(class_name: str) -> str:
    """``"SimpleRNN"`` -> ``"simple_rnn"``, then ``"simple_rnn_1"``, and so on."""
    base = snake_case(class_name)
    number = _names_given[base]
    _names_given[base] += 1
    return base if number == 0 else f"{base}_{number}"


def reset_names() -> None:
    """Restart the numbering of layer names."""
    _names_given.clear()


def batch_size_of(batch_size, inputs, layer: str) -> int:
    """The number of samples asked of ``get_initial_state``, given as a number or as an array of this length."""
    if np.ndim(batch_size):  # the first argument was ``inputs``, as in tf.keras
        batch_size, inputs = None, batch_size
    if batch_size is None:
        if inputs is None:
            raise ValueError(f"{layer}: get_initial_state needs batch_size or inputs.")
        batch_size = len(inputs)
    return checks.positive_integer(batch_size, "batch_size", layer)


class Layer(WeightOwner):
    """Base class of layers.

    A layer implements ``build(input_shape)``, which makes its weights with :meth:`add_weight`;
    ``forward(x, training=False)``, which returns the outputs and a *tape* (what ``backward`` needs to remember);
    ``backward(tape, grads)``, which returns :class:`LayerGradients`; ``compute_output_shape`` and ``get_config``.
    A layer with several inputs gets them, and their shapes, as a list.

    Or, as in Keras, it implements only ``call(x)``, with ``autograd.numpy`` in place of ``numpy``, and HIPS autograd
    differentiates it (:mod:`rnn_ref.layers.autodiff`). ``call`` may also take ``training`` and ``mask``.

    Masks, ``(B, T)`` and True where a time step counts, travel with the data: a layer with ``takes_mask`` gets the
    mask of its input (a list for a list) as ``forward(..., mask=...)``; ``compute_mask`` returns the mask of its
    output. A layer with ``supports_masking`` passes the mask on; one without drops it, with a warning.

    Parameters
    ----------
    name : str, optional
        By default made from the class name.
    dtype : {"float32", "float64"}, optional
        Precision of weights and computation; by default ``config.floatx()``.
    trainable : bool
        Whether an optimizer updates the weights.
    input_shape, batch_input_shape : tuple of int, optional
        Shape of one sample, without or with the batch; recurrent and dense layers are then built at once.
    activity_regularizer : Regularizer, optional
        Penalty on the outputs, added to the loss in ``fit``.
    autocast : bool
        Only True: inputs are cast to the precision of the layer.

    See Also
    --------
    https://keras.io/api/layers/base_layer/
    """

    supports_masking = False
    takes_mask = False
    written: type | None = None  # the class whose forward and backward are used; see overrides.py
    by_call = False  # whether call is used instead
    holds_layers = False  # whether layers and weights that are attributes are its own
    is_cell = False
    call_arguments: tuple[str, ...] = ()  # further positional arguments
    mixes_samples: bool | None = None  # whether a sample's outputs depend on other samples; unknown for a user's call
    never_builds = False  # without weights: built from the start, unless a subclass has a build
    can_forget = False  # forward takes record=False: keep only the outputs, as there will be no backward

    @guarded
    def __init__(
        self,
        *,
        name=None,
        dtype=None,
        trainable=True,
        input_shape=None,
        batch_input_shape=None,
        activity_regularizer=None,
        autocast=True,
        **unknown,
    ):
        for argument in unknown:
            raise unknown_argument(argument, arguments_of(type(self)), type(self).__name__)
        self.name = unique_name(type(self).__name__) if name is None else str(name)
        self.dtype = config.check_dtype(dtype, self.name)
        if not autocast:
            raise NotImplementedError(
                f"{self.name}: autocast=False is not there: inputs are cast to the layer's dtype."
            )
        if not isinstance(trainable, (bool, np.bool_)):
            raise ValueError(f"{self.name}: trainable must be True or False, got {trainable!r}.")
        self._trainable = bool(trainable)
        self.built = self.never_builds and type(self).build is Layer.build
        if input_shape is not None and batch_input_shape is not None:
            raise ValueError(f"{self.name}: give input_shape or batch_input_shape, not both.")
        self.input_shape = batch_input_shape if input_shape is None else (None, *input_shape)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._weights: dict[str, Variable] = {}
        self.nodes = SymbolicCalls()

    def __new__(cls, *arguments, **options):
        made = super().__new__(cls, *arguments, **options)
        note_arguments(made, arguments, options)
        return made

    # -- building ------------------------------------------------------------------------------------

    @built_once
    def build(self, input_shape) -> None:
        """Make the weights for inputs of this shape (batch included, unknown sizes None)."""

    def check_built_for(self, input_shape) -> None:
        """Raise if the built layer cannot take inputs of this shape: its weights are for one width only."""

    def ensure_built(self, input_shape) -> None:
        """Build the layer at first; check that later inputs fit."""
        if not self.built or (self.never_builds and self.input_shape is None):  # record the shape all the same
            self.build(input_shape)

    # -- position in a graph ------------------------------------------------------------------------

    def _only_node(self):
        if len(self.nodes) != 1:
            times = f"{len(self.nodes)} times; use the tensors that those calls returned" if self.nodes else "never"
            raise ValueError(f"{self.name}: input and output belong to its one symbolic call; called {times}.")
        return self.nodes.first

    @property
    def input(self):
        """The symbolic tensor (or list of them) that the layer was called on."""
        return self._only_node().inputs

    @property
    def output(self):
        """The symbolic tensor (or list of them) that the layer returned."""
        outputs = self._only_node().outputs
        return outputs[0] if len(outputs) == 1 else outputs

    # -- running ------------------------------------------------------------------------------------

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        guard_class(cls)
        if "build" in cls.__dict__:
            cls.build = built_once(cls.build)
        if not hasattr(cls, "walk_layers"):  # a model's call runs on tensors
            choose_way(cls, Layer)

    def call(self, x, *more, **arguments):
        """The layer's computation; a subclass that overrides it may use ``super().call``.

        It takes the arguments of ``forward``, in the order of Keras's ``call``. Users call the layer itself, which also
        passes on masks.
        """
        if self.written is None:
            raise NotImplementedError(f"{type(self).__name__} has neither forward() nor call().")
        if leaves([x, *more, list(arguments.values())]):
            raise TypeError(f"{self.name}: call() runs on arrays; on {x!r}, call the layer itself: layer(x).")
        arguments = self.by_name(more, self.written.call_arguments) | arguments
        return call_by_hand(self, self.written, x, arguments)

    def by_name(self, more: tuple, names: tuple[str, ...]) -> dict:
        """Positional arguments, by name."""
        if len(more) > len(names):
            raise TypeError(f"{self.name}: too many arguments; after the input come {list(names) or 'none'}.")
        return dict(zip(names, more))

    def forward(self, x, *, training: bool = False, **arguments) -> tuple[Any, Any]:
        """Outputs, and the tape that ``backward`` needs; it may hold the inputs themselves, not copies."""
        if not self.by_call:
            raise NotImplementedError(f"{type(self).__name__} has neither forward() nor call().")
        return autodiff.forward(self, x, training=training, **arguments)

    @explained
    def backward(self, tape, grads, *, input_gradient: bool = True) -> LayerGradients:
        """Gradients of inputs and weights from the gradients of the outputs."""
        if not isinstance(tape, autodiff.CallTape):
            raise NotImplementedError(f"{type(self).__name__} has no backward().")
        return autodiff.backward(self, tape, grads)

    @explained
    def __call__(self, x=NOT_GIVEN, /, *more, **arguments):
        """Run the layer on an array and return an array; on symbolic tensors, connect it.

        Also on a GPU, NumPy arrays give NumPy arrays, and CuPy arrays give CuPy arrays.

        ``more`` positional arguments come in the order of Keras's ``call``; a custom cell takes its states second.
        """
        if more:
            arguments = self.by_name(more, self.call_arguments) | arguments
        if x is NOT_GIVEN:
            x = first_by_name(self, arguments)
        if arguments:
            check_names(self, arguments)
        an_array = type(x) is np.ndarray and not arguments
        if not an_array:
            check_call(x, arguments, self.name)
        call = now()
        if not an_array and leaves([x, list(arguments.values())]):
            y = connect(self, x, arguments)
        elif call is not None:
            return call_inside(self, x, arguments, call)
        else:
            try:
                options = {"record": False} if self.can_forget else {}
                y, tape, mask = self.run(x, **options | with_masks(x, arguments))
            except MemoryError as error:
                explain_memory(error, self.name)
                raise
            remember(self, penalties_of(self, entries(y), tape))
            y = handed_out(self, y, mask, x, arguments)
        # Several outputs become a tuple, as in Keras; a model returns the structure that its user chose.
        return tuple(y) if isinstance(y, list) and not hasattr(type(self), "walk_layers") else y

    def run(self, x, *, mask=None, training: bool = False, **arguments):
        """``forward``, passing on the mask.

        Returns
        -------
        outputs, tape
            From :meth:`forward`.
        mask
            Of the outputs: None, an array, or a list for several outputs.
        """
        if self.takes_mask:
            arguments["mask"] = mask
        outputs, tape = self.forward(x, training=training, **arguments)
        return outputs, tape, self.compute_mask(x, mask)

    def compute_mask(self, inputs, mask):
        """The mask of the outputs, from that of the inputs."""
        if self.supports_masking or mask is None:
            return mask
        if any(m is not None for m in (mask if isinstance(mask, list) else [mask])):
            warnings.warn(
                f"{self.name} ({type(self).__name__}) does not hand on the mask of its input: after it, padding "
                "counts like data. Move it before the mask is made, or mask its output yourself.",
                stacklevel=3,
            )
        return None

    def as_input(self, x, rank: int | None = None) -> np.ndarray:
        """Check an input array, build the layer if it is the first, and cast it to the layer's precision."""
        try:
            x = xp.asarray(x if type(x) is np.ndarray else self._not_masked(x))
        except ValueError as error:
            raise ValueError(
                f"{self.name}: expected an array; the input is a list whose entries differ in length."
            ) from error
        if x.dtype.kind not in "fiub":
            raise TypeError(f"{self.name}: expected an array of numbers, got dtype {x.dtype}.")
        if rank is not None and x.ndim != rank:
            raise ValueError(self.rank_message(x.shape, rank))
        if x.ndim == 0:
            raise ValueError(f"{self.name}: expected an array with a batch axis, got the single value {x}.")
        if x.shape[0] == 0:
            raise ValueError(f"{self.name}: got an empty batch, shape {x.shape}; at least one sample is needed.")
        self.ensure_built(x.shape)
        return xp.asarray(x, self.dtype)

    def _not_masked(self, x):
        return checks.numbers(x, "the input", self.name) if isinstance(x, np.ma.MaskedArray) else x

    def rank_message(self, shape, rank: int) -> str:
        """The error message for an array with the wrong number of axes."""
        return f"{self.name}: expected an array with {rank} axes, got shape {tuple(shape)}."

    def check_features(self, features: int, expected: int) -> None:
        """Check that the last axis has the size the layer was built for."""
        if features != expected:
            raise ValueError(
                f"{self.name}: expected {expected} features on the last axis (the size it was built with), "
                f"got {features}."
            )

    @explained
    def compute_output_shape(self, input_shape) -> tuple:
        """Shape of the output for an input shape; unknown sizes are None."""
        return autodiff.output_shape(self, input_shape) if self.by_call else tuple(input_shape)

    def call_output_shape(self, input_shape, arguments: dict):
        """Shape of the output of a call with these arguments."""
        return self.compute_output_shape(input_shape)

    def outputs_on(self, inputs, arguments: dict):
        """Shapes of the outputs of a call on symbolic tensors."""
        if self.by_call and type(self).compute_output_shape is Layer.compute_output_shape:
            return autodiff.output_shape(self, inputs, arguments)
        return output_shape(self, shapes_of(inputs), arguments)

    # -- configuration ------------------------------------------------------------------------------

    def get_config(self) -> dict:
        """The arguments that make an equal layer; for a class without a ``get_config``, those it was made with."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": policy(self.dtype)}
        if type(self).get_config is Layer.get_config:
            config |= own_arguments(self)
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    @classmethod
    @explained
    def from_config(cls, config: dict):
        """A layer from the dictionary of :meth:`get_config`, or from Keras 3's."""
        try:
            return make(cls, config) if cls.get_config is Layer.get_config else cls(**config)
        except TypeError as error:
            if "unexpected keyword argument" not in str(error):
                raise
            raise TypeError(
                f"{cls.__name__}.from_config: {str(error).partition('() ')[2]}. The configuration has "
                f"{', '.join(config)}; leave out what {cls.__name__} does not take."
            ) from None

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"
