"""A batch of sequences through the loops of a cell, there and back, and the gradients of its weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from rnn_ref.hardware import LITTLE_WORK
from rnn_ref.kernels import tape as kernels_tape
from rnn_ref.kernels.cpu import batch
from rnn_ref.kernels.cpu.loop import Flow, Loop, Product, Tape
from rnn_ref.kernels.cpu.products import pack
from rnn_ref.kernels.cpu.sequence import d_project_inputs
from rnn_ref.kernels.cpu.threads import lock, prepare
from rnn_ref.kernels.cpu.weights import d_weights, with_bias
from rnn_ref.memory import empty_like


class Nothing(NamedTuple):
    """What stands for arrays that there are none of; with a slot for steps, so that loops may look for theirs."""

    records: np.ndarray
    p: np.ndarray
    b_q: np.ndarray
    row: np.ndarray
    masks: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, name: str) -> Nothing:
        drop = batch.NO_DROP[np.dtype(name)]
        shapes = (0, 1, 0, 0), (0, 0, 0), (0, 0), (0,)
        return cls(*(np.empty(shape, name) for shape in shapes), (batch.NO_MASK, drop, drop))


NOTHING = {np.dtype(name): Nothing.of(name) for name in ("float32", "float64")}


class Given(NamedTuple):
    """What a batch brings.

    x (T, B, F); mask (T, B), False where a step is to be skipped; x_drop (1 or G, B, F) and h_drop (products, B, H),
    dropout of inputs and states with the factor that keeps their mean. None where there is none.
    """

    x: np.ndarray
    mask: np.ndarray | None = None
    x_drop: np.ndarray | None = None
    h_drop: np.ndarray | None = None

    @classmethod
    def of(cls, tape, *, gates=None, q=None, m=None, c=None) -> tuple[Given, Tape]:
        """What a tape says that the batch brought, and its arrays as the loops have them: these, or its own."""
        none = NOTHING[tape.x.dtype].records
        records = Tape(
            tape.gates if gates is None else gates,
            none if tape.z is None else tape.z,
            none if q is None else q,
            none if m is None else m,
            tape.h,
            none if c is None else c,
        )
        return cls(tape.x, tape.mask, tape.x_drop, tape.h_drop), records

    def masks(self) -> tuple[np.ndarray, ...]:
        """As ``loop.Masks`` has them."""
        x, mask, x_drop, h_drop = self
        if mask is x_drop is h_drop:  # None
            return NOTHING[x.dtype].masks
        arrays = batch.no_mask(mask), batch.no_drop(x_drop, x), batch.no_drop(h_drop, x)
        # A record's type says that its arrays may be written to, although nobody does.
        return tuple(array if array.flags.writeable else array.copy() for array in arrays)


class Parameters(NamedTuple):
    """What a cell has learnt, and its options.

    W (F, G*H); U (H, products*H), b (G*H,), b_q (A, H): None where there is none; p, of each weight by unit (H,);
    constants (C,), None where there are none; codes of activations.
    """

    W: np.ndarray
    U: np.ndarray | None
    b: np.ndarray | None
    b_q: np.ndarray | None = None
    p: tuple[np.ndarray, ...] = ()
    constants: np.ndarray | None = None
    codes: tuple[int, ...] = ()


class Back(NamedTuple):
    """What a way back gives.

    flow: gradients of everything on the tape; dx (T, B, F) or None; dWb and dUb as :func:`with_bias` makes them.
    """

    flow: Flow
    dx: np.ndarray | None
    dWb: np.ndarray
    dUb: np.ndarray


@lru_cache(64)
def _array(codes: tuple[int, ...]) -> np.ndarray:
    return np.array(codes, np.intp)


class Runner:
    """A cell's loops with what calls them.

    Parameters
    ----------
    make_loop : function
        Gives the loops; called when they are first needed.
    gates, apart, made, others, weights : int
        G, recurrent products that stand apart, states that the first part of a step makes, states besides ``h``,
        weights that equations use number by number.
    products : tuple of Product
    """

    def __init__(
        self,
        make_loop: Callable[[], Loop],
        products: tuple[Product, ...],
        *,
        gates: int,
        apart: int = 0,
        made: int = 0,
        others: int = 0,
        weights: int = 0,
    ):
        self.make_loop, self.products = make_loop, products
        self.G, self.A, self.M, self.P = gates, apart, made, len(products)
        self.others, self.weights = others, weights
        plain = tuple(Product(g) for g in range(gates))
        # Every gate has one product, the last one's maybe apart: the weights of all are multiplied in one go.
        self.alike = products in (plain, (*plain[:-1], Product(-1)))
        self.last_made = products == (*plain[:-1], Product(gates - 1, made=0))

    @cached_property
    def loop(self) -> Loop:
        return self.make_loop()

    def forward(self, given: Given, parameters: Parameters, states, keep: str = "tape", keep_z: bool = False) -> Tape:
        """Run a batch.

        Parameters
        ----------
        given : Given
        parameters : Parameters
        states : sequence of ndarray, (B, H)
            Initial ones, the hidden state first.
        keep : {"tape", "outputs", "last"}
            Everything that :meth:`backward` needs; or only the hidden states; or only the final states.
        keep_z : bool
            Keep the pre-activations.

        Returns
        -------
        Tape
            Without steps that were not kept; then only ``h`` and ``c`` mean something.
        """
        x, b, none = given.x, parameters.b, NOTHING[given.x.dtype].records
        T, B, _ = x.shape
        H = states[0].shape[1]
        slots = batch.slots(T, keep)
        h, z, q, m, c = batch.empty(x, slots.outputs, B, H), none, none, none, none
        gates = batch.kept("gates", x, keep, self.G, slots.steps, B, H)
        if keep_z and keep == "tape":
            z = batch.empty(x, self.G, T, B, H)
        if self.A:
            q = batch.kept("q", x, keep, self.A, slots.steps, B, H)
        if self.M:
            m = batch.kept("m", x, keep, self.M, slots.steps, B, H)
        h[0] = states[0]
        if self.others:
            c = batch.empty(x, self.others, slots.states, B, H)
            for j in range(self.others):
                c[j, 0] = states[1 + j]
        b = np.zeros(self.G * H, x.dtype) if b is None else b
        besides, masks = self._besides(parameters, x, B, H), given.masks()
        lock[True]
        try:
            loop = self.loop
            threads = prepare(x.dtype, loop.forward_rows, loop.forward_batch, work=self._work(x, H))
            U = pack(parameters.U, self.P, "U") if self.P else none
            weights = pack(parameters.W, self.G, "W"), b, U, *besides
            loop.forward_batch(x, weights, masks, (gates, z, q, m, h, c), batch.chunks(B, threads))
        finally:
            lock.release()
        if self.others and c.shape[1] == 2 and T % 2 == 0:
            c = c[:, ::-1]
        return Tape(gates, z, q, m, batch.in_order(h, T), c)

    def backward(
        self, given: Given, tape: Tape, parameters: Parameters, dh, dothers, first: int = 0, input_gradient: bool = True
    ) -> Back:
        """Backpropagation through time.

        Parameters
        ----------
        given, tape, parameters
            Of the way forward; ``b_q`` may have any shape ``(..., products*H)`` or ``(A, H)``.
        dh : ndarray, (T + 1, B, H)
            What reaches each hidden state from outside. Overwritten with the totals.
        dothers : sequence of ndarray, (B, H), or 0
            What reaches the other final states from outside.
        first : int
            Where ``dh`` begins to hold something; nothing reaches the states before, whatever stands there.
        input_gradient : bool
            Whether to compute ``dx``.
        """
        x, W, U, b = given.x, parameters.W, parameters.U, parameters.b
        B, H = x.shape[1], tape.h.shape[2]
        nothing = NOTHING[x.dtype]
        none = dc = dq = dm = dp = nothing.records
        dz = empty_like(tape.gates)
        if self.A:
            dq = empty_like(tape.q)
        if self.M:
            dm = batch.workspace("dm", x, self.M, 1, B, H)
        if self.weights:
            dp = batch.empty(x, self.weights, x.shape[0], B, H)
        if self.others:
            dc = empty_like(tape.c)
            for j, last in enumerate(dothers):
                dc[j, -1] = last
        flow = Flow(dh, dc, dz, dq, dm, dp)
        dx = empty_like(x) if input_gradient else None
        work = self._work(x, H)
        shared = work >= LITTLE_WORK  # by several threads, maybe
        dWb = with_bias(W, b, aligned=shared)
        dUb = np.empty((H, 0), x.dtype) if U is None else with_bias(U, parameters.b_q, aligned=shared)
        besides, masks = self._besides(parameters, x, B, H, back=True), given.masks()
        lock[True]
        try:
            loop = self.loop
            threads = prepare(x.dtype, loop.backward_rows, loop.backward_batch, work=work)
            packed = pack(U, self.P, "U", transposed=True) if self.P else none
            weights = none, nothing.row, packed, *besides
            loop.backward_batch(weights, masks, tuple(tape), tuple(flow), first, batch.chunks(B, threads))
            self._d_weights(given, tape, flow, dWb, dUb, threads)
            if input_gradient:
                d_project_inputs(dz, W, dx, given.x_drop)
        finally:
            lock.release()
        return Back(flow, dx, dWb, dUb)

    def _besides(self, parameters: Parameters, x, B: int, H: int, back: bool = False) -> tuple:
        """``b_q, p, constants, codes`` as ``loop.Weights`` has them."""
        nothing, b_q, constants = NOTHING[x.dtype], parameters.b_q, parameters.constants
        if back or not self.A:
            b_q = nothing.b_q
        elif b_q is None:
            b_q = np.zeros((self.A, H), x.dtype)
        p = nothing.p
        if parameters.p:
            p = np.empty((len(parameters.p), B, H), x.dtype)
            for row, weight in zip(p, parameters.p):
                row[:] = weight
        return b_q, p, nothing.row if constants is None else constants, _array(parameters.codes)

    def _work(self, x, H: int) -> int:
        """Multiply-adds of a forward pass."""
        T, B, F = x.shape
        return T * B * H * (self.G * F + self.P * H)

    def _d_weights(self, given: Given, tape: Tape, flow: Flow, dW, dU, threads: int) -> None:
        """Kernel and recurrent kernel at once where both have the same blocks, as they read the same ``dz``."""
        x, h, dz, dq, x_drop, h_drop = given.x, tape.h[:-1], flow.dz, flow.dq, given.x_drop, given.h_drop
        if self.alike:
            d_h = dq[0] if self.A else None
            d_weights(x, h, dz, dW, dU, threads=threads, x_drop=x_drop, h_drop=h_drop, d_h=d_h)
            return
        if self.last_made:
            d_weights(x, h, dz[:-1], dW, dU, threads=threads, x_drop=x_drop, h_drop=h_drop)
            d_weights(x, tape.m[0], dz[-1:], dW, dU, threads=threads, x_drop=x_drop, first_gate=self.G - 1)
            return
        d_weights(x, None, dz, dW, None, threads=threads, x_drop=x_drop)
        for g, (z, made) in enumerate(self.products):
            d = dz[z : z + 1] if z >= 0 else dq[-1 - z : -z]
            of, drop = h if made < 0 else tape.m[made], h_drop if made < 0 else None
            drop = None if drop is None else drop[g : g + 1]
            d_weights(of, None, d, dU, None, threads=threads, x_drop=drop, first_gate=g)


def kept_tape(given: Given, found: Tape, keep: str, keep_z: bool, *, c=None, q=None) -> kernels_tape.Tape:
    """A tape for the layers: everything, or what is kept of the states only."""
    if keep != "tape":
        return kernels_tape.Tape(x=given.x, h=found.h, c=c, mask=given.mask)
    z = found.z if keep_z else None
    return kernels_tape.Tape(given.x, found.h, c, found.gates, z, q, given.mask, given.x_drop, given.h_drop)
