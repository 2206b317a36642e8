"""CTC decoding against Keras and the enumeration of all paths."""

import itertools

import numpy as np
import pytest
from rnn_ref.losses import CTC

from rnn_ref.seq2seq import ctc_decode

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

Z = np.random.default_rng(3).normal(size=(4, 6, 3)).astype("float32")
LENGTHS = np.array([6, 3, 0, 5])


@pytest.mark.parametrize("options", [{}, {"merge_repeated": False}, {"mask_index": None}, {"mask_index": 1}])
def test_greedy_is_that_of_keras(options):
    expected, scores = keras.ops.ctc_decode(Z, LENGTHS, **options)
    labels, found = ctc_decode(Z, LENGTHS, **options)
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_allclose(found, scores, rtol=1e-6)


@pytest.mark.parametrize("mask_index", [0, 2])
def test_beam_search_is_that_of_keras(mask_index):
    lengths = np.array([6, 3, 1, 5])  # of a sequence of no steps Keras reads the first
    options = {"strategy": "beam_search", "beam_width": 40, "top_paths": 3, "mask_index": mask_index}
    expected, scores = keras.ops.ctc_decode(Z, lengths, **options)
    labels, found = ctc_decode(Z, lengths, **options)
    np.testing.assert_allclose(found, scores, rtol=1e-4)
    np.testing.assert_array_equal(labels, expected)


def test_a_wide_beam_finds_the_best_of_all():
    T, C = Z.shape[1:]
    p = np.exp(Z[0].astype(float))
    p /= p.sum(axis=1, keepdims=True)
    found = {}
    for path in itertools.product(range(C), repeat=T):
        key = tuple(k for k, _ in itertools.groupby(path) if k)
        found[key] = found.get(key, 0) + np.prod(p[np.arange(T), path])
    best = sorted(found, key=found.get, reverse=True)[:5]
    labels, scores = ctc_decode(Z[:1].astype(float), [T], "beam_search", beam_width=len(found), top_paths=5)
    assert [tuple(row[row >= 0]) for row in labels[:, 0]] == best
    np.testing.assert_allclose(np.exp(scores[0]), [found[key] for key in best], rtol=1e-12)
    for row, score in zip(labels[:, 0], scores[0]):  # and the loss of these labels says the same
        np.testing.assert_allclose(CTC()(np.where(row < 0, 0, row)[None], Z[:1].astype(float)), -score, rtol=1e-12)


def test_fewer_sequences_than_asked_for():
    labels, scores = ctc_decode(Z[:1, :1], [1], "beam_search", beam_width=9, top_paths=9)
    assert np.isfinite(scores[0]).sum() == 3
    assert sorted(labels[:3, 0, 0].tolist()) == [-1, 1, 2]
    np.testing.assert_allclose(np.exp(scores[0]).sum(), 1, rtol=1e-6)
    labels, scores = ctc_decode(Z, np.zeros(4, int), "beam_search")
    assert (labels == -1).all()
    assert not scores.any()


def test_bad_use():
    with pytest.raises(ValueError, match=r"got shapes \(6, 3\)"):
        ctc_decode(Z[0], [6])
    with pytest.raises(ValueError, match="integers from 0 to 6"):
        ctc_decode(Z, [7, 1, 1, 1])
    with pytest.raises(ValueError, match="not one of the 3 classes"):
        ctc_decode(Z, LENGTHS, mask_index=3)
    with pytest.raises(ValueError, match="'greedy' or 'beam_search'"):
        ctc_decode(Z, LENGTHS, "beam")
    with pytest.raises(ValueError, match="more than beam_width"):
        ctc_decode(Z, LENGTHS, "beam_search", beam_width=2, top_paths=3)
    with pytest.raises(ValueError, match="NaN"):
        ctc_decode(np.full_like(Z, np.nan), LENGTHS)
