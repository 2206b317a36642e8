"""Which equations a cell runs: those of SimpleRNN, LSTM or GRU, its own if written as equations, or unknown ones.

Tools that explain, draw or count by a cell's equations ask here first. A subclass with its own ``call``, ``run`` or
kernels is a cell of its own, whatever it derives from.
"""

from __future__ import annotations

from rnn_ref.layers.cell import Cell
from rnn_ref.layers.gru import GRUCell
from rnn_ref.layers.lstm import LSTMCell
from rnn_ref.layers.simple_rnn import SimpleRNNCell
from rnn_ref.layers.written_cell import WrittenCell

BUILT_IN = (SimpleRNNCell, LSTMCell, GRUCell)
# The attributes that make up a cell's equations, and what to call them.
_EQUATIONS = (
    *("call", "__call__", "forward", "backward", "run", "run_back"),
    *("kernels", "arrays", "kernel_options", "blocks", "GATES", "STATES"),
)


def kind_of(cell) -> type[Cell] | None:
    """The built-in cell whose equations this one runs, or None.

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
    return _unchanged(cell, BUILT_IN)


def _unchanged(cell, kinds) -> type[Cell] | None:
    for kind in kinds:
        if isinstance(cell, kind):
            changed = any(getattr(type(cell), name) is not getattr(kind, name) for name in _EQUATIONS)
            return None if changed else kind
    return None


def is_known(cell) -> bool:
    """Whether this cell runs the equations of its record: a built-in cell's, or those it was written as."""
    written = [kind for kind in type(cell).__mro__ if issubclass(kind, WrittenCell) and "equations" in vars(kind)]
    return _unchanged(cell, (*BUILT_IN, *written)) is not None


def require_known(cell, where: str, name: str) -> None:
    """Raise a ValueError if this cell's equations are not known."""
    if not is_known(cell):
        own = type(getattr(cell, "custom", cell)).__name__
        raise ValueError(
            f"{where} knows the equations of SimpleRNN, LSTM and GRU, and those given to rnn_ref.cell; the cell of "
            f"{name} is custom, a {own}: its equations are what {own} says."
        )
