"""Perplexity, by its definition and against the exponential of Keras's cross-entropy."""

import numpy as np
import pytest

from rnn_ref.training import metrics

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 5, (3, 4))
LOGITS = RNG.normal(size=(3, 4, 5))
P = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)
AT_LABEL = np.take_along_axis(P, LABELS[..., None], -1)[..., 0]


def test_it_is_the_exponential_of_keras_s_mean_crossentropy():
    theirs = keras.metrics.SparseCategoricalCrossentropy(from_logits=True)
    expected = np.exp(float(theirs(LABELS, LOGITS)))
    assert metrics.Perplexity(from_logits=True)(LABELS, LOGITS) == pytest.approx(expected, rel=1e-5)
    assert metrics.Perplexity()(LABELS, P) == pytest.approx(expected, rel=1e-5)
    assert metrics.Perplexity()(np.zeros((2, 3)), np.full((2, 3, 7), 1 / 7)) == pytest.approx(7)


def test_every_step_counts_alike_over_batches_of_different_length():
    metric = metrics.Perplexity()
    metric.update_state(LABELS, P)
    metric.update_state(LABELS[:1, :2], P[:1, :2])
    every = np.concatenate([AT_LABEL.ravel(), AT_LABEL[0, :2]])
    assert metric.result() == pytest.approx(np.exp(-np.log(every).mean()))
    metric.reset_state()
    assert metric(LABELS[0], P[0]) == pytest.approx(np.exp(-np.log(AT_LABEL[0]).mean()))


def test_weights_masks_and_an_ignored_class():
    weight, mask = np.array([1.0, 0.5, 2.0]), RNG.random((3, 4)) > 0.4
    both = weight[:, None] * mask
    expected = np.exp(-(np.log(AT_LABEL) * both).sum() / both.sum())
    metric = metrics.Perplexity()
    metric.update_state(LABELS, P, sample_weight=weight, mask=mask)
    assert metric.result() == pytest.approx(expected)
    kept = LABELS != 2
    ignoring = metrics.Perplexity(ignore_class=2)
    assert ignoring(LABELS, P) == pytest.approx(np.exp(-np.log(AT_LABEL[kept]).mean()))
    again = metrics.deserialize(metrics.serialize(ignoring))
    assert again(LABELS, P) == ignoring.result()


def test_nothing_seen_and_the_impossible():
    metric = metrics.Perplexity(from_logits=True)
    assert metric.result() == 1
    assert metric([1], [[0.0, -1e6]]) == np.inf
