import numpy as np
import pytest

from rnn_ref import random
from rnn_ref.datasets import adding_problem


@pytest.mark.parametrize("length", [8, 9, 30, 101])
def test_marks_and_target(length):
    x, y = adding_problem(3000, length, seed=0)
    assert (x.shape, y.shape, x.dtype, y.dtype) == ((3000, length, 2), (3000, 1), np.float32, np.float32)
    values, marks = x[..., 0], x[..., 1]
    assert (marks[:, [0, -1]] == -1).all()
    inside = marks[:, 1:-1]
    assert np.isin(inside, [0, 1]).all()
    # A mark on the first step is not shown, and its number is 0; so the sum over visible marks is the target.
    count = (inside == 1).sum(axis=1)
    assert np.isin(count, [1, 2]).all()
    assert (values[count == 1, 0] == 0).all()
    np.testing.assert_allclose(y[:, 0], 0.5 + (values * (marks == 1)).sum(axis=1) / 4, atol=1e-6)
    last_mark = length - 1 - np.argmax(marks[:, ::-1] == 1, axis=1)
    assert last_mark.max() == length // 2 - 2
    assert np.argmax(marks == 1, axis=1)[count == 2].max() <= 9


def test_statistics():
    x, y = adding_problem(20_000, 200, seed=1)
    assert abs(x[..., 0].mean()) < 0.005
    assert x[..., 0].min() >= -1
    assert x[..., 0].max() <= 1
    assert 0 <= y.min() <= y.max() <= 1
    assert np.mean((y - 0.5) ** 2) == pytest.approx(1 / 24, rel=0.08)


def test_seeds():
    first, again = adding_problem(5, 20, seed=3), adding_problem(5, 20, seed=3)
    for a, b in zip(first, again):
        np.testing.assert_array_equal(a, b)
    random.set_seed(3)
    np.testing.assert_array_equal(adding_problem(5, 20)[0], first[0])
    assert (adding_problem(5, 20)[0] != first[0]).any()


@pytest.mark.parametrize(("samples", "length"), [(0, 10), (5, 7)])
def test_errors(samples, length):
    with pytest.raises(ValueError, match=f"got {samples} and {length}"):
        adding_problem(samples, length)
