import numpy as np
import pytest

from rnn_ref import random
from rnn_ref.datasets import copy_memory


@pytest.mark.parametrize(("delay", "symbols", "length"), [(1, 2, 1), (5, 8, 10), (30, 4, 3)])
def test_form(delay, symbols, length):
    x, y = copy_memory(50, delay, symbols, length, seed=0)
    steps = delay + 2 * length
    assert (x.shape, y.shape) == ((50, steps, symbols + 2), (50, steps))
    assert (x.dtype, y.dtype) == (np.float32, np.int64)
    assert (x.sum(axis=-1) == 1).all()

    read = x.argmax(axis=-1)
    blank, delimiter = symbols, symbols + 1
    message = read[:, :length]
    assert np.unique(message).tolist() == list(range(symbols))
    assert (read[:, length : length + delay - 1] == blank).all()
    assert (read[:, length + delay - 1] == delimiter).all()
    assert (read[:, length + delay :] == blank).all()
    assert (y[:, :-length] == blank).all()
    np.testing.assert_array_equal(y[:, -length:], message)


def test_the_defaults_are_those_of_the_paper():
    x, y = copy_memory(2, seed=0)
    assert (x.shape, y.shape) == ((2, 120, 10), (2, 120))


def test_seeds():
    first = copy_memory(5, seed=3)[1]
    np.testing.assert_array_equal(copy_memory(5, seed=3)[1], first)
    random.set_seed(3)
    np.testing.assert_array_equal(copy_memory(5)[1], first)
    assert (copy_memory(5)[1] != first).any()


@pytest.mark.parametrize("name", ["samples", "delay", "symbols", "length"])
def test_errors(name):
    with pytest.raises(ValueError, match=f"{name} should be at least 1, got 0"):
        copy_memory(**{"samples": 1, name: 0})
