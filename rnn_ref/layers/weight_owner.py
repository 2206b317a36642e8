"""The weights of a layer and of the layers inside it: making, listing, reading and replacing them."""

from __future__ import annotations

import functools

import numpy as np

from rnn_ref import checks, shares
from rnn_ref.guard import explained
from rnn_ref.layers import constraints, initializers, regularizers
from rnn_ref.layers.first_values import first_values
from rnn_ref.layers.penalties import on_weights
from rnn_ref.layers.recording import now
from rnn_ref.layers.symbolic import entries
from rnn_ref.layers.variable import Variable, raw, value_of
from rnn_ref.spelling import Spelled

_DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64", "bool")
_KINDS = ("float", "bfloat", "int", "uint", "bool", "complex", "str", "string", "object")


def each_once(named: dict[str, Variable]) -> dict[str, Variable]:
    """A dict without the further names of weights that several layers share."""
    first: dict[Variable, str] = {}
    for name, weight in named.items():
        first.setdefault(weight, name)
    return {name: weight for weight, name in first.items()}


class NotBuilt(AttributeError, ValueError):
    """A layer that is not built was asked for something that only a built one has."""


def _shape_first(add_weight):
    """Explain arguments in the order of Keras 2, where the name came first."""

    @functools.wraps(add_weight)
    def checked(self, *arguments, **options):
        if arguments and isinstance(arguments[0], str):
            raise ValueError(
                f"{self.name}: add_weight got {arguments[0]!r} in the place of the shape; as a name it is a keyword "
                f"argument: add_weight(shape=(...), name={arguments[0]!r})."
            )
        if arguments and "shape" in options:
            raise ValueError(f"{self.name}: add_weight got a shape twice, {arguments[0]!r} and {options['shape']!r}.")
        return add_weight(self, *arguments, **options)

    return checked


