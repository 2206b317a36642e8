"""A loop over time in NumPy, for scale; inference only. Its cells serve JAX as well."""

from __future__ import annotations


def layer(np, problem) -> dict:
    x, _, (W, U, b) = problem.draw()
    step = CELLS[problem.cell]

    def infer():
        z = x.swapaxes(0, 1) @ W + (b[0] if problem.cell == "GRU" else b)
        zeros = np.zeros((problem.B, problem.H), "float32")
        states = (zeros, zeros) if problem.cell == "LSTM" else (zeros,)
        for z_t in z:
            states = step(lambda v: 1 / (1 + np.exp(-v)), np, z_t, states, U, b)
        return states[0]

    return {"infer": infer}


def simple_rnn(sigmoid, np, z, states, U, b):
    return (np.tanh(z + states[0] @ U),)


def lstm(sigmoid, np, z, states, U, b):
    h, c = states
    i, f, g, o = np.split(z + h @ U, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(sigmoid, np, z, states, U, b):
    (h,) = states
    (z, r, g), (z_h, r_h, g_h) = np.split(z, 3, axis=-1), np.split(h @ U + b[1], 3, axis=-1)
    z = sigmoid(z + z_h)
    return (z * h + (1 - z) * np.tanh(g + sigmoid(r + r_h) * g_h),)


CELLS = {"SimpleRNN": simple_rnn, "LSTM": lstm, "GRU": gru}
