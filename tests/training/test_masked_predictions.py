"""Losses and metrics called on what a layer with a mask returned."""

import copy
import pickle

import numpy as np
import pytest

import rnn_ref

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

X = np.random.default_rng(0).normal(size=(3, 4, 2)).astype("float32")
X[0, 2:] = X[1, 1] = 0
Y = np.random.default_rng(1).normal(size=X.shape).astype("float32")


def score(library, kind, weights=None):
    predictions = library.layers.Masking()(X)
    options = {} if weights is None else {"sample_weight": weights}
    return float(getattr(library, kind[0]).get(kind[1])(Y, predictions, **options))


@pytest.mark.parametrize("weights", [None, np.arange(12.0, dtype="float32").reshape(3, 4)])
@pytest.mark.parametrize("kind", [("losses", "MeanSquaredError"), ("metrics", "MeanAbsoluteError")])
def test_the_mask_counts_as_in_keras(kind, weights):
    np.testing.assert_allclose(score(rnn_ref, kind, weights), score(keras, kind, weights), rtol=1e-5)


def test_a_mask_that_is_given_comes_first():
    predictions = rnn_ref.layers.Masking()(X)
    loss = rnn_ref.losses.MeanSquaredError()
    everything = np.ones(X.shape[:2], bool)
    np.testing.assert_allclose(loss(Y, predictions, mask=everything), ((X - Y) ** 2).mean(), rtol=1e-6)


def test_variables_of_metrics_have_names():
    metric = rnn_ref.metrics.Precision()
    metric.update_state([1, 0], [0.9, 0.8])
    for made in (metric, copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        assert [variable.name for variable in made.variables] == ["true_positives", "false_positives"]
        assert [float(variable.numpy().sum()) for variable in made.variables] == [1, 1]
