"""Inputs and results of one unit at one time step, by the symbols of its cell's equations."""

from __future__ import annotations

import numpy as np

from rnn_ref.equations.activations import NAMES
from rnn_ref.equations.reading import Equation, backward_lines, forward_lines, masked_lines
from rnn_ref.layers import activations


class Numbers:
    """Inputs and results of one unit at one step, by symbol, from the tape and the gradients.

    Parameters
    ----------
    cell : Cell
    tape : Tape
    flow : Gradients or None
    s : int
        The step, in the order of computation.
    b, u : int
        Sample and unit.
    returns_states : bool
        Whether a gradient may reach the final states from outside.
    following : bool
        Whether to include what comes back through the following step.
    """

    def __init__(self, cell, tape, flow, s: int, b: int, u: int, returns_states: bool, *, following: bool = True):
        self.cell, self.tape, self.flow = cell, tape, flow
        self.s, self.b, self.u, self.returns_states = s, b, u, returns_states
        self.dtype = tape.h.dtype
        self.H, self.T = cell.units, len(tape.x)
        self.masked = tape.mask is not None and not tape.mask[s, b]
        self.record = cell.record
        self.terms: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.values: dict[str, np.generic] = {}
        self._states()
        if not self.masked:
            self._sums()
            self._gates()
        if flow is not None:
            self._gradients(following)

    def lines(self) -> tuple[tuple[Equation, ...], tuple[Equation, ...]]:
        """Forward and backward."""
        return masked_lines(self.record) if self.masked else (forward_lines(self.record), backward_lines(self.record))

    def evaluate(self, equations, known: dict | None = None) -> dict:
        """All values; those that neither tape nor gradients hold are computed by their own expressions."""
        values = dict(self.values if known is None else known)
        with np.errstate(all="ignore"):
            for symbol, expression in equations:
                if symbol not in values:
                    values[symbol] = self._value(expression, values)
        return values

    def _value(self, expression: str, values: dict):
        return self.dtype.type(eval(expression, {"__builtins__": {}}, values | self._functions()))

    def _functions(self) -> dict:
        def value(activation):
            return lambda z: activation(np.array([z], self.dtype))[0]

        def derivative(activation):
            one = np.ones(1, self.dtype)
            return lambda z, a: activation.gradient(np.array([z], self.dtype), np.array([a], self.dtype), one)[0]

        named = {name: activations.get(name) for name in NAMES if name != "hard_sigmoid_legacy"}
        named |= {
            name: getattr(self.cell, name)
            for name in ("activation", "recurrent_activation")
            if hasattr(self.cell, name)
        }
        return {name: value(f) for name, f in named.items()} | {f"d_{name}": derivative(f) for name, f in named.items()}

    # -- forward --

    def _states(self) -> None:
        for symbol, state in zip(self.record.states.values(), self.tape.states):
            self.values[f"{symbol}_prev"] = state[self.s, self.b, self.u]
            self.values[symbol] = state[self.s + 1, self.b, self.u]

    def _dropped(self, array, drop, gate: int) -> np.ndarray:
        return array if drop is None else array * drop[gate if len(drop) > 1 else 0, self.b]

    def _sum(self, name: str, left: np.ndarray, right: np.ndarray) -> None:
        self.terms[name] = (left, right)
        self.values[name] = self.dtype.type(np.dot(left.astype("float64"), right.astype("float64")))

    def _sums(self) -> None:
        tape, x, h = self.tape, self.tape.x[self.s, self.b], self.tape.h[self.s, self.b]
        weights = self.cell.gate_weights().values()
        products = 0
        for gate, (kernel, recurrent_kernel, bias) in zip(self.record.gates, weights):
            end = gate.end
            if gate.inputs:
                place = self.record.x_gates.index(gate)
                self._sum(f"x_W{end}", self._dropped(x, tape.x_drop, place), kernel[:, self.u])
            if gate.product:
                left = self._dropped(h, tape.h_drop, products)
                if gate.product != "h":
                    self.values["h_in"], left = left[self.u], tape.q[self.s, self.b]
                self._sum(f"{gate.product}_U{end}", left, recurrent_kernel[:, self.u])
                products += 1
            bias = np.zeros(1, self.dtype) if bias is None else bias[..., self.u].reshape(-1)
            if gate.apart:  # a gate with two separate biases
                alone = not gate.inputs
                own = bias[0] if alone else bias[1] if len(bias) == 2 else self.dtype.type(0)
                self.values[f"b{end}{gate.letter}"] = own
                bias = bias[:1]
            self.values[f"b{end}"] = bias.sum(dtype=self.dtype)
        self.values |= self.cell.equation_values(self.u)

    def _projected(self, array: np.ndarray, gate):
        """``q`` or its gradient, ``(T, B, H)``; cells written as equations have one for each separate product."""
        return array[self.record.q_gates.index(gate)] if array.ndim == 4 else array

    def _gates(self) -> None:
        place = self.s, self.b, self.u
        tape, written = self.tape, hasattr(self.cell, "equations")
        for g, gate in enumerate(self.record.x_gates):
            is_sum = not written or (gate.product and not gate.apart)  # otherwise z holds only x_t W_g + b_g
            z = tape.gates if tape.z is None else tape.z
            self.values[f"{'z' if is_sum else 'x'}{gate.end}"] = z[g][place]
            if gate.symbol and gate.symbol not in self.record.states.values():
                self.values[gate.symbol] = tape.gates[g][place]
        for gate in self.record.h_gates:
            if gate.apart or gate.product != "h":
                self.values[gate.apart or gate.product] = self._projected(tape.q, gate)[place]

    # -- backward --

    def _gradients(self, following: bool) -> None:
        flow, place = self.flow, (self.s + 1, self.b, self.u)
        hidden, *others = self.record.states.values()
        self.values |= {f"d_{symbol}": array[place] for symbol, array in zip((hidden, *others), flow.dstates)}
        if self.masked:
            self.values |= {f"d_{symbol}_prev": self.values[f"d_{symbol}"] for symbol in (hidden, *others)}
        else:
            for g, gate in enumerate(self.record.x_gates):
                self.values[f"d_z{gate.end}"] = flow.dz[g][self.s, self.b, self.u]
                if gate.product not in ("", "h"):
                    self._sum(f"d_z{gate.end}_U{gate.end}", flow.dz[g][self.s, self.b], self._row(gate))
            for gate in self.record.q_gates:
                self.values[f"d_{gate.apart}"] = self._projected(flow.dq, gate)[self.s, self.b, self.u]
        if not following:
            return
        later = self._later()
        parts = later.pop(hidden, [0.0])
        whole = float(self.values[f"d_{hidden}"])
        rest = whole - sum(parts)
        # The remainder comes from the outputs, unless it is only rounding.
        rounding = 8 * np.finfo(self.dtype).eps * (sum(abs(part) for part in parts) + abs(whole))
        self.values[f"d_later_{hidden}"] = self.dtype.type(sum(parts))
        self.values[f"d_out_{hidden}"] = self.dtype.type(0 if abs(rest) <= rounding else rest)
        for symbol in others:
            self.values[f"d_later_{symbol}"] = self.dtype.type(sum(later.get(symbol, self._outside(symbol))))

    def _row(self, gate) -> np.ndarray:
        return self.cell.gate_weights()[gate.name].recurrent_kernel[self.u]

    def _later(self) -> dict[str, list[float]]:
        """By state, the parts of its gradient that come through the step after this one; empty at the last step."""
        n, drop = self.s + 1, self.tape.h_drop
        if n == self.T:
            return {}
        after = Numbers(self.cell, self.tape, self.flow, n, self.b, self.u, self.returns_states, following=False)
        forward, backward = after.lines()
        values = after.evaluate((*forward, *backward))
        states = self.record.states.values()
        parts = {s: [float(values[f"d_{s}_prev"])] if f"d_{s}_prev" in values else [] for s in states}
        if after.masked:
            return parts
        (hidden, *_), x_gates = states, self.record.x_gates
        for g, gate in enumerate(self.record.h_gates):  # through the pre-activations of all units
            d = self._projected(self.flow.dq, gate) if gate.apart else self.flow.dz[x_gates.index(gate)]
            part = d[n, self.b].astype("float64") @ self._row(gate).astype("float64")
            if gate.product != "h":
                part = float(values["d_h_in"])
            parts[hidden].append(
                part if drop is None else part * float(drop[g if len(drop) > 1 else 0, self.b, self.u])
            )
        return parts

    def _outside(self, symbol: str) -> list[float]:
        """The gradient that reached a state other than the hidden one at the last step from outside."""
        whole = self.values[f"d_{symbol}"]
        if self.masked:
            return [whole]
        if not self.returns_states:
            return [0.0]
        forward, backward = self.lines()
        without = {name: value for name, value in self.values.items() if name != f"d_{symbol}"}
        through_h = self.evaluate((*forward, *backward), without | {f"d_later_{symbol}": self.dtype.type(0)})
        return [whole - through_h[f"d_{symbol}"]]

    # -- words --

    def symbols(self) -> dict[str, tuple[str, str]]:
        """Text and LaTeX of symbols that are more than a letter with an index."""
        x_t, h_prev = ("x_t", "x_t"), ("h_{t-1}", "h_{t-1}")
        if self.tape.x_drop is not None:
            x_t = ("(x_t d)", r"(x_t \odot d)")
        if self.tape.h_drop is not None:
            h_prev = ("(h_{t-1} d')", r"(h_{t-1} \odot d')")
        hidden = next(iter(self.record.states.values()))
        h_prev = tuple(text.replace("h_", f"{hidden}_") for text in h_prev)
        found = {"h_in": h_prev}
        for gate in self.record.gates:
            end, product = gate.end, gate.product
            found[f"x_W{end}"] = tuple(f"{x} W{end}" for x in x_t)
            found[f"h_U{end}"] = tuple(f"{h} U{end}" for h in h_prev)
            if gate.apart:
                found[f"b{end}{gate.letter}"] = (f"b'{end}", f"b'{end}")
            if product not in ("", "h"):
                found[f"{product}_U{end}"] = (f"{product} U{end}",) * 2
                found[f"d_z{end}_U{end}"] = (
                    f"dL/dz{end} U{end}ᵀ", rf"\frac{{\partial L}}{{\partial z{end}}} U{end}^{{\mathsf T}}"
                )  # fmt: skip
                text, latex = f"dL/d{h_prev[0]}", rf"\frac{{\partial L}}{{\partial {h_prev[1]}}}"
                found["d_h_in"] = f"{text} (through {product})", rf"{latex}\Big|_{{\text{{through }} {product}}}"
        for state in self.record.states.values():
            dL = (f"dL/d{state}_t", rf"\frac{{\partial L}}{{\partial {state}_t}}")
            for key, words in (("out", "from outputs"), ("later", "from later steps")):
                found[f"d_{key}_{state}"] = (f"{dL[0]} ({words})", rf"{dL[1]}\Big|_{{\text{{{words}}}}}")
        for state in self.record.states.values():  # this unit's own path; h_{t-1} also reaches the gates of all units
            if not self.masked:
                text, latex = f"dL/d{state}_{{t-1}}", rf"\frac{{\partial L}}{{\partial {state}_{{t-1}}}}"
                found[f"d_{state}_prev"] = (
                    f"{text} (through {state}_t)",
                    rf"{latex}\Big|_{{\text{{through }} {state}_t}}",
                )
        return found

    def dropout_notes(self) -> list[str]:
        """The effect of dropout on this sample."""
        notes, letters = [], ", ".join(gate.letter for gate in self.record.gates)
        for what, letter, drop in (("inputs", "d", self.tape.x_drop), ("states", "d'", self.tape.h_drop)):
            if drop is not None:
                zeros = [f"{int((row[self.b] == 0).sum())} of {row.shape[-1]}" for row in drop]
                gates = f" (gates {letters})" if len(drop) > 1 else ""
                notes.append(f"{letter}: dropout of {what}; set to zero: {', '.join(zeros)}{gates}.")
        return notes
