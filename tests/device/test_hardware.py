"""The same comparisons on a real GPU: ``pytest -m gpu``."""

import importlib.util

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers
from rnn_ref.device import asarray
from tests.layers.test_every_layer import CASES

from .test_inspection_on_gpu import X, Y, rnns
from .test_layers_on_gpu import run
from .test_training_on_gpu import ALL_OPTIMIZERS, MODELS, everything, make

pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings("ignore:.*teaching kernel")]


@pytest.fixture(scope="module", autouse=True)
def cupy():
    """CuPy with a GPU behind it."""
    if importlib.util.find_spec("cupy") is None:
        pytest.skip("needs CuPy: pip install '.[cuda]'")
    try:
        rnn_ref.set_device("cuda")
    except RuntimeError as error:
        pytest.skip(str(error))
    rnn_ref.set_device("cpu")
    import cupy

    return cupy


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("make_layer", "shapes"), CASES)
def test_every_layer(make_layer, shapes, training, same):
    on_cpu = run(make_layer, shapes, training, "cpu")
    same(run(make_layer, shapes, training, "cuda"), on_cpu, 1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_everything_a_model_does(name, same):
    on_cpu = everything(name)
    with rnn_ref.device("cuda"):
        same(everything(name), on_cpu, 1e-4)


@pytest.mark.parametrize("optimizer", ALL_OPTIMIZERS, ids=lambda o: type(o).__name__)
def test_optimizers(optimizer, same):
    def train():
        model, x, y = make("regression", type(optimizer).from_config(optimizer.get_config()))
        for _ in range(3):
            model.train_on_batch(x, y)
        return model.get_weights(), model.optimizer.get_state()

    on_cpu = train()
    with rnn_ref.device("cuda"):
        same(train(), on_cpu, 1e-4)


def test_looking_in(same):
    def look():
        rnn_ref.utils.set_random_seed(0)
        layers.layer.reset_names()
        model = rnns()
        seen, flow = rnn_ref.trace(model, X), rnn_ref.gradient_flow(model, X, Y)
        jacobians = rnn_ref.state_jacobians(model, X, layer="lstm").steps
        return [{name: seen[name].arrays() for name in seen}, {name: f.dh for name, f in flow.items()}, jacobians]

    on_cpu = look()
    with rnn_ref.device("cuda"):
        same(look(), on_cpu, 1e-4)


def test_the_same_bits_again(same):
    """The same seed gives the same bits: nothing is added up in an order that chance decides."""

    def train():
        model, x, y = make("classifier")
        model.fit(x, y, batch_size=4, epochs=3, verbose=0)
        return model.get_weights()

    with rnn_ref.device("cuda"):
        for a, b in zip(train(), train(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_full_memory_says_what_to_do(cupy):
    with rnn_ref.device("cuda"):
        free = cupy.cuda.runtime.memGetInfo()[0]
        layer = layers.RepeatVector(free // 4)  # as many bytes as are free, for each of two samples
        with pytest.raises(MemoryError) as caught:
            layer(asarray(np.ones((2, 1), "float32")))
        assert "smaller batch_size" in caught.value.__notes__[0]
        cupy.get_default_memory_pool().free_all_blocks()
