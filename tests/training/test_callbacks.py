"""Callbacks, against Keras's where they decide something, with a fake model."""

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_ref.training import callbacks, metrics, optimizers

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")


class FakeModel:
    """A model whose one weight is the number of the epoch."""

    def __init__(self):
        self.stop_training = False
        self.optimizer = optimizers.SGD(0.1)
        self.metrics = []
        self.metrics_names = ["loss"]
        self.weight = np.array(-1.0)

    def get_weights(self):
        return [self.weight]

    def set_weights(self, weights):
        self.weight[...] = weights[0]


def train(callback_list, logs_of_epochs, batches=2):
    """Drive callbacks as `fit` does; returns the model."""
    model = callback_list.model
    callback_list.on_train_begin()
    for epoch, logs in enumerate(logs_of_epochs):
        callback_list.on_epoch_begin(epoch)
        for batch in range(batches):
            callback_list.on_train_batch_begin(batch)
            callback_list.on_train_batch_end(batch, {"loss": logs.get("loss", 0.0)})
        model.weight[...] = epoch
        callback_list.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callback_list.on_train_end()
    return model


def fit(callback, logs_of_epochs, kind=callbacks, model=None, **params):
    """Train a fake model with one callback, of this package or of Keras; returns callback list and model."""
    params = {"verbose": 0, "epochs": len(logs_of_epochs), "steps": 2, **params}
    callback_list = kind.CallbackList([callback], add_history=True, model=model or FakeModel(), **params)
    return callback_list, train(callback_list, logs_of_epochs)


def losses(*values, name="val_loss"):
    return [{"loss": 1.0, name: value} for value in values]


SERIES = [
    (5, 4, 3, 3, 3, 2, 2, 2, 2, 1),
    (1, 2, 3, 4, 5),
    (3, 2.95, 2.9, 2.85, 2.8, 2.75),
    (np.nan, np.nan, 1, 2, 3),
    (np.nan, np.nan, np.nan),
    (1, 2, 0.5, 2, 2, 0.4, 2, 2, 2),
]


@pytest.mark.parametrize("series", SERIES, ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2},
        {"patience": 2, "restore_best_weights": True},
        {"patience": 1, "min_delta": 0.1, "restore_best_weights": True},
        {"patience": 2, "baseline": 2.5, "restore_best_weights": True},
        {"patience": 1, "start_from_epoch": 2, "restore_best_weights": True},
        {"patience": 1, "mode": "max", "restore_best_weights": True},
    ],
    ids=str,
)
def test_early_stopping_stops_and_restores_as_in_keras(series, options):
    ours, theirs = callbacks.EarlyStopping(**options), keras.callbacks.EarlyStopping(**options)
    our_list, model = fit(ours, losses(*series))
    their_list, their_model = fit(theirs, losses(*series), keras.callbacks)
    assert our_list.history.epoch == their_list._history.epoch
    assert ours.stopped_epoch == theirs.stopped_epoch
    if options.get("restore_best_weights"):
        # Keras keeps what get_weights returned; of a model that updates in place that would be the last weights.
        assert ours.best_epoch == theirs.best_epoch
        assert model.weight == (ours.best_epoch if ours.best_weights else their_model.weight)


def test_early_stopping_prints_what_it_does(capsys):
    fit(callbacks.EarlyStopping(verbose=1, restore_best_weights=True), losses(1, 2))
    out = capsys.readouterr().out
    assert "Epoch 2: early stopping" in out
    assert "best epoch: 1." in out


def test_a_monitor_that_is_not_there_warns_and_does_nothing():
    with pytest.warns(UserWarning, match=r"'val_f1'.*Available: loss, val_loss"):
        _, model = fit(callbacks.EarlyStopping("val_f1"), losses(1, 2, 3))
    assert not model.stop_training


@pytest.mark.parametrize(
    ("monitor", "better"),
    [("val_accuracy", "more"), ("acc", "more"), ("val_auc", "more"), ("mae", "less"), ("val_binary_accuracy", "more")],
)
def test_auto_mode_knows_metrics_by_name(monitor, better):
    _, model = fit(callbacks.EarlyStopping(monitor), losses(1, 2, 3, 4, name=monitor))
    assert model.stop_training == (better == "less")


def test_auto_mode_asks_the_models_metric_and_otherwise_wants_a_mode():
    model = FakeModel()
    model.metrics = [metrics.Recall(name="found")]
    fit(callbacks.EarlyStopping("val_found"), losses(1, 2, 3, name="val_found"), model=model)
    assert not model.stop_training
    with pytest.raises(ValueError, match=r"mode='max' or mode='min'"):
        fit(callbacks.EarlyStopping("val_found"), losses(1, 2, 3, name="val_found"))
    with pytest.raises(ValueError, match="mode"):
        callbacks.EarlyStopping(mode="maximum")


class KerasFakeModel(FakeModel):
    def __init__(self):
        super().__init__()
        self.optimizer = keras.optimizers.SGD(0.1)


