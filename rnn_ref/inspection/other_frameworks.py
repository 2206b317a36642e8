"""How many parameters Keras, PyTorch and cuDNN give a recurrent layer of the same sizes, and why they differ."""

from __future__ import annotations

from rnn_ref.inspection import formulas
from rnn_ref.inspection.derivation import Elsewhere
from rnn_ref.inspection.known_cells import kind_of
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.gru import GRUCell

REDUNDANT = "A second bias is added where the first one is, x W + b + h U + b': only their sum matters."
RESET_AFTER = (
    "With reset_after=True, the default since TensorFlow 2, the reset gate multiplies h U + b', so that the "
    "candidate's two biases differ in what they do; those of the two gates only matter as a sum."
)
ONE_GRU_BIAS = (
    "With reset_after=False the reset gate multiplies h before the product with U, and one bias is enough "
    "(Cho et al. 2014, arXiv version 3). It is another function: weights cannot be carried over to the other variant."
)


def elsewhere(cell: Cell, F, H, sizes) -> dict[str, Elsewhere]:
    """The counts by framework. ``F`` and ``H`` are symbols, ``sizes`` their numbers."""
    values = {size.symbol: size.value for size in sizes}

    def with_biases(biases: int, why: str) -> Elsewhere:
        formula = formulas.factored(cell.blocks * (F * H + H**2 + biases * H))
        return Elsewhere(biases, formula, formulas.evaluate(formula, values), why)

    if not cell.use_bias:
        why = "Without biases (PyTorch: bias=False; cuDNN: CUDNN_RNN_NO_BIAS) all count the same."
        return {name: with_biases(0, why) for name in ("Keras", "PyTorch", "cuDNN")}
    torch = f"torch.nn.{torch_name(cell)} keeps cuDNN's layout, b_ih and b_hh."
    if isinstance(cell, GRUCell):
        only = "It has only the variant reset_after=True."
        variants = {True: with_biases(2, RESET_AFTER), False: with_biases(1, ONE_GRU_BIAS)}
        return {
            "Keras": variants[cell.reset_after],
            f"Keras, reset_after={not cell.reset_after}": variants[not cell.reset_after],
            "PyTorch": with_biases(2, f"{torch} {only} rnn_ref.interop.torch keeps both biases as the rows of one."),
            "cuDNN": with_biases(2, f"CUDNN_RNN_DOUBLE_BIAS, its default. {only}"),
        }
    return {
        "Keras": with_biases(1, "One bias for every gate."),
        "PyTorch": with_biases(2, f"{torch} {REDUNDANT} rnn_ref.interop.torch reads that sum."),
        "cuDNN": with_biases(
            2, f"CUDNN_RNN_DOUBLE_BIAS, its default; its single-bias modes count as Keras. {REDUNDANT}"
        ),
    }


def torch_name(cell: Cell) -> str:
    """``LSTMCell`` -> ``LSTM``, ``SimpleRNNCell`` -> ``RNN``."""
    return kind_of(cell).__name__.removesuffix("Cell").removeprefix("Simple")
