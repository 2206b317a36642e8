"""Launching persistent kernels: all time steps of a sequence at once."""

from __future__ import annotations

import numpy as np
from numba import types

from rnn_ref.device import array_module
from rnn_ref.kernels.cuda.persistent.loop import Options, make_backward, make_forward
from rnn_ref.kernels.cuda.persistent.plan import Plan
from rnn_ref.kernels.cuda.recurrence import stream


def _real(x):
    return getattr(types, x.dtype.name)


def _present(array, like, ndim: int):
    """None becomes an array without elements, as compiled code wants one type for both."""
    return array_module(like).empty((0,) * ndim, like.dtype) if array is None else array


def forward(cell, plan: Plan, U, gates, h, mask, codes: tuple, *, b=None, z=None, s=None) -> None:
    """Fill ``gates`` (which hold ``x W + b``), ``h``, and what the cell has of ``z`` and ``s`` (LSTM: c; GRU: q)."""
    options = Options(*codes, masked=mask.size > 0, keep_z=z is not None)
    kernel = make_forward(cell, plan, _real(h), options)
    b, z, s = _present(b, h, 1), _present(z, h, 4), _present(s, h, 3)
    arrived = array_module(h).zeros(plan.row_groups, np.int32)
    kernel[plan.blocks, plan.threads, stream(h)](U, b, gates, z, h, s, mask, arrived, plan.slices)


def backward(cell, plan: Plan, U, gates, h, mask, dh, dz, codes: tuple, *, z=None, s=None, ds=None) -> None:
    """Fill ``dz``, and complete ``dh`` and ``ds`` (LSTM: dc)."""
    options = Options(*codes, masked=mask.size > 0, keep_z=z is not None)
    kernel = make_backward(cell, plan, _real(h), options)
    z, s, ds = _present(z, h, 4), _present(s, h, 3), _present(ds, h, 3)
    arrived = array_module(h).zeros(plan.row_groups, np.int32)
    kernel[plan.blocks, plan.threads, stream(h)](U, gates, z, h, s, mask, dh, ds, dz, arrived, plan.slices)
