import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rnn_ref.utils import to_categorical


@given(arrays("int64", array_shapes(max_dims=3), elements=st.integers(0, 6)), st.sampled_from([None, 7, 9]))
def test_equals_keras(x, num_classes):
    ours, theirs = to_categorical(x, num_classes), keras.utils.to_categorical(x, num_classes)
    np.testing.assert_array_equal(ours, theirs)
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)


@pytest.mark.parametrize("x", [2, [2], [[2]], [0.0, 1.0], np.array([], int)])
def test_other_inputs_equal_keras(x):
    np.testing.assert_array_equal(to_categorical(x, 3), keras.utils.to_categorical(x, 3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 3], 3), "from 0 to num_classes - 1 = 2; got numbers from 0 to 3"),
        (([-1, 1],), "got numbers from -1 to 1"),
        (([0.5],), "whole numbers"),
        (([],), "empty"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        to_categorical(*arguments)
