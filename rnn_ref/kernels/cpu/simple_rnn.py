"""SimpleRNN over a batch of sequences on the CPU. Equations: :mod:`rnn_ref.equations.simple_rnn`.

z   (1, T, B, H)     pre-activations
h   (T + 1, B, H)    h[0] initial state, h[t + 1] state after step t
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from rnn_ref.equations import simple_rnn
from rnn_ref.equations.activations import TANH
from rnn_ref.jit import part
from rnn_ref.kernels.cpu.loop import Product, Steps, loop
from rnn_ref.kernels.cpu.run import Given, Parameters, Runner
from rnn_ref.kernels.cpu.weights import split_bias
from rnn_ref.kernels.tape import Gradients, Tape


@part
def step(tape, weights, at):
    here = slice(at.first, at.last)
    z, h, activation = tape.gates[0, at.step, here], tape.h[at.after, here], weights.codes[0]
    if activation == TANH:  # a constant code lets the compiler vectorize
        for k in range(h.size):
            h[k] = simple_rnn.forward(z[k], TANH)
    else:
        for k in range(h.size):
            h[k] = simple_rnn.forward(z[k], activation)


@part
def d_step(tape, weights, flow, at):
    here = slice(at.first, at.last)
    z, h, activation = tape.gates[0, at.step, here], tape.h[at.after, here], weights.codes[0]
    dh, dz = flow.dh[at.after, here], flow.dz[0, at.step, here]
    if activation == TANH:
        for k in range(h.size):
            dz[k] = simple_rnn.backward(dh[k], z[k], h[k], TANH)
    else:
        for k in range(h.size):
            dz[k] = simple_rnn.backward(dh[k], z[k], h[k], activation)


PRODUCTS = (Product(0),)
RUNNER = Runner(partial(loop, "simple_rnn", Steps(step, d_step), PRODUCTS, (0,), Path(__file__)), PRODUCTS, gates=1)


def forward(
    x, W, U, b, h0, *, activation: int, mask=None, x_drop=None, h_drop=None, keep: str = "tape", keep_z: bool = True
) -> Tape:
    """Run a batch of sequences.

    Parameters
    ----------
    x : ndarray, (T, B, F)
    W : ndarray, (F, H)
    U : ndarray, (H, H)
    b : ndarray, (H,) or None
    h0 : ndarray, (B, H)
    activation : int
        Code of the activation, see :mod:`rnn_ref.equations.activations`.
    mask : ndarray of bool, (T, B), optional
        False where a step is to be skipped.
    x_drop, h_drop : ndarray, (1, B, F) and (1, B, H), optional
        Dropout of inputs and states, with the factor that keeps their mean.
    keep : {"tape", "outputs", "last"}
        Everything that :func:`backward` needs; or only the hidden states; or only the final states.
    keep_z : bool
        No choice here: the pre-activations are the only thing kept besides the states.

    Returns
    -------
    Tape
        With ``h`` and ``z``; ``h`` without steps that were not kept.
    """
    given = Given(x, mask, x_drop, h_drop)
    found = RUNNER.forward(given, Parameters(W, U, b, codes=(activation,)), (h0,), keep)
    if keep != "tape":
        return Tape(x=x, h=found.h, mask=mask)
    return Tape(x=x, h=found.h, z=found.gates, mask=mask, x_drop=x_drop, h_drop=h_drop)


def backward(tape: Tape, W, U, b, dh, *, activation: int, given: int = 0, input_gradient: bool = True) -> Gradients:
    """Backpropagation through time.

    Parameters
    ----------
    tape : Tape
        From :func:`forward`.
    W, U, b
        As in :func:`forward`.
    dh : ndarray, (T + 1, B, H)
        What reaches each hidden state from outside (outputs, final state). Overwritten with the totals.
    given : int
        Where ``dh`` begins to hold something; nothing reaches the states before, whatever stands there.
    input_gradient : bool
        Whether to compute ``dx``.

    Returns
    -------
    Gradients
    """
    parameters = Parameters(W, U, b, codes=(activation,))
    back = RUNNER.backward(*Given.of(tape, gates=tape.z), parameters, dh, (), given, input_gradient)
    dW, db = split_bias(back.dWb, b)
    return Gradients(dx=back.dx, dW=dW, dU=back.dUb, db=db, dh=dh, dz=back.flow.dz)
