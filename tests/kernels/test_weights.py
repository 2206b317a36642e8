"""Gradients of weights against NumPy in float64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_ref.hardware import PANEL_BYTES
from rnn_ref.kernels.cpu.threads import prepare
from rnn_ref.kernels.cpu.weights import DEPTH, PANELS, TILES, d_weights, split_bias, with_bias
from rnn_ref.memory import LARGE

from .locked import locked

TOLERANCE = {"float32": 2e-5, "float64": 1e-13}
WIDE = TILES * 12 + 1  # more than are packed side by side, with the widest tiles


@st.composite
def problems(draw):
    """What ``d_weights`` gets, and whether there are biases."""
    G, T, B = draw(st.sampled_from([1, 3, 4])), draw(st.integers(1, 9)), draw(st.sampled_from([1, 2, 33, DEPTH]))
    F, H = draw(st.sampled_from([1, 5, 12, WIDE])), draw(st.sampled_from([1, 16, 50]))
    dtype, generator = draw(st.sampled_from(["float32", "float64"])), np.random.default_rng(draw(st.integers(0, 99)))

    def array(*shape):
        return generator.normal(size=shape).astype(dtype)

    def mask(K):
        masks = draw(st.sampled_from([None, 1, G]))
        return None if masks is None else (generator.random((masks, B, K)) < 0.5).astype(dtype) * 2

    drops = {"x_drop": mask(F), "h_drop": mask(H)}
    d_h = array(T, B, H) if draw(st.booleans()) else None
    biases = [array(G * H) if draw(st.booleans()) else None for _ in range(2)]
    lies = draw(st.sampled_from(["in order", "samples first", "backwards", "features first"]))
    x = {
        "in order": lambda: array(T, B, F),
        "samples first": lambda: array(B, T, F).swapaxes(0, 1),
        "backwards": lambda: array(T, B, F)[::-1],
        "features first": lambda: array(F, B, T).T,
    }[lies]()
    x.flags.writeable = draw(st.booleans())
    return x, array(T, B, H), array(G, T, B, H), drops, d_h, biases


def expected(x, dz, drop):
    """``(K + 1, G*H)`` in float64: the weights' gradient over the bias's."""
    columns = []
    for g, dz_g in enumerate(dz.astype("float64")):
        seen = x.astype("float64") if drop is None else x.astype("float64") * drop[g if len(drop) > 1 else 0]
        columns.append(np.vstack([np.einsum("tbk,tbh->kh", seen, dz_g), dz_g.sum(axis=(0, 1))]))
    return np.concatenate(columns, axis=1)


@given(problem=problems())
def test_d_weights_is_numpy(assert_close, problem):
    x, h, dz, drops, d_h, biases = problem
    H = h.shape[-1]
    W, U = (np.empty((a.shape[-1], len(dz) * H), x.dtype) for a in (x, h))
    dW, dU = with_bias(W, biases[0]), with_bias(U, biases[1])
    dW[:], dU[:] = np.nan, np.nan
    with locked():
        threads = prepare(dz.dtype, work=10**9)
        d_weights(x, h, dz, dW, dU, threads=threads, d_h=d_h, **drops)
    dz_h = dz if d_h is None else np.concatenate([dz[:-1], d_h[None]])
    for name, found, a, d, b in (("x", dW, x, dz, biases[0]), ("h", dU, h, dz_h, biases[1])):
        wanted = expected(a, d, drops[f"{name}_drop"])
        d_weight, d_bias = split_bias(found, b)
        assert_close(d_weight, wanted[:-1], TOLERANCE[x.dtype.name], name)
        assert (d_bias is None) == (b is None)
        if b is not None:
            assert_close(d_bias, wanted[-1], TOLERANCE[x.dtype.name], f"{name}: bias")


def test_gates_of_another_call_are_left_alone():
    dW, dU = np.full((4, 6), 7.0), np.full((2, 6), 7.0)
    with locked():
        threads = prepare(np.dtype("float64"), work=10**9)
        d_weights(np.ones((5, 1, 3)), np.ones((5, 1, 2)), np.ones((1, 5, 1, 2)), dW, dU, threads=threads, first_gate=2)
    np.testing.assert_array_equal(dW, [[7, 7, 7, 7, 5, 5]] * 4)
    np.testing.assert_array_equal(dU, [[7, 7, 7, 7, 5, 5]] * 2)


def test_large_inputs_are_read_where_they_lie(assert_close):
    """Rows of a few numbers, which would not be packed if they were in order."""
    generator = np.random.default_rng(0)
    B, T, F, H = 40, 200, 10, 3
    x, h, dz = (generator.normal(size=s).astype("float32") for s in [(B, T, F), (T, B, H), (1, T, B, H)])
    assert x.nbytes > LARGE
    dW, dU = np.empty((F, H), "float32"), np.empty((H, H), "float32")
    with locked():
        threads = prepare(x.dtype, work=10**9)
        d_weights(x.swapaxes(0, 1), h, dz, dW, dU, threads=threads)
    assert_close(dW, expected(x.swapaxes(0, 1), dz, None)[:-1], TOLERANCE["float32"], "x")
    assert_close(dU, expected(h, dz, None)[:-1], TOLERANCE["float32"], "h")


def test_without_states():
    dW = np.empty((3, 2))
    with locked():
        threads = prepare(np.dtype("float64"), work=10**9)
        d_weights(np.ones((1, 5, 3)), None, np.ones((1, 1, 5, 2)), dW, None, threads=threads)
    np.testing.assert_array_equal(dW, np.full((3, 2), 5.0))


@pytest.mark.parametrize("panels", [1, PANELS, PANELS + 1, 3 * PANELS])
def test_bits_do_not_depend_on_threads(panels):
    import numba

    generator = np.random.default_rng(0)
    H = panels * PANEL_BYTES // 4
    x, h, dz = (generator.normal(size=s).astype("float32") for s in [(40, 9, 7), (40, 9, H), (1, 40, 9, H)])
    found = []
    for threads in {1, numba.config.NUMBA_NUM_THREADS}:
        numba.set_num_threads(threads)
        dW, dU = np.empty((8, H), "float32"), np.empty((H, H), "float32")
        try:
            with locked():
                threads = prepare(x.dtype, work=10**9)
                d_weights(x, h, dz, dW, dU, threads=threads)
        finally:
            numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
        found.append((dW, dU))
    for other in found[1:]:
        np.testing.assert_array_equal(found[0][0], other[0])
        np.testing.assert_array_equal(found[0][1], other[1])
