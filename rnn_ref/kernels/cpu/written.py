"""A cell that was written as equations, over a batch of sequences on the CPU.

gates   (G, T, B, H)        what takes the place of each pre-activation, see :class:`rnn_ref.equations.source.Program`
z       (G, T, B, H)        pre-activations, where kept
q       (A, T, B, H)        recurrent products apart
h, c    (T + 1, B, H), (states besides, T + 1, B, H)
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from rnn_ref.equations import activations
from rnn_ref.equations.source import Program
from rnn_ref.kernel_cache import source_stamp
from rnn_ref.kernels.cpu import batch
from rnn_ref.kernels.cpu.loop import Flow, Loop, Masks, Tape, Weights, loop
from rnn_ref.kernels.cpu.products import pack
from rnn_ref.kernels.cpu.sequence import d_project_inputs
from rnn_ref.kernels.cpu.threads import lock, prepare
from rnn_ref.kernels.cpu.weights import d_weights, split_bias, with_bias
from rnn_ref.kernels.tape import WrittenGradients, WrittenTape
from rnn_ref.memory import empty_like

# What there is none of.
NONE, NO_P, NO_B = (
    {np.dtype(name): np.empty((0,) * axes, name) for name in ("float32", "float64")} for axes in (4, 3, 1)
)


class WrittenKernels:
    """Forward and backward of one cell; compiled when first used."""

    def __init__(self, program: Program):
        self.program = program
        x_letters = [part.letter for part in program.x_parts]
        q_letters = [part.letter for part in program.q_parts]
        self.target = np.array(
            [-1 - q_letters.index(p.letter) if p.apart else x_letters.index(p.letter) for p in program.h_parts], np.intp
        )
        self.G, self.A, self.P = len(x_letters), len(q_letters), len(program.h_parts)
        self.others = len(program.written.states) - 1

    @cached_property
    def loop(self) -> Loop:
        functions = self.program.functions()
        made_from = self.program.digest[:16] + source_stamp(Path(activations.__file__))[:16]
        target = tuple(map(int, self.target))
        return loop(self.program.written.name, functions["step"], functions["d_step"], target, made_from)

    def forward(
        self, x, W, U, b, *states, extra, mask=None, x_drop=None, h_drop=None, keep: str = "tape", keep_z: bool = False
    ) -> WrittenTape:
        """Run a batch of sequences.

        Parameters
        ----------
        x : ndarray, (T, B, F)
        W : ndarray, (F, G*H)
        U : ndarray, (H, products*H), or None without products
        b : ndarray, (G*H,) or None
        *states : ndarray, (B, H)
        extra : Extra
            Recurrent bias, weights by unit and constants.
        mask : ndarray of bool, (T, B), optional
            False where a step is to be skipped.
        x_drop, h_drop : ndarray, (1 or G, B, F) and (products, B, H), optional
            Dropout of inputs and states, with the factor that keeps their mean.
        keep : {"tape", "outputs", "last"}
            Everything that :meth:`backward` needs; or only the hidden states; or only the final states.
        keep_z : bool
            Keep the pre-activations even if the backward pass can do without them.

        Returns
        -------
        WrittenTape
        """
        T, B, _ = x.shape
        H = states[0].shape[1]
        slots = batch.slots(T, keep)
        h, c = batch.empty(x, slots.outputs, B, H), batch.empty(x, self.others, slots.states, B, H)
        gates = batch.kept("gates", x, keep, self.G, slots.steps, B, H)
        q = batch.kept("q", x, keep, self.A, slots.steps, B, H)
        keep_z = keep == "tape" and (keep_z or self.program.needs_z)
        z = batch.empty(x, self.G, T if keep_z else 0, B, H)
        h[0] = states[0]
        for other, first in zip(c, states[1:]):
            other[0] = first
        b = np.zeros(self.G * H, x.dtype) if b is None else b
        weights = self._weights(pack(W, self.G, "W"), b, pack(U, self.P, "U") if self.P else None, extra, B, H)
        with lock:
            loop = self.loop
            threads = prepare(x.dtype, loop.forward_rows, loop.forward_batch, work=self._work(x, H))
            loop.forward_batch(
                x,
                tuple(weights),
                tuple(self._masks(x, mask, x_drop, h_drop)),
                tuple(Tape(gates, z, q, h, c)),
                batch.chunks(B, threads),
            )
        h, c = batch.in_order(h, T), (c[:, ::-1] if c.shape[1] == 2 and T % 2 == 0 else c)
        if keep != "tape":
            return WrittenTape(x=x, h=h, others=c, mask=mask)
        z = z if keep_z else None
        return WrittenTape(x=x, h=h, others=c, gates=gates, q=q, z=z, mask=mask, x_drop=x_drop, h_drop=h_drop)

    def backward(
        self, tape: WrittenTape, W, U, b, dh, *dothers, extra, given: int = 0, input_gradient: bool = True
    ) -> WrittenGradients:
        """Backpropagation through time.

        Parameters
        ----------
        tape : WrittenTape
            From :meth:`forward`.
        W, U, b, extra
            As in :meth:`forward`.
        dh : ndarray, (T + 1, B, H)
            What reaches each hidden state from outside. Overwritten with the totals.
        *dothers : ndarray, (B, H), or 0
            What reaches the other final states from outside.
        given : int
            Where ``dh`` begins to hold something; nothing reaches the states before, whatever stands there.
        input_gradient : bool
            Whether to compute ``dx``.

        Returns
        -------
        WrittenGradients
        """
        x, h, c, gates, q = tape.x, tape.h, tape.others, tape.gates, tape.q
        T, B, H = x.shape[0], x.shape[1], h.shape[2]
        z = batch.empty(x, self.G, 0, B, H) if tape.z is None else tape.z
        dc, dz, dq = empty_like(c), empty_like(gates), empty_like(q)
        for d, last in zip(dc, dothers):
            d[-1] = last
        dp = batch.empty(x, len(self.program.written.weights), T, B, H)
        packed = pack(U, self.P, "U", transposed=True) if self.P else None
        weights = self._weights(None, b, packed, extra, B, H)
        dx = empty_like(x) if input_gradient else None
        dWb, dUb = with_bias(W, b), with_bias(np.empty((H, 0), x.dtype) if U is None else U, extra.b_q)
        with lock:
            loop = self.loop
            threads = prepare(x.dtype, loop.backward_rows, loop.backward_batch, work=self._work(x, H))
            loop.backward_batch(
                tuple(weights),
                tuple(self._masks(x, tape.mask, None, tape.h_drop)),
                tuple(Tape(gates, z, q, h, c)),
                tuple(Flow(dh, dc, dz, dq, dp)),
                given,
                batch.chunks(B, threads),
            )
            self._d_weights(tape, dz, dq, dWb, dUb, threads)
            if input_gradient:
                d_project_inputs(dz, W, dx, tape.x_drop)
        (dW, db), (dU, db_q) = split_bias(dWb, b), split_bias(dUb, extra.b_q)
        if db_q is not None:  # of the products that stand apart
            db_q = db_q.reshape(self.P, H)[self.target < 0]
        dper_unit = [d.sum(axis=(0, 1)) for d in dp]
        return WrittenGradients(
            dx=dx, dW=dW, dU=dU, db=db, dh=dh, dothers=dc, dz=dz, dq=dq, db_q=db_q, dper_unit=dper_unit, dp=dp
        )

    def _weights(self, W, b, U, extra, B: int, H: int) -> Weights:
        none, b_q, p = NONE[extra.constants.dtype], extra.b_q, NO_P[extra.constants.dtype]
        if b_q is None:
            b_q = np.zeros((self.A, H), p.dtype)
        if extra.per_unit:
            p = np.empty((len(extra.per_unit), B, H), p.dtype)
            for row, weight in zip(p, extra.per_unit):
                row[:] = weight
        return Weights(
            none if W is None else W,
            NO_B[p.dtype] if b is None else b,
            none if U is None else U,
            b_q,
            p,
            extra.constants,
        )

    def _masks(self, x, mask, x_drop, h_drop) -> Masks:
        arrays = batch.no_mask(mask), batch.no_drop(x_drop, x), batch.no_drop(h_drop, x)
        # A record's type says that its arrays may be written to, although nobody does.
        return Masks(*(array if array.flags.writeable else array.copy() for array in arrays))

    def _work(self, x, H: int) -> int:
        T, B, F = x.shape
        return T * B * H * (self.G * F + self.P * H)

    def _d_weights(self, tape, dz, dq, dW, dU, threads: int) -> None:
        """Kernel and recurrent kernel at once where both have the same blocks, as they read the same ``dz``."""
        x, h = tape.x, tape.h[:-1]
        drops = {"x_drop": tape.x_drop, "h_drop": tape.h_drop}
        alike = self.program.x_parts == self.program.h_parts
        if alike and not (self.target[:-1] < 0).any():
            d_weights(x, h, dz, dW, dU, threads=threads, d_h=dq[0] if self.A else None, **drops)
            return
        d_weights(x, None, dz, dW, None, threads=threads, x_drop=tape.x_drop)
        for g, z in enumerate(self.target):
            d = dz[z : z + 1] if z >= 0 else dq[-1 - z : -z]
            drop = None if tape.h_drop is None else tape.h_drop[g : g + 1]
            d_weights(h, None, d, dU, None, threads=threads, x_drop=drop, first_gate=g)
