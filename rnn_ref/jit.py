"""How functions are compiled: two decorators, and a cache that notices every edit.

``@equation``  a scalar function, inlined wherever it is called: CPU kernel, CUDA kernel, simulator.
``@kernel``    a loop over arrays, compiled once for the CPU and kept on disk.

With ``NUMBA_DISABLE_JIT=1`` both give the plain Python function back, so a debugger can step
through a whole network.
"""

from __future__ import annotations

import inspect
import threading
from concurrent.futures import Future
from functools import cache, partial

import numpy as np
from llvmlite import binding, ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from rnn_ref import locks
from rnn_ref.hardware import FMA, X86
from rnn_ref.kernel_cache import KernelCache
from rnn_ref.regions import BODY, POINTER, SHARE, WORD, offer

# No "fast" arithmetic anywhere: with it the compiler may round the numbers at the end of a row, which fill no vector,
# otherwise than the others, or the same loop otherwise in another place. Then bits depend on how many threads share
# the rows, and on whether machine code was compiled now or read from disk. As it is, every operation is rounded as it
# is written, and where one rounding for two operations is wanted, :func:`fma` says so.
equation = njit(inline="always", error_model="numpy")
equation.__doc__ = "Compile a scalar equation: no arrays, no loops, inlined into every caller."


def uncompiled(function):
    """The Python function of an equation; that takes arrays too, NumPy's or CuPy's."""
    return getattr(function, "py_func", function)


def fma(x, y, z):
    """``x y + z``, rounded once; twice in plain Python, and on processors that have no instruction for it."""
    return x * y + z


@intrinsic
def _fma(typing_context, x, y, z):
    def codegen(context, builder, signature, arguments):
        return builder.fma(*arguments)

    if x == y == z and isinstance(x, types.Float):
        return x(x, y, z), codegen
    return None


overload(fma)(lambda x, y, z: (lambda x, y, z: _fma(x, y, z)) if FMA else (lambda x, y, z: x * y + z))


def uninterrupted(function):
    """``function`` in a thread of its own, as signals interrupt the first one only; Ctrl-C ends the wait, not the work.

    Numba, interrupted, keeps its lock now and then, or half of what it imports.
    """

    def call(*arguments):
        # Who is inside Numba's lock already would wait for himself.
        if threading.current_thread() is not threading.main_thread() or locks.compiling._is_owned():
            return function(*arguments)
        outcome = Future()

        def work():
            try:
                outcome.set_result(function(*arguments))
            except BaseException as error:
                outcome.set_exception(error)

        try:
            threading.Thread(target=work, name="rnn_ref compiles").start()
        except RuntimeError:  # no more threads; so it is when Python ends
            return function(*arguments)
        return outcome.result()

    return call


# Functions that compiled code alone calls need not be callable from Python.
UNWRAPPED = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def kernel(function=None, *, parallel: bool = False, wrapped: bool = True, cell: str = "", made_from: str = ""):
    """Compile a loop over arrays for the CPU, for one thread or (``parallel=True``) for all: see :func:`share`.

    One that a function makes anew for every cell has the cell's name, and a hash of what it was made from besides its
    own source: what it is kept on disk under.

    Those for all threads are compiled by :func:`link` only, which gives them their threads.

    The loops of one thread must not allocate memory (Numba refuses to compile one that does): then it need not count
    who uses an array, by two calls at every slice, half the time of a step of few units. Who calls them brings room.

    ``wrapped=False``: compiled code alone will call it.
    """
    if function is None:
        return lambda f: kernel(f, parallel=parallel, wrapped=wrapped, cell=cell, made_from=made_from)
    if cell:
        function.__qualname__ = f"{cell}.{function.__name__}"
    compiled = njit(error_model="numpy", nogil=True, _nrt=parallel, **({} if wrapped else UNWRAPPED))(function)
    if not config.DISABLE_JIT:
        compiled._cache = KernelCache(function, made_from)
        compiled._compile_for_args = uninterrupted(compiled._compile_for_args)
        compiled._can_compile = not parallel
    return compiled


