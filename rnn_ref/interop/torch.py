"""PyTorch's recurrent, embedding and linear modules as layers of rnn_ref, and back.

    layers = interop.torch.from_module(lstm)                             a live module
    layers = interop.torch.from_state_dict(net.state_dict(), "lstm")     the part of a model called "lstm"
    layers = interop.torch.from_state_dict("net.safetensors", "lstm")    a file; PyTorch is not needed
    lstm.load_state_dict(...to_state_dict(layers) as tensors...)         and back; or to_module(layers)

The layers take ``(batch, time, features)``, whatever ``batch_first`` was. The layout of the weights on both sides is
described in :mod:`rnn_ref.interop.torch_weights`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_ref import checks
from rnn_ref.guard import explained
from rnn_ref.interop.optional import need
from rnn_ref.interop.tensors import read_state
from rnn_ref.interop.torch_keys import EITHER, check_floating, find_kinds, own, recurrent_directions
from rnn_ref.interop.torch_stacks import stack_of, weights_of
from rnn_ref.interop.torch_weights import from_torch, to_torch
from rnn_ref.layers import GRU, LSTM, Bidirectional, Dense, Dropout, Embedding, Layer, SimpleRNN
from rnn_ref.layers.first_values import drawn_by_nobody

LAYERS = {"RNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}
KINDS = (*LAYERS, "Embedding", "Linear")


@explained
def find_modules(state) -> dict[str, str]:
    """The kind of every module with weights of its own, by its name, as far as a state tells.

    Parameters
    ----------
    state : dict of arrays or tensors, module, or path of a ``.safetensors`` file

    Returns
    -------
    dict of str to str
        ``"RNN"``, ``"LSTM"``, ``"GRU"``, ``"Linear"``, or ``"Embedding or Linear"``, which cannot be told apart by
        weights: pass :func:`from_state_dict` the ``kind``. Anything else, which cannot be read, is ``"unknown"`` or
        the name of a single cell, ``"LSTMCell"``.

    Examples
    --------
    >>> import numpy as np
    >>> find_modules({"words.weight": np.zeros((9, 4)), "out.weight": np.zeros((2, 4)), "out.bias": np.zeros(2)})
    {'words': 'Embedding or Linear', 'out': 'Linear'}
    """
    return find_kinds(read_state(state, "find_modules"))


@explained
def from_state_dict(
    state,
    prefix: str = "",
    *,
    kind: str | None = None,
    nonlinearity: str = "tanh",
    dropout: float = 0.0,
    return_sequences: bool = True,
    return_state: bool = False,
) -> list[Layer]:
    """The layers of one PyTorch module, with its weights.

    Parameters
    ----------
    state : dict of arrays or tensors, module, or path of a ``.safetensors`` file
    prefix : str
        The module's name in it: ``"lstm"`` for ``lstm.weight_ih_l0`` and so on.
    kind : {"RNN", "LSTM", "GRU", "Embedding", "Linear"}, optional
        By default recognized by names and shapes; a matrix without a bias may be either of the last two, so the kind
        must be given.
    nonlinearity : {"tanh", "relu"}
        That of an ``nn.RNN``, which its weights do not show.
    dropout : float
        That of the module, between its layers, which its weights do not show.
    return_sequences, return_state : bool
        Of the last layer; those below return their sequences. PyTorch's ``output`` is the sequence. Without it, a
        bidirectional layer returns the final state of each direction, which is ``h_n``, not ``output[:, -1]``.

    Returns
    -------
    list of Layer
        For use in a model: ``Sequential([*from_state_dict(state, "lstm"), *from_state_dict(state, "out")])``.

    Raises
    ------
    ValueError
        If there is no such module, or its weights are incomplete, do not fit together, or belong to something without
        an equivalent here (``proj_size``).

    Examples
    --------
    >>> import numpy as np
    >>> state = {"gru.weight_ih_l0": np.zeros((6, 5)), "gru.weight_hh_l0": np.zeros((6, 2))}
    >>> (layer,) = from_state_dict(state, "gru")
    >>> type(layer).__name__, layer.units, layer.use_bias, layer.reset_after
    ('GRU', 2, False, True)
    """
    arrays, kind, where = _module_in(state, prefix, kind, "from_state_dict")
    checks.one_of(nonlinearity, "nonlinearity", where, ("tanh", "relu"))
    dropout = checks.fraction(dropout, "dropout", where)
    if kind == "Embedding":
        V, H = arrays["weight"].shape
        return [Embedding(V, H, weights=arrays["weight"], dtype=str(arrays["weight"].dtype))]
    if kind == "Linear":
        H, F = arrays["weight"].shape
        layer = Dense(H, use_bias="bias" in arrays, input_shape=(F,), dtype=str(arrays["weight"].dtype))
        _load_linear(layer, arrays)
        return [layer]
    layers: list[Layer] = []
    stack = recurrent_directions(arrays, kind, where)
    for number, directions in enumerate(stack):
        last, first = number == len(stack) - 1, directions[0]
        F, H = first["weight_ih"].shape[1], first["weight_hh"].shape[1]
        options: dict[str, Any] = {"activation": nonlinearity} if kind == "RNN" else {}
        options |= {"use_bias": "bias_ih" in first, "input_shape": (None, F), "dtype": str(first["weight_ih"].dtype)}
        options |= {"return_sequences": return_sequences or not last, "return_state": return_state and last}
        with drawn_by_nobody(2 * sum(array.size for weights in directions for array in weights.values())):
            layer = LAYERS[kind](H, **options)
            layer = layer if len(directions) == 1 else Bidirectional(layer)
        layer.set_weights([w for weights in directions for w in from_torch(kind, weights)])
        layers += [Dropout(dropout, dtype=layer.dtype), layer] if dropout and number else [layer]
    return layers


@explained
def from_module(module, *, return_sequences: bool = True, return_state: bool = False) -> list[Layer]:
    """The layers of a live ``nn.RNN``, ``nn.LSTM``, ``nn.GRU``, ``nn.Embedding`` or ``nn.Linear``.

    Parameters
    ----------
    module : torch.nn.Module
        For a model with several parts, one part: ``from_module(net.lstm)``.
    return_sequences, return_state : bool
        See :func:`from_state_dict`.

    Returns
    -------
    list of Layer
        With ``Dropout`` between them if the module has it.

    Raises
    ------
    ValueError
        For another module, or an option without an equivalent here: ``proj_size``, ``max_norm``.
    """
    names = [cls.__name__ for cls in type(module).__mro__ if cls.__module__.startswith("torch.nn.modules.")]
    kind = next((name for name in names if name in KINDS), None)
    if kind is None:
        raise ValueError(
            f"from_module knows nn.RNN, nn.LSTM, nn.GRU, nn.Embedding and nn.Linear, got {type(module).__name__}. Of a "
            "model give a part, from_module(net.lstm), or from_state_dict(net.state_dict(), prefix='lstm')."
        )
    where = f"from_module: nn.{kind}"
    if kind == "Embedding" and module.max_norm is not None:
        raise ValueError(
            f"{where} has max_norm={module.max_norm}, which changes rows as they are read; Embedding cannot."
        )
    own_forward = type(module).forward.__module__
    if not own_forward.startswith("torch.nn."):
        raise ValueError(f"{where}: {type(module).__name__} has a forward of its own (in {own_forward}), unknown here.")
    options = {}
    if kind in LAYERS:
        options = {"dropout": module.dropout, "nonlinearity": getattr(module, "nonlinearity", "tanh")}
        options |= {"return_sequences": return_sequences, "return_state": return_state}
    return from_state_dict(module, kind=kind, **options)


@explained
def load_state_dict(layers, state, prefix: str = "") -> None:
    """Put a PyTorch module's weights into existing layers.

    Parameters
    ----------
    layers : Layer, Sequential, or list of Layer
        As :func:`from_state_dict` makes them, and as :func:`to_state_dict` takes them.
    state, prefix
        See :func:`from_state_dict`.

    Raises
    ------
    ValueError
        If kind, number of layers, directions, biases or shapes differ. Nothing is changed then.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> layer = rnn_ref.layers.Dense(1, input_shape=(2,))
    >>> load_state_dict(layer, {"weight": np.array([[3.0, 4.0]]), "bias": np.array([5.0])})
    >>> layer([[1.0, 1.0]])
    array([[12.]], dtype=float32)
    """
    have = to_state_dict(layers)
    kind = stack_of(layers, "load_state_dict").kind
    arrays, _, where = _module_in(state, prefix, kind, "load_state_dict")
    for name in sorted(set(have) | set(arrays)):
        found, expected = (side[name].shape if name in side else "none" for side in (arrays, have))
        if found != expected:
            raise ValueError(f"{where}: {name} has shape {found}, but the layers expect {expected}.")
    stack = stack_of(layers, where)
    if kind == "Embedding":
        stack.layers[0].set_weights([arrays["weight"]])
    elif kind == "Linear":
        _load_linear(stack.layers[0], arrays)
    else:
        for layer, directions in zip(stack.layers, recurrent_directions(arrays, kind, where), strict=True):
            layer.set_weights([w for weights in directions for w in from_torch(kind, weights)])


@explained
def to_state_dict(layers, prefix: str = "") -> dict[str, np.ndarray]:
    """The weights of layers with the names and layout of the PyTorch module that computes the same.

    Parameters
    ----------
    layers : Layer, Sequential, or list of Layer
        An ``Embedding``, a ``Dense``, or a stack of ``SimpleRNN``, ``LSTM`` or ``GRU``, or of ``Bidirectional`` ones,
        with ``Dropout`` between them at most.
    prefix : str
        Prefix of every name: ``"lstm"``.

    Returns
    -------
    dict of str to ndarray
        Copies. ``{name: torch.from_numpy(a) for ...}`` is what ``load_state_dict`` of a module takes;
        ``safetensors.numpy.save_file`` takes it as it is.

    Raises
    ------
    ValueError
        If no such module of PyTorch exists: other activations, ``reset_after=False``, layers of different sizes.

    Examples
    --------
    >>> import rnn_ref
    >>> layer = rnn_ref.layers.LSTM(2, input_shape=(None, 3))
    >>> {name: array.shape for name, array in to_state_dict(layer, "lstm").items()}  # doctest: +NORMALIZE_WHITESPACE
    {'lstm.weight_ih_l0': (8, 3), 'lstm.weight_hh_l0': (8, 2), 'lstm.bias_ih_l0': (8,), 'lstm.bias_hh_l0': (8,)}
    """
    prefix = prefix if not prefix or prefix.endswith(".") else f"{prefix}."
    stack = stack_of(layers, "to_state_dict")
    if stack.kind == "Embedding":
        found = {"weight": stack.layers[0].embeddings.numpy()}
    elif stack.kind == "Linear":
        kernel, *bias = stack.layers[0].get_weights()
        found = {"weight": np.ascontiguousarray(kernel.T)} | ({"bias": bias[0]} if bias else {})
    else:
        found = {}
        for number, layer in enumerate(stack.layers):
            for suffix, weights in zip((f"_l{number}", f"_l{number}_reverse"), weights_of(layer)):
                found |= {name + suffix: array for name, array in to_torch(stack.kind, *weights).items()}
    return {prefix + name: array for name, array in found.items()}


@explained
def to_module(layers):
    """The PyTorch module that computes the same, with these weights; recurrent ones with ``batch_first=True``.

    Parameters
    ----------
    layers : Layer, Sequential, or list of Layer
        See :func:`to_state_dict`.

    Returns
    -------
    torch.nn.Module
        In float32 or float64, as the layers are.
    """
    torch = need("torch", "to_module")
    stack, state = stack_of(layers, "to_module"), to_state_dict(layers)
    dtype = torch.float64 if stack.layers[0].dtype == "float64" else torch.float32
    if stack.kind in ("Embedding", "Linear"):
        sizes = state["weight"].shape
        options = {"bias": "bias" in state} if stack.kind == "Linear" else {}
        module = getattr(torch.nn, stack.kind)(*(sizes[::-1] if options else sizes), **options, dtype=dtype)
    else:
        module = getattr(torch.nn, stack.kind)(
            state["weight_ih_l0"].shape[1],
            state["weight_hh_l0"].shape[1],
            num_layers=len(stack.layers),
            bias="bias_ih_l0" in state,
            bidirectional="weight_ih_l0_reverse" in state,
            dropout=stack.dropout,
            batch_first=True,
            dtype=dtype,
            **({"nonlinearity": stack.activation} if stack.kind == "RNN" else {}),
        )
    module.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return module


def _module_in(state, prefix: str, kind: str | None, asker: str) -> tuple[dict[str, np.ndarray], str, str]:
    """Arrays and kind of one module in a state, and its name for error messages."""
    where = f"{asker}({prefix!r})" if prefix else asker
    arrays = own(read_state(state, where), prefix, where)
    if kind is not None:
        checks.one_of(kind, "kind", where, KINDS)
    found = find_kinds(arrays)[""]
    if found == EITHER and kind in ("Embedding", "Linear"):
        found = kind
    if found == EITHER:
        raise ValueError(
            f"{where}: a matrix {arrays['weight'].shape} without a bias is an nn.Embedding or an nn.Linear, which its "
            "numbers do not tell; say kind='Embedding' or kind='Linear'."
        )
    if found not in KINDS or kind not in (None, found):
        raise ValueError(
            f"{where}: the weights {', '.join(f'{name} {a.shape}' for name, a in arrays.items())} are those of "
            f"{'no module that is known here' if found == 'unknown' else f'nn.{found}'}; expected "
            f"nn.{kind or ', nn.'.join(KINDS)}."
        )
    if "weight" in arrays:
        for name, array in arrays.items():
            check_floating(array, f"{where}: {name}", arrays["weight"])
        if 0 in arrays["weight"].shape or ("bias" in arrays and arrays["bias"].shape != arrays["weight"].shape[:1]):
            raise ValueError(f"{where}: shapes {[a.shape for a in arrays.values()]} do not fit together.")
    return arrays, found, where


def _load_linear(layer: Dense, arrays: dict[str, np.ndarray]) -> None:
    layer.set_weights([arrays["weight"].T, *([arrays["bias"]] if "bias" in arrays else [])])
