"""All kernels against the CPU's in float64, over all options."""

from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_ref.equations.activations import GELU, HARD_SIGMOID, RELU, SIGMOID, SILU, TANH
from rnn_ref.kernels.cuda import choice
from rnn_ref.kernels.cuda.choice import only_teaching
from rnn_ref.kernels.cuda.persistent import plan
from rnn_ref.kernels.cuda.recurrence import one_each
from rnn_ref.kernels.cuda.sequence import STEPS

from ..concurrent_blocks import concurrent_blocks
from ..parity import GATES, Case, assert_parity

sizes = {"B": st.integers(1, 3), "T": st.integers(1, 3), "F": st.integers(1, 3), "H": st.integers(1, 5)}
options = {
    "dtype": st.sampled_from(["float32", "float64"]),
    "bias": st.booleans(),
    "masked": st.booleans(),
    "x_drop": st.booleans(),
    "h_drop": st.booleans(),
    "activation": st.sampled_from([TANH, TANH, RELU, GELU]),
    "recurrent_activation": st.sampled_from([SIGMOID, SIGMOID, HARD_SIGMOID, SILU]),
    "reset_after": st.booleans(),
    "keep": st.sampled_from(["tape", "tape", "outputs", "last"]),
    "keep_z": st.booleans(),
    "seed": st.integers(0, 99),
}


@pytest.mark.parametrize("kernel", ["teaching", "fastest"])
@pytest.mark.parametrize("cell", GATES)
@settings(max_examples=15)
@given(st.data())
def test_every_option(cell, kernel, assert_close, data):
    case = Case(cell, **data.draw(st.fixed_dictionaries(sizes | options)))
    with concurrent_blocks(), only_teaching() if kernel == "teaching" else nullcontext():
        assert_parity(case, assert_close)


@pytest.fixture
def several_blocks(monkeypatch):
    """A device on which the units of a layer do not fit into one block."""
    monkeypatch.setattr(choice, "multiprocessors", lambda: 8)
    monkeypatch.setattr(plan, "THREADS", 1)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("B", "H"), [(1, 5), (3, 6), (9, 7)])
@pytest.mark.parametrize("cell", GATES)
def test_blocks_that_wait_for_each_other(cell, B, H, masked, several_blocks, assert_close):
    chosen = choice.choose(B=B, H=H, G=GATES[cell], dtype="float32")
    assert chosen.forward.cooperative
    assert chosen.backward.cooperative
    with concurrent_blocks():
        assert_parity(Case(cell, B=B, T=3, H=H, masked=masked), assert_close)


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("keep", ["outputs", "last"])
def test_inference_goes_on_where_one_part_of_the_sequence_ends(cell, keep, assert_close):
    with concurrent_blocks():
        assert_parity(Case(cell, B=1, T=STEPS + 2, F=1, H=1, masked=True, keep=keep), assert_close)


@pytest.mark.parametrize("keep", ["tape", "outputs", "last"])
@pytest.mark.parametrize(("B", "T"), [(0, 3), (2, 0)])
@pytest.mark.parametrize("kernel", ["teaching", "fastest"])
@pytest.mark.parametrize("cell", GATES)
def test_no_samples_and_no_steps(cell, kernel, B, T, keep, assert_close):
    with concurrent_blocks(), only_teaching() if kernel == "teaching" else nullcontext():
        assert_parity(Case(cell, B=B, T=T, masked=True, keep=keep), assert_close)


@pytest.mark.parametrize(("B", "H"), [(0, 1), (1, 1), (8, 32), (9, 33), (100, 70)])
def test_a_thread_for_each_unit_and_sample(B, H):
    (along_units, along_samples), (units, samples), _ = one_each(np.empty((2, B, H)))
    assert along_units >= 1, "a device refuses a launch of no blocks; the simulator does not"
    assert along_samples >= 1
    assert along_units * units >= H > (along_units - 1) * units
    assert along_samples * samples >= B


def test_too_many_units_fall_back():
    chosen = choice.choose(B=1, H=2000, G=4, dtype="float32")
    assert chosen.name == "teaching"
    assert "2000 units" in chosen.reason


def test_dropout_and_reset_after_fall_back():
    assert "recurrent_dropout" in choice.choose(B=1, H=4, G=4, dtype="float32", recurrent_dropout=True).reason
    assert "reset_after" in choice.choose(B=1, H=4, G=3, dtype="float32", reset_after=False).reason
