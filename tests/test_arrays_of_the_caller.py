"""Arrays of the caller stay the caller's: never written to, and what he does to them later changes nothing."""

import copy

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

from .malformed import CALLED_ON, MADE_WITH, MASK, MASKED, NOT_CALLED, made, names_of
from .malformed import X as CALL_X

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 5, 3)).astype("float32")
Y = X.sum((1, 2))[:, None]
CLASSES = (Y[:, 0] > 0).astype(int)
WEIGHTS = RNG.uniform(0.5, 1, 6)
STEPS = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]] * 3, bool)
STATES = [np.ones((6, 4), "float32"), np.ones((6, 4), "float32")]
ROWS = X[:, 0]


def arrays(thing) -> list:
    if isinstance(thing, (np.ndarray, np.generic, float)):
        return [np.asarray(thing)]
    if isinstance(thing, dict):
        return [array for entry in thing.values() for array in arrays(entry)]
    return [array for entry in thing for array in arrays(entry)] if isinstance(thing, (list, tuple)) else []


def spoil(given) -> None:
    """Write something else into all that was given."""
    for array in arrays(given):
        array[...] = 0 if array.dtype.kind in "iub" else 7


def check(given, act, look=lambda result: result) -> None:
    """``look(act(given))`` must not depend on what becomes of ``given`` in between, and ``act`` must leave it alone."""
    seen = []
    for later in (lambda given: None, spoil):
        rnn_ref.utils.set_random_seed(0)
        rnn_ref.utils.clear_session()
        arguments = copy.deepcopy(given)
        result = act(arguments)
        for now, before in zip(arrays(arguments), arrays(given), strict=True):
            np.testing.assert_array_equal(now, before)
        later(arguments)
        seen.append([array.copy() for array in arrays(look(result))])
    assert seen[0]
    for one, other in zip(*seen, strict=True):
        np.testing.assert_array_equal(one, other)


def model(classes: int = 0):
    last = layers.Dense(classes, activation="softmax") if classes else layers.Dense(1)
    new = rnn_ref.Sequential([rnn_ref.Input((5, 3)), layers.LSTM(4, name="lstm"), last])
    new.compile(
        "adam", "sparse_categorical_crossentropy" if classes else "mse", weighted_metrics=[] if classes else ["mae"]
    )
    return new


def after(layer, act):
    act(layer)
    return layer


@pytest.mark.parametrize("name", [name for name in names_of(layers) if name not in NOT_CALLED["layers"]])
def test_inputs_and_masks_of_every_layer(name):
    more = {"value": CALL_X} if name == "MultiHeadAttention" else {}
    given = [CALLED_ON.get(name, CALL_X), more | ({"mask": MASK} if name in MASKED else {})]
    layer = getattr(layers, name)(**made(MADE_WITH.get(name, {})))
    check(given, lambda given: layer(given[0], **given[1]))
    if name in ("LSTM", "GRU", "Bidirectional", "BatchNormalization"):  # the mask that goes on is a copy
        chain = layers.LSTM(2, return_sequences=True)
        check(given, lambda given: chain(given[0], **given[1]), layers.GRU(2))


def _step(gradients):
    layer = layers.Dense(1)
    layer(ROWS)
    rnn_ref.optimizers.Adam().apply(gradients, layer.weights)
    return layer.weights


