"""The zoo's cells as loops of PyTorch over ``z_g = x W_g + h U_g + b_g``, from their papers; for the tests."""

from __future__ import annotations

try:
    import torch
    from torch import relu, sigmoid, tanh
except ImportError:  # the tests that need it skip
    torch = None


def peephole_lstm(z, s, w, k):
    i = sigmoid(z["x_i"] + z["h_i"] + w["p_i"] * s[1])
    f = sigmoid(z["x_f"] + z["h_f"] + w["p_f"] * s[1])
    c = f * s[1] + i * tanh(z["x_c"] + z["h_c"])
    o = sigmoid(z["x_o"] + z["h_o"] + w["p_o"] * c)
    return o * tanh(c), c


def coupled_lstm(z, s, w, k):
    f = sigmoid(z["x_f"] + z["h_f"])
    c = f * s[1] + (1 - f) * tanh(z["x_c"] + z["h_c"])
    return sigmoid(z["x_o"] + z["h_o"]) * tanh(c), c


def minimal_gated_unit(z, s, w, k):
    f = sigmoid(z["x_f"] + z["h_f"])
    return ((1 - f) * s[0] + f * tanh(z["x_c"] + f * z["h_c"]),)


def janet(z, s, w, k):
    z_f = z["x_f"] + z["h_f"]
    return (sigmoid(z_f) * s[0] + (1 - sigmoid(z_f - k["beta"])) * tanh(z["x_c"] + z["h_c"]),)


def ugrnn(z, s, w, k):
    u = sigmoid(z["x_u"] + z["h_u"])
    return (u * s[0] + (1 - u) * tanh(z["x_c"] + z["h_c"]),)


def light_gru(z, s, w, k):
    u = sigmoid(z["x_z"] + z["h_z"])
    return (u * s[0] + (1 - u) * relu(z["x_h"] + z["h_h"]),)


def ind_rnn(z, s, w, k):
    return (relu(z["x_c"] + w["u"] * s[0]),)


def sru(z, s, w, k):
    f = sigmoid(z["x_f"] + w["v_f"] * s[1])
    r = sigmoid(z["x_r"] + w["v_r"] * s[1])
    c = f * s[1] + (1 - f) * z["x_c"]
    return r * c + (1 - r) * z["x_h"], c


def fast_grnn(z, s, w, k):
    shared = z["x_s"] + z["h_s"]
    u = sigmoid(shared + w["b_z"])
    g = tanh(shared + w["b_h"])
    return ((sigmoid(w["zeta"]) * (1 - u) + sigmoid(w["nu"])) * g + u * s[0],)


def leaky_echo_state(z, s, w, k):
    return ((1 - k["leak"]) * s[0] + k["leak"] * tanh(z["x_c"] + z["h_c"]),)


def chaos_free(z, s, w, k):
    return (sigmoid(z["x_t"] + z["h_t"]) * tanh(s[0]) + sigmoid(z["x_e"] + z["h_e"]) * tanh(z["x_i"]),)


STEPS = {
    "PeepholeLSTM": peephole_lstm,
    "CoupledLSTM": coupled_lstm,
    "MinimalGatedUnit": minimal_gated_unit,
    "JANET": janet,
    "UGRNN": ugrnn,
    "LightGRU": light_gru,
    "IndRNN": ind_rnn,
    "SRU": sru,
    "FastGRNN": fast_grnn,
    "LeakyEchoState": leaky_echo_state,
    "ChaosFreeNetwork": chaos_free,
}


def run(layer, x, d_outputs):
    """Outputs ``(B, T, H)`` and gradients of ``Σ d_outputs outputs``, by weight name and ``"inputs"``, in float64."""
    cell, step = layer.cell, STEPS[type(layer).__name__]
    weights = {name: torch.tensor(w.numpy(), requires_grad=True) for name, w in cell.named_weights().items()}
    weights = {name.rpartition("/")[2]: w for name, w in weights.items()}
    x = torch.tensor(x, requires_grad=True)
    H, record = cell.units, cell.record
    states = [torch.zeros(len(x), H, dtype=torch.float64) for _ in record.states]
    outputs = []
    for t in range(x.shape[1]):
        z = {}
        for g, gate in enumerate(record.x_gates):
            block = slice(g * H, g * H + H)
            z[f"x_{gate.letter}"] = x[:, t] @ weights["kernel"][:, block] + weights["bias"][block]
        for g, gate in enumerate(record.h_gates):
            z[f"h_{gate.letter}"] = states[0] @ weights["recurrent_kernel"][:, g * H : g * H + H]
        for a, gate in enumerate(record.q_gates):
            z[f"h_{gate.letter}"] = z[f"h_{gate.letter}"] + weights["recurrent_bias"][a * H : a * H + H]
        states = list(step(z, states, weights, cell.constants))
        outputs.append(states[0])
    y = torch.stack(outputs, 1)
    (y * torch.tensor(d_outputs)).sum().backward()
    return y.detach().numpy(), {name: w.grad.numpy() for name, w in weights.items()} | {"inputs": x.grad.numpy()}
