"""Gradient checking: backward against central differences of forward."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np

from rnn_ref.device import asarray, is_array, to_numpy
from rnn_ref.guard import guarded


@contextmanager
def in_float64(layer):
    """Within this context, a layer and all layers in it compute in float64."""
    inside = layer.with_all_inside()
    saved = [(each, each.dtype) for each in inside]
    values = [(weight, weight.value) for weight in layer.weights]
    for each in inside:
        each.dtype = "float64"
    for weight, value in values:
        weight.value = value.astype("float64")
    try:
        yield
    finally:
        for each, dtype in saved:
            each.dtype = dtype
        for weight, value in values:
            weight.hold(value)


@guarded
def check_gradients(
    model, x, *, epsilon: float = 1e-5, samples: int | None = 40, seed: int = 0, **arguments
) -> dict[str, float]:
    """Compare the gradients of all weights and inputs with central differences, in float64.

    The loss is a randomly weighted sum of all outputs, so that every output takes part.

    Parameters
    ----------
    model : Layer or Sequential
    x : ndarray or list of ndarray
        Inputs; a list for a layer with several.
    epsilon : float
        Half the width of the difference.
    samples : int or None
        How many entries of each array to check, drawn at random; None checks all.
    seed : int
        For drawing them.
    **arguments
        Passed to ``forward``, such as ``initial_state=...``, ``mask=...``.

    Returns
    -------
    dict of str to float
        For "inputs" ("inputs[0]", ... for a list), each weight, and each initial state: the largest error of an
        entry, relative to the largest gradient entry of that array. Inputs without a gradient, such as the tokens
        of an Embedding, are left out.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> errors = rnn_ref.check_gradients(rnn_ref.layers.GRU(3), np.random.default_rng(0).normal(size=(2, 4, 3)))
    >>> sorted(errors), max(errors.values()) < 1e-6
    (['bias', 'inputs', 'kernel', 'recurrent_kernel'], True)
    """
    generator = np.random.default_rng(seed)
    listed = isinstance(x, (list, tuple)) and all(is_array(array) for array in x)
    if not model.built:
        model.ensure_built([array.shape for array in x] if listed else np.shape(x))
    with in_float64(model):
        x = [np.array(to_numpy(array), "float64") for array in x] if listed else np.array(to_numpy(x), "float64")
        states = arguments.pop("initial_state", None)
        if states is not None:
            states = [
                np.array(to_numpy(s), "float64") for s in (states if isinstance(states, (list, tuple)) else [states])
            ]
            arguments["initial_state"] = states
        outputs, tape = model.forward(x, **arguments)
        several = isinstance(outputs, (list, tuple))
        directions = [generator.normal(size=y.shape) for y in (outputs if several else [outputs])]

        def loss():
            outputs, tape = model.forward(x, **arguments)
            outputs = outputs if several else [outputs]
            penalty = sum(float(value) for _, value in getattr(tape, "penalties", ()))  # backward includes those inside
            return penalty + sum(float((to_numpy(y) * d).sum()) for y, d in zip(outputs, directions))

        there = [asarray(d) for d in directions]
        gradients = model.backward(tape, there if several else there[0], input_gradient=True)
        if gradients.inputs is None:
            pairs = {}
        elif listed:
            pairs = {f"inputs[{k}]": pair for k, pair in enumerate(zip(x, gradients.inputs))}
        else:
            pairs = {"inputs": (x, gradients.inputs)}
        for name, weight in model.named_weights().items():
            if name in gradients.weights and weight.trainable:  # moving means have none
                pairs[name] = (weight.value, gradients.weights[name])
        for k, state in enumerate(states or []):
            pairs[f"initial_state[{k}]"] = (state, gradients.initial_state[k])
        return {
            name: _worst_error(loss, array, to_numpy(gradient), epsilon, samples, generator)
            for name, (array, gradient) in pairs.items()
        }


def _worst_error(loss, array, gradient, epsilon, samples, generator) -> float:
    entries = np.arange(array.size)
    if samples is not None and samples < array.size:
        entries = generator.choice(array.size, samples, replace=False)
    worst, scale, rounding = 0.0, float(np.abs(gradient).max(initial=0.0)), 0.0
    for entry in entries:
        place = np.unravel_index(entry, array.shape)
        value = float(array[place])
        array[place] = value + epsilon
        above = loss()
        array[place] = value - epsilon
        below = loss()
        array[place] = value
        numeric = (above - below) / (2 * epsilon)
        worst = max(worst, abs(numeric - gradient[place]))
        scale = max(scale, abs(numeric))
        rounding = max(rounding, 8 * np.finfo("float64").eps * max(abs(above), abs(below), 1) / epsilon)
    if scale <= rounding:  # a zero gradient, which differences cannot resolve further
        return 0.0
    return float(worst / scale if scale > 0 else worst)
