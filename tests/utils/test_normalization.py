import numpy as np
import pytest

from rnn_ref.utils import normalize

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

X = np.random.default_rng(0).standard_normal((3, 4, 5))
X[1, :, 2] = X[0, 3, :] = 0


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize("axis", [-1, -2, 1, 2])
def test_equals_keras(axis, order):
    np.testing.assert_allclose(normalize(X, axis, order), keras.utils.normalize(X, axis, order), rtol=1e-14)


@pytest.mark.parametrize("axis", [0, -3])
def test_the_first_axis(axis):
    np.testing.assert_allclose(normalize(X, axis), np.moveaxis(normalize(np.moveaxis(X, 0, -1)), -1, 0))
    np.testing.assert_allclose(np.linalg.norm(normalize(X, axis), axis=0), 1)


def test_a_vector_stays_a_vector():
    np.testing.assert_allclose(normalize([3.0, 4.0]), [0.6, 0.8])
    np.testing.assert_array_equal(normalize(np.zeros(3)), np.zeros(3))


def test_precision_is_kept_and_the_input_not_changed():
    x = X.astype("float32")
    before = x.copy()
    assert normalize(x).dtype == np.float32
    np.testing.assert_array_equal(x, before)


def test_errors():
    with pytest.raises(TypeError, match="axis should be an integer"):
        normalize(X, axis=None)
