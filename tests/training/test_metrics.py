"""Metrics against Keras, over several batches."""

import itertools

import numpy as np
import pytest

from rnn_ref.training import metrics

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")


def batches(kind, time=False, weighted=False):
    rng = np.random.default_rng(0)
    size = 4
    for _ in range(2):
        shape = (size, 6) if time else (size,)
        classes = 4
        labels = rng.integers(0, classes, shape)
        scores = np.round(rng.uniform(size=(*shape, classes)), 1).astype("float32")  # rounded: ties, thresholds
        y_true, y_pred = {
            "labels": (labels, scores),
            "column": (labels[..., None], scores),
            "one-hot": (np.eye(classes, dtype="float32")[labels], scores),
            "binary": ((labels > 1)[..., None].astype("float32"), scores[..., :1]),
            "binary flat": ((labels > 1).astype("float32"), scores[..., :1]),
            "multi-label": (rng.integers(0, 2, scores.shape).astype("float32"), scores),
            "distinct": (
                rng.integers(0, 2, scores.shape).astype("float32"),
                scores + 0.01 * np.arange(4, dtype="float32"),
            ),
            "logits": (rng.integers(0, 2, scores.shape).astype("float32"), 8 * scores - 4),
            "ids": (labels, scores.argsort(-1).astype("float32")),
            "exact": (labels.astype("float32"), rng.integers(0, classes, shape).astype("float32")),
        }[kind]
        weight = rng.uniform(0, 2, shape).astype("float32") if weighted else None
        yield y_true, y_pred, weight


CASES = [
    ("Accuracy", {}, "exact"),
    ("BinaryAccuracy", {}, "binary"),
    ("BinaryAccuracy", {"threshold": 0.3}, "binary"),
    ("BinaryAccuracy", {}, "binary flat"),
    ("BinaryAccuracy", {}, "multi-label"),
    ("CategoricalAccuracy", {}, "one-hot"),
    ("SparseCategoricalAccuracy", {}, "labels"),
    ("SparseCategoricalAccuracy", {}, "column"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one-hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "labels"),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, "ids"),
    ("MeanSquaredError", {}, "one-hot"),
    ("MeanAbsoluteError", {}, "one-hot"),
    ("MeanAbsolutePercentageError", {}, "one-hot"),
    ("MeanSquaredLogarithmicError", {}, "one-hot"),
    ("RootMeanSquaredError", {}, "one-hot"),
    ("CosineSimilarity", {}, "one-hot"),
    ("LogCoshError", {}, "one-hot"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "binary"),
    ("BinaryCrossentropy", {"from_logits": True}, "logits"),
    ("CategoricalCrossentropy", {}, "one-hot"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "one-hot"),
    ("SparseCategoricalCrossentropy", {}, "labels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "labels"),
    ("KLDivergence", {}, "one-hot"),
    ("Poisson", {}, "one-hot"),
    ("Hinge", {}, "one-hot"),
    ("SquaredHinge", {}, "one-hot"),
    ("CategoricalHinge", {}, "one-hot"),
    ("Precision", {}, "binary"),
    ("Precision", {"thresholds": [0.2, 0.35, 0.8]}, "multi-label"),
    ("Precision", {"top_k": 2}, "distinct"),  # ties: test_top_of_equals.py
    ("Precision", {"class_id": 1}, "multi-label"),
    ("Precision", {"top_k": 2, "class_id": 2}, "distinct"),
    ("Recall", {}, "binary"),
    ("Recall", {}, "binary flat"),
    ("Recall", {"thresholds": [0.0, 0.5, 1.0]}, "multi-label"),
    ("Recall", {"top_k": 3, "thresholds": 0.4}, "distinct"),
    ("Recall", {"class_id": 0}, "multi-label"),
    ("TruePositives", {}, "multi-label"),
    ("FalsePositives", {"thresholds": [0.3, 0.6]}, "multi-label"),
    ("TrueNegatives", {"thresholds": 0.3}, "multi-label"),
    ("FalseNegatives", {}, "binary flat"),
    ("AUC", {}, "binary"),
    ("AUC", {"curve": "PR"}, "binary"),
    ("AUC", {"curve": "PRGAIN"}, "binary"),
    ("AUC", {"num_thresholds": 7, "summation_method": "minoring"}, "multi-label"),
    ("AUC", {"num_thresholds": 7, "curve": "PR", "summation_method": "majoring"}, "multi-label"),
    ("AUC", {"thresholds": [0.15, 0.4, 0.9]}, "multi-label"),
    ("AUC", {"from_logits": True}, "logits"),
    ("AUC", {"multi_label": True}, "multi-label"),
    ("AUC", {"multi_label": True, "num_labels": 4, "curve": "PR", "label_weights": [1, 2, 0, 1]}, "multi-label"),
    ("AUC", {"multi_label": True, "thresholds": [0.15, 0.4]}, "multi-label"),
    ("AUC", {"label_weights": [1.0, 2.0, 0.0, 1.0]}, "multi-label"),
    ("PrecisionAtRecall", {"recall": 0.6}, "binary"),
    ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 11}, "multi-label"),
    ("SensitivityAtSpecificity", {"specificity": 0.4, "class_id": 2}, "multi-label"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.9, "num_thresholds": 1}, "binary flat"),
    ("F1Score", {}, "one-hot"),
    ("F1Score", {"average": "micro", "threshold": 0.4}, "multi-label"),
    ("FBetaScore", {"average": "macro", "beta": 0.5}, "one-hot"),
    ("FBetaScore", {"average": "weighted", "beta": 2.0, "threshold": 0.4}, "multi-label"),
    # In Keras these hold integers by default, and weights are cut to them.
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2], "dtype": "float32"}, "exact"),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 1, "dtype": "float32"}, "exact"),  # class 3 does not count
    ("BinaryIoU", {"threshold": 0.3, "target_class_ids": [1], "dtype": "float32"}, "binary"),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [1], "dtype": "float32"}, "one-hot"),
    ("OneHotMeanIoU", {"num_classes": 4, "dtype": "float32"}, "one-hot"),
    ("R2Score", {}, "multi-label"),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 1}, "multi-label"),
    ("R2Score", {"class_aggregation": None}, "multi-label"),
    ("PearsonCorrelation", {}, "one-hot"),
    ("ConcordanceCorrelation", {}, "one-hot"),
]
IDS = [f"{name}-{options}-{kind}" for name, options, kind in CASES]
# Options with which Keras does not take sequences
NO_TIME = {"multi_label", "label_weights"}
NO_SEQUENCES = {"F1Score", "FBetaScore", "R2Score", "PearsonCorrelation"}


