"""Connectionist temporal classification: all alignments of labels to time steps, forward and backward.

A network says at each of T time steps which of C classes it sees, class ``blank`` being none. An alignment of the
labels ``l_1 ... l_n`` is a path through the states ``blank l_1 blank ... l_n blank``, numbered 0 to 2n: at each step it
stays, goes on by one, or by two where that leaves out a blank between two different labels. With ``y_t(s)`` the
log-probability of state s's class at step t, and sums of probabilities taken in the logarithm,

    alpha_t(s) = y_t(s) + sum(alpha_{t-1}(s), alpha_{t-1}(s-1), alpha_{t-1}(s-2))
    beta_t(s)  = sum(y_{t+1}(r) + beta_{t+1}(r), for r = s, s+1, s+2)
    loss       = -sum(alpha_T(2n), alpha_T(2n-1))
    dz_t(k)    = exp(y_t(k)) - sum over s of class k of exp(alpha_t(s) + beta_t(s) + loss)

where z are the logits. Graves et al. 2006, "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data
with Recurrent Neural Networks", equations 6 to 16; beta here leaves out step t.

y, dz    (T, C)     log-probabilities; gradient of the logits
alpha    (T, S)     scratch, S at least 2n + 1
beta     (2, S)     scratch
"""

from __future__ import annotations

import math

from rnn_ref.jit import equation, kernel


@equation
def log_add(a, b):
    """``log(exp(a) + exp(b))``."""
    high = a if a > b else b
    low = b if a > b else a
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


@equation
def class_of(s, labels, blank):
    return labels[s // 2] if s % 2 == 1 else blank


@equation
def can_skip(s, labels):
    """Whether state s can be reached from s - 2: both are labels, and different ones."""
    return s % 2 == 1 and s > 1 and labels[s // 2] != labels[s // 2 - 1]


@kernel
def forward(y, labels, n, blank, alpha):
    """Fill ``alpha``; return the loss, which is infinite if the labels do not fit into the time steps."""
    S = 2 * n + 1
    for s in range(S):
        alpha[0, s] = y[0, class_of(s, labels, blank)] if s < 2 else -math.inf
    for t in range(1, y.shape[0]):
        for s in range(S):
            total = alpha[t - 1, s]
            if s > 0:
                total = log_add(total, alpha[t - 1, s - 1])
            if can_skip(s, labels):
                total = log_add(total, alpha[t - 1, s - 2])
            alpha[t, s] = total + y[t, class_of(s, labels, blank)]
    last = alpha[y.shape[0] - 1]
    return -log_add(last[S - 1], last[S - 2]) if n > 0 else -last[0]


@kernel
def backward(y, labels, n, blank, alpha, loss, beta, dz):
    """Fill ``dz``, from what :func:`forward` found."""
    T, C, S = y.shape[0], y.shape[1], 2 * n + 1
    for t in range(T - 1, -1, -1):
        here, after = beta[t % 2], beta[(t + 1) % 2]
        for s in range(S):
            if t == T - 1:
                here[s] = 0.0 if s > S - 3 else -math.inf
                continue
            total = after[s] + y[t + 1, class_of(s, labels, blank)]
            if s + 1 < S:
                total = log_add(total, after[s + 1] + y[t + 1, class_of(s + 1, labels, blank)])
            if s + 2 < S and can_skip(s + 2, labels):
                total = log_add(total, after[s + 2] + y[t + 1, class_of(s + 2, labels, blank)])
            here[s] = total
        for k in range(C):
            dz[t, k] = math.exp(y[t, k])
        for s in range(S):
            dz[t, class_of(s, labels, blank)] -= math.exp(alpha[t, s] + here[s] + loss)
