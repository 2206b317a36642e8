"""The PyTorch module that equals a stack of layers: what they must share, and what has no equivalent there."""

from __future__ import annotations

from typing import NamedTuple

from rnn_ref.inspection.known_cells import kind_of
from rnn_ref.inspection.other_frameworks import torch_name
from rnn_ref.layers import RNN, Bidirectional, Dense, Dropout, Embedding, Layer
from rnn_ref.models import Sequential


class Stack(NamedTuple):
    """Layers that form one module: its kind, the layers without the dropout in between, and what they share."""

    kind: str
    layers: list[Layer]
    activation: str = "tanh"
    dropout: float = 0.0


def stack_of(layers, where: str) -> Stack:
    """The module that a layer, or a list of layers, forms.

    Raises
    ------
    ValueError
        Names the layer, and what PyTorch lacks for it.
    """
    layers = layers.layers if isinstance(layers, Sequential) else layers
    layers = list(layers) if isinstance(layers, (list, tuple)) else [layers]
    kept = [layer for layer in layers if not isinstance(layer, Dropout)]
    for layer in layers:
        if not isinstance(layer, (RNN, Bidirectional, Dense, Embedding, Dropout)):
            raise ValueError(
                f"{where}: takes an Embedding, a Dense, or a stack of recurrent layers, got {type(layer).__name__}."
            )
    if not kept:
        raise ValueError(f"{where}: there is no layer with weights.")
    for layer in kept:
        if not layer.built:
            raise ValueError(f"{where}: {layer.name} has no weights yet; call it on data, or give it an input shape.")
    first = kept[0]
    if isinstance(first, (Embedding, Dense)):
        if len(layers) > 1:
            raise ValueError(
                f"{where}: {first.name} and {layers[1].name} are different modules in PyTorch; give them one by one, "
                "with "
                "a prefix for each, and put the dicts together."
            )
        if isinstance(first, Embedding) and first.mask_zero:
            raise ValueError(f"{where}: {first.name} has mask_zero=True, but nn.Embedding makes no masks.")
        if isinstance(first, Dense) and first.activation.name != "linear":
            raise ValueError(
                f"{where}: {first.name} has activation={first.activation.name!r}, and nn.Linear has none; in PyTorch "
                "it is "
                "a module of its own. Make the layer without, and an Activation behind it."
            )
        return Stack("Embedding" if isinstance(first, Embedding) else "Linear", kept)
    described = [_describe(layer, where) for layer in kept]
    for layer, found in zip(kept, described):
        for what, here, there in zip(("kind", "directions", "units", "use_bias", "activation"), found, described[0]):
            if here != there:
                raise ValueError(
                    f"{where}: a stack is one module in PyTorch, alike in all layers, but {what} is {here} in "
                    f"{layer.name} "
                    f"and {there} in {first.name}. Give the layers one by one."
                )
    kind, directions, units, _, activation = described[0]
    for layer in kept[1:]:
        width = layer.get_weights()[0].shape[0]
        if width != units * directions:
            raise ValueError(
                f"{where}: {layer.name} reads {width} features, the layer below gives {units * directions}."
            )
    rates = {layer.rate for layer in layers if isinstance(layer, Dropout)}
    between = [isinstance(layer, Dropout) for layer in layers]
    regular = [True, False] * (len(kept) - 1) if rates else []
    if rates and (between != [False, *regular] or len(rates) > 1):
        raise ValueError(f"{where}: nn.{kind} drops between all its layers, at one rate, or nowhere.")
    return Stack(kind, kept, activation, rates.pop() if rates else 0.0)


def _describe(layer: Layer, where: str) -> tuple[str, int, int, bool, str]:
    """Kind, number of directions, units, presence of biases, and activation."""
    if not isinstance(layer, Bidirectional):
        if not isinstance(layer, RNN):
            raise ValueError(f"{where}: {layer.name} is not recurrent; give it by itself.")
        if layer.go_backwards:
            raise ValueError(
                f"{where}: {layer.name} has go_backwards=True; in PyTorch a layer that reads backwards is a half of a "
                "bidirectional one. Turn the data round instead."
            )
        return _cell(layer, where, 1)
    if layer.merge_mode != "concat":
        raise ValueError(f"{where}: {layer.name} has merge_mode={layer.merge_mode!r}; PyTorch has 'concat' only.")
    first, second = (_cell(direction, where, 2) for direction in layer.directions)
    if layer.forward_layer.go_backwards:
        raise ValueError(f"{where}: the forward layer of {layer.name} reads backwards; PyTorch's does not.")
    if first != second:
        raise ValueError(f"{where}: the directions of {layer.name} differ: {first} and {second}; PyTorch's do not.")
    return first


def _cell(layer: RNN, where: str, directions: int) -> tuple[str, int, int, bool, str]:
    cell = layer.cell
    if kind_of(cell) is None:
        raise ValueError(f"{where}: the cell of {layer.name} is none of SimpleRNN, LSTM and GRU; PyTorch has no other.")
    kind = torch_name(cell)
    allowed = ("tanh", "relu") if kind == "RNN" else ("tanh",)
    if cell.activation.name not in allowed:
        raise ValueError(
            f"{where}: {layer.name} has activation={cell.activation.name!r}; nn.{kind} has {' or '.join(allowed)} only."
        )
    if kind != "RNN" and cell.recurrent_activation.name != "sigmoid":
        raise ValueError(
            f"{where}: {layer.name} has recurrent_activation={cell.recurrent_activation.name!r}; nn.{kind} has sigmoid."
        )
    if not getattr(cell, "reset_after", True):
        raise ValueError(
            f"{where}: {layer.name} has reset_after=False, another function than nn.GRU's; its weights cannot be "
            "carried "
            "over."
        )
    return kind, directions, cell.units, cell.use_bias, cell.activation.name


def weights_of(layer: Layer) -> list[tuple]:
    """For each direction: kernel, recurrent kernel, and bias or None."""
    cells = [part.cell for part in (layer.directions if isinstance(layer, Bidirectional) else [layer])]
    return [(c.kernel.numpy(), c.recurrent_kernel.numpy(), None if c.bias is None else c.bias.numpy()) for c in cells]
