"""The cell that a recurrent layer runs, its form in a configuration, and the shapes of states."""

from __future__ import annotations

import numpy as np

from rnn_ref.layers.sharing import note, once
from rnn_ref.layers.symbolic import leaves
from rnn_ref.layers.wrapper import class_entry, class_of


def as_cell(cell, where: str):
    """Stack a list of cells, and wrap a cell that is not built in, or has its own ``call``, to run step by step."""
    from rnn_ref.layers.cell import Cell
    from rnn_ref.layers.custom_cell import CustomCell
    from rnn_ref.layers.stacked_cells import StackedRNNCells

    if isinstance(cell, (list, tuple)):
        return StackedRNNCells(cell)
    stacked = isinstance(cell, StackedRNNCells)
    if stacked and type(cell).call is not StackedRNNCells.call:
        raise TypeError(
            f"{where}: {type(cell).__name__} overrides call of StackedRNNCells, whose cells run one after the other "
            "over the whole sequence, so that it would never run. Write a cell of your own that holds and calls the "
            "cells."
        )
    built_in = stacked or isinstance(cell, CustomCell) or (isinstance(cell, Cell) and not cell.by_call)
    if getattr(getattr(cell, "custom", cell), "activity_regularizer", None) is not None:
        raise NotImplementedError(
            f"{where}: the cell {type(cell).__name__} has an activity_regularizer, which would not be counted. Give it "
            "to the layer around the cell: RNN(cell, activity_regularizer=...)."
        )
    return cell if built_in else CustomCell(cell, where)


def describe_cell(cell) -> dict:
    """Class and config, for :func:`cell_from`; for a custom cell, those of the wrapped object."""
    described = getattr(cell, "custom", cell)
    config = cell.get_config()
    if "name" in config:  # Keras does not accept names prefixed with the layer's
        config |= {"name": config["name"].rpartition("/")[2]}
    return note(described, class_entry(type(described)) | {"config": config})


def cell_from(entry: dict, custom_objects: dict | None):
    """The cell that :func:`describe_cell` described."""
    cell_class = class_of(entry, custom_objects, "cell")
    return once(entry, lambda: _make_cell(cell_class, entry["config"], custom_objects))


def _make_cell(cell_class, config: dict, custom_objects: dict | None):
    from rnn_ref.layers.stacked_cells import StackedRNNCells

    if not hasattr(cell_class, "from_config"):
        return cell_class(**config)
    if cell_class is StackedRNNCells:
        return cell_class.from_config(config, custom_objects)
    return cell_class.from_config(config)


def custom_classes(cell) -> dict:
    """The classes of the custom cells in a cell, by name."""
    if hasattr(cell, "cells"):
        return {name: found for each in cell.cells for name, found in custom_classes(each).items()}
    return {type(cell.custom).__name__: type(cell.custom)} if "custom" in vars(cell) else {}


def size_tuple(size) -> tuple:
    """A state of 8 is ``(B, 8)``; one of (3, 4) is ``(B, 3, 4)``."""
    return (size,) if isinstance(size, (int, np.integer)) else tuple(size)


def flat_states(states) -> list:
    """Nested states as one list."""
    if isinstance(states, (list, tuple)):
        return [leaf for state in states for leaf in flat_states(state)]
    return leaves(states) or [states]
