"""Every layer class forward and back on a GPU: the numbers are the CPU's, and no array of the CPU gets among them."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers
from rnn_ref.device import asarray, converted, to_numpy
from tests.layers.test_every_layer import CASES, CELLS, SEQUENCE, draw, kind_of


def ones_like(y):
    return converted(y, lambda array: array * 0 + array.dtype.type(0.5))


def run(make, shapes, training, on):
    """Outputs and gradients, as NumPy arrays; the layer and its seed are new."""
    rnn_ref.utils.set_random_seed(1)
    layers.layer.reset_names()
    layer = make()
    x = draw(shapes, kind_of(layer))
    if kind_of(layer) in CELLS:
        layer, x = layers.RNN(layer, return_state=True), draw([SEQUENCE], None)
    x = converted(x, lambda a: a.astype("float32") if a.dtype.kind == "f" else a)
    with rnn_ref.device(on):
        y, tape, mask = layer.run(converted(x, asarray), training=training)
        for array in flat([y, mask]):
            assert isinstance(array, np.ndarray) == (on == "cpu")
        gradients = layer.backward(tape, ones_like(y))
        found = [gradients.inputs, gradients.weights, gradients.initial_state]
        for array in flat(found):
            assert isinstance(array, np.ndarray) == (on == "cpu")
        # NumPy in, NumPy out
        plain = layer(*x) if getattr(layer, "inputs_by_position", False) else layer(x)
        assert all(isinstance(array, np.ndarray) for array in flat(plain))
    return converted([list(flat(y)), mask, found, list(flat(plain)), layer.get_weights()], to_numpy)


def flat(structure):
    if isinstance(structure, (list, tuple)):
        return [leaf for entry in structure for leaf in flat(entry)]
    if isinstance(structure, dict):
        return flat(list(structure.values()))
    return [] if structure is None else [structure]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("make", "shapes"), CASES)
def test_every_layer(make, shapes, training, gpu_there, same):
    on_cpu = run(make, shapes, training, "cpu")
    same(run(make, shapes, training, "cuda"), on_cpu)
