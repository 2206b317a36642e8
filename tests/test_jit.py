"""Compilation: the cache notices edits, everything runs without the compiler too, float32 stays float32."""

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import types

import rnn_ref
from rnn_ref import layers
from rnn_ref.equations import activations
from rnn_ref.jit import INTEGER, R1, kernel, link, share, task
from rnn_ref.kernels.cpu.threads import prepare

from .kernels.locked import locked

PACKAGE = Path(rnn_ref.__file__).parent


def python(code, path, **environment):
    """Run code in a new interpreter that imports ``rnn_ref`` from ``path``; what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(path), **environment}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=path)
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- the cache --------------------------------------------------------------------------------------

RUN = """
import numpy as np
from rnn_ref.layers import SimpleRNN
from rnn_ref.kernels.cpu import simple_rnn
layer = SimpleRNN(2, kernel_initializer="ones", recurrent_initializer="zeros")
print(layer(np.full((1, 1, 1), 0.5))[0, 0], sum(simple_rnn.RUNNER.loop.forward_batch.stats.cache_hits.values()))
"""


THREADS = """
import threading
from types import SimpleNamespace
import numpy as np
from rnn_ref.training.optimizers import Adam
together, steps = threading.Barrier(4), []
def step(dtype):
    weight = SimpleNamespace(value=np.zeros(3, dtype), name="w", constraint=None)
    together.wait()
    Adam(0.5).apply([np.ones(3, dtype)], [weight])
    steps.append(weight.value)
threads = [threading.Thread(target=step, args=(dtype,)) for dtype in 2 * ("float32", "float64")]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(np.allclose(steps, -0.5), len(steps))
"""


def test_threads_may_need_a_kernel_for_the_first_time_together(tmp_path):
    assert python(THREADS, PACKAGE.parent, NUMBA_CACHE_DIR=str(tmp_path)).split() == ["True", "4"]


@pytest.mark.long
def test_editing_an_equation_takes_effect_in_spite_of_the_cache(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "rnn_ref", ignore=shutil.ignore_patterns("__pycache__"))
    cache = str(tmp_path / "cache")

    def run():
        value, hits = python(RUN, tmp_path, NUMBA_CACHE_DIR=cache).split()
        return float(value), int(hits)

    value, hits = run()
    assert abs(value - np.tanh(0.5)) < 1e-6
    assert hits == 0
    file = tmp_path / "rnn_ref" / "equations" / "simple_rnn.py"
    source = file.read_text()
    edited = source.replace("h = activate(activation, z)", "h = activate(activation, z) + type(z)(1)")
    assert edited != source
    file.write_text(edited)
    value, hits = run()
    assert abs(value - (1 + np.tanh(0.5))) < 1e-6
    assert hits == 0
    gru = tmp_path / "rnn_ref" / "equations" / "gru.py"
    gru.write_text(gru.read_text() + "# of another cell\n")
    value, hits = run()  # nothing that it is made from changed since: machine code from the disk
    assert abs(value - (1 + np.tanh(0.5))) < 1e-6
    assert hits == 1


# -- without the compiler ---------------------------------------------------------------------------

CASES = [
    ("SimpleRNN", {}), ("SimpleRNN", {"activation": "gelu"}), ("SimpleRNN", {"activation": "selu"}),
    ("LSTM", {}), ("LSTM", {"activation": "silu", "recurrent_activation": "hard_sigmoid"}),
    ("LSTM", {"activation": "softsign", "recurrent_activation": "hard_sigmoid_legacy"}),
    ("GRU", {}), ("GRU", {"reset_after": False}), ("GRU", {"activation": "softplus", "reset_after": False}),
    ("GRU", {"activation": "elu", "recurrent_activation": "softplus"}), ("SimpleRNN", {"activation": "exponential"}),
]  # fmt: skip

PLAIN = """
import sys
import numpy as np
import numba.core.dispatcher
from rnn_ref import layers
from rnn_ref.kernels.cpu import gru, lstm, products, simple_rnn, weights
from rnn_ref.equations import activations, exponentials, lstm as equations

modules = gru, lstm, products, simple_rnn, weights, activations, exponentials, equations
compiled = [module.__name__ + "." + name for module in modules
            for name, value in vars(module).items() if isinstance(value, numba.core.dispatcher.Dispatcher)]
assert not compiled, compiled
arrays = np.load(sys.argv[1])
results = {}
for k, (name, options, dtype) in enumerate(eval(sys.argv[2])):
    layer = getattr(layers, name)(3, return_sequences=True, dtype=dtype, **options)
    layer.ensure_built((None, 4, 2))
    layer.set_weights([arrays[f"{k} w{j}"] for j in range(3)])
    y, tape = layer.forward(arrays["x"])
    gradients = layer.backward(tape, np.cos(y))
    for j, array in enumerate([y, gradients.inputs, *gradients.weights.values(), *gradients.initial_state]):
        results[f"{k} {j}"] = array
