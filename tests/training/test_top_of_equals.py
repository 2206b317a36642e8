"""Of equal scores the first are at the top, as in Keras on JAX; its NumPy takes any."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

from rnn_ref.training import metrics

Y = np.random.default_rng(1).integers(0, 2, (40, 4)).astype("float32")
SCORES = (
    np.random.default_rng(2).integers(0, 3, (40, 4)).astype("float32") / 2
)  # four scores of three values: some are equal


@pytest.mark.parametrize(
    ("name", "options"),
    [("Precision", {"top_k": 2}), ("Precision", {"top_k": 2, "class_id": 1}), ("Recall", {"top_k": 3})],
    ids=str,
)
def test_top_of_equals(name, options):
    expected = getattr(keras.metrics, name)(**options)(Y, SCORES)
    assert getattr(metrics, name)(**options)(Y, SCORES) == pytest.approx(float(expected))


def test_more_at_the_top_than_there_are():
    labels, options = Y.argmax(-1), {"k": 7}
    expected = keras.metrics.SparseTopKCategoricalAccuracy(**options)(labels, SCORES)
    assert metrics.SparseTopKCategoricalAccuracy(**options)(labels, SCORES) == float(expected) == 1
