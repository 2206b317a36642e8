import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnn_ref.seq2seq.scores import log_softmax, top_indices


@given(hnp.arrays(float, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(-1e4, 1e4)))
def test_log_softmax_is_scipys(logits):
    np.testing.assert_allclose(log_softmax(logits), scipy.special.log_softmax(logits, axis=1), atol=1e-12)


def test_impossible_tokens():
    with np.errstate(all="raise"):
        assert log_softmax([[0, -np.inf], [-np.inf, 1e308]]).tolist() == [[0, -np.inf], [-np.inf, 0]]


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        ([0.0, 1.0], r"got \(2,\)"),
        (np.zeros((2, 0)), r"got \(2, 0\)"),
        ([[0.0, 1.0], [0.0, np.nan]], "row 1 is nan"),
        ([[0.0, np.inf]], "row 0 is inf"),
        ([[-np.inf, -np.inf]], "row 0 is -inf"),
    ],
)
def test_rows_that_are_no_distribution(logits, message):
    with pytest.raises(ValueError, match=message):
        log_softmax(logits)


# Few distinct values, so that there are many ties.
@given(
    hnp.arrays(
        float,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=8),
        elements=st.sampled_from([-np.inf, -1, 0, 2]),
    ),
    st.integers(1, 8),
)
def test_top_indices_is_a_stable_sort(scores, k):
    k = min(k, scores.shape[1])
    np.testing.assert_array_equal(top_indices(scores, k), np.argsort(-scores, axis=1, kind="stable")[:, :k])
