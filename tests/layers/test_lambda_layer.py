import builtins
import functools

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

X = np.random.default_rng(0).standard_normal((3, 4, 5))


def test_gradient_given():
    layer = layers.Lambda(lambda x: x**2, gradient=lambda x, y, dy: 2 * x * dy)
    assert rnn_ref.check_gradients(layer, X)["inputs"] < 1e-6


def test_gradient_by_autograd():
    np_ = pytest.importorskip("autograd.numpy")
    layer = layers.Lambda(lambda x, scale: np_.tanh(scale * x[:, -1]), arguments={"scale": 0.5})
    assert rnn_ref.check_gradients(layer, X)["inputs"] < 1e-6
    several = layers.Lambda(lambda inputs: inputs[0] * np_.exp(inputs[1]))
    assert max(rnn_ref.check_gradients(several, [X, X + 1]).values()) < 1e-6
    assert layer(X).dtype == np.float32


@pytest.mark.filterwarnings("ignore:Output seems independent")
def test_what_autograd_cannot_see_is_told():
    pytest.importorskip("autograd")
    layer = layers.Lambda(lambda x: np.stack([x[:, 0], x[:, 1]], axis=1))
    y, tape = layer.forward(X)
    with pytest.raises(TypeError, match=r"import autograd.numpy as np"):
        layer.backward(tape, np.ones(y.shape))
    assert layer.backward(tape, np.ones(y.shape), input_gradient=False).inputs is None


def test_without_autograd(monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name.startswith("autograd"):
            raise ImportError(name)
        return real(name, *rest)

    layer = layers.Lambda(lambda x: x**2)
    y, tape = layer.forward(X)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match="pip install autograd"):
        layer.backward(tape, y)


def test_training_and_mask_reach_the_function():
    seen = {}

    def function(x, training, mask):
        seen.update(training=training, mask=mask)
        return x

    mask = np.ones((3, 4), bool)
    layers.Lambda(function, mask=mask)(X, training=True, mask=mask)
    assert seen["training"] is True
    assert seen["mask"] is mask


def test_masks():
    mask = np.ones((3, 4), bool)
    with pytest.warns(UserWarning, match="does not hand on the mask"):
        assert layers.Lambda(lambda x: x).run(X, mask=mask)[2] is None
    handed_on = layers.Lambda(lambda x: x, mask=lambda x, m: m)
    assert handed_on.run(X, mask=mask)[2] is mask
    assert handed_on.supports_masking


def test_output_shape():
    assert layers.Lambda(lambda x: x[:, -1]).compute_output_shape((None, None, 5)) == (None, 5)
    assert layers.Lambda(lambda x: x.sum(-1)).compute_output_shape((None, None, 5)) == (None, None)
    assert layers.Lambda(lambda x: x, output_shape=(7,)).compute_output_shape((None, 5)) == (None, 7)
    assert layers.Lambda(lambda x: x, output_shape=lambda s: (s[0], 2)).compute_output_shape((None, 5)) == (None, 2)
    assert layers.Lambda(lambda xs: xs[0] + xs[1]).compute_output_shape([(None, 5), (None, 5)]) == (None, 5)
    with pytest.raises(NotImplementedError, match="output_shape="):
        layers.Lambda(lambda x: x @ np.ones((3, 2))).compute_output_shape((None, 5))


def test_bad_use():
    with pytest.raises(TypeError, match="function must be callable, got 3"):
        layers.Lambda(3)
    layer = layers.Lambda(lambda x: x, gradient=lambda x, y, dy: dy[:, 0])
    y, tape = layer.forward(X)
    with pytest.raises(ValueError, match=r"gradient has shape \[\(3, 5\)\]"):
        layer.backward(tape, y)


def twice(x):
    return 2 * x


def test_configurations():
    offset = 3.0
    layer = layers.Lambda(lambda x, by=2.0: np.abs(x) ** by + offset, output_shape=lambda shape: shape)
    with pytest.raises(ValueError, match="safe_mode=False"):
        layers.Lambda.from_config(layer.get_config())
    again = layers.Lambda.from_config(layer.get_config(), safe_mode=False)
    np.testing.assert_array_equal(again(X), layer(X))
    named = layers.Lambda(twice, mask=twice, arguments={}, gradient=twice)
    with pytest.raises(ValueError, match="unknown function 'twice'"):
        layers.Lambda.from_config(named.get_config())
    again = layers.Lambda.from_config(named.get_config(), custom_objects={"twice": twice})
    assert (again.function, again.mask, again.gradient) == (twice, twice, twice)
    with pytest.raises(NotImplementedError, match="Put it into a function"):
        layers.Lambda(functools.partial(twice)).get_config()