@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=IDS)
@pytest.mark.parametrize(("time", "weighted"), [(False, False), (True, True)], ids=["plain", "weighted sequences"])
def test_results_equal_those_of_keras(name, options, kind, time, weighted):
    if NO_TIME & options.keys() or name in NO_SEQUENCES:
        time = False
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    for y_true, y_pred, weight in batches(kind, time, weighted):
        ours.update_state(y_true, y_pred, sample_weight=weight)
        theirs.update_state(y_true, y_pred, sample_weight=weight)
        np.testing.assert_allclose(ours.result(), theirs.result(), rtol=2e-5, atol=1e-6)
    ours.reset_state()
    theirs.reset_state()
    assert not any(np.any(v) for v in ours.variables)
    y_true, y_pred, weight = next(batches(kind, time, weighted))
    np.testing.assert_allclose(ours(y_true, y_pred), theirs(y_true, y_pred), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=IDS)
def test_configs_go_to_keras_and_back(name, options, kind):
    ours = getattr(metrics, name)(**options)
    y_true, y_pred, _ = next(batches(kind))
    expected = ours(y_true, y_pred)
    again = metrics.deserialize(metrics.serialize(ours))
    np.testing.assert_allclose(again(y_true, y_pred), expected)
    theirs = keras.metrics.deserialize(metrics.serialize(ours))
    np.testing.assert_allclose(theirs(y_true, y_pred), expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize(
    ("shape", "weight_shape"),
    [*itertools.product([(4,), (4, 1), (4, 3)], [None, (4,), (4, 1)]), ((4, 3), (4, 3))],
)
def test_means_and_sums_of_values(name, shape, weight_shape):
    rng = np.random.default_rng(0)
    values = rng.normal(size=shape).astype("float32")
    weight = None if weight_shape is None else rng.uniform(size=weight_shape).astype("float32")
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    assert ours(values, sample_weight=weight) == pytest.approx(float(theirs(values, sample_weight=weight)), rel=1e-5)


@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_single_numbers_and_nothing(name):
    metric = getattr(metrics, name)()
    assert metric.result() == 0
    assert metric(3.0) == 3
    assert metric(np.float32(1.0), sample_weight=3) == (1.5 if name == "Mean" else 6)


def test_means_over_many_samples_stay_exact():
    metric = metrics.Mean()
    metric.update_state(np.full(1 << 20, 0.1, "float32"))
    for _ in range(40):
        metric.update_state(np.full(1 << 20, 0.1, "float32"))
    assert metric.result() == pytest.approx(float(np.float32(0.1)), rel=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_mask_is_folded_into_the_weights_as_in_keras(weighted):
    y_true, y_pred, weight = next(batches("labels", time=True, weighted=weighted))
    mask = np.random.default_rng(1).random(y_true.shape) > 0.5
    masked = keras.ops.convert_to_tensor(y_pred)
    keras.src.backend.set_keras_mask(masked, keras.ops.convert_to_tensor(mask))
    theirs = keras.metrics.SparseCategoricalAccuracy()
    expected = float(theirs(y_true, masked, sample_weight=weight))

    metric = metrics.SparseCategoricalAccuracy()
    metric.update_state(y_true, y_pred, sample_weight=weight, mask=mask)
    assert metric.result() == pytest.approx(expected, rel=1e-6)

    metric.reset_state()
    metric.update_state(y_true, y_pred, sample_weight=metrics.fold_mask(weight, mask))
    assert metric.result() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("reduction", ["sum", "mean", "sum_over_batch_size"])
def test_fold_mask(reduction):
    mask = np.array([[1, 1, 0], [1, 0, 0]], bool)
    scale = 1 if reduction == "sum" else 2
    np.testing.assert_allclose(metrics.fold_mask(None, mask, reduction), mask * scale)
    np.testing.assert_allclose(metrics.fold_mask([1, 3], mask, reduction), mask * scale * [[1], [3]])
    assert metrics.fold_mask(None, None) is None


@pytest.mark.parametrize("name", ["accuracy", "acc", "crossentropy", "ce"])
@pytest.mark.parametrize(
    ("true", "pred", "kind"),
    [
        ((4, 1), (4, 1), "Binary"),
        ((4,), (4, 1), "Binary"),
        ((4,), (4, 3), "SparseCategorical"),
        ((4, 1), (4, 3), "SparseCategorical"),
        ((4, 5), (4, 5, 3), "SparseCategorical"),
        ((4, 3), (4, 3), "Categorical"),
    ],
)
def test_accuracy_and_crossentropy_follow_the_shapes(name, true, pred, kind):
    metric = metrics.resolve(name, np.zeros(true), np.zeros(pred))
    assert type(metric).__name__ == kind + ("Accuracy" if name.startswith("acc") else "Crossentropy")
    assert metric.name == name


def test_resolve_takes_functions_classes_and_names():
    def largest_error(y_true, y_pred):
        return np.max(np.abs(y_true - y_pred), axis=-1)

    metric = metrics.resolve(largest_error)
    assert metric.name == "largest_error"
    assert metric(np.zeros((2, 2)), np.array([[1.0, 2.0], [0.0, 4.0]])) == 3
    assert metrics.resolve("mae").name == "mae"
    assert isinstance(metrics.resolve("mae"), metrics.MeanAbsoluteError)
    assert metrics.resolve(metrics.huber).name == "huber"
    auc = metrics.AUC(name="area")
    assert metrics.resolve(auc) is auc
    with pytest.raises(ValueError, match="shapes"):
        metrics.resolve("acc")


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match="Did you mean 'accuracy'"):
        metrics.get("acuracy")
    with pytest.raises(ValueError, match=r"\[0, 1\].*thresholds=1.5"):
        metrics.Precision(thresholds=[0.5, 1.5])
    with pytest.raises(ValueError, match="curve"):
        metrics.AUC(curve="ROCK")
    with pytest.raises(ValueError, match="summation_method"):
        metrics.AUC(summation_method="trapezoid")
    with pytest.raises(ValueError, match="num_thresholds"):
        metrics.AUC(num_thresholds=1)
    with pytest.raises(ValueError, match="multi_label"):
        metrics.AUC(num_labels=3)
    with pytest.raises(ValueError, match="class_id"):
        metrics.Precision(class_id=1)([0, 1], [0.2, 0.3])
    with pytest.raises(ValueError, match="without the class axis"):
        metrics.SparseCategoricalAccuracy()(np.zeros((4, 2)), np.zeros((4, 3)))


def test_a_metric_of_the_users_own_as_in_kerass_guide():
    class TruePositives(metrics.Metric):
        def __init__(self, name="true_positives", **kwargs):
            super().__init__(name=name, **kwargs)
            self.tp = self.add_weight(shape=(), initializer="zeros", name="tp")
            self.calls = self.add_variable((2,), "ones", name="calls")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.tp.assign(self.tp + np.sum(y_true * y_pred))
            self.calls.assign_sub(1)

        def result(self):
            return self.tp

    metric = TruePositives(dtype="float32")
    assert metric(np.array([1, 0, 1]), np.array([1, 1, 1])) == 2
    assert metric.calls.tolist() == [0, 0]
    assert metric.tp.dtype == np.float32
    assert [v.shape for v in metric.variables] == [(), (2,)]
    metric.reset_state()
    assert metric.result() == 0
