"""Random trainings, described by plain values, and run in rnn_ref and in Keras: ways of handing data over, weights of
samples and classes, shared and tied weights, outputs by name, optimizers with their options.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import autograd.numpy as anp
import numpy as np

import rnn_ref

from ..keras_that_trains import keras

N, T, F, CLASSES = 7, 3, 2, 3  # samples: the last batch is smaller than the others
OPTIMIZERS = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "RMSprop": [{}, {"momentum": 0.5}, {"centered": True}],
    "Adam": [{}, {"amsgrad": True}, {"beta_1": 0.5, "epsilon": 1e-3}],
    "AdamW": [{}, {"weight_decay": 0.1}],
    "Adamax": [{}],
    "Nadam": [{}],
    "Adagrad": [{}],
    "Adadelta": [{}],
    "Ftrl": [{}, {"l1_regularization_strength": 0.01}],
    "Lion": [{}],
    "Lamb": [{}],
    "Adafactor": [{}],
}
BASE = [
    {}, {}, {}, {"clipnorm": 0.1}, {"global_clipnorm": 0.1}, {"clipvalue": 0.01}, {"weight_decay": 0.01},
    {"use_ema": True, "ema_momentum": 0.5}, {"gradient_accumulation_steps": 2},
]  # fmt: skip
LOSSES = {"numbers": ("mse", "mae", "huber", "log_cosh"), "classes": ("sparse_categorical_crossentropy",)}


@dataclass(frozen=True)
class Fit:
    """One model, its data, and how it is trained. Every default is the simplest value."""

    model: str = "sequential"
    cell: str = "SimpleRNN"
    target: str = "numbers"  # or "classes"
    per_step: bool = False
    loss: str = "mse"
    metrics: tuple = ()
    weighted_metrics: tuple = ()
    masked: bool = False
    sample_weight: str | None = None  # "sample", "step"
    class_weight: bool = False
    source: str = "arrays"  # "generator", "endless", "dataset"
    validation: str | None = None  # "arrays", "split"
    optimizer: str = "SGD"
    options: dict = field(default_factory=dict)
    regularized: bool = False
    epochs: int = 1
    batch_size: int = 3
    seed: int = 0

    def __str__(self):
        simplest = asdict(Fit())
        told = ", ".join(f"{name}={value!r}" for name, value in asdict(self).items() if value != simplest[name])
        return f"Fit({told})"


def draw(seed: int) -> Fit:
    """A training at random that Keras allows."""
    generator = np.random.default_rng(seed)

    def choose(*values):
        return values[generator.integers(len(values))]

    def sometimes(share):
        return bool(generator.random() < share)

    model = choose("sequential", "sequential", "shared", "dict", "list", "tied", "nested")
    several = model in ("dict", "list")
    target = "classes" if model == "tied" else choose("numbers", "classes")
    per_step = model == "tied" or (model == "sequential" and sometimes(0.4))
    name = choose(*OPTIMIZERS)
    weighed = sometimes(0.5)
    batch_size = choose(3, 4, 10)
    source = choose("arrays", "arrays", "generator", "endless", "dataset")
    return Fit(
        model=model,
        cell=choose("SimpleRNN", "GRU", "LSTM"),
        target=target,
        per_step=per_step,
        loss=choose(*LOSSES[target]),
        metrics=choose((), ("accuracy",), ("sparse_categorical_crossentropy",))
        if target == "classes"
        else choose((), ("mae",), ("mse", "mae")),
        weighted_metrics=choose((), (), ("accuracy" if target == "classes" else "mse",)),
        masked=model in ("sequential", "shared") and sometimes(0.4),
        sample_weight="step" if weighed and per_step else "sample" if weighed else None,
        # Keras takes one kind of weights at a time.
        class_weight=target == "classes"
        and not (several or weighed or per_step)
        and source == "arrays"
        and sometimes(0.5),
        source=source,
        validation=choose(None, "arrays", "split" if source == "arrays" else None),
        optimizer=name,
        options=choose(*OPTIMIZERS[name]) | choose(*BASE),
        regularized=sometimes(0.2),
        epochs=1 if source == "generator" and batch_size > N else choose(1, 2),  # it has one batch
        batch_size=batch_size,
        seed=seed,
    )


class Dataset:
    """Batches by number, for the ``PyDataset`` of either library."""

    def __init__(self, batches: list):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, k):
        return self.batches[k]


def unembed(k):
    """A layer that multiplies by another layer's weights."""

    class Unembed(k.layers.Layer):
        def __init__(self, embedding, **options):
            super().__init__(**options)
            self.embedding = embedding

        def call(self, h):
            if k is keras:
                return keras.ops.matmul(h, keras.ops.transpose(self.embedding.embeddings))
            return anp.dot(h, self.embedding.embeddings.T)

    return Unembed


