"""Layers that have nothing to build are built from the start, exactly those that are in Keras."""

import numpy as np
import pytest

import rnn_ref

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

NEEDED = {"Activation": ("relu",), "Dropout": (0.5,), "SpatialDropout1D": (0.5,), "GaussianNoise": (0.5,)}
NEEDED |= {
    "RepeatVector": (2,),
    "Reshape": ((6,),),
    "Dense": (2,),
    "Embedding": (3, 2),
    "Permute": ((2, 1),),
    "AveragePooling1D": (2,),
}
NAMES = [
    *NEEDED, "ActivityRegularization", "ELU", "Flatten", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "Identity",
    "LeakyReLU", "Masking", "MaxPooling1D", "PReLU", "ReLU", "Softmax", "UnitNormalization",
    "LayerNormalization", "Add", "Concatenate", "Attention",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_built_as_in_keras(name):
    ours, theirs = (getattr(module.layers, name)(*NEEDED.get(name, ())) for module in (rnn_ref, keras))
    assert ours.built == theirs.built


def test_its_shape_is_known_once_it_was_called():
    layer = rnn_ref.layers.Dropout(0.5)
    layer(np.zeros((2, 3)))
    assert layer.input_shape == (2, 3)


def test_a_build_of_a_subclass_is_called():
    class Scaled(rnn_ref.layers.Dropout):
        def build(self, input_shape):
            self.scale = self.add_weight((input_shape[-1],), "ones", "scale")

        def call(self, x):
            return x * self.scale

    layer = Scaled(0.5)
    assert not layer.built
    np.testing.assert_array_equal(layer(np.ones((2, 3))), np.ones((2, 3)))
    assert layer.built
    assert len(layer.weights) == 1
