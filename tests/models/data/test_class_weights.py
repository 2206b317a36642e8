"""Weights of classes: for labels and one-hot rows, of samples and of steps."""

import numpy as np
import pytest

from rnn_ref import Input, Sequential, layers
from rnn_ref.models.data.class_weights import weigh_classes

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(12, 4, 3)).astype("float32")
CLASSES = GENERATOR.integers(0, 3, size=(12, 4))
WEIGHTS = {0: 1.0, 1: 5.0, 2: 0.5}
RIGHT = np.vectorize(WEIGHTS.get)(CLASSES).astype("float32")


def loss(y, loss="sparse_categorical_crossentropy", steps=True, units=3, x=X, **options):
    ends = [] if steps else [layers.GlobalAveragePooling1D()]
    last = layers.Dense(units, "softmax" if units > 1 else "sigmoid", kernel_initializer="ones")
    model = Sequential([Input((4, 3)), *ends, last])
    model.compile("sgd", loss)
    return model.fit(x, y, verbose=0, shuffle=False, batch_size=5, **options).history["loss"][0]


@pytest.mark.parametrize("form", ["labels", "column", "one-hot"])
def test_every_step_has_the_weight_of_its_class(form):
    y = {"labels": CLASSES, "column": CLASSES[..., None], "one-hot": np.eye(3)[CLASSES]}[form]
    kind = "categorical_crossentropy" if form == "one-hot" else "sparse_categorical_crossentropy"
    assert loss(y, kind, class_weight=WEIGHTS) == pytest.approx(loss(y, kind, sample_weight=RIGHT), rel=1e-6)


@pytest.mark.parametrize("form", ["labels", "column", "one-hot"])
def test_every_sample_has_the_weight_of_its_class(form):
    labels = CLASSES[:, 0]
    y = {"labels": labels, "column": labels[:, None], "one-hot": np.eye(3)[labels]}[form]
    kind = "categorical_crossentropy" if form == "one-hot" else "sparse_categorical_crossentropy"
    expected = loss(y, kind, steps=False, sample_weight=RIGHT[:, 0])
    assert loss(y, kind, steps=False, class_weight=WEIGHTS) == pytest.approx(expected, rel=1e-6)


def test_binary_steps():
    y = (CLASSES > 0).astype("float32")[..., None]
    expected = loss(y, "binary_crossentropy", units=1, sample_weight=np.where(y[..., 0] == 1, 3.0, 1.0))
    assert loss(y, "binary_crossentropy", units=1, class_weight={1: 3}) == pytest.approx(expected, rel=1e-6)


def test_iterables_and_single_batches():
    expected = loss(CLASSES, sample_weight=RIGHT)
    pieces = [(X[k : k + 5], CLASSES[k : k + 5]) for k in range(0, 12, 5)]

    class Pieces:
        def __iter__(self):
            return iter(pieces)

    model = Sequential([layers.Dense(3, "softmax", kernel_initializer="ones")])  # not built yet
    model.compile("sgd", "sparse_categorical_crossentropy")
    found = model.fit(Pieces(), class_weight=WEIGHTS, verbose=0).history["loss"][0]
    assert found == pytest.approx(expected, rel=1e-6)
    model.train_on_batch(X, CLASSES, class_weight=WEIGHTS)
    with pytest.raises(ValueError, match="exclude each other"):
        model.train_on_batch(X, CLASSES, sample_weight=RIGHT, class_weight=WEIGHTS)


@pytest.mark.parametrize(
    ("y", "shape", "message"),
    [
        (np.array([0.5, 1.0]), (None, 1), "targets that are classes"),
        (np.array([[1, 1, 0], [0, 0, 0]]), (None, 3), "do not sum to 1"),
        (np.array([[0.2, -3.0]]), (None, 2), "do not sum to 1"),
    ],
)
def test_what_is_no_class(y, shape, message):
    with pytest.raises(ValueError, match=message):
        weigh_classes({0: 1.0}, y, shape, "model")


@pytest.mark.parametrize(
    ("weights", "error"),
    [([1, 2], TypeError), ({"a": 1.0}, ValueError), ({0: "x"}, ValueError), ({0: float("nan")}, ValueError)],
)
def test_what_are_no_weights(weights, error):
    with pytest.raises(error, match="class_weight"):
        loss(CLASSES, class_weight=weights)
