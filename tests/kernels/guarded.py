"""Run by test_memory_safety.py in a process of its own, which dies where a kernel reads or writes outside of an array.

    python guarded.py SEED COUNT

Every array that a kernel is given ends where an unreadable page begins, or begins where one ends.
"""

import ctypes
import mmap
import sys

import numpy as np

from rnn_ref import layers, memory
from rnn_ref.kernels.cpu import batch, products, threads

C = ctypes.CDLL(None)
C.mmap.restype = ctypes.c_void_p
C.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
C.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
C.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
PAGE, BOTH = mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE
places, at_end = [], True


def empty(shape, dtype="float32", *, aligned=False):
    """As memory.empty, between unreadable pages."""
    shape, dtype = (shape,) if isinstance(shape, int) else tuple(shape), np.dtype(dtype)
    needed = int(np.prod(shape)) * dtype.itemsize
    room = -(-max(needed, 1) // PAGE) * PAGE
    place = C.mmap(None, room + 2 * PAGE, BOTH, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    places.append((place, room + 2 * PAGE))
    for guard in (place, place + PAGE + room):
        assert C.mprotect(guard, PAGE, 0) == 0
    first = place + PAGE + (room - needed if at_end else 0)
    return np.frombuffer((ctypes.c_ubyte * needed).from_address(first), dtype).reshape(shape)


def guarded(array):
    copy = empty(array.shape, array.dtype)
    copy[...] = array
    return copy


def workspace(name, like, *shape):
    return empty(shape, like.dtype)


def one(generator):
    """Forward and back with sizes near the borders of vectors, tiles and chunks."""
    choose = lambda *among: among[generator.integers(len(among))]  # noqa: E731
    B, T = choose(1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 31, 32, 33), choose(1, 2, 3, 8, 9)
    F, H = (choose(1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 31, 32, 33, 48, 49) for _ in "FH")
    dtype = choose("float32", "float32", "float64")
    array = lambda *shape: guarded(generator.normal(size=shape).astype(dtype))  # noqa: E731
    kind, options = choose("SimpleRNN", "LSTM", "GRU", "Dense"), {}
    if kind == "Dense":
        layer, x = layers.Dense(H, choose(None, "tanh", "gelu"), dtype=dtype), array(B, F)
    else:
        if kind == "GRU":
            options["reset_after"] = choose(True, False)
        options |= {"use_bias": choose(True, False), "return_sequences": choose(True, False)}
        layer, x = getattr(layers, kind)(H, dtype=dtype, **options), array(B, T, F)
    layer.ensure_built(x.shape)
    for weight in layer.weights:
        weight.value = guarded(weight.value)
    given = {}
    if kind != "Dense":
        G = layer.cell.blocks
        given = {
            "mask": choose(None, guarded(generator.random((B, T)) < 0.7)),
            "x_drop": choose(None, array(1, B, F), array(G, B, F)),
            "h_drop": choose(None, array(G, B, H)),
            "initial_state": [array(B, H) for _ in layer.cell.STATES],
        }
    y, tape = layer.forward(x, **given)
    gradients = layer.backward(tape, guarded(y))
    for result in (y, gradients.inputs, *gradients.weights.values()):
        assert np.isfinite(result).all(), (kind, B, T, F, H, dtype)
    if kind != "Dense":
        layer(x)


if __name__ == "__main__":
    seed, count = map(int, sys.argv[1:])
    memory.empty, batch.workspace, products.workspace, threads.LITTLE_WORK = empty, workspace, workspace, 1
    generator = np.random.default_rng(seed)
    for k in range(count):
        at_end = k % 2 == 0
        one(generator)
        while places:
            C.munmap(*places.pop())
    print("done", count)
