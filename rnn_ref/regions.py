"""How many threads share the tasks of a kernel, and none but the caller's in a forked process.

A kernel hands its tasks to ``rnn_ref_share``, a few instructions of machine code, which look into one number, the
limit: up to 1 the caller works alone, above, that many threads of Numba's threading layer do. So nobody sets Numba's
own number of threads, which belongs to the user, nor has to restore it when a signal comes in between.

GNU's OpenMP does not survive a fork: Numba ends a child that enters it. In a process that was forked from one where its
threads had been started the limit stays 1. The machine code is the same, and so are the bits.
"""

from __future__ import annotations

import ctypes
import os
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


SHARE = "rnn_ref_share"  # void (body, record, count)


def offer() -> None:
    """Let kernels that are compiled or loaded from here on find ``rnn_ref_share``."""
    if _get is None:
        _start()
    address = _compiled(binding.address_of_symbol("numba_parallel_for")).get_function_address(SHARE)
    binding.add_symbol(SHARE, address)


POINTER, WORD = ir.IntType(8).as_pointer(), ir.IntType(types.intp.bitwidth)
# A body of tasks, as Numba's threading layer calls it: (arguments, counts, strides, data). It is told where to begin by
# a pointer that is no address but the number of its first task, and how many there are by the first count.
BODY = ir.FunctionType(ir.VoidType(), [POINTER.as_pointer(), WORD.as_pointer(), WORD.as_pointer(), POINTER])


@cache
def _compiled(theirs: int):
    """``rnn_ref_share``: it calls the body for all tasks, or ``numba_parallel_for``, at the address ``theirs``."""
    module = ir.Module("rnn_ref.regions")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER, POINTER, WORD]), SHARE)
    builder = ir.IRBuilder(function.append_basic_block())
    body, record, count = function.args
    arguments, strides, counts = (builder.alloca(kind, size) for kind, size in ((POINTER, 2), (WORD, 2), (WORD, 1)))
    for place, values in ((arguments, (POINTER(None), record)), (strides, (WORD(1), WORD(0))), (counts, (count,))):
        for k, value in enumerate(values):
            builder.store(value, builder.gep(place, [WORD(k)]))
    given = arguments, counts, strides, POINTER(None)
    limit = builder.load(builder.inttoptr(WORD(ctypes.addressof(_limit)), WORD.as_pointer()))
    with builder.if_else(builder.icmp_signed("<=", limit, WORD(1))) as (alone, together):
        with alone:
            builder.call(builder.bitcast(body, BODY.as_pointer()), given)
        with together:
            loop = ir.FunctionType(ir.VoidType(), [POINTER, *BODY.args, WORD, WORD, WORD])
            builder.call(builder.inttoptr(WORD(theirs), loop.as_pointer()), [body, *given, WORD(0), WORD(2), limit])
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
