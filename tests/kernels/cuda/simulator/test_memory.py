"""Inference keeps no more than it is asked for, however long the sequence. Nothing is launched: only arrays count."""

import tracemalloc

import pytest

from rnn_ref.kernels.cuda.sequence import STEPS

from ..launches import recorded
from ..parity import GATES, Case

B, H = 4, 16


def peak(cell, T, keep) -> int:
    """Bytes at most, beside the inputs."""
    case = Case(cell, B=B, F=1, H=H, T=T, keep=keep, x_drop=True, masked=True)
    arrays = case.arrays()
    case.arrays = lambda: arrays
    with recorded():
        tracemalloc.start()
        case.run("cuda", dtype="float64")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return most - sum(arrays[name].size * 8 for name in ("x", "dh", "x_drop"))  # run() makes copies of these


@pytest.mark.parametrize("keep", ["outputs", "last"])
@pytest.mark.parametrize("cell", GATES)
def test_inference(cell, keep):
    peak(cell, STEPS, keep)  # what is made once
    short, long = peak(cell, 4 * STEPS, keep), peak(cell, 40 * STEPS, keep)
    outputs = 36 * STEPS * B * H * 8
    assert long - short <= (1.1 if keep == "outputs" else 0.1) * outputs


@pytest.mark.parametrize("cell", GATES)
def test_the_tape_is_longer(cell):
    """The measure sees what it should: a tape does grow by the gates of every step."""
    peak(cell, STEPS, "outputs")
    grown = peak(cell, 8 * STEPS, "tape") - peak(cell, 4 * STEPS, "tape")
    assert grown > (GATES[cell] + 1) * 4 * STEPS * B * H * 8
