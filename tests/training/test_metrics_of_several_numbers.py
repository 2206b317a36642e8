"""A metric whose result is one number for each class, in `fit`, `evaluate` and callbacks."""

import csv
import json

import numpy as np
import pytest

import rnn_ref

X = np.random.default_rng(0).normal(size=(12, 2)).astype("float32")
Y = np.eye(3, dtype="float32")[np.arange(12) % 3]


def compiled(*metrics):
    model = rnn_ref.Sequential([rnn_ref.Input((2,)), rnn_ref.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=list(metrics))
    return model


def test_logs_and_history_hold_them(tmp_path):
    union = rnn_ref.metrics.OneHotMeanIoU(3)
    model = compiled(rnn_ref.metrics.F1Score(), rnn_ref.metrics.R2Score(None), union)
    path = tmp_path / "log.csv"
    callbacks = [rnn_ref.callbacks.CSVLogger(path)]
    history = model.fit(X, Y, epochs=2, verbose=2, validation_data=(X, Y), callbacks=callbacks).history
    for name in ("f1_score", "val_f1_score", "r2_score"):
        assert [np.shape(value) for value in history[name]] == [(3,), (3,)]
    header, *rows = csv.reader(path.read_text().splitlines())
    written = [dict(zip(header, row)) for row in rows]
    np.testing.assert_allclose([json.loads(row["f1_score"]) for row in written], history["f1_score"])
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    expected = rnn_ref.metrics.F1Score()(Y, model.predict(X, verbose=0))
    np.testing.assert_allclose(logs["f1_score"], expected, rtol=1e-6)


def test_they_cannot_be_monitored():
    for callback in (rnn_ref.callbacks.EarlyStopping("f1_score"), rnn_ref.callbacks.ReduceLROnPlateau("f1_score")):
        with pytest.raises(ValueError, match=r"3 numbers and not one.*average='macro'"):
            compiled(rnn_ref.metrics.F1Score()).fit(X, Y, verbose=0, callbacks=[callback])
    stop = rnn_ref.callbacks.EarlyStopping("f1_score")
    compiled(rnn_ref.metrics.F1Score(average="macro")).fit(X, Y, epochs=2, verbose=0, callbacks=[stop])
    assert stop._sign == 1