def part(function):
    """Compile a loop over arrays that is copied into the kernels that call it, and kept on disk with these."""
    return njit(error_model="numpy", _nrt=False, **UNWRAPPED)(function)


def task(function):
    """Compile what one of a kernel's threads does at a time, see :func:`share`; it may allocate memory."""
    return njit(error_model="numpy", **UNWRAPPED)(function)


# Types of arguments, given the precision.
R1, R2, R3, R4, R5 = (partial(types.Array, ndim=n, layout="C") for n in (1, 2, 3, 4, 5))
# From a caller: any strides, not to be written to.
GIVEN2, GIVEN3 = (partial(types.Array, ndim=n, layout="A", readonly=True) for n in (2, 3))
# Not to be written to, but without gaps: neighbours are neighbours in memory, and are computed as vectors.
READ1, READ3 = (partial(types.Array, ndim=n, layout="C", readonly=True) for n in (1, 3))
REAL, INTEGER, BOOLEAN = (lambda real: real), (lambda real: types.intp), (lambda real: types.boolean)
INTEGERS = lambda real: types.Array(types.intp, 1, "C")  # noqa: E731
MASK = lambda real: types.Array(types.boolean, 2, "C", readonly=True)  # noqa: E731


def library(function=None, *, cell: str = "", made_from: str = ""):
    """Compile a part of a kernel once, to be called by name like a function of a C library.

    Other compiled functions are copied into their callers, and into the callers of those, and optimized there anew:
    for a function that does much, seconds. The annotations of the arguments give their types.
    """
    if function is None:
        return lambda f: library(f, cell=cell, made_from=made_from)
    if config.DISABLE_JIT:
        return function
    compiled = kernel(function, wrapped=False, cell=cell, made_from=made_from)
    name = f"{function.__module__}.{function.__qualname__}{made_from}"
    annotations = list(inspect.get_annotations(function, eval_str=True).values())

    @intrinsic
    def call(typing_context, *arguments):
        inner = (part for t in arguments for part in (t if isinstance(t, types.BaseTuple) else (t,)))
        real = next(t for t in (getattr(t, "dtype", t) for t in inner) if isinstance(t, types.Float))
        wanted = [annotation(real) for annotation in annotations]

        def codegen(context, builder, signature, packed):
            given = signature.args[0]
            values = cgutils.unpack_tuple(builder, packed[0], len(given))
            values = [context.cast(builder, v, a, b) for v, a, b in zip(values, given, wanted, strict=True)]
            convention = context.call_conv
            target = cgutils.get_or_insert_function(
                builder.module, convention.get_function_type(types.none, wanted), f"{name}.{real}"
            )
            status, _ = convention.call_function(builder, target, types.none, wanted, values)
            with cgutils.if_unlikely(builder, status.is_error):
                convention.return_status_propagate(builder, status)
            return context.get_dummy_value()

        return types.none(types.StarArgTuple(arguments)), codegen

    call.py_func, call.compiled, call.name = function, compiled, name
    return call


# Numbers below the least normal one (1e-38 in float32) take a processor a hundred times as long, and a gradient that
# vanishes ends as nothing else, as do states that fade over padding: 800 time steps took 0.9 s instead of 0.09.
FLUSH_TO_ZERO = 0x8040  # bits of the x86 control register MXCSR: denormal results, and denormal operands, are zero


def _exchange(builder, new):
    """The control register's value; then it is ``new(value)``."""
    place = cgutils.alloca_once(builder, ir.IntType(32))
    pointer = builder.bitcast(place, POINTER)
    signature = ir.FunctionType(ir.VoidType(), [POINTER])
    store, load = (
        cgutils.get_or_insert_function(builder.module, signature, f"llvm.x86.sse.{name}")
        for name in ("stmxcsr", "ldmxcsr")
    )
    builder.call(store, [pointer])
    old = builder.load(place)
    builder.store(new(old), place)
    builder.call(load, [pointer])
    return old


