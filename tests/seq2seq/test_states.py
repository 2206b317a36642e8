from typing import NamedTuple

import numpy as np
import pytest

from rnn_ref.seq2seq.states import batch_size, gather


class Memory(NamedTuple):
    h: np.ndarray
    c: np.ndarray


def test_gather_keeps_the_nesting():
    h, c = np.arange(3), np.arange(6.0).reshape(3, 2)
    states = {"layers": [Memory(h, c), (h,)], "memory": None}
    gathered = gather(states, np.array([2, 2, 0, 1]))
    assert isinstance(gathered["layers"][0], Memory)
    assert isinstance(gathered["layers"][1], tuple)
    assert gathered["memory"] is None
    assert gathered["layers"][0].h.tolist() == gathered["layers"][1][0].tolist() == [2, 2, 0, 1]
    assert gathered["layers"][0].c.tolist() == [[4, 5], [4, 5], [0, 1], [2, 3]]


def test_gather_takes_arrays_of_other_libraries():
    torch = pytest.importorskip("torch")
    gathered = gather([torch.arange(3)], np.array([2, 0]))
    assert isinstance(gathered[0], torch.Tensor)
    assert gathered[0].tolist() == [2, 0]


def test_batch_size():
    assert batch_size({"a": [np.zeros((3, 2)), None]}, 0) == 3
    assert batch_size(None, [0, 0]) == 2
    assert batch_size((np.zeros(2),), np.array([0, 1])) == 2


@pytest.mark.parametrize(
    ("states", "start_token", "message"),
    [
        ([np.zeros(2), np.zeros((3, 1))], 0, r"\[\(2,\), \(3, 1\)\]"),
        ([np.zeros(2)], [0, 0, 0], r"\[\(2,\), \(3,\)\]"),
        ([1.0], 0, "got a scalar"),
        (None, 0, r"shape \(N,\); got 0"),
        ([np.zeros((0, 3))], 0, "at least one sequence"),
    ],
)
def test_errors(states, start_token, message):
    with pytest.raises(ValueError, match=message):
        batch_size(states, start_token)
