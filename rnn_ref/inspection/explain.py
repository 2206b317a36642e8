"""One unit at one time step: the equations with this sample's numbers put in, forward and backward."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from rnn_ref import checks
from rnn_ref.device import asarray, converted, device
from rnn_ref.guard import guarded
from rnn_ref.inspection.cell_equations import (
    GRU_RESET_AFTER,
    GRU_RESET_BEFORE,
    LSTM,
    SIMPLE_RNN,
    CellEquations,
    Equation,
    masked,
)
from rnn_ref.inspection.expressions import Writer
from rnn_ref.inspection.gradients import Both
from rnn_ref.inspection.known_cells import require_known
from rnn_ref.inspection.on_host import on_host
from rnn_ref.inspection.runs import cells_inside, undisturbed
from rnn_ref.inspection.tracing import recurrent
from rnn_ref.layers.bidirectional import Bidirectional
from rnn_ref.layers.call_checks import look_for_nan
from rnn_ref.layers.gru import GRUCell
from rnn_ref.layers.layer import Layer
from rnn_ref.layers.lstm import LSTMCell
from rnn_ref.layers.recurrent import RNN
from rnn_ref.layers.symbolic import entries, pack
from rnn_ref.layers.time_distributed import TimeDistributed
from rnn_ref.models.objective import Objective
from rnn_ref.models.structure import flatten

WRITTEN_OUT = 3  # products of a sum, up to which all are shown


@dataclass(frozen=True, repr=False)
class Explanation:
    """What :func:`explain_step` returns; printed, it is the text, and in a notebook the formulas.

    Attributes
    ----------
    name, layer_class : str
    t, unit, sample : int
    forward, backward : tuple of Equation
        Symbol and expression of every line; ``backward`` is empty where no gradient reaches the layer.
    values : dict of str to number
        By symbol: those of the trace, and of gradient flow, to the bit.
    terms : dict of str to tuple of ndarray
        The factors of every sum: ``terms["x_W_f"]`` holds the inputs and their weights.
    notes : list of str
    """

    name: str
    layer_class: str
    t: int
    unit: int
    sample: int
    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]
    values: dict[str, np.generic]
    terms: dict[str, tuple[np.ndarray, np.ndarray]]
    notes: list[str]
    _functions: dict[str, str]
    _symbols: dict[str, tuple[str, str]]
    _digits: int | None = None

    @property
    def title(self) -> str:
        return f"{self.layer_class} {self.name!r}: unit {self.unit}, time step {self.t}, sample {self.sample}"

    @property
    def text(self) -> str:
        """Plain text."""
        write = self._writer(latex=False)
        lines = [self.title, *(f"  {note}" for note in self.notes)]
        for heading, equations in self._parts():
            lines += ["", heading]
            for symbol, *sides in self._lines(equations, write):
                lines.append(f"  {symbol} = {sides[0]}")
                lines += [f"  {' ' * len(symbol)} = {side}" for side in sides[1:]]
        return "\n".join(lines)

    @property
    def latex(self) -> str:
        """An ``aligned`` environment, to be put between dollar signs."""
        write = self._writer(latex=True)
        rows = []
        for heading, equations in self._parts():
            rows.append(rf"&\textbf{{{heading}}}")
            rows += [rf"{symbol} &= {' = '.join(sides)}" for symbol, *sides in self._lines(equations, write)]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _writer(self, latex: bool) -> Writer:
        return Writer(latex=latex, functions=self._functions, symbols=self._symbols, digits=self._digits)

    def _parts(self):
        yield "Forward", self.forward
        if self.backward:
            yield "Backward", self.backward

    def _lines(self, equations, write: Writer):
        """Symbol; expression with symbols; with numbers, where it is more than one; and what comes out."""
        for symbol, expression in equations:
            for name, (left, right) in self.terms.items():
                if name in re.findall(r"\w+", expression) and len(left) <= WRITTEN_OUT:
                    products = " + ".join(f"a{k} * b{k}" for k in range(len(left)))
                    numbers = {
                        f"{letter}{k}": v for letter, part in zip("ab", (left, right)) for k, v in enumerate(part)
                    }
                    yield write.symbol(name), write.numeric(products, numbers), write.number(self.values[name])
            result = write.number(self.values[symbol])
            put_in = write.numeric(expression, self.values)
            yield write.symbol(symbol), write.symbolic(expression), *([] if put_in == result else [put_in]), result

    def __repr__(self):
        return self.text

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"


@guarded
def explain_step(
    model,
    x,
    t: int,
    unit: int,
    *,
    sample: int = 0,
    layer: str | None = None,
    y=None,
    loss=None,
    dy=None,
    training: bool = False,
    mask=None,
    digits: int | None = None,
    **arguments,
) -> Explanation:
    """The equations of one unit at one time step with the numbers of a sample, forward and backward.

    Numbers that the layer computed are its own, to the bit. A sum over inputs or units is computed once more and
    rounded once, so the right-hand side of a pre-activation may differ from it in the last digit.

    Parameters
    ----------
    model : Model, Sequential or layer
    x : ndarray, (B, T, F)
        Or what else the model takes.
    t : int
        Time step in the order of the data; negative from the end.
    unit, sample : int
    layer : str, optional
        Which recurrent layer, named as in a trace; needed where there are several.
    y : optional
        Targets: the backward pass is that of the model's loss.
    loss : optional
        In place of that of ``compile``; mean squared error for a model that was not compiled.
    dy : ndarray, or list of ndarray, optional
        Gradient of the outputs, instead. Without both, L is the sum of all outputs.
    training : bool
        Run with dropout.
    mask : ndarray of bool, (B, T), optional
    digits : int, optional
        Significant digits shown; absent, as many as tell a number from its neighbours.
    **arguments
        For the call of the model or layer: ``initial_state=...``.

    Returns
    -------
    Explanation
        Prints as text; ``.latex``, and ``.values`` by symbol.

    Raises
    ------
    ValueError
        If there is no layer of that name, several and none chosen, or the cell is a custom one.
    IndexError
        If there is no such time step, unit or sample.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> rnn = rnn_ref.layers.SimpleRNN(1, activation="relu", name="rnn", input_shape=(2, 1))
    >>> rnn.set_weights([np.array([[2.0]]), np.array([[0.5]]), np.array([1.0])])
    >>> rnn_ref.explain_step(rnn, np.array([[[1.0], [-1.0]]]), t=1, unit=0)
    SimpleRNN 'rnn': unit 0, time step 1, sample 0
      L is the sum of all outputs.
    <BLANKLINE>
    Forward
      x_t W = -1 · 2
            = -2
      h_{t-1} U = 3 · 0.5
                = 1.5
      z = x_t W + h_{t-1} U + b
        = -2 + 1.5 + 1
        = 0.5
      h_t = relu(z)
          = relu(0.5)
          = 0.5
    <BLANKLINE>
    Backward
      dL/dh_t = dL/dh_t (from outputs) + dL/dh_t (from later steps)
              = 1 + 0
              = 1
      dL/dz = dL/dh_t · relu'(z)
            = 1 · relu'(0.5)
            = 1
    """
    if not isinstance(model, Layer):
        raise TypeError(f"explain_step takes a model or a layer, got {type(model).__name__}.")
    checks.integer(digits, "digits", "explain_step", least=1, optional=True)
    if loss is not None and y is None:
        raise ValueError(f"explain_step: loss={loss!r} needs the targets y; give them, or leave loss out.")
    look_for_nan(x, f"{model.name}: x")
    # The explanation keeps numbers to be read later: of copies.
    x, y, mask = converted((x, y, mask), lambda given: given.copy())
    with undisturbed(model):
        runs, what = _run(model, x, y, loss, dy, training, mask, arguments)
    with device("cpu"):  # the numbers are NumPy's now, and few
        return _explained(model, runs, what, layer, t, unit, sample, digits)


def _explained(model, runs, what: str, layer, t: int, unit: int, sample: int, digits) -> Explanation:
    name, rnn, cell, tape, flow = _choose(model, runs, layer)
    T, B, H = tape.x.shape[0], tape.x.shape[1], cell.units
    t, unit, sample = (
        _inside(n, size, kind, name) for n, size, kind in ((t, T, "t"), (unit, H, "unit"), (sample, B, "sample"))
    )
    step = T - 1 - t if rnn.go_backwards else t
    numbers = Numbers(cell, tape, flow, step, sample, unit, rnn.return_state)
    notes = [f"L is {what}."]
    if flow is None:
        notes = [f"L, {what}, does not depend on this layer."]
    if rnn.go_backwards:
        notes.append("The layer reads backwards: what is written t-1 was computed at the step after this one.")
    if numbers.masked:
        notes.append("This step is masked: it computes nothing, and the states are carried over it.")
    notes += [] if numbers.masked else numbers.dropout_notes()
    equations = numbers.equations()
    backward = equations.backward if flow is not None else ()
    values = numbers.evaluate((*equations.forward, *backward))
    functions = {f: getattr(cell, f).name for f in ("activation", "recurrent_activation") if hasattr(cell, f)}
    kind = type(rnn if cell is rnn.cell else cell).__name__
    return Explanation(
        name, kind, t, unit, sample, equations.forward, backward, values, numbers.terms, notes,
        functions, numbers.symbols(), digits,
    )  # fmt: skip


def _inside(number: int, size: int, kind: str, name: str) -> int:
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        raise TypeError(f"explain_step: {kind}={number!r} must be a whole number; {name} has 0 to {size - 1}.")
    if not -size <= number < size:
        raise IndexError(f"explain_step: {kind}={number}, but {name} has 0 to {size - 1}.")
    return int(number) % size


# -- running, forward and backward ------------------------------------------------------------------------


def _run(model, x, y, loss, dy, training, mask, arguments):
    """Every recurrent layer with tape and gradients, as :func:`recurrent` takes them; and what L is."""
    if y is not None and dy is not None:
        raise ValueError("explain_step: give the targets y or the gradient dy, not both.")
    if hasattr(model, "walk_layers"):
        outputs, tape, _ = model.run(x, mask=mask, training=training, keep_z=True, **arguments)
        if y is not None:
            dys, what = _of_loss(model, outputs, tape, y, loss)
        else:
            dys, what = _of_outputs(outputs, dy)
        flow = model.run_back(tape, dys).flow
        return Both(on_host(tape), on_host(flow)).runs(), what
    if y is not None or loss is not None:
        raise ValueError(f"explain_step: {model.name} is a layer, and has no loss; give dy=, or put it into a model.")
    inner = model
    while isinstance(inner, TimeDistributed):
        inner = inner.layer
    if isinstance(inner, (RNN, Bidirectional)) or hasattr(inner, "walk_layers"):
        arguments = arguments | {"keep_z": True}
    given = arguments if mask is None else arguments | {"mask": mask}
    outputs, tape = model.forward(x, training=training, **given)
    dys, what = _of_outputs(outputs, dy)
    gradients = model.backward(tape, pack(outputs, dys), input_gradient=False)
    return [(model, Both(on_host(tape), on_host(gradients.flow)))], what


def _of_outputs(outputs, dy):
    outputs = entries(outputs)
    if dy is None:
        return [np.ones_like(y) for y in outputs], "the sum of all outputs"
    dys = entries(dy)
    if [np.shape(d) for d in dys] != [y.shape for y in outputs]:
        raise ValueError(
            f"explain_step: dy has shape {[np.shape(d) for d in dys]}, the outputs have {[y.shape for y in outputs]}."
        )
    return [asarray(d, o.dtype) for d, o in zip(dys, outputs)], "what the given dy is the gradient of"


def _of_loss(model, outputs, tape, y, loss):
    weights = None
    if loss is None:
        model.refuse_own_loss("explain_step")
    if loss is None and model.objective is not None:
        loss, weights = model.objective.losses, model.objective.loss_weights
    y = flatten(y, model.output_names, f"{model.name}: y")
    objective = Objective("mean_squared_error" if loss is None else loss, weights, None, None, model.output_names)
    value, dys = objective.value_and_gradients(y, entries(outputs), [None] * len(y), model.output_masks(tape))
    return dys, f"the loss, {float(value):.6g} for this batch"


def _choose(model, runs, layer: str | None):
    found, layers = {}, []
    for name, rnn, both in recurrent(runs):
        layers.append(name)
        inside = cells_inside(rnn.cell, both.tape)
        for cell, tape in inside:
            flow = None if both.flow is None else both.flow[cell.name]
            found[f"{name}/{cell.name.rpartition('/')[2]}"] = (rnn, cell, tape, flow)
        if not inside:
            found[name] = (rnn, rnn.cell, both.tape, both.flow)
    if not found:
        raise ValueError(f"explain_step: {model.name} has no recurrent layer.")
    if layer is None and len(found) > 1:
        raise ValueError(f"explain_step: {model.name} has several; choose one with layer=: {', '.join(found)}.")
    name = next(iter(found)) if layer is None else layer
    if name not in found:
        raise ValueError(f"explain_step: no recurrent layer is named {name!r}; there are {', '.join(found)}.")
    require_known(found[name][1], "explain_step", name)
    return name, *found[name]


# -- the numbers ------------------------------------------------------------------------------------------


class Numbers:
    """What one unit was given and gave at one step: by symbol, from the tape and the gradients.

    Parameters
    ----------
    cell : Cell
    tape : Tape
    flow : Gradients or None
    s : int
        The step, in the order of computing.
    b, u : int
        Sample and unit.
    returns_states : bool
        Whether a gradient may reach the final states from outside.
    """

    def __init__(self, cell, tape, flow, s: int, b: int, u: int, returns_states: bool):
        self.cell, self.tape, self.flow = cell, tape, flow
        self.s, self.b, self.u, self.returns_states = s, b, u, returns_states
        self.dtype = tape.h.dtype
        self.H, self.T = cell.units, len(tape.x)
        self.masked = tape.mask is not None and not tape.mask[s, b]
        self.reset_after = getattr(cell, "reset_after", False)
        self.letters = ("i", "f", "c", "o") if self._is(LSTMCell) else ("z", "r", "h") if self._is(GRUCell) else ("",)
        self.terms: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.values: dict[str, np.generic] = {}
        self._states()
        if not self.masked:
            self._sums()
            self._gates()
        if flow is not None:
            self._gradients()

    def _is(self, kind) -> bool:
        return isinstance(self.cell, kind)

    def equations(self) -> CellEquations:
        if self.masked:
            return masked(self.cell.STATES)
        if self._is(LSTMCell):
            return LSTM
        if self._is(GRUCell):
            return GRU_RESET_AFTER if self.reset_after else GRU_RESET_BEFORE
        return SIMPLE_RNN

    def evaluate(self, equations) -> dict:
        """All values; what neither tape nor gradients hold is computed by its own expression."""
        values = dict(self.values)
        with np.errstate(all="ignore"):
            for symbol, expression in equations:
                if symbol not in values:
                    found = eval(expression, {"__builtins__": {}}, values | self._functions())
                    values[symbol] = self.dtype.type(found)
        return values

    def _functions(self) -> dict:
        def value(activation):
            return lambda z: activation(np.array([z], self.dtype))[0]

        def derivative(activation):
            one = np.ones(1, self.dtype)
            return lambda z, a: activation.gradient(np.array([z], self.dtype), np.array([a], self.dtype), one)[0]

        names = [name for name in ("activation", "recurrent_activation") if hasattr(self.cell, name)]
        return {name: value(getattr(self.cell, name)) for name in names} | {
            f"d_{name}": derivative(getattr(self.cell, name)) for name in names
        }

    # -- forward --

    def _states(self) -> None:
        for symbol, state in zip("hc", self.tape.states):
            self.values[f"{symbol}_prev"] = state[self.s, self.b, self.u]
            self.values[symbol] = state[self.s + 1, self.b, self.u]

    def _dropped(self, array, drop, gate: int) -> np.ndarray:
        return array if drop is None else array * drop[gate if len(drop) > 1 else 0, self.b]

    def _column(self, weight, gate: int) -> np.ndarray:
        return weight.value[:, gate * self.H + self.u]

    def _sum(self, name: str, left: np.ndarray, right: np.ndarray) -> None:
        self.terms[name] = (left, right)
        self.values[name] = self.dtype.type(np.dot(left.astype("float64"), right.astype("float64")))

    def _sums(self) -> None:
        cell, tape, x, h = self.cell, self.tape, self.tape.x[self.s, self.b], self.tape.h[self.s, self.b]
        for g, letter in enumerate(self.letters):
            end = f"_{letter}" if letter else ""
            self._sum(f"x_W{end}", self._dropped(x, tape.x_drop, g), self._column(cell.kernel, g))
            if self._is(GRUCell) and letter == "h" and not self.reset_after:
                self._sum("q_U_h", tape.q[self.s, self.b], self._column(cell.recurrent_kernel, g))
            else:
                self._sum(f"h_U{end}", self._dropped(h, tape.h_drop, g), self._column(cell.recurrent_kernel, g))
            bias = (
                np.zeros(1, self.dtype) if cell.bias is None else cell.bias.value[..., g * self.H + self.u].reshape(-1)
            )
            two = len(bias) == 2 and letter == "h"  # reset_after: the candidate tells its two biases apart
            self.values[f"b{end}"] = bias[0] if two else bias.sum(dtype=self.dtype)
            if letter == "h" and self.reset_after:
                self.values["b_hh"] = bias[-1] if two else self.dtype.type(0)
        self.values["h_in"] = self._dropped(h, tape.h_drop, 2)[self.u] if self._is(GRUCell) else h[self.u]

    def _gates(self) -> None:
        place = self.s, self.b, self.u
        for g, letter in enumerate(self.letters):
            self.values[f"z_{letter}" if letter else "z"] = self.tape.z[g][place]
        for g, symbol in enumerate({4: "ifgo", 3: "zrg", 1: ""}[len(self.letters)]):
            self.values[symbol] = self.tape.gates[g][place]
        if self.tape.q is not None:
            self.values["q"] = self.tape.q[place]

    # -- backward --

    def _gradients(self) -> None:
        flow, place = self.flow, (self.s + 1, self.b, self.u)
        self.values["d_h"] = flow.dh[place]
        parts = self._later_h()
        later = self.dtype.type(sum(parts))
        rest = float(flow.dh[place]) - float(sum(parts))
        # What is left over is what the outputs gave, unless it is but the rounding of the sum.
        rounding = 8 * np.finfo(self.dtype).eps * (sum(abs(part) for part in parts) + abs(float(flow.dh[place])))
        self.values["d_later_h"] = later
        self.values["d_out_h"] = self.dtype.type(0 if abs(rest) <= rounding else rest)
        if flow.dc is not None:
            self.values["d_c"] = flow.dc[place]
            self.values["d_later_c"] = self._later_c()
            if self.masked:
                self.values["d_c_prev"] = flow.dc[place]
        if self.masked:
            self.values["d_h_prev"] = flow.dh[place]
            return
        for g, letter in enumerate(self.letters):
            self.values[f"d_z_{letter}" if letter else "d_z"] = flow.dz[g][self.s, self.b, self.u]
        if self._is(GRUCell) and self.reset_after:
            self.values["d_q"] = flow.dq[self.s, self.b, self.u]
        elif self._is(GRUCell):
            self._sum("d_z_h_U_h", flow.dz[2][self.s, self.b], self._row(2))

    def _row(self, gate: int) -> np.ndarray:
        return self.cell.recurrent_kernel.value[self.u, gate * self.H : (gate + 1) * self.H]

    def _next_masked(self) -> bool:
        return self.tape.mask is not None and not self.tape.mask[self.s + 1, self.b]

    def _later_h(self) -> list[float]:
        """Parts of dL/dh_t that come through the step after this one: its gates, and for GRU ``z h_t`` itself."""
        n, b, u = self.s + 1, self.b, self.u
        if n == self.T:
            return [0.0]
        after = float(self.flow.dh[n + 1, b, u])
        if self._next_masked():
            return [after]
        parts, drop = [], self.tape.h_drop
        for g, letter in enumerate(self.letters):
            d = self.flow.dz[g][n, b]
            candidate = self._is(GRUCell) and letter == "h"
            if candidate and self.reset_after:
                d = self.flow.dq[n, b]
            part = float(d.astype("float64") @ self._row(g).astype("float64"))
            part *= 1.0 if drop is None else float(drop[g if len(drop) > 1 else 0, b, u])
            if candidate and not self.reset_after:
                part *= float(self.tape.gates[1][n, b, u])
            parts.append(part)
        if self._is(GRUCell):
            parts.append(after * float(self.tape.gates[0][n, b, u]))
        return parts

    def _later_c(self):
        """dL/dc_t through the cell state of the step after this one; at the last step, what its outside user gave."""
        n, b, u = self.s + 1, self.b, self.u
        if n < self.T:
            after = self.flow.dc[n + 1, b, u]
            return after if self._next_masked() else after * self.tape.gates[1][n, b, u]
        if not self.returns_states or self.masked:
            return self.values["d_c"] if self.masked else self.dtype.type(0)
        through_h = eval("d_h * o * d_activation(c, activation(c))", {}, self.values | self._functions())
        return self.dtype.type(self.values["d_c"] - through_h)

    # -- words --

    def symbols(self) -> dict[str, tuple[str, str]]:
        """Text and LaTeX of what is more than a letter with an index."""
        x_t, h_prev = ("x_t", "x_t"), ("h_{t-1}", "h_{t-1}")
        if self.tape.x_drop is not None:
            x_t = ("(x_t d)", r"(x_t \odot d)")
        if self.tape.h_drop is not None:
            h_prev = ("(h_{t-1} d')", r"(h_{t-1} \odot d')")
        found = {"h_in": h_prev, "b_hh": ("b'_h", "b'_h"), "q_U_h": ("q U_h", "q U_h")}
        for letter in self.letters:
            end = f"_{letter}" if letter else ""
            found[f"x_W{end}"] = tuple(f"{x} W{end}" for x in x_t)
            found[f"h_U{end}"] = tuple(f"{h} U{end}" for h in h_prev)
        for state in ("h", "c"):
            dL = (f"dL/d{state}_t", rf"\frac{{\partial L}}{{\partial {state}_t}}")
            for key, words in (("out", "from outputs"), ("later", "from later steps")):
                found[f"d_{key}_{state}"] = (f"{dL[0]} ({words})", rf"{dL[1]}\Big|_{{\text{{{words}}}}}")
        found["d_z_h_U_h"] = ("dL/dz_h U_hᵀ", r"\frac{\partial L}{\partial z_h} U_h^{\mathsf T}")
        for state in ("h", "c"):  # this unit's own path; h_{t-1} also reaches the gates of all units
            if not self.masked:
                text, latex = f"dL/d{state}_{{t-1}}", rf"\frac{{\partial L}}{{\partial {state}_{{t-1}}}}"
                found[f"d_{state}_prev"] = (
                    f"{text} (through {state}_t)",
                    rf"{latex}\Big|_{{\text{{through }} {state}_t}}",
                )
        return found

    def dropout_notes(self) -> list[str]:
        """What dropout did to this sample."""
        notes = []
        for what, letter, drop in (("inputs", "d", self.tape.x_drop), ("states", "d'", self.tape.h_drop)):
            if drop is not None:
                zeros = [f"{int((row[self.b] == 0).sum())} of {row.shape[-1]}" for row in drop]
                gates = f" (gates {', '.join(self.letters)})" if len(drop) > 1 else ""
                notes.append(f"{letter}: dropout of {what}; set to zero: {', '.join(zeros)}{gates}.")
        return notes
