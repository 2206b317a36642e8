"""One configuration built and run, forward and backward, in rnn_ref and in Keras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import rnn_ref

from .configurations import VOCABULARY, B, Configuration, Recurrent
from .yardstick import keras

FEATURES = 2


def flat(structure) -> list:
    """Arrays in nested lists and tuples, in order."""
    if isinstance(structure, (list, tuple)):
        return [array for part in structure for array in flat(part)]
    return [structure]


def make_cell(k, r: Recurrent, dtype: str):
    options = {
        "use_bias": r.use_bias, "activation": r.activation, "dropout": r.dropout, "dtype": dtype,
        "recurrent_dropout": r.recurrent_dropout,
    }  # fmt: skip
    if r.cell != "SimpleRNN":
        options |= {"recurrent_activation": r.recurrent_activation, "implementation": r.implementation}
    options |= {"unit_forget_bias": r.unit_forget_bias} if r.cell == "LSTM" else {}
    options |= {"reset_after": r.reset_after} if r.cell == "GRU" else {}
    return options


def make_recurrent(k, r: Recurrent, c: Configuration, *, last: bool, go_backwards: bool):
    options = make_cell(k, r, c.dtype)
    outer = {
        "return_sequences": c.return_sequences if last else True, "return_state": c.return_state and last,
        "go_backwards": go_backwards, "unroll": r.unroll, "stateful": c.stateful and last,
        "zero_output_for_mask": r.zero_output_for_mask, "dtype": c.dtype,
    }  # fmt: skip
    if r.form == "layer":
        return getattr(k.layers, r.cell)(r.units, **(options | outer))
    cell = getattr(k.layers, f"{r.cell}Cell")(r.units, **options)
    if r.form == "stacked":
        # Of a bare list Keras makes StackedRNNCells in its default precision.
        cell = k.layers.StackedRNNCells([cell, k.layers.SimpleRNNCell(2, dtype=c.dtype)], dtype=c.dtype)
    return k.layers.RNN(cell, **outer)


def state_sizes(r: Recurrent) -> list:
    """Units of every state, nested as the cells are."""
    own = [r.units] * (2 if r.cell == "LSTM" else 1)
    return [own, [2]] if r.form == "stacked" else own


def build(k, c: Configuration):
    """The model, written once: ``k`` is Keras or rnn_ref."""
    if c.front == "embedding":
        inputs = [k.Input(batch_shape=(B, c.steps), dtype="int32")]
        h = k.layers.Embedding(VOCABULARY, FEATURES, mask_zero=c.mask is not None, dtype=c.dtype)(inputs[0])
    else:
        inputs = [k.Input(batch_shape=(B, c.steps, FEATURES), dtype=c.dtype)]
        h = k.layers.Masking(dtype=c.dtype)(inputs[0]) if c.front == "masking" else inputs[0]
    mask = {}
    if c.mask and c.front is None:
        inputs.append(k.Input(batch_shape=(B, c.steps), dtype="bool"))
        mask = {"mask": inputs[-1]}
    for place, r in enumerate(c.layers):
        last = place == len(c.layers) - 1
        layer = make_recurrent(k, r, c, last=last, go_backwards=r.go_backwards)
        if r.bidirectional:
            back = None
            if r.backward_layer:
                back = make_recurrent(k, r, c, last=last, go_backwards=not r.go_backwards)
            layer = k.layers.Bidirectional(layer, merge_mode=r.merge_mode, backward_layer=back, dtype=c.dtype)
        arguments = dict(mask)  # the layers after the first are told too: an argument does not travel on
        if c.initial_state and last:
            sizes = state_sizes(r) * (2 if r.bidirectional else 1)
            states = [
                [k.Input(batch_shape=(B, n), dtype=c.dtype) for n in size]
                if isinstance(size, list)
                else k.Input(batch_shape=(B, size), dtype=c.dtype)
                for size in sizes
            ]
            inputs += flat(states)
            arguments["initial_state"] = states
            if k is keras and c.front and c.mask:
                # With a second tensor among the arguments Keras 3 forgets a mask that travels with the first;
                # rnn_ref keeps it, as tf.keras did.
                arguments["mask"] = h._keras_mask
        h = layer(h, **arguments)
    if c.head:
        head = k.layers.Dense(2, dtype=c.dtype)
        h = (k.layers.TimeDistributed(head, dtype=c.dtype) if c.head == "time_distributed" else head)(h)
    return k.Model(inputs, flat(h))


def data(c: Configuration, generator) -> list[np.ndarray]:
    """Inputs for a model: sequence, mask, initial states."""
    counts = np.ones((B, c.steps), bool)
    if c.mask == "right":
        counts = np.arange(c.steps) < generator.integers(1, c.steps + 1, (B, 1))
    elif c.mask == "holes":
        counts = generator.random((B, c.steps)) < 0.6
        counts[generator.integers(B)] &= generator.random() < 0.5  # sometimes a row without any step
    if c.front == "embedding":
        arrays = [np.where(counts, generator.integers(1, VOCABULARY, (B, c.steps)), 0).astype("int32")]
    else:
        x = generator.normal(size=(B, c.steps, FEATURES))
        arrays = [(x * counts[..., None] if c.front == "masking" else x).astype(c.dtype)]
        if c.mask and c.front is None:
            arrays.append(counts)
    if c.initial_state:
        r = c.layers[-1]
        sizes = flat(state_sizes(r)) * (2 if r.bidirectional else 1)
        arrays += [generator.normal(size=(B, size)).astype(c.dtype) for size in sizes]
    return arrays


@dataclass(frozen=True)
class Numbers:
    """What a model is run with: weights, the inputs of each call, directions from which gradients come back."""

    weights: list
    calls: list
    directions: list

    def changed(self, change) -> Numbers:
        """With ``change`` made to every array of floats."""

        def made(array):
            return change(array) if array.dtype.kind == "f" else array

        calls = [[made(array) for array in arrays] for arrays in self.calls]
        return Numbers([made(w) for w in self.weights], calls, [made(d) for d in self.directions])


def numbers(c: Configuration, weights_scale: float) -> Numbers:
    generator = np.random.default_rng(c.seed)
    model = build(rnn_ref, c)
    weights = [generator.normal(size=w.shape, scale=weights_scale).astype(c.dtype) for w in model.get_weights()]
    calls = [data(c, generator) for _ in range(2 if c.stateful else 1)]
    shapes = [y.shape for y in flat(model.forward(calls[0])[0])]
    return Numbers(weights, calls, [generator.normal(size=shape).astype(c.dtype) for shape in shapes])


def run_ours(c: Configuration, given: Numbers):
    """Outputs (of two calls if stateful), and gradients of inputs and weights."""
    model = build(rnn_ref, c)
    model.set_weights(given.weights)
    outputs = []
    for arrays in given.calls:
        y, tape = model.forward(arrays)
        outputs += flat(y)
    if c.stateful:
        return outputs, []
    found = model.run_back(tape, given.directions, input_gradient=True)
    of_weights = found.weights
    return outputs, [
        *[dx for dx, x in zip(flat(found.inputs), given.calls[0]) if x.dtype.kind == "f"],
        *[of_weights[name] for name in model.named_weights() if name in of_weights],
    ]


def run_theirs(c: Configuration, given: Numbers):
    """Outputs of Keras, and its gradients in the same order; on NumPy, which has none, an empty list."""
    model = build(keras, c)
    assert [w.shape for w in given.weights] == [tuple(v.shape) for v in model.weights if "seed" not in v.path], c
    model.set_weights(given.weights)
    if keras.backend.backend() == "torch":
        return _with_torch(c, model, given)
    return [np.asarray(y) for arrays in given.calls for y in flat(model(arrays))], []


def slope(c: Configuration, given: Numbers, along: list, h: float) -> float:
    """How ``sum(direction * output)`` of Keras's model changes, by a central difference.

    ``along`` has an array for each float input and for each weight.
    """
    model = build(keras, c)
    floats = [k for k, array in enumerate(given.calls[0]) if array.dtype.kind == "f"]

    def total(h):
        arrays = list(given.calls[0])
        for k, u in zip(floats, along):
            arrays[k] = arrays[k] + h * u
        model.set_weights([w + h * u for w, u in zip(given.weights, along[len(floats) :], strict=True)])
        return sum((np.asarray(y) * d).sum() for y, d in zip(flat(model(arrays)), given.directions, strict=True))

    return (total(h) - total(-h)) / (2 * h)


def _with_torch(c, model, given):
    import torch

    def tensors(arrays):
        return [torch.tensor(a, requires_grad=a.dtype.kind == "f" and not c.stateful) for a in arrays]

    calls = [tensors(arrays) for arrays in given.calls]
    if c.stateful:
        with torch.no_grad():
            return [y.numpy() for arrays in calls for y in flat(model(arrays))], []
    outputs = flat(model(calls[0]))
    sources = [a for a in calls[0] if a.requires_grad] + [v.value for v in model.trainable_variables]
    total = sum((y * torch.tensor(d)).sum() for y, d in zip(outputs, given.directions))
    gradients = torch.autograd.grad(total, sources, allow_unused=True)
    gradients = [torch.zeros_like(s) if g is None else g for g, s in zip(gradients, sources)]
    return [y.detach().numpy() for y in outputs], [g.detach().numpy() for g in gradients]
