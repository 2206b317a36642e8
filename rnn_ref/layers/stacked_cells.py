"""StackedRNNCells: several cells, each fed by the one below, as one cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_ref.device import device, get_device, like_given, xp
from rnn_ref.layers.layer import Layer, LayerGradients, batch_size_of
from rnn_ref.layers.recording import now
from rnn_ref.layers.starting import asked
from rnn_ref.spelling import spelled


@dataclass(slots=True)
class StackedTape:
    """Tapes of the cells in order; the mask is the same for all."""

    tapes: list
    mask: np.ndarray | None

    @property
    def outputs(self) -> np.ndarray:
        return self.tapes[-1].outputs

    @property
    def final_states(self) -> list[np.ndarray]:
        return [state for tape in self.tapes for state in tape.final_states]


class StackedRNNCells(Layer):
    """Cells stacked on top of each other, to be run by one :class:`RNN`.

    Running each cell over the whole sequence before the next gives the same result as running all cells step by step,
    and lets each use its compiled kernel.

    Parameters
    ----------
    cells : list of cells
    **layer_options
        ``name``, ``dtype``, ``trainable``.

    References
    ----------
    https://keras.io/api/layers/recurrent_layers/stacked_rnn_cell/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> from rnn_ref.layers import RNN, GRUCell, LSTMCell, StackedRNNCells
    >>> layer = RNN(StackedRNNCells([LSTMCell(4), GRUCell(3)]), return_state=True)
    >>> y, (h, c), h_gru = layer(np.zeros((2, 7, 5)))  # each cell's states together
    >>> y.shape, h.shape, c.shape, h_gru.shape
    ((2, 3), (2, 4), (2, 4), (2, 3))
    """

    def __init__(self, cells, **layer_options):
        from rnn_ref.layers.recurrent_cells import as_cell

        super().__init__(**layer_options)
        if not cells:
            raise ValueError(f"{self.name}: got no cells; at least one is needed.")
        self.cells = [as_cell(cell, self.name) for cell in cells]
        names: dict[str, int] = {}
        for cell in self.cells:  # weights are distinguished by their cell's name
            base = cell.name
            names[base] = names.get(base, 0) + 1
            if names[base] > 1:
                cell.name = f"{base}_{names[base] - 1}"

    def adopt(self, layer) -> None:
        """Take on the name and precision of the enclosing layer, for all cells."""
        self.name = f"{layer.name}/{self.name.rpartition('/')[2]}"
        self.dtype = layer.dtype
        for cell in self.cells:
            cell.dtype = layer.dtype

    def build(self, input_shape) -> None:
        for cell in self.cells:
            cell.ensure_built(input_shape)
            size = cell.output_size
            input_shape = (input_shape[0], *(size if isinstance(size, tuple) else (size,)))

    def sublayers(self) -> list[Layer]:
        return self.cells

    @property
    def can_forget(self) -> bool:
        return all(cell.can_forget for cell in self.cells)

    @property
    def only_on_cpu(self) -> bool:
        return any(cell.only_on_cpu for cell in self.cells)

    def kernel_choice(self, batch_size: int = 32, *, training: bool = True) -> list:
        """The kernel of each cell; see :meth:`rnn_ref.layers.RNN.kernel_choice`."""
        with device("cpu" if self.only_on_cpu else get_device()):
            return [cell.kernel_choice(batch_size, training=training) for cell in self.cells]

    @property
    def takes_constants(self) -> bool:
        return any(cell.takes_constants for cell in self.cells)

    @property
    def state_size(self) -> list:
        """One entry for each cell, itself a list if the cell has several states."""
        return [cell.state_size for cell in self.cells]

    @property
    def state_sizes(self) -> list:
        return [size for cell in self.cells for size in cell.state_sizes]

    @property
    def state_names(self) -> list[str]:
        return [f"{cell.name} {name}" for cell in self.cells for name in cell.state_names]

    @property
    def output_size(self):
        return self.cells[-1].output_size

    @property
    def own_start(self) -> bool:
        """Whether a subclass, or a cell, defines the initial states."""
        overridden = type(self).get_initial_state is not StackedRNNCells.get_initial_state
        return overridden or any(cell.own_start for cell in self.cells)

    def initial_states(self, batch_size: int) -> list[np.ndarray]:
        """The states of all cells in one list."""
        if type(self).get_initial_state is not StackedRNNCells.get_initial_state:
            return asked(self.get_initial_state, batch_size, self.dtype)
        return [state for cell in self.cells for state in cell.initial_states(batch_size)]

    def get_initial_state(self, batch_size: int | None = None, *, inputs=None, dtype=None) -> list[list[np.ndarray]]:
        """Zeros, one list for each cell."""
        B = batch_size_of(batch_size, inputs, self.name)
        return [[state.astype(dtype or self.dtype) for state in cell.initial_states(B)] for cell in self.cells]

    def check_input(self, x, layer_name: str) -> None:
        """Check the input of the first cell."""
        self.cells[0].check_input(x, layer_name)

    def _by_cell(self, states: list) -> list[list]:
        states, parts = list(states), []
        for cell in self.cells:
            count = len(cell.state_sizes)
            parts.append(states[:count])
            states = states[count:]
        return parts

    def run(self, x, states, *, mask=None, training: bool = False, **options) -> StackedTape:
        """``x`` (T, B, F) through all cells; ``constants`` go to those that take them."""
        tapes = []
        keep = options.pop("keep", "tape")
        constants = options.pop("constants", None)
        for cell, own in zip(self.cells, self._by_cell(states)):
            extra = {"constants": constants} if cell.takes_constants else {}
            if keep != "tape":
                extra["keep"] = keep if cell is self.cells[-1] else "outputs"  # the next cell reads all outputs
            tapes.append(cell.run(xp.ascontiguousarray(x), own, mask=mask, training=training, **options, **extra))
            x = tapes[-1].outputs
        return StackedTape(tapes, mask)

    def run_back(self, tape: StackedTape, dys, dstates, *, input_gradient: bool = True) -> LayerGradients:
        """Backward through the cells, from the last to the first."""
        weights, initial, flow, constants = {}, [], {}, []
        dstates = self._by_cell(dstates)
        for k in range(len(self.cells) - 1, -1, -1):
            cell = self.cells[k]
            g = cell.run_back(tape.tapes[k], dys, dstates[k], input_gradient=input_gradient or k > 0)
            dys = g.inputs
            for key, value in g.inside(cell.name).items():
                weights[key] = weights[key] + value if key in weights else value
            initial = g.initial_state + initial
            if g.constants:
                constants = [a + b for a, b in zip(constants, g.constants)] if constants else g.constants
            flow[cell.name] = g.flow
        return LayerGradients(dys, weights, initial, flow, constants)

    call_arguments = ("states", "training")

    @spelled
    def __call__(self, x, states=None, training: bool = False):
        """One step: ``x`` (B, F) and nested states -> ``(output, new nested states)``."""
        if now() is not None:
            return self.call(x, states, training=training)
        return like_given(self.call(self.as_input(x), states, training=training), x)

    def call(self, x, states=None, training: bool = False):
        """One step, cell by cell; over a whole sequence, each cell runs to the end before the next."""
        new_states = []
        for k, cell in enumerate(self.cells):
            x, state = cell(x, None if states is None else states[k], training=training)
            new_states.append(state)
        return x, new_states

    def get_config(self) -> dict:
        from rnn_ref.layers.recurrent_cells import describe_cell

        return super().get_config() | {"cells": [describe_cell(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None):
        from rnn_ref.layers.recurrent_cells import cell_from

        config = dict(config)
        config["cells"] = [cell_from(entry, custom_objects) for entry in config["cells"]]
        return super().from_config(config)
