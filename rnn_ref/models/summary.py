"""``model.summary()``: TensorFlow's table of layers, output shapes and parameter counts."""

from __future__ import annotations

from itertools import pairwise


def memory(weights) -> str:
    """``17985`` float32 parameters -> ``"70.25 KB"``."""
    size = float(sum(weight.value.nbytes for weight in weights))
    if size == 0:
        return "0.00 Byte"
    units = ("Byte", "KB", "MB", "GB", "TB")
    power = 0
    while size >= 1024 and power < len(units) - 1:
        size /= 1024
        power += 1
    return f"{size:.2f} {units[power]}"


def count(weights) -> int:
    return sum(weight.size for weight in weights)


def shape_text(shape) -> str:
    """``(None, 10, 64)``; several outputs one after another."""
    if shape and isinstance(shape[0], (tuple, list)):
        return "[" + ", ".join(shape_text(s) for s in shape) + "]"
    return str(tuple(shape))


BREAKS = ("),", "],", "',")  # a field may continue on the next line after these


def row(fields: list[str], positions: list[int]) -> list[str]:
    """Lines of a row; a field wider than its column, or with several parts, continues below."""
    rest, lines = list(fields), []
    while any(rest):
        line = ""
        for column, end in enumerate(positions):
            start = positions[column - 1] if column else 0
            room = end - start - (0 if column == len(positions) - 1 else 2) - (column == 0)
            ends = [rest[column].find(mark) + len(mark) for mark in BREAKS if mark in rest[column][:room]]
            room = min([room, *ends])
            line += (" " if column == 0 else "") + rest[column][:room]
            rest[column] = rest[column][room:]
            line = line.ljust(end)
        lines.append(line.rstrip())
    return lines


# Where columns end, by how many there are beyond three, and whether the model is a graph.
SHARES = {
    (0, False): [0.45, 0.85, 1.0],
    (1, False): [0.45, 0.80, 0.92, 1.0],
    (1, True): [0.3, 0.6, 0.70, 1.0],
    (2, True): [0.3, 0.55, 0.65, 0.9, 1.0],
}


def is_chain(model) -> bool:
    """Whether each layer is called once, on the output of the one before it, so that no connections need be shown."""
    calls = getattr(model, "calls", [])
    follow = all(len(b.tensors()) == 1 and b.tensors()[0] in a.outputs for a, b in pairwise(calls))
    return follow and len({node.layer for node in calls}) == len(calls)


def connections(model, layer) -> str:
    """``"['lstm[0][1]', ...]"``: the tensors a layer was called on, by layer, number of the call, and position."""
    names = [
        f"'{t.node.layer.name}[{model.number_of(t.node)}][{t.node.outputs.index(t)}]'"
        for node in model.calls
        if node.layer is layer
        for t in node.tensors()
    ]
    return f"[{', '.join(names)}]"


def output_shape(model, layer) -> str:
    """The output shapes of a layer; TensorFlow shows those of inputs and of several outputs in brackets."""
    if hasattr(layer, "batch_shape"):
        return f"[{shape_text(layer.batch_shape)}]"
    calls = [node for node in getattr(model, "calls", filter(None, [layer.nodes.first])) if node.layer is layer]
    if not calls:
        if not layer.built:
            return "?"
        shape = layer.compute_output_shape(layer.input_shape)
        return shape_text([(None, *s[1:]) for s in shape] if isinstance(shape[0], tuple) else (None, *shape[1:]))
    shapes = [tensor.shape for tensor in calls[0].outputs]
    return shape_text(shapes if len(shapes) > 1 else shapes[0])


def summary(
    model, *, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False
) -> None:
    """Print the table.

    Parameters
    ----------
    model
        Before it is built, that is, while its input shape is unknown, shapes are shown as ``?``.
    line_length : int
        By default 65, or 98 for a graph, which has a column with the tensors each layer is connected to.
    positions : list of float
        Where the columns end, as fractions of the line.
    print_fn : callable
        Called with each line; ``print`` by default.
    expand_nested : bool
        Show the layers of nested models.
    show_trainable : bool
        Add a column that says whether each layer is trainable.
    """
    say = print_fn or print
    graph = not is_chain(model)
    header = ["Layer (type)", "Output Shape", "Param #"] + ["Connected to"] * graph + ["Trainable"] * show_trainable
    line_length = line_length or (98 if graph else 65)
    shares = positions or SHARES[len(header) - 3, graph]
    ends = [int(line_length * share) if share <= 1 else int(share) for share in shares]
    if show_trainable:
        ends[-1] = max(ends[-1], ends[-2] + 9)
    width = ends[-1]

    def add_layers(inside, indent):
        for layer in inside.layers:
            fields = [
                f"{indent}{layer.name} ({type(layer).__name__})",
                output_shape(inside, layer),
                str(layer.count_params()) if layer.built else "0 (unbuilt)",
            ]
            if graph:
                fields.append(connections(inside, layer) if hasattr(inside, "calls") else "")
            for line in row(fields + ["Y" if layer.trainable else "N"] * show_trainable, ends):
                say(line)
            say("")
            if expand_nested and hasattr(layer, "walk_layers"):
                add_layers(layer, indent + "> ")

    say(f'Model: "{model.name}"')
    say("_" * width)
    say(row(header, ends)[0])
    say("=" * width)
    add_layers(model, "")
    say("=" * width)
    for title, weights in (
        ("Total", model.weights),
        ("Trainable", model.trainable_weights),
        ("Non-trainable", model.non_trainable_weights),
    ):
        say(f"{title} params: {count(weights)} ({memory(weights)})")
    say("_" * width)
