"""``model.summary()``: TensorFlow's table of layers, output shapes and parameter counts."""

from __future__ import annotations


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
    """``(None, 10, 64)``; several outputs one after the other."""
    if shape and isinstance(shape[0], (tuple, list)):
        return "[" + ", ".join(shape_text(s) for s in shape) + "]"
    return str(tuple(shape))


def row(fields: list[str], positions: list[int]) -> list[str]:
    """Lines of a row; a field wider than its column goes on below."""
    rest, lines = list(fields), []
    while any(rest):
        line = ""
        for column, end in enumerate(positions):
            start = positions[column - 1] if column else 0
            room = end - start - (0 if column == len(positions) - 1 else 2) - (column == 0)
            line += (" " if column == 0 else "") + rest[column][:room]
            rest[column] = rest[column][room:]
            line = line.ljust(end)
        lines.append(line.rstrip())
    return lines


def summary(
    model, *, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False
) -> None:
    """Print the table.

    Parameters
    ----------
    model
        Built, that is: with a known input shape.
    line_length : int
        65 when absent.
    positions : list of float
        Where the columns end, as shares of the line.
    print_fn : callable
        Takes each line; ``print`` when absent.
    expand_nested : bool
        Show the layers of models inside this one.
    show_trainable : bool
        Add a column that says whether a layer is trained.
    """
    if not model.built:
        raise ValueError(
            f"{model.name} is not built yet, so there are no shapes to show: "
            "start it with an Input, or call it on data."
        )
    say = print_fn or print
    line_length = line_length or 65
    shares = positions or ([0.45, 0.80, 0.92, 1.0] if show_trainable else [0.45, 0.85, 1.0])
    ends = [int(line_length * share) if share <= 1 else int(share) for share in shares]
    header = ["Layer (type)", "Output Shape", "Param #"] + ["Trainable"] * show_trainable
    if show_trainable and len(ends) == 4:
        ends[-1] = max(ends[-1], ends[-2] + 9)
    width = ends[-1]

    def add_layers(layers, shape, indent):
        for layer in layers:
            shape = layer.compute_output_shape(shape)
            fields = [
                f"{indent}{layer.name} ({type(layer).__name__})",
                shape_text(shape),
                str(layer.count_params()),
            ]
            for line in row(fields + ["Y" if layer.trainable else "N"] * show_trainable, ends):
                say(line)
            say("")
            if expand_nested and hasattr(layer, "layers"):
                add_layers(layer.layers, layer.input_shape, indent + "> ")

    say(f'Model: "{model.name}"')
    say("_" * width)
    say(row(header, ends)[0])
    say("=" * width)
    add_layers(model.layers, model.input_shape, "")
    say("=" * width)
    for title, weights in (
        ("Total", model.weights),
        ("Trainable", model.trainable_weights),
        ("Non-trainable", model.non_trainable_weights),
    ):
        say(f"{title} params: {count(weights)} ({memory(weights)})")
    say("_" * width)
