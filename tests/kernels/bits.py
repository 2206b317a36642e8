"""Run by test_determinism.py in processes of its own: hashes of what random layers compute, a line for each.

python bits.py FIRST COUNT [PRECISION]      prints COUNT lines, of the seeds FIRST, FIRST + 1, ...
"""

import hashlib
import sys

import numpy as np

import rnn_ref
from rnn_ref import layers
from rnn_ref.kernels.cpu import threads

ACTIVATIONS = ["tanh"] * 6 + ["linear", "relu", "silu", "gelu", "softsign", "elu", "sigmoid"]
PRECISIONS = sys.argv[3:] or ["float32", "float64"]
RECURRENT = ["sigmoid"] * 6 + ["hard_sigmoid", "tanh", "softplus"]


def layer_of(choose, units):
    """A layer with random options."""
    kind = choose(["SimpleRNN", "LSTM", "GRU"])
    options = {"activation": choose(ACTIVATIONS), "use_bias": choose([True, True, False])}
    if kind != "SimpleRNN":
        options["recurrent_activation"] = choose(RECURRENT)
    if kind == "GRU":
        options["reset_after"] = choose([True, False])
    for name in ("dropout", "recurrent_dropout"):
        options[name] = choose([0.0, 0.0, 0.3])
    options |= {"return_sequences": choose([True, False]), "go_backwards": choose([False, False, True])}
    return getattr(layers, kind)(units, dtype=choose(PRECISIONS), seed=1, name="layer", **options)


def digest(arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()[:16]


def passes(seed):
    """Forward and back, with dropout and masks."""
    generator = np.random.default_rng(seed)
    choose = lambda among: among[generator.integers(len(among))]  # noqa: E731
    B, T, F, H = (int(generator.integers(1, high)) for high in (choose([9, 80]), 12, 40, choose([9, 70, 140])))
    rnn_ref.utils.set_random_seed(seed)
    layer = layer_of(choose, H)
    x, mask = generator.normal(size=(B, T, F)), generator.random((B, T)) < 0.7
    layer.ensure_built(x.shape)
    y, tape = layer.forward(x, mask=choose([None, mask]), training=True)
    gradients = layer.backward(tape, np.cos(y))
    return digest([y, gradients.inputs, *gradients.weights.values(), *gradients.initial_state])


def training(seed):
    """Weights after 50 steps."""
    generator = np.random.default_rng(seed)
    choose = lambda among: among[generator.integers(len(among))]  # noqa: E731
    B, T, F, H = (int(generator.integers(2, high)) for high in (20, 9, 9, 40))
    rnn_ref.utils.set_random_seed(seed)
    model = rnn_ref.Sequential([layer_of(choose, H), layers.Dense(3)])
    model.compile(choose(["adam", "sgd", "rmsprop"]), "mse")
    x = generator.normal(size=(B, T, F))
    y = model.predict(x, verbose=0)
    for _ in range(50):
        model.train_on_batch(x, np.zeros_like(y))
    return digest(model.get_weights())


if __name__ == "__main__":
    threads.LITTLE_WORK = 1  # all threads, however little there is to do
    first, count = map(int, sys.argv[1:3])
    for seed in range(first, first + count):
        print(seed, passes(seed), training(seed) if seed % 20 == 0 else "", flush=True)
