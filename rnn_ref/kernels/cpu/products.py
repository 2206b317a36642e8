"""Matrix products inside compiled code, and the three that every cell needs over whole sequences.

SciPy's BLAS does the work; :func:`add_product` reads strides, so that slices and transposes cost no copy.
Work is cut into blocks by shape alone, never by the number of threads: the bits of a result do
not depend on how many cores there are.
"""

from __future__ import annotations

import threading

from llvmlite import ir
from numba import prange, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.linalg import ensure_blas, get_blas_kind

from rnn_ref.jit import kernel

# Rows of a block in the products over all time steps: large enough for BLAS, small enough to share out.
BLOCK_ROWS = 64


def add_product(a, b, c):
    """``c += a b`` for matrices ``a`` (n, k), ``b`` (k, m), ``c`` (n, m); one stride of each must be 1."""
    c += a @ b


@overload(add_product)
def _add_product_compiled(a, b, c):
    ensure_blas()

    def add_product(a, b, c):
        if c.size > 0:
            _gemm(a, b, c)

    return add_product


@intrinsic
def _gemm(typingctx, a, b, c):
    """One call of BLAS's ``gemm`` with alpha = beta = 1. BLAS is column-major: it computes cᵀ += bᵀ aᵀ."""
    dtype = c.dtype

    def codegen(context, builder, signature, args):
        char, size, pointer = ir.IntType(8), ir.IntType(64), ir.IntType(8).as_pointer()
        itemsize = ir.Constant(size, dtype.bitwidth // 8)

        def unpack(ty, value):
            array = context.make_array(ty)(context, builder, value)
            rows, columns = cgutils.unpack_tuple(builder, array.shape)
            strides = [builder.sdiv(s, itemsize) for s in cgutils.unpack_tuple(builder, array.strides)]
            return builder.bitcast(array.data, pointer), rows, columns, strides

        def layout(rows, columns, strides):
            """Row-major with unit stride: 'n' and the row stride; else transposed: 't' and the column stride."""
            unit = ir.Constant(size, 1)
            row_major = builder.or_(
                builder.icmp_signed("==", strides[1], unit), builder.icmp_signed("==", columns, unit)
            )
            flag = builder.select(row_major, ir.Constant(char, ord("n")), ir.Constant(char, ord("t")))
            leading = builder.select(row_major, strides[0], strides[1])
            least = builder.select(row_major, columns, rows)  # BLAS insists, also where a stride is unused
            leading = builder.select(builder.icmp_signed("<", leading, least), least, leading)
            return flag, leading

        (a_type, b_type, c_type) = signature.args
        a_data, n, k, a_strides = unpack(a_type, args[0])
        b_data, k2, m, b_strides = unpack(b_type, args[1])
        c_data, c_rows, c_columns, c_strides = unpack(c_type, args[2])
        a_flag, lda = layout(n, k, a_strides)
        b_flag, ldb = layout(k2, m, b_strides)
        _, ldc = layout(c_rows, c_columns, c_strides)
        one = cgutils.alloca_once_value(builder, ir.Constant(context.get_value_type(dtype), 1.0))
        one = builder.bitcast(one, pointer)
        function_type = ir.FunctionType(
            ir.IntType(32),
            [char, char, char, size, size, size, pointer, pointer, size, pointer, size, pointer, pointer, size],
        )
        function = cgutils.get_or_insert_function(builder.module, function_type, "numba_xxgemm")
        kind = ir.Constant(char, ord(get_blas_kind(dtype)))
        builder.call(
            function,
            [kind, b_flag, a_flag, m, n, k, one, b_data, ldb, a_data, lda, one, c_data, ldc],
        )
        return context.get_dummy_value()

    return types.void(a, b, c), codegen


@kernel(parallel=True)
def project(x, W, b, z):
    """``z_g = x W_g + b_g`` for all rows at once: ``x`` (N, F), ``W`` (F, G*H), ``b`` (G*H,), ``z`` (G, N, H)."""
    G, N, H = z.shape
    for block in prange((N + BLOCK_ROWS - 1) // BLOCK_ROWS):
        first, last = block * BLOCK_ROWS, min(N, (block + 1) * BLOCK_ROWS)
        for g in range(G):
            for n in range(first, last):  # a loop compiles seconds faster than a broadcast assignment
                for k in range(H):
                    z[g, n, k] = b[g * H + k]
            add_product(x[first:last], W[:, g * H : (g + 1) * H], z[g, first:last])


@kernel(parallel=True)
def d_project_x(dz, W, dx):
    """``dx = Σ_g dz_g W_gᵀ``: ``dz`` (G, N, H), ``W`` (F, G*H), ``dx`` (N, F)."""
    G, N, H = dz.shape
    for block in prange((N + BLOCK_ROWS - 1) // BLOCK_ROWS):
        first, last = block * BLOCK_ROWS, min(N, (block + 1) * BLOCK_ROWS)
        for n in range(first, last):
            for f in range(dx.shape[1]):
                dx[n, f] = 0
        for g in range(G):
            add_product(dz[g, first:last], W[:, g * H : (g + 1) * H].T, dx[first:last])


@kernel(parallel=True)
def d_project_W(x, dz, dW, column):
    """``dW_g = xᵀ dz_g``: ``x`` (N, F), ``dz`` (G, N, H), ``dW`` (F, *), its blocks starting at ``column``.

    Each task owns half a gate. With a column of ones for ``x`` this is the gradient of a bias.
    """
    G, _N, H = dz.shape
    half = (H + 1) // 2
    for task in prange(2 * G):
        g, first = task // 2, (task % 2) * half
        last = min(H, first + half)
        out = dW[:, column + g * H + first : column + g * H + last]
        for f in range(out.shape[0]):
            for k in range(out.shape[1]):
                out[f, k] = 0
        add_product(x.T, dz[g, :, first:last], out)


_running = threading.Lock()
_blas = None


class serial_blas:
    """While kernels run: one at a time, and BLAS on one thread, since the kernels share out the work themselves.

    Products outside kernels run in it too where their bits must not depend on the number of threads.

    Numba's portable thread pool must not be entered from two Python threads at once, and a BLAS that starts
    threads inside each of ours is 2 to 20 times slower.
    """

    def __enter__(self):
        global _blas
        _running.acquire()
        if _blas is None:
            import scipy.linalg.cython_blas  # noqa: F401 - loads the BLAS that compiled code calls
            from threadpoolctl import ThreadpoolController

            _blas = ThreadpoolController().select(user_api="blas").lib_controllers
        self._threads = [blas.get_num_threads() for blas in _blas]
        for blas in _blas:
            blas.set_num_threads(1)

    def __exit__(self, *exception):
        for blas, threads in zip(_blas, self._threads):
            blas.set_num_threads(threads)
        _running.release()
