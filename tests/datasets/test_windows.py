import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_ref.datasets import windows


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 10))
def test_every_window_is_followed_by_its_target(length, horizon, extra):
    series = np.arange(length + horizon + extra, dtype="float32")
    x, y = windows(series, length, horizon)
    assert (x.shape, y.shape) == ((extra + 1, length, 1), (extra + 1, horizon))
    assert x.dtype == y.dtype == np.float32
    for i in range(extra + 1):
        np.testing.assert_array_equal(x[i, :, 0], series[i : i + length])
        np.testing.assert_array_equal(y[i], series[i + length : i + length + horizon])


def test_copies_of_integers_are_floats():
    series = np.arange(5)
    x, y = windows(series, 2)
    assert x.dtype == y.dtype == np.float64
    x[:] = -1
    assert y.ravel().tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((4, 1)), 2), r"shape \(n,\), got shape \(4, 1\)"),
        ((np.ones(3), 3), "at least 4 values"),
        ((np.ones(3), 0), "at least 1, got 0 and 1"),
        ((np.ones(3), 1, 0), "at least 1, got 1 and 0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        windows(*arguments)
