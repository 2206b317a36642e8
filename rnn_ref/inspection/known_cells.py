"""Which equations a cell runs: those of SimpleRNN, LSTM, GRU or of a cell written as equations, or unknown ones.

What explains, draws or counts by a cell's equations asks here first. A subclass that has its own ``call``, ``run`` or
kernels is a cell of its own, whatever it was made from.
"""

from __future__ import annotations

from rnn_ref.layers.cell import Cell
from rnn_ref.layers.gru import GRUCell
from rnn_ref.layers.lstm import LSTMCell
from rnn_ref.layers.simple_rnn import SimpleRNNCell
from rnn_ref.layers.written_cell import WrittenCell

BUILT_IN = (SimpleRNNCell, LSTMCell, GRUCell)
# What makes up a cell's equations, and what their parts are called.
_EQUATIONS = (
    *("call", "__call__", "forward", "backward", "run", "run_back"),
    *("kernels", "arrays", "kernel_options", "blocks", "GATES", "STATES"),
)


def kind_of(cell) -> type[Cell] | None:
    """The class of cells whose equations this one runs, or None.

    Examples
    --------
    >>> from rnn_ref.layers import LSTMCell
    >>> class Plain(LSTMCell):
    ...     pass
    >>> class Changed(LSTMCell):
    ...     def run(self, x, states, **options):
    ...         return super().run(2 * x, states, **options)
    >>> kind_of(Plain(3)).__name__, kind_of(Changed(3))
    ('LSTMCell', None)
    """
    written = (kind for kind in type(cell).__mro__ if issubclass(kind, WrittenCell) and "equations" in vars(kind))
    for kind in (*BUILT_IN, *written):
        if isinstance(cell, kind):
            changed = any(getattr(type(cell), name) is not getattr(kind, name) for name in _EQUATIONS)
            return None if changed else kind
    return None


def require_known(cell, where: str, name: str) -> type[Cell]:
    """The class of cells whose equations this one runs.

    Raises
    ------
    ValueError
        If there is none.
    """
    kind = kind_of(cell)
    if kind is None:
        own = type(getattr(cell, "custom", cell)).__name__
        raise ValueError(
            f"{where} knows the equations of SimpleRNN, LSTM and GRU, and those given to rnn_ref.cell; the cell of "
            f"{name} is custom, a {own}: its equations are what {own} says."
        )
    return kind
