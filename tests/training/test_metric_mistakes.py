"""What metrics refuse, and what they say of it."""

import numpy as np
import pytest

from rnn_ref.training import losses, metrics

EYE = np.eye(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.CategoricalAccuracy()(EYE, np.eye(3, 5)), r"y_true.shape=\(3, 3\), y_pred.shape=\(3, 5\)"),
        (lambda: metrics.TopKCategoricalAccuracy()(EYE, np.eye(3, 5)), r"One-hot targets"),
        (lambda: metrics.Accuracy()([1, 2, 3], [[1, 2], [1, 2], [1, 2]]), "same shape"),
        (lambda: metrics.BinaryAccuracy()(np.ones((3, 2)), np.ones((3, 1))), "same shape"),
        (lambda: metrics.AUC()(np.zeros((3, 2)), np.zeros((4, 2))), r"\(3, 2\), y_pred.shape=\(4, 2\)"),
        (lambda: metrics.Precision()(np.zeros((3, 1)), np.zeros((3, 2))), "same shape"),
        (lambda: metrics.Precision(class_id=9)(EYE, EYE), "3 classes.*class_id=9"),
        (lambda: metrics.PrecisionAtRecall(0.5, class_id=3)(EYE, EYE), "3 classes.*class_id=3"),
        (lambda: metrics.F1Score()([1, 0], [0.5, 0.6]), r"F1Score.*\(B, C\)"),
        (lambda: metrics.R2Score()(np.zeros((2, 3, 1)), np.zeros((2, 3, 1))), r"R2Score.*\(B, C\)"),
        (lambda: metrics.MeanIoU(2)([0, 1], [0, 1, 1]), "2 targets, 3 predictions"),
        (lambda: metrics.MeanIoU(2)([0, 0.5], [0, 1]), "whole.*0.5"),
    ],
)
def test_shapes_and_classes_that_do_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "metric",
    [metrics.Mean(), metrics.Sum(), metrics.AUC(), metrics.F1Score(), metrics.R2Score(), metrics.MeanAbsoluteError()],
    ids=repr,
)
def test_weights_of_another_shape(metric):
    data = (np.zeros((4, 2)),) if isinstance(metric, metrics.Mean | metrics.Sum) else (np.eye(4, 2), np.eye(4, 2))
    if isinstance(metric, metrics.MeanAbsoluteError):
        data = (np.eye(4, 2), np.eye(4, 2))
    with pytest.raises(ValueError, match=r"sample_weight.shape=\(3,\)"):
        metric(*data, sample_weight=np.ones(3))


@pytest.mark.parametrize("labels", [[0.7, 1.0], [-0.5, 0.2], ["0", "1"], [np.nan, 1], [None, 1]], ids=str)
def test_labels_that_are_no_classes(labels):
    p = np.full((2, 2), 0.5, "float32")
    for take in (
        losses.SparseCategoricalCrossentropy(),
        losses.sparse_categorical_crossentropy,
        metrics.SparseCategoricalAccuracy(),
        metrics.SparseTopKCategoricalAccuracy(),
        metrics.Perplexity(),
    ):
        with pytest.raises(ValueError, match=r"must be (whole )?numbers"):
            take(np.array(labels), p)
    assert metrics.SparseCategoricalAccuracy()([0.0, 1.0], p) == 0.5


def test_what_is_no_number():
    for metric in (metrics.MeanSquaredError(), metrics.Accuracy(), metrics.AUC(), metrics.F1Score()):
        for y_true in ([["a"]], [[None]], [[1j]]):
            with pytest.raises(ValueError, match="must be numbers"):
                metric(np.array(y_true), np.ones((1, 1)))
    assert metrics.MeanSquaredError()(np.array([[2.0]], object), np.ones((1, 1))) == 1


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Mean", {"dtype": "x"}),
        ("Precision", {"thresholds": "x"}),
        ("Precision", {"thresholds": [0.5, np.nan]}),
        ("Recall", {"top_k": 0}),
        ("Recall", {"class_id": -1}),
        ("AUC", {"num_thresholds": 1.5}),
        ("AUC", {"thresholds": [0.1, 2]}),
        ("BinaryAccuracy", {"threshold": None}),
        ("TopKCategoricalAccuracy", {"k": 0}),
        ("F1Score", {"threshold": 0.0}),
        ("F1Score", {"average": "mean"}),
        ("FBetaScore", {"beta": -1.0}),
        ("PrecisionAtRecall", {"recall": 1.5}),
        ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 0}),
        ("IoU", {"num_classes": 2, "target_class_ids": [2]}),
        ("MeanIoU", {"num_classes": 0}),
        ("R2Score", {"num_regressors": -1}),
        ("R2Score", {"class_aggregation": "sum"}),
        ("Perplexity", {"from_logits": "no"}),
    ],
    ids=str,
)
def test_arguments_out_of_range(name, options):
    with pytest.raises(ValueError, match=f"`{list(options)[-1]}`.*Received"):
        getattr(metrics, name)(**options)


def test_a_name_is_not_enough_for_a_metric_that_needs_more():
    with pytest.raises(ValueError, match=r"IoU\(num_classes=..., target_class_ids=...\)"):
        metrics.get("IoU")


def test_fractions_of_weights_count_in_unions():
    # Keras keeps integers by default, to which 0.5 is 0.
    metric = metrics.MeanIoU(num_classes=2)
    assert metric([0, 0, 1], [0, 1, 1], sample_weight=[0.5, 0.5, 0.5]) == pytest.approx(0.5)
