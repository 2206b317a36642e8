"""Ways to hand data to ``fit``, ``evaluate`` and ``predict``: each a function of a module (ours or Keras) and a maker.

``make(kind)`` gives a compiled model with the same weights in both; what a way returns is compared.
The files beside this one hold the ways.
"""

import numpy as np
import pytest

WAYS = {}
N, B = 12, 4
_rng = np.random.default_rng(3)
X = _rng.normal(size=(N, 4, 3)).astype("float32")
Y = X.sum((1, 2))[:, None].astype("float32")
F = _rng.normal(size=(N, 3)).astype("float32")
W = np.linspace(0.5, 2.0, N).astype("float32")
LABELS = (np.arange(N) % 3)[:, None]
STEPS = _rng.integers(0, 3, size=(N, 4))
PAIR = {"a": X, "b": F}


def model(k, kind):
    """Small models that both compile at once; the data is what matters."""
    if kind == "pair":
        a, b = k.Input((4, 3), name="a"), k.Input((3,), name="b")
        joined = k.layers.Concatenate()([k.layers.GlobalAveragePooling1D()(a), b])
        m = k.Model([a, b], [k.layers.Dense(1, name="p")(joined), k.layers.Dense(1, name="q")(joined)])
        loss = ["mse", "mse"]
    else:
        start = {"features": (3,), "column": (4, 1)}.get(kind, (4, 3))
        last = {"classes": 3, "steps": 3}.get(kind, 1)
        row = [k.Input(start)]
        if kind not in ("steps", "features"):
            row.append(k.layers.GlobalAveragePooling1D())
        m = k.Sequential([*row, k.layers.Dense(last, activation="softmax" if last == 3 else None)])
        loss = "sparse_categorical_crossentropy" if last == 3 else "mse"
    m.compile(k.optimizers.SGD(0.1), loss)
    return m


def way(function):
    WAYS[function.__name__] = function
    return function


def fit(m, *data, **options):
    return m.fit(*data, **({"verbose": 0, "shuffle": False} | options)).history


def evaluate(m, *data, **options):
    return m.evaluate(*data, **({"verbose": 0} | options))


def predict(m, *data, **options):
    return m.predict(*data, **({"verbose": 0} | options))


def batches(*arrays, size=B):
    for start in range(0, N, size):
        yield tuple(array[start : start + size] for array in arrays)


def endless(*arrays):
    while True:
        yield from batches(*arrays)


def dataset(k, *arrays, as_list=False, **options):
    class Data(k.utils.PyDataset):
        def __len__(self):
            return N // B

        def __getitem__(self, index):
            batch = tuple(array[B * index : B * (index + 1)] for array in arrays)
            return list(batch) if as_list else batch

    return Data(**options)


def loader(*arrays, size=B):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*map(torch.as_tensor, arrays)), batch_size=size)


def iter_nothing():
    yield from ()
