"""Matrix products of the kernels against NumPy: every size of tile, every layout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit, types

from rnn_ref.kernels.cpu.products import (
    BLOCK_K,
    BLOCK_ROWS,
    d_project_x,
    pack,
    packed_product,
    product,
    project,
)
from rnn_ref.kernels.cpu.threads import prepare

from .locked import locked

TOLERANCE = {"float32": 1e-5, "float64": 1e-13}


@pytest.fixture(scope="module")
def multiply():
    """``product``, compiled once for each precision; every layout goes through the same code."""

    @njit
    def run(a, b, start, c):
        product(a, b, start, c)

    for real in (types.float32, types.float64):
        with locked():
            prepare(str(real), work=0)  # the product is linked
        run.compile((types.Array(real, 2, "A"),) * 4)
    run.disable_compile()
    return run


@pytest.fixture(scope="module")
def multiply_packed():
    @njit
    def run(a, b, start, c):
        packed_product(a, b, start, c)

    for real in (types.float32, types.float64):
        with locked():
            prepare(str(real), work=0)  # the product is linked
        matrix = types.Array(real, 2, "C")
        run.compile((matrix, types.Array(real, 3, "C"), matrix, matrix))
    run.disable_compile()
    return run


def arrange(matrix, layout):
    """The same numbers with other strides."""
    rows, columns = matrix.shape
    if layout == "C":
        return np.ascontiguousarray(matrix)
    if layout == "T":
        return np.ascontiguousarray(matrix.T).T
    if layout == "slice":  # a block of a larger matrix, as one gate's columns
        large = np.full((rows + 3, columns + 5), np.nan, matrix.dtype)
        large[2 : 2 + rows, 4 : 4 + columns] = matrix
        return large[2 : 2 + rows, 4 : 4 + columns]
    if layout == "slice.T":
        return arrange(matrix.T, "slice").T
    if layout == "every second row":
        large = np.full((2 * rows, columns), np.nan, matrix.dtype)
        large[::2] = matrix
        return large[::2]
    raise ValueError(layout)


LAYOUTS = ["C", "T", "slice", "slice.T", "every second row"]
ROW_MAJOR = ["C", "slice", "every second row"]
# Rows: every mixture of tiles. Columns: full panels, parts of a vector, of a panel. Depth: one block and more.
row_sizes = st.integers(0, 29)
column_sizes = st.sampled_from([0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50, 64, 65])
depths = st.sampled_from([0, 1, 2, 3, 17, BLOCK_K - 1, BLOCK_K, BLOCK_K + 1])


@given(
    n=row_sizes, k=depths, m=column_sizes,
    layouts=st.tuples(*map(st.sampled_from, (LAYOUTS, ROW_MAJOR, ROW_MAJOR, ROW_MAJOR))),
    start=st.sampled_from(["c", "another", "one row"]),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 1000),
)  # fmt: skip
def test_product_is_numpy(multiply, assert_close, n, k, m, layouts, start, dtype, seed):
    generator = np.random.default_rng(seed)
    a, b, c, s = (
        arrange(generator.normal(size=shape).astype(dtype), layout)
        for shape, layout in zip([(n, k), (k, m), (n, m), (1 if start == "one row" else n, m)], layouts)
    )
    s = c if start == "c" else s
    expected = s + a @ b
    multiply(a, b, s, c)
    assert_close(c, expected, TOLERANCE[dtype], layouts)


@pytest.mark.parametrize("layout_a", LAYOUTS)
@pytest.mark.parametrize("layout_b", ROW_MAJOR)
@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 4, 5), (3, 1, 5), (3, 4, 1), (1, 1, 5), (1, 4, 1), (3, 0, 2)])
def test_product_with_axes_of_size_one(multiply, assert_close, shape, layout_a, layout_b):
    n, k, m = shape
    generator = np.random.default_rng(0)
    a, b = arrange(generator.normal(size=(n, k)), layout_a), arrange(generator.normal(size=(k, m)), layout_b)
    for layout_c in ROW_MAJOR:
        c = arrange(generator.normal(size=(n, m)), layout_c)
        expected = c + a @ b
        multiply(a, b, c, c)
        assert_close(c, expected, 1e-13, (layout_a, layout_b, layout_c))


def test_product_touches_nothing_around_the_result(multiply):
    large = np.zeros((6, 9))
    multiply(np.ones((2, 3)), np.ones((3, 4)), large[2:4, 3:7], large[2:4, 3:7])
    expected = np.zeros((6, 9))
    expected[2:4, 3:7] = 3
    np.testing.assert_array_equal(large, expected)


@pytest.mark.parametrize("place", ["a", "b", "c"])
def test_product_of_a_row_made_by_newaxis(multiply, assert_close, place):
    """``v[None]`` has a row stride of 0."""
    generator = np.random.default_rng(0)
    n, k, m = {"a": (1, 4, 3), "b": (2, 1, 3), "c": (1, 4, 3)}[place]
    a, b, c = generator.normal(size=(n, k)), generator.normal(size=(k, m)), generator.normal(size=(n, m))
    expected = c + a @ b
    if place == "a":
        a = a[0][None]
    elif place == "b":
        b = b[0][None]
    else:
        c = c[0][None]
    multiply(a, b, c, c)
    assert_close(c, expected, 1e-13)


@given(
    n=row_sizes, k=depths, m=column_sizes, G=st.sampled_from([1, 3]), transposed=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]), seed=st.integers(0, 1000),
)  # fmt: skip
def test_packed_products_have_the_bits_of_plain_ones(multiply, multiply_packed, n, k, m, G, transposed, dtype, seed):
    generator = np.random.default_rng(seed)
    a, c = generator.normal(size=(G, n, k)).astype(dtype), generator.normal(size=(n, m)).astype(dtype)
    blocks = generator.normal(size=(G, k, m)).astype(dtype)
    weights = np.concatenate([block.T if transposed else block for block in blocks], axis=1)
    packed, plain = c.copy(), c.copy()
    panels = pack(weights, G, "test", transposed=transposed)
    for g in range(G):
        multiply_packed(a[g], panels[g], packed, packed)
        multiply(a[g], blocks[g], plain, plain)
    np.testing.assert_array_equal(packed, plain)


def test_a_row_has_the_same_bits_alone_and_among_others(multiply):
    generator = np.random.default_rng(0)
    a, b = (generator.normal(size=shape).astype("float32") for shape in [(29, 300), (300, 150)])
    whole, alone = np.zeros((29, 150), "float32"), np.zeros((29, 150), "float32")
    multiply(a, b, whole, whole)
    for n in range(29):
        multiply(a[n : n + 1], b, alone[n : n + 1], alone[n : n + 1])
    np.testing.assert_array_equal(whole, alone)


# -- over whole sequences ---------------------------------------------------------------------------

row_counts = st.sampled_from([1, 2, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 3 * BLOCK_ROWS + 7])


@st.composite
def projections(draw):
    """``x (N, F), W (F, G*H), b (G*H,), dz (G, N, H)`` in one precision."""
    G, N = draw(st.sampled_from([1, 3, 4])), draw(row_counts)
    F, H = draw(st.sampled_from([1, 2, 5, 16, 29])), draw(st.sampled_from([1, 2, 3, 16, 50]))
    dtype, generator = draw(st.sampled_from(["float32", "float64"])), np.random.default_rng(draw(st.integers(0, 99)))
    return tuple(generator.normal(size=s).astype(dtype) for s in [(N, F), (F, G * H), (G * H,), (G, N, H)])


def side_by_side(dz):
    """``(G, N, H)`` -> ``(N, G*H)``."""
    return np.concatenate(list(dz), axis=1)


@given(arrays=projections())
def test_project_and_its_derivative_are_numpy(assert_close, arrays):
    x, W, b, dz = arrays
    tolerance = TOLERANCE[x.dtype.name]
    dx, z = np.full_like(x, np.nan), np.full_like(x @ W, np.nan)
    with locked():
        prepare(dz.dtype, work=10**9)
        project(x, W, b, z)
        d_project_x(dz, W, dx)
    assert_close(z, x.astype("float64") @ W + b, tolerance, "z")
    assert_close(dx, side_by_side(dz).astype("float64") @ W.T, tolerance, "dx")
