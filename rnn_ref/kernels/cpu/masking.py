"""Masked time steps: the state is carried over them, forward and back.

A mask is ``(T, B)``, True where a step counts; an array without elements means that there is none. A masked step
still runs through the equations with the rest of its chunk, which keeps them free of branches; afterwards its
state is replaced by the one before. Backward, its gradient is taken out beforehand: the equations are linear in
the incoming gradients, so zeros in give zeros out.
"""

from rnn_ref.jit import kernel, part


@kernel
def find_mask(x, value, mask):
    """Which rows of ``x`` (N, F) are not ``value`` throughout: ``mask`` (N,)."""
    for n in range(x.shape[0]):
        mask[n] = False
        for k in range(x.shape[1]):
            if x[n, k] != value:
                mask[n] = True
                break


@part
def hold(counts, before, after):
    """Forward: masked rows of the state ``after`` (n, H) become those of ``before``; ``counts`` (n,) is the mask."""
    for row in range(counts.size):
        if not counts[row]:
            for k in range(after.shape[1]):
                after[row, k] = before[row, k]


@part
def take_out(mask, t, d, kept, first, last):
    """Before a backward step: masked rows of ``d[t + 1]`` move to ``kept`` (n, H) and leave zeros."""
    for row in range(first, last):
        if not mask[t, row]:
            for k in range(d.shape[2]):
                kept[row - first, k] = d[t + 1, row, k]
                d[t + 1, row, k] = 0


@part
def pass_on(mask, t, d, kept, first, last):
    """After it: they come back, and reach ``d[t]`` unchanged."""
    for row in range(first, last):
        if not mask[t, row]:
            for k in range(d.shape[2]):
                d[t + 1, row, k] = kept[row - first, k]
                d[t, row, k] += kept[row - first, k]
