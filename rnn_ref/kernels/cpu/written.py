"""A cell that was written as equations, over a batch of sequences on the CPU.

gates   (G, T, B, H)        what takes the place of each pre-activation, see :class:`rnn_ref.equations.source.Program`
z       (G, T, B, H)        pre-activations, where kept
q       (A, T, B, H)        recurrent products apart
h, c    (T + 1, B, H), (states besides, T + 1, B, H)
"""

from __future__ import annotations

from pathlib import Path

from rnn_ref.equations import activations
from rnn_ref.equations.source import Program
from rnn_ref.kernel_cache import source_stamp
from rnn_ref.kernels.cpu.batch import empty
from rnn_ref.kernels.cpu.loop import Loop, Product, Steps, loop
from rnn_ref.kernels.cpu.run import Given, Parameters, Runner
from rnn_ref.kernels.cpu.weights import split_bias
from rnn_ref.kernels.tape import WrittenGradients, WrittenTape


class WrittenKernels:
    """Forward and backward of one cell; compiled when first used."""

    def __init__(self, program: Program):
        self.program = program
        x_letters = [part.letter for part in program.x_parts]
        q_letters = [part.letter for part in program.q_parts]
        self.products = tuple(
            Product(-1 - q_letters.index(p.letter) if p.apart else x_letters.index(p.letter)) for p in program.h_parts
        )
        self.runner = Runner(
            self._loop,
            self.products,
            gates=len(x_letters),
            apart=len(q_letters),
            others=len(program.written.states) - 1,
            weights=len(program.written.weights),
        )

    def _loop(self) -> Loop:
        functions = self.program.functions()
        made_from = self.program.digest[:16] + source_stamp(Path(activations.__file__))[:16]
        steps = Steps(functions["step"], functions["d_step"])
        return loop(self.program.written.name, steps, self.products, (0,) * self.runner.G, made_from)

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
        keep_z = keep == "tape" and (keep_z or self.program.needs_z)
        given, parameters = Given(x, mask, x_drop, h_drop), self._parameters(W, U, b, extra)
        found = self.runner.forward(given, parameters, states, keep, keep_z)
        if keep != "tape":
            return WrittenTape(x=x, h=found.h, others=found.c, mask=mask)
        (T, B, _), H = x.shape, found.h.shape[2]
        q = found.q if self.runner.A else empty(x, 0, T, B, H)
        others = found.c if self.runner.others else empty(x, 0, T + 1, B, H)
        z = found.z if keep_z else None
        return WrittenTape(x, found.h, None, found.gates, z, q, mask, x_drop, h_drop, others)

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
        parameters = self._parameters(W, U, b, extra)
        records = Given.of(tape, q=tape.q, c=tape.others)
        back = self.runner.backward(*records, parameters, dh, dothers, given, input_gradient)
        flow, (dW, db), (dU, db_q) = back.flow, split_bias(back.dWb, b), split_bias(back.dUb, extra.b_q)
        if db_q is not None:  # of the products that stand apart
            db_q = db_q.reshape(len(self.products), -1)[[product.target < 0 for product in self.products]]
        return WrittenGradients(
            dx=back.dx, dW=dW, dU=dU, db=db, dh=flow.dh, dothers=flow.dc, dz=flow.dz, dq=flow.dq, db_q=db_q,
            dper_unit=[d.sum(axis=(0, 1)) for d in flow.dp], dp=flow.dp,
        )  # fmt: skip

    def _parameters(self, W, U, b, extra) -> Parameters:
        return Parameters(W, U, b, extra.b_q, extra.per_unit, extra.constants)
