"""split_dataset: sizes, structures, and that no sample is lost."""

import numpy as np
import pytest

from rnn_ref.utils import split_dataset

X, Y = np.arange(20).reshape(10, 2), np.arange(10)


@pytest.mark.parametrize(
    ("sizes", "left", "right"),
    [((0.8, None), 8, 2), ((None, 3), 7, 3), ((4, 5), 4, 5), ((0.5, 0.5), 5, 5), ((None, 0.25), 8, 2)],
)
def test_sizes(sizes, left, right):
    (a, b), (c, d) = split_dataset((X, Y), *sizes)
    assert (len(a), len(b), len(c), len(d)) == (left, left, right, right)
    np.testing.assert_array_equal(a, X[:left])
    np.testing.assert_array_equal(d, Y[left : left + right])


def test_shuffled_together():
    left, right = split_dataset({"x": X, "y": Y}, 0.5, shuffle=True, seed=1)
    np.testing.assert_array_equal(left["x"][:, 0] // 2, left["y"])
    assert sorted([*left["y"], *right["y"]]) == list(range(10))
    assert sorted(left["y"]) != list(range(5))
    np.testing.assert_array_equal(left["y"], split_dataset(Y, 5, shuffle=True, seed=1)[0])


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((X,), "give left_size"),
        ((X, 1.5), "share from 0 to 1"),
        ((X, 11), "number up to 10"),
        ((X, 0.8, 0.4), "cannot be split"),
        (((X, Y[:3]), 0.5), r"same number of samples, got \[3, 10\]"),
    ],
)
def test_refusals(arguments, match):
    with pytest.raises(ValueError, match=match):
        split_dataset(*arguments)
    with pytest.raises(TypeError, match="takes an array"):
        split_dataset(iter([X]), 0.5)
