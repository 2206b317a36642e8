"""A program of several ranks: ``mpiexec -n 2 python -m tests.distribution.ranks CASE FOLDER``; results go to files."""

import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

import rnn_ref
from rnn_ref import callbacks, distribution, layers, preprocessing
from rnn_ref.models.data import stored_batches

rng = np.random.default_rng(1)
X = rng.standard_normal((22, 5, 3)).astype("float32")
X[::3, 3:] = 0  # for a mask
Y = rng.standard_normal((22, 5, 2)).astype("float32")
CLASSES = rng.integers(0, 3, (22,))
WEIGHTS = rng.uniform(0.2, 3, 22).astype("float32")


def simple(y="mse", units=4, dropout=0.0, **compiled):
    model = rnn_ref.Sequential(
        [
            rnn_ref.Input((5, 3)),
            layers.LSTM(units, return_sequences=True, kernel_regularizer="l2", dropout=dropout),
            layers.Dense(2, activity_regularizer="l1"),
        ]
    )
    model.compile(**{"optimizer": "adam", "loss": y, "metrics": ["mae"]} | compiled)
    return model


def masked():
    model = rnn_ref.Sequential(
        [rnn_ref.Input((5, 3)), layers.Masking(), layers.LSTM(4, return_sequences=True), layers.Dense(2)]
    )
    model.compile("adam", "mse", metrics=["mae"], weighted_metrics=["mse"])
    return model


def two_outputs():
    x = rnn_ref.Input((5, 3))
    h = layers.LSTM(4, return_sequences=True)(layers.Masking()(x))
    a, b = layers.Dense(2, name="a")(h), layers.Dense(3, "softmax", name="b")(layers.LSTM(4)(h))
    model = rnn_ref.Model(x, [a, b])
    model.compile(
        "adam",
        ["mse", rnn_ref.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")],
        loss_weights=[0.3, 1.0],
        metrics=[["mae"], ["accuracy"]],
    )
    return model


def fitted(model, y=Y, epochs=2, **options):
    """History, weights, and what evaluate finds."""
    weight = options.get("sample_weight")
    history = model.fit(X, y, batch_size=8, epochs=epochs, verbose=0, **options)
    tested = model.evaluate(X, y, sample_weight=weight, batch_size=8, verbose=0, return_dict=True)
    return history.history | {f"test {name}": [value] for name, value in tested.items()}, model.get_weights()


def mapped():
    """From a file, in blocks of ten samples."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "x.npy", X)
        given = np.load(Path(folder) / "x.npy", mmap_mode="r")
        with mock.patch.object(stored_batches, "BLOCK", 2 * 10 * X[0].nbytes):
            model = simple()
            history = model.fit(given, Y, batch_size=8, epochs=2, verbose=0)
    return history.history, model.get_weights()


def stateful(batch_size):
    model = rnn_ref.Sequential(
        [
            rnn_ref.Input(batch_shape=(batch_size, 4, 3)),
            layers.GRU(3, stateful=True, return_sequences=True),
            layers.Dense(3),
        ]
    )
    model.compile("sgd", "mse")
    batches = preprocessing.sequence.stateful_batches(X.reshape(-1, 3)[:105], 4, 4, reset=model)
    history = model.fit(batches, epochs=2, verbose=0)
    return history.history, model.get_weights()


def dropping():
    """Also what each rank drew in the last step."""

    model = rnn_ref.Sequential([rnn_ref.Input((5, 3)), layers.Dropout(0.5), layers.Dense(2)])
    model.compile("sgd", "mse")
    history = model.fit(X, Y, verbose=0)
    draws = distribution.distribution().draws
    with draws.taken():
        drawn = rnn_ref.random.generator().random(3)
    return history.history | {"drawn": drawn}, model.get_weights()


def looking():
    """The flow of gradients that each rank finds on rows of its own, after the ranks trained together."""
    model, together = simple(), distribution.distribution()
    model.fit(X, Y, batch_size=8, verbose=0)
    return flow(model, together.rank, together.size), model.get_weights()


def flow(model, rank, count):
    """Norms of gradients at every step, of every layer."""
    found = rnn_ref.gradient_flow(model, X[rank::count], Y[rank::count])
    return {f"layer {k}": layer.norm for k, layer in enumerate(found.values())}  # names are counted in each process


CASES = {
    "plain": lambda: fitted(simple()),
    "weights": lambda: fitted(simple(), sample_weight=WEIGHTS, validation_split=0.3),
    "mask": lambda: fitted(masked()),
    "mask and weights": lambda: fitted(masked(), sample_weight=np.outer(WEIGHTS, np.ones(5, "float32"))),
    "two outputs": lambda: fitted(two_outputs(), [Y, CLASSES], sample_weight=[WEIGHTS, WEIGHTS[::-1].copy()]),
    "sum, no shuffling": lambda: fitted(simple(rnn_ref.losses.MeanSquaredError(reduction="sum")), shuffle=False),
    "double": lambda: fitted(double()),
    "stateful": lambda: stateful(4 // size()),
    "mapped": mapped,
    "callbacks": lambda: deciding(),
}


def double():
    model = rnn_ref.Sequential([rnn_ref.Input((5, 3)), layers.Dense(2, dtype="float64")])
    model.compile("sgd", "mse")
    return model


def deciding():
    """Decisions of the first rank: the learning rate, the weights, and the end."""

    class Deciding(callbacks.Callback):
        def on_train_batch_end(self, step, logs=None):
            if step == 1 and self.model.optimizer.learning_rate > 0.005:
                self.model.optimizer.learning_rate = 0.004
            self.model.stop_training = len(self.model.history.epoch) == 2 and step == 1

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.set_weights([0.5 * weight for weight in self.model.get_weights()])

    stop = callbacks.EarlyStopping("loss", patience=50, restore_best_weights=True)
    return fitted(simple(optimizer=rnn_ref.optimizers.Adam(0.01)), epochs=9, callbacks=[Deciding(), stop])


def size() -> int:
    return 1 if distribution.distribution() is None else distribution.distribution().size


def begun(case):
    """Every rank draws its own first weights and order, which those of the first replace."""
    rank = 0 if distribution.distribution() is None else distribution.distribution().rank
    rnn_ref.utils.set_random_seed(10 + 7 * rank)
    return (CASES | {"dropout": dropping, "looking": looking})[case]()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    together = distribution.DataParallel()
    distribution.set_distribution(together)
    for name in sys.argv[2:]:
        found, values = begun(name)
        np.savez(folder / f"{name}-{together.rank}.npz", *values, **{f"log {k}": v for k, v in found.items()})
