"""Numbers of the GPU are read together, and only then used."""

import numpy as np
import pytest

from rnn_ref.device import asarray
from rnn_ref.reading import fetch, later, number, read_together, require

from . import standin


def test_on_the_cpu_at_once():
    seen = []
    with read_together():
        later(lambda *values: seen.append(values), 1.0, np.ones(2))
        assert len(seen) == 1
        with pytest.raises(KeyError):
            require(False, lambda: KeyError("no"))


def test_together_at_the_end_of_the_block(gpu):
    seen = []
    values = asarray(np.array([1.0, 2.0, 3.0]))
    flags = asarray(np.array([True, False]))
    gpu.counts.clear()
    with read_together():
        later(lambda total, each, host: seen.append((total, each.tolist(), host)), values.sum(), values, 5)
        require(flags[0], KeyError)
        with read_together():  # of a model inside a model
            later(seen.append, values.max())
        assert not seen
        assert not gpu.counts
    assert seen == [(6.0, [1.0, 2.0, 3.0], 5), 3.0]
    assert gpu.counts == {"out": 1}
    assert isinstance(seen[1], float)


def test_a_check_that_fails_raises_at_the_end(gpu):
    false = asarray(np.array(False))
    reached = []

    def check():
        with read_together():
            require(false, lambda: KeyError("wrong"))
            reached.append(True)

    with pytest.raises(KeyError, match="wrong"):
        check()
    assert reached


def test_an_error_in_the_block_forgets_what_was_asked_for(gpu):
    seen = []

    def fail():
        with read_together():
            later(seen.append, asarray(np.ones(())))
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        fail()
    with read_together():
        pass
    assert not seen


def test_at_once_outside(gpu):
    seen = []
    later(seen.append, asarray(np.float32(2.5)))
    assert seen == [2.5]
    with pytest.raises(KeyError):
        require(asarray(np.array(False)), KeyError)


def test_numbers(gpu):
    assert number(np.float32(1.5)) == 1.5
    assert isinstance(number(np.float32(1.5)), float)
    assert isinstance(number(asarray(np.ones(()))), standin.Array)
    assert fetch([1, None]) == [1, None]