class WeightOwner(Spelled):
    """An object with weights: the part of :class:`~rnn_ref.layers.layer.Layer` that deals with them.

    Attributes
    ----------
    name, dtype : str
    trainable, built : bool
    """

    name: str
    dtype: str
    built: bool
    holds_layers: bool
    _weights: dict[str, Variable]

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change the weights. Setting it also sets it for all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value) -> None:
        self._trainable = checks.flag(value, "trainable", self.name)
        for layer in self.sublayers():
            layer.trainable = value

    @_shape_first
    @explained
    def add_weight(
        self,
        shape=None,
        initializer=None,
        dtype=None,
        trainable=True,
        autocast=True,
        regularizer=None,
        constraint=None,
        aggregation="none",
        overwrite_with_gradient=False,
        name=None,
    ) -> Variable:
        """Make a weight.

        Parameters
        ----------
        shape : tuple of int, optional
            By default ``()``, a single number.
        initializer : str, callable or array, optional
            Whatever ``initializers.get`` accepts. By default Glorot uniform, or zeros for integers.
        dtype : str, optional
            By default the layer's. (A string here that is not a dtype is taken as the name.)
        trainable : bool
            Integers cannot be trained.
        autocast, aggregation, overwrite_with_gradient
            Keras's arguments of these names, with only their default values.
        regularizer, constraint
            Whatever their ``get`` accepts: a string, an object, None.
        name : str, optional
            Unique within the layer; by default "weight", "weight_1", ...

        Returns
        -------
        Variable

        Raises
        ------
        ValueError
            If the initializer's array does not fit, or integers are to be trained.
        """
        if (autocast, aggregation, overwrite_with_gradient) != (True, "none", False):
            raise NotImplementedError(
                f"{self.name}: add_weight takes autocast=True, aggregation='none', overwrite_with_gradient=False only."
            )
        running = now()
        if self.built and running is not None and running.layer is self and not self.__dict__.get("_building"):
            raise ValueError(
                f"{self.name}: add_weight was called while the layer runs; every call would make another weight. Make "
                "weights in __init__ or in build(self, input_shape)."
            )
        if isinstance(dtype, str) and name is None and dtype.rstrip("0123456789") not in _KINDS:
            name, dtype = dtype, None
        if name is None:
            name = f"weight_{len(self._weights)}" if self._weights else "weight"
        path, dtype = f"{self.name}/{name}", np.dtype(dtype or self.dtype).name
        if dtype not in _DTYPES:
            raise ValueError(f"{path}: dtype={dtype!r}; use one of {', '.join(_DTYPES)}.")
        integral = not dtype.startswith("float")
        if trainable and integral:
            raise ValueError(f"{path}: a weight of {dtype} cannot be trained; make it with trainable=False.")
        if initializer is None:
            initializer = "zeros" if integral else "glorot_uniform"
        # Drawn on the CPU whatever the device, so that a seed gives the same weights everywhere.
        value = first_values(initializers.get(initializer), () if shape is None else shape, dtype, path)
        self._weights[name] = Variable(
            value,
            name,
            path=path,
            trainable=checks.flag(trainable, "trainable", path),
            regularizer=regularizers.get(regularizer),
            constraint=constraints.get(constraint),
        )
        return self._weights[name]

    def add_loss(self, loss) -> None:
        """Add a number, or a list of numbers, to the loss in training; for use in a layer's ``call``.

        Examples
        --------
        >>> import autograd.numpy as np, rnn_ref
        >>> class Sparse(rnn_ref.layers.Layer):
        ...     def call(self, x):
        ...         self.add_loss(0.5 * np.mean(np.abs(x)))
        ...         return x
        >>> layer = Sparse()
        >>> y = layer(np.ones((2, 3)))
        >>> layer.losses
        [0.5]
        """
        call = now()
        if call is None or "_building" in vars(self):
            raise ValueError(
                f"{self.name}: add_loss was called outside of the call of a layer, where nothing says how its gradient "
                "reaches the weights. Call it in call(self, ...) of a layer of your own; in a model, put such a layer "
                "into the model. For a penalty on a weight give add_weight a regularizer."
            )
        shares.refuse(f"{self.name}: add_loss gives one number for all samples")
        for value in map(value_of, entries(loss)):
            if np.ndim(value) or np.asarray(raw(value)).dtype.kind not in "fiu":
                raise ValueError(
                    f"{self.name}: add_loss takes numbers, got {raw(value)!r}; take its mean or sum first, with "
                    "autograd.numpy."
                )
            call.penalties.append((self, value))

    def add_variable(self, *arguments, **options) -> Variable:
        """Keras's other name for :meth:`add_weight`."""
        return self.add_weight(*arguments, **options)

    @property
    def compute_dtype(self) -> str:
        """Keras's name for the precision of computations; here simply ``dtype``."""
        return self.dtype

    @property
    def variable_dtype(self) -> str:
        """Keras's name for the precision of weights; here simply ``dtype``."""
        return self.dtype

    def __getattr__(self, name: str):
        """Called only for missing names, such as those of weights before they are made."""
        if any(name in vars(cls) for cls in type(self).__mro__):
            return object.__getattribute__(self, name)  # a property that failed, with its own error
        if name.startswith("_") or vars(self).get("built", True):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise NotBuilt(
            f"{self.name} ({type(self).__name__}) has no {name!r}. It is not built yet: its weights are there once it "
            "was called on data, or given an input shape."
        )

    def __setattr__(self, name: str, value) -> None:
        if isinstance(value, Variable) and vars(self).get("_weights", {}).get(name, value) is not value:
            raise AttributeError(
                f"{self.name}: it has a weight {name!r} already, whose place another cannot take: gradients would go "
                "to the wrong one. Copy the numbers with assign, or set the other one in build instead."
            )
        super().__setattr__(name, value)

    def sublayers(self) -> list[WeightOwner]:
        """Layers inside this one whose weights count as its own.

        In a user's class, those that are attributes, or in lists or dicts that are attributes.
        """
        if not self.holds_layers:
            return []
        return [entry for _, entry in self._held() if isinstance(entry, WeightOwner) and entry is not self]

    def with_all_inside(self) -> list[WeightOwner]:
        """This layer and all layers inside it, at any depth, including cells."""
        found: dict = {self: None}
        waiting = [self]
        while waiting:
            layer = waiting.pop()
            inside = [*layer.sublayers(), *([layer.cell] if "cell" in vars(layer) else [])]
            waiting += [each for each in inside if each not in found]
            found.update(dict.fromkeys(inside))
        return list(found)

    @property
    def batch_size_matters(self) -> bool:
        """Whether a layer inside keeps its states between batches, which must then all have the same size."""
        return any(getattr(layer, "stateful", False) for layer in self.with_all_inside())

    def _held(self) -> list[tuple[str, object]]:
        """The layers and weights in attributes, each once."""
        found: dict = {}
        for name, value in vars(self).items():
            if name not in ("_weights", "nodes", "_chain"):
                for entry in entries(value) if isinstance(value, (list, tuple, dict)) else [value]:
                    if isinstance(entry, (WeightOwner, Variable)):
                        found.setdefault(entry, name)
        return [(name, entry) for entry, name in found.items()]

    def _own_weights(self) -> dict[str, Variable]:
        """Weights made by :meth:`add_weight`, or set as attributes, as tied weights of another layer may be."""
        own = dict(self._weights)
        if self.holds_layers:
            made = set(own.values())
            for name, entry in self._held():
                if isinstance(entry, Variable) and entry not in made:
                    own[name if name not in own else entry.path] = entry
        return own

    def named_weights(self) -> dict[str, Variable]:
        """Weights by name, each once; those of a layer inside are prefixed by its name: ``"forward_lstm/kernel"``."""
        named, layers = self._own_weights(), self.sublayers()
        if not layers:
            return named
        for layer in layers:
            for key, weight in layer.named_weights().items():
                if named.setdefault(f"{layer.name}/{key}", weight) is not weight:
                    raise ValueError(f"{self.name}: two layers inside it are named {layer.name!r}; names must differ.")
        return each_once(named)

    def trainable_named_weights(self) -> dict[str, Variable]:
        """The weights an optimizer may change, without those of frozen layers at any depth."""
        if not self.trainable:
            return {}
        named = {key: weight for key, weight in self._own_weights().items() if weight.trainable}
        layers = self.sublayers()
        if not layers:
            return named
        for layer in layers:
            named.update({f"{layer.name}/{k}": w for k, w in layer.trainable_named_weights().items()})
        return each_once(named)

    @property
    def weights(self) -> list[Variable]:
        return list(self.named_weights().values())

    @property
    def trainable_weights(self) -> list[Variable]:
        return list(self.trainable_named_weights().values())

    @property
    def non_trainable_weights(self) -> list[Variable]:
        trainable = {id(weight) for weight in self.trainable_weights}
        return [weight for weight in self.weights if id(weight) not in trainable]

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def losses(self) -> list[float]:
        """Penalties of the last call, including layers inside, and those on trainable weights, as added by ``fit``."""
        return [float(penalty) for penalty in [*self._penalties, *on_weights(self.trainable_weights)]]

    _penalties: tuple | list = ()  # of the last call

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights."""
        return [weight.numpy() for weight in self.weights]

    @explained
    def set_weights(self, values) -> None:
        """Replace all weights, in the order of :meth:`get_weights`."""
        values = list(values)
        if len(values) != len(self.weights):
            unbuilt = "" if self.built else " It is not built yet: call it on data or give it an input shape first."
            raise ValueError(
                f"{self.name}: set_weights got {len(values)} arrays, expected {len(self.weights)} "
                f"({', '.join(self.named_weights()) or 'none'}).{unbuilt}"
            )
        for weight, value in zip(self.weights, values):
            weight.assign(value)

    def count_params(self) -> int:
        """Number of parameters."""
        if not self.built:
            raise ValueError(
                f"{self.name} has no weights yet, so its parameters cannot be counted: "
                "call it on data, or give it an input shape."
            )
        return sum(weight.size for weight in self.weights)
