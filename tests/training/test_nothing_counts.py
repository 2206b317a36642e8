"""Batches of which nothing counts, all masked or of no weight: losses are zero, and so is every gradient."""

import numpy as np
import pytest

from rnn_ref import losses

R = np.random.default_rng(0)
BINARY = R.integers(0, 2, (2, 2, 3)).astype("float32"), R.uniform(0.1, 0.9, (2, 2, 3)).astype("float32")
PROBABLE = R.dirichlet([1, 1, 1], size=(2, 2)).astype("float32")
ONE_HOT, LABELS = (np.eye(3, dtype="float32")[[[0, 1], [1, 2]]], PROBABLE), (np.array([[0, 1], [1, 2]]), PROBABLE)
OF_LABELS = ("SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy")
ONE_FOR_THE_BATCH = ("Dice", "Tversky", "CTC")  # or steps that are masked at the end only
NAMES = [
    name
    for name, value in vars(losses).items()
    if isinstance(value, type)
    and issubclass(value, losses.Loss)
    and value not in (losses.Loss, losses.FunctionLoss)
    and name not in ONE_FOR_THE_BATCH
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum"])
def test_losses_are_zero(name, reduction):
    loss = getattr(losses, name)(reduction=reduction)
    y_true, y_pred = LABELS if name in OF_LABELS else ONE_HOT if name.startswith("Categorical") else BINARY
    for nothing in ({"sample_weight": np.zeros(2)}, {"mask": np.zeros((2, 2), bool)}):
        value, gradient = loss.value_and_gradient(y_true, y_pred, **nothing)
        assert value == 0
        assert gradient.shape == y_pred.shape
        assert not gradient.any()
    value, gradient = loss.value_and_gradient(y_true, y_pred)
    assert value != 0
    assert gradient.any()


def test_all_losses_are_there():
    assert len(NAMES) > 15