def build(k, c: Fit):
    """The model, written once: ``k`` is Keras or rnn_ref."""
    options = {"kernel_regularizer": "l2", "recurrent_regularizer": "l1"} if c.regularized else {}
    recurrent = getattr(k.layers, c.cell)(3, return_sequences=c.per_step, name="recurrent", **options)
    width, activation = (CLASSES, "softmax") if c.target == "classes" else (2, None)

    def head(name):
        return k.layers.Dense(width, activation=activation, name=name)

    if c.model == "tied":
        ids = k.Input((T,), dtype="int32", name="a")
        embedding = k.layers.Embedding(CLASSES, 3)
        return k.Model(ids, k.layers.Softmax()(unembed(k)(embedding)(recurrent(embedding(ids)))))
    a, b = k.Input((T, F), name="a"), k.Input((T, F), name="b")
    front = k.layers.Masking() if c.masked else None
    seen = (lambda x: front(x)) if c.masked else (lambda x: x)
    if c.model == "sequential":
        return k.Sequential([k.Input((T, F)), *([front] if c.masked else []), recurrent, head("y")])
    if c.model == "nested":
        inner = k.Sequential([k.Input((T, F)), recurrent, k.layers.Dense(3, "tanh")], name="inner")
        return k.Model(a, head("y")(inner(a)))
    h = k.layers.Concatenate()([recurrent(seen(a)), recurrent(seen(b))])
    if c.model == "shared":
        return k.Model([a, b], head("y")(h))
    if c.model == "dict":
        return k.Model({"a": a, "b": b}, {"y": head("y")(h), "v": head("v")(h)})
    return k.Model([a, b], [head("y")(h), head("v")(h)])


def data(c: Fit, generator):
    """Inputs, targets and weights in the structure of the model."""
    shape = (N, T) if c.per_step else (N,)

    def inputs():
        if c.model == "tied":
            return generator.integers(0, CLASSES, (N, T)).astype("int32")
        x = generator.normal(size=(N, T, F))
        if c.masked:
            x[generator.random((N, T)) < 0.3] = 0
        return x

    def targets():
        if c.target == "classes":
            return generator.integers(0, CLASSES, shape)
        return generator.normal(size=(*shape, 2))

    x = {"dict": lambda: {"a": inputs(), "b": inputs()}}.get(c.model)
    x = x() if x else [inputs(), inputs()] if c.model in ("shared", "list") else inputs()
    several = c.model in ("dict", "list")
    y = {"y": targets(), "v": targets()} if c.model == "dict" else [targets(), targets()] if several else targets()
    w = None
    if c.sample_weight:
        w = generator.random((N, T) if c.sample_weight == "step" else N) + 0.1
        w = {"y": w, "v": w} if c.model == "dict" else [w, w] if several else w
    return x, y, w


def cut(part, rows):
    """Some samples of arrays in lists and dicts."""
    if isinstance(part, dict):
        return {name: array[rows] for name, array in part.items()}
    return [array[rows] for array in part] if isinstance(part, list) else part[rows]


def source(k, c: Fit, x, y, w):
    """What goes to ``fit``: arguments by name."""
    if c.source == "arrays":
        return {"x": x, "y": y, "sample_weight": w, "batch_size": c.batch_size}
    starts = range(0, N, c.batch_size)
    batches = [
        as_given(tuple(cut(part, slice(start, start + c.batch_size)) for part in (x, y, w) if part is not None))
        for start in starts
    ]
    if c.source == "dataset":
        return {"x": type("Batches", (Dataset, k.utils.PyDataset), {})(batches)}

    def generate():
        while True:
            yield from batches
            if c.source == "generator":
                return

    once = c.source == "generator"
    return {"x": generate(), "steps_per_epoch": len(batches) // c.epochs if once else len(batches)}


def as_given(batch: tuple) -> tuple:
    """In a batch, Keras wants several inputs and targets as tuples."""
    return tuple(tuple(part) if isinstance(part, list) else part for part in batch)


def train(k, c: Fit, weights=None):
    """Weights before, history, weights after, predictions."""
    generator = np.random.default_rng(c.seed)
    model = build(k, c)
    if weights is None:
        weights = [generator.normal(size=w.shape, scale=0.5) for w in model.get_weights()]
    model.set_weights(weights)
    x, y, w = data(c, np.random.default_rng(c.seed + 1))
    arguments = source(k, c, x, y, w)
    if c.validation == "arrays":
        given = data(c, np.random.default_rng(c.seed + 2))
        arguments["validation_data"] = tuple(part for part in given if part is not None)
    elif c.validation == "split":
        arguments["validation_split"] = 0.4
    if c.class_weight:
        arguments["class_weight"] = {0: 1.0, 1: 2.0, 2: 0.5}
    several = c.model in ("dict", "list")
    metrics = [list(part) for part in (c.metrics, c.weighted_metrics)]
    if several:
        metrics = [{"y": part, "v": part} if c.model == "dict" else [part, part] for part in metrics]
    compiled = {"loss": c.loss, "metrics": metrics[0], "weighted_metrics": metrics[1]}
    if several:
        compiled["loss"] = {"y": c.loss, "v": c.loss} if c.model == "dict" else [c.loss, c.loss]
    model.compile(getattr(k.optimizers, c.optimizer)(learning_rate=0.05, **c.options), **compiled)
    history = model.fit(**arguments, epochs=c.epochs, shuffle=False, verbose=0).history
    return weights, history, model.get_weights(), model.predict(x, verbose=0)


def ours(c: Fit):
    return train(rnn_ref, c)


def theirs(c: Fit, weights):
    return train(keras, c, weights)