@pytest.mark.parametrize("series", SERIES, ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"patience": 2, "factor": 0.5},
        {"patience": 1, "cooldown": 2},
        {"patience": 1, "min_lr": 0.02, "factor": 0.5},
        {"patience": 1, "min_delta": 0.1},
    ],
    ids=str,
)
def test_plateaus_reduce_the_learning_rate_as_in_keras(series, options):
    our_list, _ = fit(callbacks.ReduceLROnPlateau(**options), losses(*series))
    their_list, _ = fit(
        keras.callbacks.ReduceLROnPlateau(**options), losses(*series), keras.callbacks, KerasFakeModel()
    )
    rates = our_list.history.history["learning_rate"]
    np.testing.assert_allclose(rates, their_list._history.history["learning_rate"], rtol=1e-5)


def test_a_factor_that_does_not_reduce_is_refused():
    with pytest.raises(ValueError, match=r"factor=1\.5"):
        callbacks.ReduceLROnPlateau(factor=1.5)


@pytest.mark.parametrize("schedule", [lambda epoch, rate: rate * 0.5, lambda epoch: 0.1 * 0.5 ** (epoch + 1)])
def test_the_learning_rate_follows_the_schedule(schedule, capsys):
    callback_list, model = fit(callbacks.LearningRateScheduler(schedule, verbose=1), losses(1, 1, 1))
    assert callback_list.history.history["learning_rate"] == pytest.approx([0.05, 0.025, 0.0125])
    assert model.optimizer.learning_rate == pytest.approx(0.0125)
    assert "Epoch 3: LearningRateScheduler setting learning rate to 0.0125" in capsys.readouterr().out
    with pytest.raises(ValueError, match="'fast'"):
        fit(callbacks.LearningRateScheduler(lambda epoch: "fast"), losses(1))


def test_an_error_inside_the_schedule_is_not_hidden():
    def broken(epoch, rate):
        return rate + "1"

    with pytest.raises(TypeError, match="unsupported operand"):
        fit(callbacks.LearningRateScheduler(broken), losses(1))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_terminate_on_nan(bad, capsys):
    callback_list, model = fit(callbacks.TerminateOnNaN(), [{"loss": 1.0}, {"loss": bad}, {"loss": 1.0}])
    assert model.stop_training
    assert callback_list.history.epoch == [0, 1]
    assert "Invalid loss" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="loss of batch 0"):
        fit(callbacks.TerminateOnNaN(raise_error=True), [{"loss": bad}])


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("logs", [losses(3, 2), [{"loss": 1.0, "mae": 2.0}, {"loss": 1.0, "val_loss": 3.0}]])
def test_csv_files_are_those_of_keras(tmp_path, append, logs):
    for repeat in range(2):
        fit(callbacks.CSVLogger(tmp_path / "ours.csv", ";", append), logs)
        fit(keras.callbacks.CSVLogger(str(tmp_path / "theirs.csv"), ";", append), logs, keras.callbacks)
        ours = (tmp_path / "ours.csv").read_text().splitlines()
        assert ours == (tmp_path / "theirs.csv").read_text().split()
        assert len(ours) == (5 if append and repeat else 3)


def test_history_collects_epochs_as_floats():
    logs = [{"loss": np.float32(0.5), "val_loss": np.array(1)}, {"loss": np.float32(0.25)}]
    callback_list, model = fit(callbacks.Callback(), logs)
    history = callback_list.history
    assert model.history is history
    assert history.history == {"loss": [0.5, 0.25], "val_loss": [1.0]}
    assert all(type(v) is float for values in history.history.values() for v in values)
    assert history.epoch == [0, 1]
    assert history.params == {"verbose": 0, "epochs": 2, "steps": 2}


def test_every_hook_reaches_every_callback_in_order_with_one_copy_of_the_logs():
    calls = []

    class Recorder(callbacks.Callback):
        def __init__(self, name):
            super().__init__()
            for hook in hooks:
                setattr(self, hook, lambda *args, hook=hook: calls.append((name, hook, args)))

    hooks = [name for name in dir(keras.callbacks.Callback) if name.startswith("on_")]
    callback_list = callbacks.CallbackList([[Recorder("a")], Recorder("b")])
    for hook in hooks:
        logs = {"loss": np.float32(0.5), "outputs": np.zeros((1, 1))}
        whole = hook.endswith(("train_begin", "train_end", "test_begin", "test_end", "predict_begin", "predict_end"))
        getattr(callback_list, hook)(*(() if whole else (7,)), logs)
        (a, hook_a, args_a), (b, _, args_b) = calls[-2:]
        assert (a, b, hook_a) == ("a", "b", hook)
        assert args_a[:-1] == (() if whole else (7,))
        assert args_a[-1] is args_b[-1]
        assert args_a[-1] is not logs
        assert args_a[-1]["outputs"].shape == (1, 1)
    assert len(calls) == 2 * len(hooks)


def test_batch_hooks_also_call_those_of_the_shorter_name():
    class Recorder(callbacks.Callback):
        seen = ()

        def on_batch_begin(self, batch, logs=None):
            self.seen += ("begin", batch)

        def on_batch_end(self, batch, logs=None):
            self.seen += ("end", batch)

    recorder = Recorder()
    fit(recorder, losses(1))
    assert recorder.seen == ("begin", 0, "end", 0, "begin", 1, "end", 1)


