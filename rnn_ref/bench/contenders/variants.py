"""A layer beside its variants, in rnn_ref."""

from __future__ import annotations

import numpy as np

RATE = 0.3  # of dropout


def variants(keras, problem) -> dict:
    """``"plain infer"``, ``"plain train"``, ``"masked infer"``, ...: each a function without arguments."""
    layers = keras.layers
    cell = getattr(layers, problem.cell)
    models = {
        "plain": [cell(problem.H)],
        "masked": [layers.Masking(), cell(problem.H)],
        "bidirectional": [layers.Bidirectional(cell(problem.H))],
        "stacked": [cell(problem.H, return_sequences=True), cell(problem.H)],
        "dropout": [cell(problem.H, dropout=RATE)],
        "recurrent dropout": [cell(problem.H, recurrent_dropout=RATE)],
        "float64": [cell(problem.H, dtype="float64")],
    }
    x, target, _ = problem.draw()
    lengths = np.random.default_rng(1).integers(problem.T // 2, problem.T, problem.B, endpoint=True)
    padded = x * (np.arange(problem.T) < lengths[:, None])[:, :, None].astype("float32")
    functions = {}
    for name, stack in models.items():
        dtype = "float64" if name == "float64" else "float32"
        model = keras.Sequential([keras.Input((problem.T, problem.F), dtype=dtype), *stack])
        model.compile(keras.optimizers.SGD(problem.rate), "mse")
        inputs = (padded if name == "masked" else x).astype(dtype)
        targets = (np.concatenate([target, target], axis=1) if name == "bidirectional" else target).astype(dtype)
        functions[f"{name} infer"] = lambda model=model, x=inputs: model.predict_on_batch(x)
        functions[f"{name} train"] = lambda model=model, x=inputs, y=targets: model.train_on_batch(x, y)
    return functions


def predicted(name: str, problem, training: bool) -> float:
    """How many times the operations of the plain layer; one in float64 counts two, as vectors hold half as many."""
    plain = problem.operations(training)
    if name == "stacked":
        above = type(problem)(problem.cell, problem.B, problem.T, problem.H, problem.H)
        return 1 + above.operations(training, input_gradient=True) / plain
    return {"bidirectional": 2.0, "float64": 2.0}.get(name, 1.0)
