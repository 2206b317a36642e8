"""A `fit` killed at any moment goes on from the last record, and ends with the bits of an uninterrupted one."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rnn_ref
from rnn_ref import callbacks

ROOT = Path(__file__).parents[2]


def killed(kills: int, seed: int) -> dict:
    command = [sys.executable, "-m", "tests.training.killed", str(kills), str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_3_kills():
    assert killed(3, 0) == {"killed": 3, "different": [], "unreadable": []}


@pytest.mark.long
def test_50_kills():
    """``python -m tests.training.killed 50 1`` takes longer."""
    assert killed(50, 1) == {"killed": 50, "different": [], "unreadable": []}


def model(units=1):
    made = rnn_ref.Sequential([rnn_ref.Input((3,)), rnn_ref.layers.Dense(units, kernel_initializer="ones")])
    made.compile("sgd", "mse")
    return made


X, Y = np.ones((8, 3)), np.ones((8, 1))


class Interrupt(callbacks.Callback):
    def __init__(self, at):
        super().__init__()
        self.at = at

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at:
            raise KeyboardInterrupt


def test_a_record_of_another_training_is_refused(tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):
        model().fit(X, Y, epochs=3, verbose=0, callbacks=[backup, Interrupt(2)])
    assert backup.path.exists()
    for changed, options, message in (
        (model(2), {"callbacks": [backup, Interrupt(9)]}, "its weights are not those of"),
        (model(), {"callbacks": [backup]}, r"the callbacks were \['BackupAndRestore', 'Interrupt'"),
        (model(), {"callbacks": [backup, Interrupt(9)], "batch_size": 1}, "had 1 batches an epoch, these data have 8"),
        (model(), {"callbacks": [backup, backup]}, "one BackupAndRestore is enough"),
    ):
        with pytest.raises(ValueError, match=message):
            changed.fit(X, np.ones((8, changed.output_shape[-1])), epochs=4, verbose=0, **options)
    again = model()
    again.compile("adam", "mse")
    with pytest.raises(ValueError, match="the optimizer was SGD, now Adam"):
        again.fit(X, Y, epochs=4, verbose=0, callbacks=[backup, Interrupt(9)])
    backup.path.write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match="is damaged, or no state of a training"):
        model().fit(X, Y, epochs=4, verbose=0, callbacks=[backup])


def test_the_record_before_the_last_is_kept_if_asked(tmp_path):
    for double in (False, True):
        backup = callbacks.BackupAndRestore(tmp_path / "b", double_checkpoint=double, delete_checkpoint=False)
        model().fit(X, Y, epochs=3, verbose=0, callbacks=[backup])
        assert [backup.path.exists(), backup.path_before.exists()] == [True, double]
        backup.delete_checkpoint = True
        backup.forget()
    assert not (tmp_path / "b").exists()


def test_checkpoints(tmp_path):
    ours = model()
    ours.fit(
        X, Y, batch_size=2, epochs=3, verbose=0, validation_data=(X, Y),
        callbacks=[
            callbacks.ModelCheckpoint(tmp_path / "a" / "{epoch}-{val_loss:.3f}.keras"),
            callbacks.ModelCheckpoint(tmp_path / "b" / "{epoch}-{batch}.weights.h5", "loss", 0, False, True, "auto", 5),
            callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True, initial_value_threshold=-1.0),
        ],
    )  # fmt: skip
    losses = ours.history.history["val_loss"]
    names = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert names == [f"{k + 1}-{loss:.3f}.keras" for k, loss in enumerate(losses)]
    assert sorted(file.name for file in (tmp_path / "b").iterdir()) == ["2-1.weights.h5", "3-2.weights.h5"]
    assert not (tmp_path / "best.keras").exists()
    last = rnn_ref.models.load_model(tmp_path / "a" / names[-1])
    assert all(map(np.array_equal, last.get_weights(), ours.get_weights()))


def test_only_the_best_is_kept(tmp_path):
    ours, path = model(), tmp_path / "best.keras"
    seen = []

    class Worse(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["quality"] = [1.0, 3.0, 2.0][epoch]
            seen.append(self.model.get_weights())

    best = callbacks.ModelCheckpoint(path, monitor="quality", mode="max", save_best_only=True)
    ours.fit(X, Y, epochs=3, verbose=0, callbacks=[Worse(), best])
    assert best.best == 3.0
    assert all(map(np.array_equal, rnn_ref.models.load_model(path).get_weights(), seen[1]))


def full(monkeypatch, after):
    """A disk on which so many files find room."""
    import os

    real, count = os.fsync, []

    def fsync(handle):
        count.append(handle)
        if len(count) > after:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("kind", ["checkpoint", "backup"])
def test_a_full_disk_leaves_what_was_there(kind, tmp_path, monkeypatch):
    path = tmp_path / "m.keras" if kind == "checkpoint" else tmp_path / "training.npz"
    made = callbacks.ModelCheckpoint(path) if kind == "checkpoint" else callbacks.BackupAndRestore(tmp_path)
    ours = model()
    full(monkeypatch, 2)  # a file and its folder
    with pytest.raises(
        OSError, match=r"cannot be written \(No space left on device\); what was there before is untouched"
    ):
        ours.fit(X, Y, epochs=3, verbose=0, callbacks=[made])
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    if kind == "checkpoint":
        assert rnn_ref.models.load_model(path).count_params() == 4
    else:
        assert made.read()["epoch"] == 1
    assert len(ours.history.history["loss"]) == (1 if kind == "checkpoint" else 2)  # History comes after the callbacks


def test_a_folder_that_is_not_there(tmp_path):
    (tmp_path / "file").write_text("")
    ours = model()
    for callback in (
        callbacks.ModelCheckpoint(tmp_path / "file" / "m.keras"),
        callbacks.BackupAndRestore(tmp_path / "file" / "b"),
    ):
        with pytest.raises(OSError, match=r"Not a directory|File exists"):
            ours.fit(X, Y, verbose=0, callbacks=[callback])
    with pytest.raises(OSError, match=r"cannot be written \(.*\); no file was made"):
        ours.save(tmp_path / "nowhere" / "m.keras")


def test_arguments_are_looked_at(tmp_path):
    for make, message in (
        (lambda: callbacks.ModelCheckpoint(tmp_path / "m"), "must end in .keras"),
        (lambda: callbacks.ModelCheckpoint("m.keras", save_weights_only=True), "must end in .weights.h5"),
        (lambda: callbacks.ModelCheckpoint("m.keras", save_freq="batch"), "must be 'epoch' or a number of batches"),
        (lambda: callbacks.ModelCheckpoint("m.keras", save_freq=0), "save_freq"),
        (lambda: callbacks.BackupAndRestore(""), "must be a folder"),
        (lambda: callbacks.BackupAndRestore("b", save_freq=True), "must be 'epoch' or a number of batches"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    ours = model()
    with pytest.raises(ValueError, match=r"cannot be filled in: 'accuracy'. There are epoch, loss"):
        ours.fit(X, Y, verbose=0, callbacks=[callbacks.ModelCheckpoint(tmp_path / "{accuracy}.keras")])