def test_listens_tells_whether_a_hook_does_anything():
    def listens(*items):
        return callbacks.CallbackList(list(items)).listens("on_train_batch_end")

    assert not listens(callbacks.History(), callbacks.EarlyStopping())
    assert listens(callbacks.History(), callbacks.TerminateOnNaN())
    assert listens(callbacks.ProgbarLogger())
    assert listens(callbacks.LambdaCallback(on_train_batch_end=print))
    assert not listens(callbacks.LambdaCallback(on_epoch_end=print))


def test_history_and_bar_are_added_once():
    own = callbacks.History()
    callback_list = callbacks.CallbackList([own], add_history=True, add_progbar=True)
    assert callback_list.history is own
    assert [type(c) for c in callback_list.callbacks] == [callbacks.History, callbacks.ProgbarLogger]
    with pytest.raises(TypeError, match="print"):
        callbacks.CallbackList([print])


def test_lambda_callback_takes_any_hook_and_refuses_others():
    seen = []
    callback = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(epoch), on_test_begin=lambda logs: seen.append("test")
    )
    callback_list, _ = fit(callback, losses(1, 1))
    callback_list.on_test_begin()
    assert seen == [0, 1, "test"]
    with pytest.raises(TypeError, match="on_epoch_stop"):
        callbacks.LambdaCallback(on_epoch_stop=print)


def run_with_bar(verbose, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    logs = [{"loss": 0.1234, "val_loss": 0.00001}, {"loss": 0.1, "val_loss": 0.2}]
    fit(callbacks.ProgbarLogger(), logs, verbose=verbose)
    return screen.getvalue()


@pytest.mark.parametrize("verbose", [1, "auto"])
def test_a_bar_for_each_epoch_stays_with_its_metrics(verbose, monkeypatch):
    lines = [line.split("\r")[-1] for line in run_with_bar(verbose, monkeypatch).strip().split("\n")]
    assert len(lines) == 2
    assert lines[0].startswith("Epoch 1/2: 100%")
    assert "2/2" in lines[0]
    assert "loss: 0.1234, val_loss: 1.0000e-05" in lines[0]
    assert "loss: 0.1000, val_loss: 0.2000" in lines[1]


def test_a_line_for_each_epoch(monkeypatch):
    first, second = run_with_bar(2, monkeypatch).strip().splitlines()
    assert first.startswith("Epoch 1/2 - 0.0s - loss: 0.1234 - val_loss: 1.0000e-05")
    assert second.startswith("Epoch 2/2 - 0.0s - loss: 0.1000 - val_loss: 0.2000")


def test_silence(monkeypatch):
    assert run_with_bar(0, monkeypatch) == ""


@pytest.mark.parametrize(("verbose", "expected"), [(1, "Evaluate: 100%"), (2, "Evaluate - ")])
def test_evaluation_and_prediction_have_a_bar_but_validation_has_none(verbose, expected, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    callback_list = callbacks.CallbackList(add_progbar=True, verbose=verbose, epochs=1, steps=1)

    def evaluate():
        callback_list.on_test_begin()
        callback_list.on_test_batch_begin(0)
        callback_list.on_test_batch_end(0, {"loss": 0.5})
        callback_list.on_test_end({"loss": 0.5})

    evaluate()
    assert expected in screen.getvalue()
    assert "loss: 0.5000" in screen.getvalue()

    screen.truncate(0)
    callback_list.on_train_begin()
    callback_list.on_epoch_begin(0)
    evaluate()
    assert "Evaluate" not in screen.getvalue()
    callback_list.on_epoch_end(0, {"loss": 1.0})
    callback_list.on_train_end()

    callback_list.on_predict_begin()
    callback_list.on_predict_batch_end(0, {"outputs": np.zeros((2, 1))})
    callback_list.on_predict_end()
    assert "Predict" in screen.getvalue()
    assert "outputs" not in screen.getvalue()


def test_arguments_are_those_of_keras():
    import inspect

    for name in callbacks.__all__:
        if name in ("CallbackList", "Callback", "ReduceLROnPlateau"):
            continue
        ours = list(inspect.signature(getattr(callbacks, name)).parameters)
        assert ours == list(inspect.signature(getattr(keras.callbacks, name)).parameters), name


def test_importing_does_not_import_tqdm():
    code = (
        "import sys; import rnn_ref.training.callbacks, rnn_ref.training.optimizers, rnn_ref.training.metrics; "
        "print([m for m in ('tqdm', 'numba', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert "tqdm" not in done.stdout


def test_a_model_needs_no_more_than_the_documented_attributes():
    model = SimpleNamespace(stop_training=False, optimizer=optimizers.SGD(), metrics_names=["loss"])
    callback_list = callbacks.CallbackList(callbacks.EarlyStopping("loss"), model=model)
    callback_list.on_train_begin()
    for epoch in range(2):
        callback_list.on_epoch_end(epoch, {"loss": 1.0})
    assert model.stop_training
