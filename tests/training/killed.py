"""Training that is killed, again and again, in processes of its own: ``python -m tests.training.killed 3 seed``.

One process imports everything once, and forks the others. What each training ends with is written to a file; a line of
JSON says how many were killed, and which did not end as the uninterrupted one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import rnn_ref
from rnn_ref import callbacks, layers, losses, optimizers


def model_of(kind: int):
    """Few weights, everything that draws or remembers."""
    rnn_ref.utils.clear_session()
    rnn_ref.utils.set_random_seed(kind)
    stateful = kind % 4 == 3
    model = rnn_ref.Sequential(
        [
            rnn_ref.Input(batch_shape=(4 if stateful else None, 3, 2)),
            layers.LSTM(3, dropout=0.2, recurrent_dropout=0.2, stateful=stateful, seed=5 if kind % 2 else None),
            layers.Dropout(0.3, seed=np.random.default_rng(3) if kind % 2 else None),
            layers.BatchNormalization(),
            layers.Dense(1),
        ]
    )
    made = [
        lambda: optimizers.Adam(0.02, amsgrad=True),
        lambda: optimizers.SGD(optimizers.schedules.CosineDecay(0.1, 50), momentum=0.9, gradient_accumulation_steps=2),
        lambda: optimizers.Nadam(0.01, use_ema=True, ema_overwrite_frequency=3),
        lambda: optimizers.RMSprop(0.01, centered=True),
    ]
    model.compile(made[kind % 4](), losses.Huber(), metrics=["mae", rnn_ref.metrics.RootMeanSquaredError()])
    return model


class Pairs(rnn_ref.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return 6

    def __getitem__(self, k):
        return self.x[4 * k : 4 * k + 4], self.y[4 * k : 4 * k + 4]


def train(kind: int, folder: Path, result: Path, pause: float = 0.0) -> None:
    """Train, going on from what ``folder`` has; in the end write everything to ``result``."""
    drawn = np.random.default_rng(kind)
    x, y = drawn.normal(size=(24, 3, 2)).astype("float32"), drawn.normal(size=(24, 1)).astype("float32")
    model = model_of(kind)
    watching = [
        callbacks.BackupAndRestore(folder / "backup", save_freq=(1, 3, "epoch", 2)[kind % 4]),
        callbacks.EarlyStopping("loss", patience=3, restore_best_weights=True),
        callbacks.ModelCheckpoint(folder / "best.keras", monitor="val_mae", mode="min", save_best_only=True),
        callbacks.ModelCheckpoint(folder / "often.weights.h5", save_weights_only=True, save_freq=4),
        callbacks.LambdaCallback(on_train_batch_end=lambda step, logs: time.sleep(pause)),
    ]
    if kind % 2 == 0:
        watching.append(callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1) if kind % 4 == 0 else None)
    options = {"epochs": 4, "verbose": 0, "callbacks": [each for each in watching if each is not None]}
    if kind % 4 != 1:
        options["validation_data"] = (x[:4], y[:4])
    else:
        options["callbacks"] = [each for each in options["callbacks"] if getattr(each, "monitor", "") != "val_mae"]
    if kind % 3 == 0:
        model.fit(x, y, batch_size=4, shuffle="batch" if kind % 2 else True, **options)
    elif kind % 3 == 1:
        model.fit(Pairs(x, y), **options)
    else:
        model.fit(
            ((x[k : k + 4], y[k : k + 4]) for _ in range(9) for k in range(0, 24, 4)), steps_per_epoch=5, **options
        )
    state = {f"w{k}": w for k, w in enumerate(model.get_weights())}
    state |= {f"o{k}": v for k, v in enumerate(model.optimizer.variables)}
    state |= {f"h {name}": np.array(values) for name, values in model.history.history.items()}
    state["next"] = rnn_ref.random.generator().random(3)
    with open(result, "wb") as file:
        np.savez(file, **state)


def forked(*arguments, kill_after: float | None = None) -> bool:
    """Run :func:`train` in a process of its own; whether it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            train(*arguments)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise RuntimeError("a training failed")
    return os.WIFEXITED(status)


def main(kills: int, seed: int) -> dict:
    moments = np.random.default_rng(seed)
    killed, different, unreadable, kind = 0, [], [], seed % 12
    for each in range(4):
        train(each, Path(tempfile.mkdtemp()), Path(tempfile.mkdtemp()) / "warm.npz")  # kernels are there for all
    while killed < kills:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            begun = time.perf_counter()
            (folder / "a").mkdir()
            forked(kind, folder / "a", folder / "whole.npz")
            takes = time.perf_counter() - begun + 24 * 0.004
            (folder / "b").mkdir()
            for _ in range(4):
                if killed == kills:
                    forked(kind, folder / "b", folder / "cut.npz")
                    break
                done = forked(kind, folder / "b", folder / "cut.npz", 0.004, kill_after=moments.random() * takes)
                killed += not done
                for file in folder.glob("b/*.keras"):
                    try:
                        rnn_ref.models.load_model(file)
                    except Exception as error:
                        unreadable.append(f"{kind}: {error!r}")
                if done:
                    break
            else:
                forked(kind, folder / "b", folder / "cut.npz")
            one, other = np.load(folder / "whole.npz"), np.load(folder / "cut.npz")
            same = one.files == other.files and all(one[n].tobytes() == other[n].tobytes() for n in one.files)
            if not same:
                different.append(
                    [kind, [n for n in one.files if n not in other or one[n].tobytes() != other[n].tobytes()]]
                )
            kind = (kind + 1) % 12
    return {"killed": killed, "different": different, "unreadable": unreadable}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
