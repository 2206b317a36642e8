import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_ref.preprocessing.sequence import pad_sequences

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

sides = st.sampled_from(["pre", "post"])


@settings(deadline=None)
@given(
    sequences=st.sampled_from([st.integers(-5, 5), st.tuples(st.floats(-5, 5), st.floats(-5, 5))]).flatmap(
        lambda step: st.lists(st.lists(step, max_size=6), min_size=1, max_size=5)
    ),
    options=st.fixed_dictionaries(
        {},
        optional={
            "maxlen": st.integers(1, 7),
            "dtype": st.sampled_from(["int32", "float32", np.float64, object]),
            "padding": sides,
            "truncating": sides,
            "value": st.sampled_from([0, -1, 2.5]),
        },
    ),
    as_arrays=st.booleans(),
)
def test_same_as_keras(sequences, options, as_arrays):
    if as_arrays:
        sequences = [np.array(sequence) for sequence in sequences]
    try:
        expected = keras.utils.pad_sequences(sequences, **options)
    except ValueError:
        with pytest.raises(ValueError):
            pad_sequences(sequences, **options)
        return
    padded = pad_sequences(sequences, **options)
    assert padded.dtype == expected.dtype
    np.testing.assert_array_equal(padded, expected)


def test_strings():
    padded = pad_sequences([["a"], ["long word", "b"]], dtype=object, value="pad")
    assert padded.tolist() == [["pad", "a"], ["long word", "b"]]
    assert pad_sequences([["a"]], maxlen=2, dtype="object", value="").tolist() == [["", "a"]]
    assert pad_sequences([["ab"]], maxlen=2, dtype="U2", value="x").tolist() == [["x", "ab"]]


def test_no_steps():
    assert pad_sequences([[1], [2, 3]], maxlen=0).shape == (2, 0)
    assert pad_sequences([[], []]).shape == (2, 0)
    assert pad_sequences([], maxlen=3).shape == (0, 3)
    assert pad_sequences([[], [[1, 2]]]).tolist() == [[[0, 0]], [[1, 2]]]


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        ([[1]], {"padding": "left"}, "padding should be 'pre' or 'post', got 'left'"),
        ([[1]], {"truncating": "right"}, "truncating should be 'pre' or 'post', got 'right'"),
        (iter([[1]]), {}, "make a list of it"),
        ([[1], 2], {}, "at position 1 it holds 2 of type int"),
        ([], {}, "give maxlen"),
        ([[1]], {"maxlen": -1}, "got -1"),
        ([[1]], {"value": "pad"}, "dtype=object"),
        ([[[1, 2]], [[1, 2, 3]]], {}, r"at position 1 have shape \(3,\), those before it have \(2,\)"),
    ],
)
def test_errors(sequences, options, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(sequences, **options)