WAYS = {
    "fit": ([X, Y, WEIGHTS], lambda g: after(model(), lambda m: m.fit(*g[:2], sample_weight=g[2], verbose=0)), "w"),
    "fit, then again": (
        [X, Y],
        lambda g: after(model(), lambda m: m.fit(*g, verbose=0, batch_size=4)),
        lambda m: after(m, lambda m: m.fit(X, Y, verbose=0)).get_weights(),
    ),
    "class_weight": (
        [np.array([1.0, 3.0])],
        lambda g: after(model(2), lambda m: m.fit(X, CLASSES, class_weight=dict(enumerate(g[0])), verbose=0)),
        "w",
    ),
    "train_on_batch": ([X, Y, WEIGHTS], lambda g: after(model(), lambda m: m.train_on_batch(*g)), "w"),
    "evaluate": ([X, Y, WEIGHTS], lambda g: model().evaluate(*g[:2], sample_weight=g[2], verbose=0), None),
    "predict": ([X], lambda g: model().predict(g[0], verbose=0), None),
    "call": ([X], lambda g: model()(g[0]), None),
    "gradients": ([X, Y], lambda g: model().gradients(*g)[1], None),
    "set_weights": (
        [np.ones(shape, "float32") for shape in ((3, 16), (4, 16), (16,), (4, 1), (1,))],
        lambda g: after(model(), lambda m: m.set_weights(g)),
        "w",
    ),
    "assign": ([np.ones((3, 16))], lambda g: after(model(), lambda m: m.weights[0].assign(g[0])), "w"),
    "value": (
        [np.ones((3, 16), "float32")],
        lambda g: after(model(), lambda m: setattr(m.weights[0], "value", g[0])),
        "w",
    ),
    "reset_states": (
        STATES,
        lambda g: after(layers.LSTM(4, stateful=True), lambda layer: [layer(X), layer.reset_states(g)]),
        lambda layer: layer(X),
    ),
    "initial_state": (
        STATES,
        lambda g: after(layers.LSTM(4, stateful=True), lambda layer: layer(X, initial_state=g)),
        lambda layer: layer(X),
    ),
    "array as initializer": (
        [np.ones((3, 2), "float32")],
        lambda g: layers.Dense(2, kernel_initializer=g[0]),
        lambda layer: after(layer, lambda layer: layer(ROWS)).get_weights(),
    ),
    "array from initializer": (
        [np.ones((3, 2), "float32")],
        lambda g: after(layers.Dense(2, kernel_initializer=lambda shape, dtype: g[0]), lambda layer: layer(ROWS)),
        "w",
    ),
    "Constant": (
        [np.ones(2, "float32")],
        lambda g: layers.Dense(2, bias_initializer=rnn_ref.initializers.Constant(g[0])),
        lambda layer: after(layer, lambda layer: layer(ROWS)).get_weights()[1],
    ),
    "weights of Embedding": (
        [np.ones((4, 2), "float32")],
        lambda g: layers.Embedding(4, 2, weights=g),
        lambda layer: after(layer, lambda layer: layer(np.array([[1, 2]]))).get_weights(),
    ),
    "trace": (
        [X, STEPS],
        lambda g: rnn_ref.trace(layers.LSTM(4, return_sequences=True, name="lstm"), g[0], mask=g[1]),
        lambda trace: [vars(layer) for layer in trace.values()],
    ),
    "gradient_flow": (
        [X, Y],
        lambda g: rnn_ref.gradient_flow(model(), *g)["lstm"],
        lambda flow: [flow.dh, *map(flow.contribution, flow.weights)],
    ),
    "state_jacobians": ([X], lambda g: rnn_ref.state_jacobians(model(), *g), lambda jacobians: jacobians.steps),
    "jacobians of a stack": (
        [X],
        lambda g: rnn_ref.state_jacobians(layers.RNN([layers.GRUCell(2), layers.LSTMCell(2)]), *g),
        lambda jacobians: jacobians.steps,
    ),
    "explain_step": (
        [X, Y],
        lambda g: rnn_ref.explain_step(model(), g[0], 1, 0, y=g[1]),
        lambda explanation: np.array([ord(letter) for letter in str(explanation)]),
    ),
    "optimizer": (
        [np.ones((3, 1), "float32"), np.ones(1, "float32")],
        _step,
        lambda weights: [weight.numpy() for weight in weights],
    ),
    "metric": (
        [CLASSES, np.linspace(0, 1, 6), WEIGHTS],
        lambda g: after(rnn_ref.metrics.AUC(), lambda metric: metric.update_state(*g[:2], sample_weight=g[2])),
        lambda metric: float(metric.result()),
    ),
    "loss": ([Y, Y + 1, WEIGHTS], lambda g: rnn_ref.losses.MeanSquaredError()(*g[:2], sample_weight=g[2]), None),
    "activations": ([ROWS], lambda g: [rnn_ref.activations.get(n)(g[0]) for n in ("linear", "relu", "softmax")], None),
    "constraints": ([ROWS], lambda g: [rnn_ref.constraints.NonNeg()(*g), rnn_ref.constraints.UnitNorm()(*g)], None),
    "to_categorical": ([CLASSES], lambda g: rnn_ref.utils.to_categorical(*g), None),
    "normalize": ([ROWS], lambda g: rnn_ref.utils.normalize(*g), None),
    "pad_sequences": ([CLASSES.reshape(2, 3)], lambda g: rnn_ref.utils.pad_sequences(*g), None),
    "windows": ([WEIGHTS], lambda g: rnn_ref.datasets.windows(g[0], 2), None),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_what_was_given_is_neither_written_to_nor_kept(way):
    given, act, look = WAYS[way]
    look = {None: lambda result: result, "w": lambda owner: owner.get_weights()}.get(look, look)
    check(given, act, look)


def test_what_was_handed_out_is_not_the_models_own():
    whole = model()
    before = whole.predict(X, verbose=0)
    spoil([whole.get_weights(), [weight.numpy() for weight in whole.weights], whole.predict(X, verbose=0), whole(X)])
    spoil(whole.gradients(X, Y)[1])
    np.testing.assert_array_equal(whole.predict(X, verbose=0), before)


def test_training_leaves_what_was_seen_before():
    whole = model()
    jacobians, flow = rnn_ref.state_jacobians(whole, X), rnn_ref.gradient_flow(whole, X, Y)["lstm"]
    before = [jacobians.steps, *map(flow.contribution, flow.weights)]
    whole.fit(X, Y, epochs=2, verbose=0)
    for old, new in zip(before, [jacobians.steps, *map(flow.contribution, flow.weights)]):
        np.testing.assert_array_equal(old, new)