def share(count, task, arguments):
    """``task(k, *arguments)`` for every ``k`` below ``count``, shared out among threads; denormal numbers are zeros.

    Numba's own ``prange`` does this too, and takes seconds to compile each time.
    """
    for k in range(count):
        task(k, *arguments)


def _share(typing_context, count, task, arguments):
    signature = typing_context.resolve_function_type(task, (types.intp, *arguments), {})

    def codegen(context, builder, _, given):
        # What the tasks read, and whether one of them failed.
        record = cgutils.alloca_once(builder, ir.LiteralStructType([given[2].type, ir.IntType(1)]))
        everything, failed = (cgutils.gep_inbounds(builder, record, 0, k) for k in (0, 1))
        builder.store(given[2], everything)
        builder.store(cgutils.false_bit, failed)
        body = _body(context, builder, task.dispatcher.overloads[signature.args], record.type)
        threads = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [POINTER, POINTER, WORD]), SHARE
        )
        number = context.cast(builder, given[0], count, types.intp)
        builder.call(threads, [builder.bitcast(body, POINTER), builder.bitcast(record, POINTER), number])
        with cgutils.if_unlikely(builder, builder.load(failed)):
            context.call_conv.return_user_exc(builder, MemoryError, ("no memory for what a thread computes",))
        return context.get_dummy_value()

    return types.none(count, task, arguments), codegen


def _body(context, builder, compiled, record: ir.Type) -> ir.Function:
    """Runs some of the tasks: what :mod:`rnn_ref.regions` hands to threads."""
    context.add_linking_libs([compiled.library])
    about, task = compiled.fndesc, context.declare_function(builder.module, compiled.fndesc)
    body = ir.Function(builder.module, BODY, builder.module.get_unique_name(f"{builder.function.name}.tasks"))
    body.linkage = "internal"
    builder = ir.IRBuilder(body.append_basic_block())
    first, place = (builder.load(builder.gep(body.args[0], [WORD(k)])) for k in (0, 1))
    everything, failed = (cgutils.gep_inbounds(builder, builder.bitcast(place, record), 0, k) for k in (0, 1))
    arguments = cgutils.unpack_tuple(builder, builder.load(everything), len(about.argtypes) - 1)
    if X86:
        before = _exchange(builder, lambda old: builder.or_(old, old.type(FLUSH_TO_ZERO)))
    with cgutils.for_range(builder, builder.load(body.args[1])) as loop:
        k = builder.add(builder.ptrtoint(first, WORD), loop.index)
        status, _ = context.call_conv.call_function(builder, task, about.restype, about.argtypes, [k, *arguments])
        with cgutils.if_unlikely(builder, status.is_error):
            builder.store(cgutils.true_bit, failed)
    if X86:
        _exchange(builder, lambda _: before)
    builder.ret_void()
    return body


if not config.DISABLE_JIT:
    share = intrinsic(_share)


@cache
def link(function, dtype: np.dtype) -> None:
    """Compile an annotated function for arrays of this type, or take it from the cache.

    Where a ``@library`` function lies is told to the kernels that call it; before that, none of them may be loaded. A
    kernel takes its annotated types and what converts to them: arrays with other strides do not compile it anew.
    """
    if not config.DISABLE_JIT:
        _link(function, dtype)


@uninterrupted
def _link(function, dtype: np.dtype) -> None:
    locks.linking[True]
    try:
        offer()
        real = getattr(types, dtype.name)
        is_library = hasattr(function, "compiled")
        compiled = function.compiled if is_library else function
        annotations = inspect.get_annotations(function.py_func, eval_str=True).values()
        arguments = tuple(annotation(real) for annotation in annotations)
        compiled.disable_compile(False)
        try:
            compiled.compile(arguments)
        finally:
            compiled.disable_compile()
        if is_library:
            result = compiled.overloads[arguments]
            address = result.library.get_pointer_to_function(result.fndesc.llvm_func_name)
            binding.add_symbol(f"{function.name}.{real}", address)
    finally:
        locks.linking.release()
