"""One case run by the CUDA kernels and by the CPU's, which the tests beside compare."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnn_ref.equations.activations import SIGMOID, TANH

GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1}
TOLERANCES = {"float32": 1e-5, "float64": 1e-10}
TAPE = ("h", "c", "gates", "z", "q")
GRADIENTS = ("dx", "dW", "dU", "db", "dh", "dc", "dz", "dq")


@dataclass
class Case:
    """A batch of random sequences and the options of one run."""

    cell: str
    B: int = 2
    T: int = 3
    F: int = 2
    H: int = 3
    dtype: str = "float32"
    bias: bool = True
    masked: bool = False
    x_drop: bool = False
    h_drop: bool = False
    activation: int = TANH
    recurrent_activation: int = SIGMOID
    reset_after: bool = True
    keep: str = "tape"
    keep_z: bool = False
    seed: int = 0

    def arrays(self) -> dict:
        rng, G = np.random.default_rng(self.seed), GATES[self.cell]
        B, T, F, H = self.B, self.T, self.F, self.H

        def normal(*shape):
            return rng.normal(size=shape)

        def drop(*shape):
            return (rng.random(shape) < 0.7) / 0.7

        states = 2 if self.cell == "lstm" else 1
        bias_shape = (2, G * H) if self.cell == "gru" and self.reset_after else (G * H,)
        dh = normal(T + 1, B, H)
        dh[0] = 0
        return {
            "x": normal(T, B, F),
            "W": normal(F, G * H) / np.sqrt(F),
            "U": normal(H, G * H) / np.sqrt(H),
            "b": normal(*bias_shape) if self.bias else None,
            "states": [normal(B, H) for _ in range(states)],
            "mask": rng.random((T, B)) < 0.6 if self.masked else None,
            "x_drop": drop(G, B, F) if self.x_drop else None,
            "h_drop": drop(G, B, H) if self.h_drop else None,
            "dh": dh,
            "d_final": [normal(B, H) for _ in range(states - 1)],
        }

    def run(self, target: str, dtype: str | None = None, to_device=np.asarray) -> dict:
        """Tape and gradients by name, from ``rnn_ref.kernels.<target>``."""
        kernels = importlib.import_module(f"rnn_ref.kernels.{target}.{self.cell}")
        a = {name: _cast(value, dtype or self.dtype, to_device) for name, value in self.arrays().items()}
        options = {"activation": self.activation}
        if self.cell != "simple_rnn":
            options["recurrent_activation"] = self.recurrent_activation
        if self.cell == "gru":
            options["reset_after"] = self.reset_after
        given = {name: a[name] for name in ("mask", "x_drop", "h_drop")}
        tape = kernels.forward(
            a["x"], a["W"], a["U"], a["b"], *a["states"], **options, **given, keep=self.keep, keep_z=self.keep_z
        )
        if self.keep != "tape":
            outputs = {"outputs": tape.outputs} if self.keep == "outputs" else {}
            return outputs | {f"final {i}": state for i, state in enumerate(tape.final_states)}
        flow = kernels.backward(tape, a["W"], a["U"], a["b"], a["dh"].copy(), *a["d_final"], **options)
        return {name: getattr(tape, name) for name in TAPE} | {name: getattr(flow, name) for name in GRADIENTS}


def _cast(value, dtype, to_device):
    if value is None:
        return None
    if isinstance(value, list):
        return [_cast(v, dtype, to_device) for v in value]
    return to_device(value if value.dtype == bool else value.astype(dtype))


def assert_parity(case: Case, assert_close, to_device=np.asarray, to_host=np.asarray) -> None:
    """The CUDA kernels give what the CPU's give in float64."""
    expected, actual = case.run("cpu", "float64"), case.run("cuda", to_device=to_device)
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        if value is None:
            assert actual[name] is None, name
        else:
            assert actual[name].dtype == case.dtype, name
            assert_close(to_host(actual[name]), value, TOLERANCES[case.dtype], name)


lstm, gru, simple_rnn = (partial(Case, cell) for cell in GATES)
