"""Targets of another shape than the predictions: refused where Keras refuses them, else repeated with a warning."""

import warnings

import numpy as np
import pytest

from rnn_ref import losses

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

SHAPES = [  # of targets and predictions, and whether the targets are repeated
    ((8, 1), (8, 5), True),
    ((1, 5), (8, 5), True),
    ((8, 1), (8, 5, 1), True),
    ((8, 5), (8, 5, 1), False),
    ((8, 5, 1), (8, 5), False),
    ((8,), (8, 5), None),
    ((8, 4), (8, 5), None),
    ((8, 1), (8, 5, 3), None),
]
# Their targets are classes, or are counted over a whole batch.
NOT_BY_SHAPE = {
    losses.sparse_categorical_crossentropy,
    losses.categorical_generalized_cross_entropy,
    losses.ctc,
    losses.dice,
    losses.tversky,
}


@pytest.mark.parametrize("function", [f for f in losses.CLASS_OF if f not in NOT_BY_SHAPE], ids=lambda f: f.__name__)
def test_as_in_keras(function):
    ours, theirs = losses.CLASS_OF[function](), getattr(keras.losses, losses.CLASS_OF[function].__name__)()
    for true, pred, repeated in SHAPES:
        y_true, y_pred = np.ones(true, "float32"), np.full(pred, 0.3, "float32")
        try:
            expected = float(theirs(y_true, y_pred))
        except (ValueError, TypeError):
            expected = None
        if expected is None or (repeated and function is losses.cosine_similarity):  # Keras: the cosine of one number
            with pytest.raises(ValueError, match="must have the same shape"):
                ours(y_true, y_pred)
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            np.testing.assert_allclose(float(ours(y_true, y_pred)), expected, rtol=1e-5, atol=1e-6)
        assert bool(caught) is repeated
        assert all("Targets are repeated" in str(warning.message) for warning in caught)


def test_integer_classes_for_a_loss_of_one_hot_targets_are_told_what_they_need():
    with pytest.raises(ValueError, match="to_categorical"):
        losses.CategoricalCrossentropy()(np.array([[0], [2]]), np.full((2, 3), 1 / 3))
