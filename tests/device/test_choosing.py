"""set_device and device: what they change, and what they say where there is nothing to choose."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers
from rnn_ref.device import arrays_in, asarray, move_together, to_numpy, xp

from . import standin


def test_the_cpu_is_the_default():
    assert rnn_ref.get_device() == "cpu"
    assert xp.module is np
    rnn_ref.set_device("cpu")


def test_set_device_stays_and_device_goes_back(gpu_there):
    try:
        rnn_ref.set_device("cuda")
        assert rnn_ref.get_device() == "cuda"
        assert isinstance(xp.zeros(2), standin.Array)
        with rnn_ref.device("cpu"):
            assert rnn_ref.get_device() == "cpu"
            assert type(xp.zeros(2)) is np.ndarray
        assert rnn_ref.get_device() == "cuda"
        with pytest.raises(ZeroDivisionError), rnn_ref.device("cpu"):
            _ = 1 / 0
        assert isinstance(xp.zeros(2), standin.Array)
    finally:
        rnn_ref.set_device("cpu")


def test_auto_takes_a_gpu_when_there_is_one(gpu_there, monkeypatch):
    with rnn_ref.device("auto"):
        assert rnn_ref.get_device() == "cuda"
    monkeypatch.setitem(sys.modules, "cupy", None)  # as if it were not installed
    with rnn_ref.device("auto"):
        assert rnn_ref.get_device() == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda:1", None, 0])
def test_unknown_names(name):
    with pytest.raises(ValueError, match=r"is not a device; use 'cpu', 'cuda' or 'auto'.*CUDA_VISIBLE_DEVICES"):
        rnn_ref.set_device(name)


@pytest.mark.parametrize(("package", "name"), [("cupy", "CuPy"), ("numba_cuda", "numba-cuda")])
def test_missing_packages(package, name, gpu_there, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"needs {name}.*pip install 'rnn-ref\[cuda\]'"):
        rnn_ref.set_device("cuda")


def test_missing_cublas(gpu_there, monkeypatch):
    def missing(cuda):
        raise ImportError("libcublas.so.13: cannot open shared object file")

    monkeypatch.setattr(standin.Cuda, "cublas", property(missing))
    with pytest.raises(ImportError, match=r"needs cuBLAS.*libcublas.so.13.*pip install 'rnn-ref\[cuda\]'"):
        rnn_ref.set_device("cuda")


def no_device():
    raise standin.module.cuda.runtime.CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"driverGetVersion": lambda: 0}, "needs NVIDIA's driver, and none is installed"),
        ({"getDeviceCount": no_device}, "no CUDA-capable device is detected.*nvidia-smi"),
        ({"getDeviceCount": lambda: 0}, "needs a GPU, and the driver sees none"),
    ],
)
def test_no_usable_gpu(changed, message, gpu_there, monkeypatch):
    for name, function in changed.items():
        monkeypatch.setattr(standin.module.cuda.runtime, name, function)
    with pytest.raises(RuntimeError, match=message):
        rnn_ref.set_device("cuda")
    assert rnn_ref.get_device() == "cpu"
    with rnn_ref.device("auto"):
        assert rnn_ref.get_device() == "cpu"


def test_the_real_cupy_says_it_too():
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed: pip install 'rnn-ref[cuda]'")
    pytest.importorskip("numba_cuda", reason="numba-cuda is not installed: pip install 'rnn-ref[cuda]'")
    if cupy.cuda.runtime.driverGetVersion():
        with rnn_ref.device("auto"):
            assert rnn_ref.get_device() in ("cpu", "cuda")
    else:
        with pytest.raises(RuntimeError, match="needs NVIDIA's driver"):
            rnn_ref.set_device("cuda")


def test_importing_and_staying_on_the_cpu_imports_no_gpu_library():
    code = (
        "import sys, numpy as np, rnn_ref\n"
        "rnn_ref.set_device('cpu')\n"
        "rnn_ref.layers.LSTM(2)(np.ones((1, 2, 3)))\n"
        "print([m for m in ('cupy', 'numba_cuda', 'numba.cuda', 'rnn_ref.kernels.cuda') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_conversions(gpu):
    x = np.arange(6, dtype="float32").reshape(2, 3)
    there = asarray(x)
    assert isinstance(there, standin.Array)
    assert asarray(there)._host is there._host
    assert asarray([1, 2], "float64").dtype == "float64"
    np.testing.assert_array_equal(to_numpy(there), x)
    assert to_numpy(x) is x
    assert asarray(np.array(["a"])).dtype.kind == "U"  # no array for a GPU; whoever wanted numbers will say so
    with rnn_ref.device("cpu"):
        assert type(asarray(there)) is np.ndarray
        assert asarray(there, "float64").dtype == "float64"


def test_a_batch_moves_in_one_transfer(gpu):
    shared = np.ones((3, 2))
    there = asarray(np.ones(2))
    arrays = [np.arange(5), None, shared, np.ones((2, 4), "float32")[:, ::2], shared, there, np.array([True, False])]
    gpu.counts.clear()
    moved = move_together(arrays)
    assert gpu.counts == {"in": 1}
    for array, found in zip(arrays, moved, strict=True):
        if array is None:
            assert found is None
        elif array is there:
            assert found is there
        else:
            assert found.dtype == array.dtype
            np.testing.assert_array_equal(found._host, array)
    assert moved[2] is moved[4]


def test_weights_follow(gpu_there):
    layer = layers.Dense(2, input_shape=(3,))
    before = layer.get_weights()
    with rnn_ref.device("cuda"):
        assert isinstance(layer.kernel.value, standin.Array)
        layer.kernel.value[0, 0] = 7
        assert type(layer.get_weights()[0]) is np.ndarray
        assert type(np.asarray(layer.kernel)) is np.ndarray
        layer.bias.assign([1.0, 2.0])
    assert type(layer.kernel.value) is np.ndarray
    assert layer.kernel.value[0, 0] == 7
    np.testing.assert_array_equal(layer.kernel.value[1:], before[0][1:])
    np.testing.assert_array_equal(layer.bias.value, [1, 2])


def test_the_same_seed_gives_the_same_weights_and_masks(gpu_there):
    def draw(name):
        with rnn_ref.device(name):
            layer = layers.LSTM(3, dropout=0.5, recurrent_dropout=0.5, seed=1, input_shape=(4, 2))
            initial = [type(i)(seed=1)((3, 3)) for i in (layer.kernel_initializer,)]
            _, tape = layer.forward(np.ones((5, 4, 2)), training=True)
            return [*initial, to_numpy(tape.x_drop), to_numpy(tape.h_drop)]

    for a, b in zip(draw("cuda"), draw("cpu"), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.LSTMCell(3),
        lambda: layers.StackedRNNCells([layers.GRUCell(2), layers.SimpleRNNCell(3)]),
        lambda: layers.CustomCell(Doubling()),
    ],
)
def test_cells_by_themselves(make, gpu_there, same):
    def run():
        rnn_ref.utils.set_random_seed(0)
        cell = make()
        y, states = cell(np.ones((4, 2)))
        y, states = cell(np.ones((4, 2)), states)
        assert all(isinstance(array, np.ndarray) for array in arrays_in([y, states]))
        return [y, states]

    on_cpu = run()
    with rnn_ref.device("cuda"):
        same(run(), on_cpu)
        assert isinstance(make()(asarray(np.ones((4, 2))))[0], standin.Array)


def test_the_loop_as_a_function_stays_where_its_arrays_are(gpu_there):
    x, h = np.ones((2, 3, 1)), np.zeros((2, 1))
    for array in (np.asarray, standin.module.asarray):
        last, outputs, _ = layers.rnn(
            lambda x, s: (s[0] + x, [s[0] + x]),
            array(x),
            array(h),
            mask=array(x[..., 0] > 0),
            need_per_step_outputs=True,
        )
        assert type(last) is type(outputs) is type(array(x))
        np.testing.assert_array_equal(standin.on_host(outputs)[..., 0], [[1, 2, 3]] * 2)
    mask = layers.generate_dropout_mask(standin.module.asarray(x), 0.5, training=True)
    assert set(np.unique(mask)) <= {0, 2}


def test_functions_that_cannot_run_there_say_so(gpu):
    def plain(x):
        return x + np.ones(x.shape)

    with pytest.raises(TypeError) as caught:
        layers.Lambda(plain)(np.ones((2, 3)))
    assert "on a GPU the function gets CuPy arrays" in caught.value.__notes__[-1]


def test_text_is_no_input(gpu):
    with pytest.raises(TypeError, match="expected an array of numbers"):
        layers.Dense(2)(np.array([["a"]]))


# -- which kernel -----------------------------------------------------------------------------------------


class Doubling:
    state_size = 2

    def call(self, inputs, states):
        return 2 * inputs, [states[0] + inputs]


def choose(*, B, H, G, dtype, recurrent_dropout=False, reset_after=True):
    reasons = {
        "recurrent dropout": recurrent_dropout,
        "the reset gate first": not reset_after,
        f"{H} units": H > 100,
    }
    reason = next((why for why, applies in reasons.items() if applies), None)
    return SimpleNamespace(name="persistent" if reason is None else "teaching", reason=reason)


def test_kernel_choice(gpu_there, monkeypatch):
    monkeypatch.setattr(sys.modules["rnn_ref.kernels.cuda.choice"], "choose", choose)
    stack = layers.RNN([layers.LSTMCell(3), layers.GRUCell(200)])
    dropping = layers.LSTM(3, recurrent_dropout=0.5)
    custom = layers.RNN(Doubling())
    assert layers.LSTM(3).kernel_choice() == ("compiled", None)
    assert custom.kernel_choice().name == "Python"
    with rnn_ref.device("cuda"):
        assert layers.LSTM(3).kernel_choice() == ("persistent", None)
        assert layers.GRU(3, reset_after=False).kernel_choice() == ("teaching", "the reset gate first")
        assert dropping.kernel_choice() == ("teaching", "recurrent dropout")
        assert dropping.kernel_choice(training=False) == ("persistent", None)
        assert stack.kernel_choice() == [("persistent", None), ("teaching", "200 units")]
        assert layers.Bidirectional(layers.LSTM(3)).kernel_choice() == [("persistent", None)] * 2
        assert "run step by step on the CPU" in custom.kernel_choice().reason


def test_the_first_fallback_warns_once(gpu, monkeypatch, recwarn):
    monkeypatch.setattr(sys.modules["rnn_ref.kernels.cuda.choice"], "choose", choose)
    monkeypatch.setattr("rnn_ref.layers.targets._warned", set())
    x = np.ones((2, 3, 2))
    layers.LSTM(3)(x)
    assert not recwarn
    for _ in range(2):
        for units in (101, 101):
            layers.LSTM(units)(x)
    (warning,) = recwarn
    assert "runs on the teaching kernel, which is slower: 101 units" in str(warning.message)
    layers.GRU(3, reset_after=False)(x)
    assert len(recwarn) == 2  # another reason


def test_too_old(gpu_there, monkeypatch):
    monkeypatch.setattr(standin.module.cuda, "Device", lambda: SimpleNamespace(compute_capability="70"))
    with pytest.raises(RuntimeError, match=r"compute capability 7\.0; at least 7\.5"):
        rnn_ref.set_device("cuda")


@pytest.mark.parametrize("old", ["CuDNNLSTM", "CuDNNGRU"])
def test_names_of_cudnn_lead_here(old):
    with pytest.raises(AttributeError, match=r"set_device\('cuda'\)"):
        getattr(layers, old)
    with pytest.raises(ValueError, match=r"set_device\('cuda'\)"):
        layers.LSTM(2, use_cudnn=True)