np.savez(sys.argv[3], **results)
"""


def test_without_the_compiler_everything_runs_as_plain_python(tmp_path, assert_close):
    generator = np.random.default_rng(0)
    cases = [(name, options, dtype) for name, options in CASES for dtype in ("float32", "float64")]
    arrays, expected = {"x": generator.normal(size=(5, 4, 2))}, {}
    for k, (name, options, dtype) in enumerate(cases):
        layer = getattr(layers, name)(3, return_sequences=True, dtype=dtype, **options)
        layer.ensure_built(arrays["x"].shape)
        layer.set_weights([generator.normal(scale=0.2, size=w.shape) for w in layer.get_weights()])
        y, tape = layer.forward(arrays["x"])
        gradients = layer.backward(tape, np.cos(y))
        arrays |= {f"{k} w{j}": weight for j, weight in enumerate(layer.get_weights())}
        for j, array in enumerate([y, gradients.inputs, *gradients.weights.values(), *gradients.initial_state]):
            expected[f"{k} {j}"] = array
    np.savez(tmp_path / "in.npz", **arrays)
    code = f"import sys; sys.argv[1:] = [{str(tmp_path / 'in.npz')!r}, {cases!r}, {str(tmp_path / 'out.npz')!r}]\n"
    code += PLAIN.replace("eval(sys.argv[2])", "sys.argv[2]")
    python(code, PACKAGE.parent, NUMBA_DISABLE_JIT="1")
    actual = np.load(tmp_path / "out.npz")
    assert set(actual.files) == set(expected)
    for key, array in expected.items():
        case = cases[int(key.split()[0])]
        assert actual[key].dtype == array.dtype == case[2]
        assert_close(actual[key], array, 2e-6 if case[2] == "float32" else 1e-12, case)


TRAIN = """
import numpy as np, rnn_ref
from rnn_ref import layers
x = np.random.default_rng(0).normal(size=(6, 4, 3))
model = rnn_ref.Sequential([
    layers.Input((4, 3)), layers.Masking(), layers.LSTM(5, dropout=0.2, recurrent_dropout=0.2, seed=1), layers.Dense(2)
])
model.set_weights([np.cos(np.arange(w.size)).reshape(w.shape) for w in model.get_weights()])
model.compile("sgd", "mse")
for _ in range(3):
    loss = model.train_on_batch(x, np.ones((6, 2)))
print(loss)
"""


def test_a_model_trains_as_plain_python():
    compiled, plain = (float(python(TRAIN, PACKAGE.parent, NUMBA_DISABLE_JIT=off)) for off in "01")
    assert compiled == pytest.approx(plain, rel=1e-5)


# -- importing --------------------------------------------------------------------------------------


def test_importing_loads_no_library_that_is_not_needed_yet():
    loaded = python("import sys, rnn_ref; print(*sys.modules)", PACKAGE.parent).split()
    assert "rnn_ref.layers.lstm" in loaded
    unwanted = {"matplotlib", "cupy", "h5py", "tqdm", "keras", "torch", "jax", "onnx", "numba.cuda.cudadrv.driver"}
    assert not unwanted & set(loaded)


# -- precision --------------------------------------------------------------------------------------


def float64_lines(llvm):
    """Lines that compute in double precision, in the compiled function itself (not its Python wrapper)."""
    functions = re.findall(r"^define [^\n]*@(\S+?)\(.*?^}", llvm, flags=re.M | re.S)
    bodies = re.findall(r"^define [^\n]*?@\S+?\(.*?^}", llvm, flags=re.M | re.S)
    own = [b for name, b in zip(functions, bodies) if "cpython" not in name and "cfunc" not in name]
    assert own
    return [line for body in own for line in body.splitlines() if re.search(r"\bdouble\b", line)]


@pytest.mark.parametrize("name", activations.CODES)
def test_float32_activations_never_touch_float64(name):
    f, d_f = getattr(activations, name), getattr(activations, f"d_{name}")
    for function in (f, d_f):
        signature = (types.float32,) * len(inspect.signature(function.py_func).parameters)
        function.compile(signature)
        assert function.overloads[signature].signature.return_type == types.float32
        assert not float64_lines(function.inspect_llvm(signature))


def test_the_check_above_sees_a_bare_literal():
    from numba import njit

    half = njit(lambda z: np.float32(0.1 * z))
    half.compile((types.float32,))
    assert float64_lines(half.inspect_llvm((types.float32,)))


def test_tasks_are_shared_out_and_a_failed_one_is_told():
    @task
    def fill(k, out, room):
        out[k] = np.empty(room * k, out.dtype).size

    @kernel(parallel=True)
    def run(count: INTEGER, out: R1, room: INTEGER):
        share(count, fill, (out, room))

    link(run, np.dtype("float64"))
    for work in (0, 10**9):  # one thread, and all
        with locked():
            prepare(np.dtype("float64"), work=work)
            for count in (0, 1, 2, 7, 100):
                out = np.full(100, -1.0)
                run(count, out, 3)
                np.testing.assert_array_equal(out, [3 * k if k < count else -1 for k in range(100)])
            with pytest.raises(MemoryError, match="no memory"):
                run(9, np.zeros(9), 2**61)
