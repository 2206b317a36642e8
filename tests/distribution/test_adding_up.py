"""The variables of every metric over two parts of the data add up to those over all: what ranks rely on."""

import inspect

import numpy as np
import pytest

from rnn_ref import metrics

rng = np.random.default_rng(0)
CLASSES, PROBABILITIES = rng.integers(0, 3, 9), rng.dirichlet(np.ones(3), 9)
PAIRS = [
    (np.eye(3)[CLASSES], PROBABILITIES),
    (CLASSES, PROBABILITIES),
    (rng.integers(0, 2, (9, 1)).astype(float), rng.random((9, 1))),
    (rng.integers(0, 2, (9, 1)), rng.integers(0, 2, (9, 1))),
]
OPTIONS = {
    "IoU": {"num_classes": 3, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 3},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0]},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "MeanRelativeError": {"normalizer": np.ones(3)},
    "MeanMetricWrapper": {"fn": lambda y_true, y_pred: np.abs(y_true - y_pred)},
}
NAMES = [
    name
    for name, kind in sorted(vars(metrics).items())
    if inspect.isclass(kind) and issubclass(kind, metrics.Metric) and kind is not metrics.Metric
]


def variables(name, y_true, y_pred):
    metric = getattr(metrics, name)(**OPTIONS.get(name, {}))
    assert not any(variable.any() for variable in metric.variables)  # nothing is counted twice
    metric.update_state(*([y_pred] if name in ("Mean", "Sum") else [y_true, y_pred]))
    return [variable.numpy() for variable in metric.variables]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
def test_variables_add_up(name):
    fitting = 0
    for y_true, y_pred in PAIRS:
        try:
            whole = variables(name, y_true, y_pred)
        except (ValueError, TypeError, IndexError):
            continue  # targets that this metric does not take
        if not all(np.isfinite(variable).all() for variable in whole):
            continue  # correlations of a single number
        first, second = variables(name, y_true[:4], y_pred[:4]), variables(name, y_true[4:], y_pred[4:])
        for a, b, both in zip(first, second, whole, strict=True):
            np.testing.assert_allclose(a + b, both)
        fitting += 1
    assert fitting
