"""The contenders. Each is a function of a problem that gives three functions without arguments.

``infer()`` gives the last output (B, H); ``train()`` does one step of gradient descent on the mean squared error;
``learned()`` gives the recurrent kernel (H, G*H) as it is then, in Keras's layout. What a library needs to have done
before the first step (building a model) is done here.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

import numpy as np

from rnn_ref.bench.problem import RATE, Problem


def rnn_ref(problem: Problem):
    import rnn_ref

    x, target, weights = problem.draw()
    return _keras_like(rnn_ref, problem, x, target, weights)


def _keras_like(keras, problem: Problem, x, target, weights):
    layer = getattr(keras.layers, problem.cell)(problem.H)
    model = keras.Sequential([keras.Input((problem.T, problem.F)), layer])
    model.compile(optimizer=keras.optimizers.SGD(RATE), loss="mse")
    model.set_weights(weights)

    return (
        lambda: model.predict_on_batch(x),
        lambda: model.train_on_batch(x, target),
        lambda: model.get_weights()[1],
    )


def keras(problem: Problem):
    """The backend is chosen by the environment of the process."""
    import keras

    x, target, weights = problem.draw()
    return _keras_like(keras, problem, x, target, weights)


ORDER = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "SimpleRNN": (0,)}  # PyTorch's gates: i f g o; r z n


def pytorch(problem: Problem):
    import torch

    torch.set_num_threads(os.cpu_count())
    x, target, weights = problem.draw()
    order = list(ORDER[problem.cell])
    model = getattr(torch.nn, problem.cell.replace("Simple", ""))(problem.F, problem.H, batch_first=True)

    def rows(kernel):  # (K, G*H) -> (G*H, K)
        return np.concatenate([np.split(kernel, problem.gates, axis=-1)[g] for g in order], axis=-1).T

    kernel, recurrent, bias = (np.ascontiguousarray(rows(w)) for w in weights)
    one = bias[:, 0] if problem.cell == "GRU" else bias
    two = bias[:, 1] if problem.cell == "GRU" else np.zeros_like(bias)
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), (kernel, recurrent, one, two)):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
    if problem.cell != "GRU":
        model.bias_hh_l0.requires_grad_(False)  # the others have one bias
    x, target = torch.from_numpy(x), torch.from_numpy(target)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], RATE)

    def infer():
        with torch.inference_mode():
            return model(x)[0][:, -1].numpy()

    def train():
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x)[0][:, -1], target).backward()
        optimizer.step()

    def learned():
        parts = np.split(model.weight_hh_l0.detach().numpy().T, problem.gates, axis=-1)
        return np.concatenate([parts[order.index(g)] for g in range(problem.gates)], axis=-1)

    return infer, train, learned


def jax(problem: Problem):
    import jax
    import jax.numpy as jnp

    x, target, weights = problem.draw()
    x, target, weights = jnp.asarray(x.swapaxes(0, 1)), jnp.asarray(target), [jnp.asarray(w) for w in weights]
    step = {"LSTM": _lstm, "GRU": _gru, "SimpleRNN": _simple_rnn}[problem.cell]

    def last(weights, x):
        W, U, b = weights
        zeros = jnp.zeros((problem.B, problem.H))
        start = (zeros, zeros) if problem.cell == "LSTM" else (zeros,)
        z = x @ W + (b[0] if problem.cell == "GRU" else b)
        states, _ = jax.lax.scan(lambda s, z_t: (step(jax.nn.sigmoid, jnp, z_t, s, U, b), None), start, z)
        return states[0]

    @jax.jit
    def update(weights, x):
        gradients = jax.grad(lambda w: jnp.mean((last(w, x) - target) ** 2))(weights)
        return [w - RATE * g for w, g in zip(weights, gradients)]

    forward, current = jax.jit(last), [weights]

    def train():
        current[0] = update(current[0], x)
        current[0][1].block_until_ready()

    return lambda: np.asarray(forward(current[0], x)), train, lambda: np.asarray(current[0][1])


def numpy(problem: Problem):
    """A loop over time, for scale; inference only."""
    x, _, (W, U, b) = problem.draw()
    step = {"LSTM": _lstm, "GRU": _gru, "SimpleRNN": _simple_rnn}[problem.cell]

    def infer():
        z = x.swapaxes(0, 1) @ W + (b[0] if problem.cell == "GRU" else b)
        zeros = np.zeros((problem.B, problem.H), "float32")
        states = (zeros, zeros) if problem.cell == "LSTM" else (zeros,)
        for z_t in z:
            states = step(lambda v: 1 / (1 + np.exp(-v)), np, z_t, states, U, b)
        return states[0]

    return infer, None, None


def _simple_rnn(sigmoid, np, z, states, U, b):
    return (np.tanh(z + states[0] @ U),)


def _lstm(sigmoid, np, z, states, U, b):
    h, c = states
    i, f, g, o = np.split(z + h @ U, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def _gru(sigmoid, np, z, states, U, b):
    (h,) = states
    (z, r, g), (z_h, r_h, g_h) = np.split(z, 3, axis=-1), np.split(h @ U + b[1], 3, axis=-1)
    z = sigmoid(z + z_h)
    return (z * h + (1 - z) * np.tanh(g + sigmoid(r + r_h) * g_h),)


# name: function, the package it needs, environment of its process
CONTENDERS = {
    "rnn_ref": (rnn_ref, "rnn_ref", {}),
    "PyTorch": (pytorch, "torch", {}),
    "JAX": (jax, "jax", {"JAX_PLATFORMS": "cpu"}),
    "Keras (JAX)": (keras, "jax", {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}),
    "Keras (PyTorch)": (keras, "torch", {"KERAS_BACKEND": "torch"}),
    "Keras (TensorFlow)": (keras, "tensorflow", {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}),
    "NumPy loop": (numpy, "numpy", {}),
}


def installed(name: str) -> bool:
    """Whether a contender's packages are there."""
    packages = [CONTENDERS[name][1], *(["keras"] if name.startswith("Keras") else [])]
    return all(find_spec(package) is not None for package in packages)
