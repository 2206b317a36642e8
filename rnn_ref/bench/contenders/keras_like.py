"""Keras on its backends, and rnn_ref: the same code runs on both."""

from __future__ import annotations

import numpy as np


def layer(keras, problem) -> dict:
    """``infer()`` gives the last output; ``train()`` is one step of gradient descent; ``learned()`` the kernel U."""
    x, target, weights = problem.draw()
    model = keras.Sequential([keras.Input((problem.T, problem.F)), getattr(keras.layers, problem.cell)(problem.H)])
    model.set_weights(weights)
    return {**steps(keras, model, x, target, problem.rate), "learned": lambda: model.get_weights()[1]}


def steps(keras, model, x, target, rate: float) -> dict:
    model.compile(optimizer=keras.optimizers.SGD(rate), loss="mse")
    return {"infer": lambda: model.predict_on_batch(x), "train": lambda: model.train_on_batch(x, target)}


def guide(keras, task) -> dict:
    """``step()`` trains on one batch; ``first()`` is an epoch in order and gives its loss; ``epochs()`` are several."""
    x, y = task.data()
    model = keras.Sequential([keras.Input(x.shape[1:]), *guide_layers(keras.layers, task)])
    model.set_weights(task.weights([w.shape for w in model.get_weights()]))
    model.compile("adam", "mse")

    def fit(**options):
        return model.fit(x, y, batch_size=task.batch, verbose=0, **options).history["loss"]

    return {
        "step": lambda: float(np.asarray(model.train_on_batch(x[: task.batch], y[: task.batch]))),
        "first": lambda: fit(shuffle=False)[0],
        "epochs": lambda: fit(epochs=task.epochs)[-1],
    }


def guide_layers(layers, task) -> list:
    made = []
    for cell, units, given in task.layers:
        recurrent = getattr(layers, cell)(units, return_sequences=given == "every")
        made.append(layers.Bidirectional(recurrent) if given == "both" else recurrent)
    dense = layers.Dense(1)
    return [*made, layers.TimeDistributed(dense) if task.layers[-1][2] == "every" else dense]
