"""How many threads share a parallel loop of a kernel, and none but the caller's in a forked process.

Numba's parallel loops call a function of its threading layer, by the name ``numba_parallel_for``. Kernels are linked to
one of ours in its place. It looks into one number, the limit: up to 1 the caller runs the loop alone, above, that many
threads at most do. So nobody sets Numba's own number of threads, which belongs to the user, nor has to restore it when
a signal comes in between.

GNU's OpenMP does not survive a fork: Numba ends a child that enters it. In a process that was forked from one where its
threads had been started the limit stays 1. The machine code is the same, and so are the bits.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from functools import cache

from llvmlite import binding, ir
from numba import get_num_threads
from numba.core import types
from numba.np.ufunc import parallel

from rnn_ref.hardware import SPINS

_limit = ctypes.c_ssize_t(1)
_get = None  # Numba's number of threads, once they are started
_forked = False  # from a process in which they were


def _start() -> None:
    """Start Numba's threads; GNU's OpenMP, if they are its, reads here how long they wait for work before they sleep.

    Left alone, they wait actively for some 5 milliseconds. When another program needs the core, it runs instead of
    the thread that has waited so long, and then comes the work: a step of one millisecond took 25. Who set OpenMP's
    variables himself is left alone; and where another library loaded OpenMP before, it stays as it is.
    """
    global _get
    if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & set(os.environ):
        os.environ["GOMP_SPINCOUNT"] = str(SPINS)
        try:
            get_num_threads()  # loads the library, which looks just once
        finally:
            del os.environ["GOMP_SPINCOUNT"]
    get_num_threads()
    # What it calls once it made sure, by two locks, that the library is loaded.
    _get = getattr(parallel, "_get_num_threads", get_num_threads)


def use_threads(at_most: int) -> int:
    """How many threads share the loops from here on: up to so many, and no more than Numba was told to use."""
    if _get is None:
        _start()
    threads = 1 if at_most <= 1 or _forked else min(_get(), at_most)
    _limit.value = threads
    return threads


@contextmanager
def linked_to_ours():
    """What is compiled or loaded meanwhile gets our function for its parallel loops."""
    if _get is None:
        _start()
    theirs = binding.address_of_symbol("numba_parallel_for")
    binding.add_symbol("numba_parallel_for", _compiled(theirs).get_function_address("shared_loop"))
    try:
        yield
    finally:
        binding.add_symbol("numba_parallel_for", theirs)


@cache
def _compiled(theirs: int):
    """``shared_loop(body, arguments, counts, strides, data, dimensions, arrays, threads)``, in machine code."""
    pointer, word = ir.IntType(8).as_pointer(), ir.IntType(types.intp.bitwidth)
    loop = ir.FunctionType(ir.VoidType(), [pointer] * 5 + [word] * 3)
    module = ir.Module("rnn_ref.regions")
    function = ir.Function(module, loop, "shared_loop")
    builder = ir.IRBuilder(function.append_basic_block())
    body, *given, _, _, threads = function.args
    limit = builder.load(builder.inttoptr(word(ctypes.addressof(_limit)), word.as_pointer()))
    with builder.if_else(builder.icmp_signed("<=", limit, word(1))) as (alone, together):
        with alone:  # the body loops by itself
            inner = ir.FunctionType(ir.VoidType(), [pointer] * 4)
            builder.call(builder.bitcast(body, inner.as_pointer()), given)
        with together:
            fewer = builder.select(builder.icmp_signed("<", limit, threads), limit, threads)
            builder.call(builder.inttoptr(word(theirs), loop.as_pointer()), [*function.args[:-1], fewer])
    builder.ret_void()
    machine = binding.Target.from_default_triple().create_target_machine()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), machine)
    engine.finalize_object()
    return engine


def _in_child() -> None:
    global _forked
    _forked = _forked or parallel._is_initialized
    if _forked:
        _limit.value = 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
