"""Base classes at the top of the package, as in Keras."""

import pytest

import rnn_ref

keras = pytest.importorskip("keras")


@pytest.mark.parametrize("module", ["layers", "losses", "metrics", "optimizers", "initializers", "regularizers"])
def test_it_is_that_of_its_module(module):
    name = {"losses": "Loss"}.get(module, module.removesuffix("s").capitalize())
    assert hasattr(keras, name)
    assert getattr(rnn_ref, name) is getattr(getattr(rnn_ref, module), name)
    assert name in rnn_ref.__all__
