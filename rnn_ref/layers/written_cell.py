"""Cells and layers of a step that a user wrote as equations; see :func:`rnn_ref.cell`."""

from __future__ import annotations

import ast
import inspect

import numpy as np

from rnn_ref import checks
from rnn_ref.device import xp
from rnn_ref.equations.source import Program
from rnn_ref.equations.written import Part, Written
from rnn_ref.kernels.gate import admitted, admitted_written_tape
from rnn_ref.kernels.tape import Extra
from rnn_ref.layers import constraints, initializers, regularizers
from rnn_ref.layers.cell import Cell
from rnn_ref.layers.cell_options import IN_THE_EQUATIONS, GateWeights
from rnn_ref.layers.recurrent import BuiltInRNN
from rnn_ref.layers.simple_rnn import SimpleRNNCell
from rnn_ref.layers.targets import KernelChoice
from rnn_ref.layers.variable import Variable
from rnn_ref.named import Named

# The arguments of a cell are those of SimpleRNN's without activation.
DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(SimpleRNNCell.__init__).parameters.items()
    if parameter.default is not parameter.empty and name != "activation"
}


class WrittenCell(Cell):
    """One step of a layer made by :func:`rnn_ref.cell`; the equations are in its subclasses.

    Weights, if the equations use them: ``kernel (F, G*H)``, ``recurrent_kernel (H, products*H)``, ``bias (G*H,)``,
    ``recurrent_bias (A*H,)`` for separate recurrent products, and any others that the equations name.
    """

    equations: Written
    program: Program
    only_on_cpu = True

    def __init__(self, units, **options):
        given = {name: options.pop(name, value) for name, value in self.equations.constants.items()}
        super().__init__(units, activation=IN_THE_EQUATIONS, **DEFAULTS | options)
        for name in ("recurrent_dropout", "recurrent_regularizer", "recurrent_constraint"):
            if not self.products and getattr(self, name):
                raise ValueError(
                    f"{self.name}: {name} is of no effect, as these equations have no recurrent kernel. Leave it out."
                )
        self.constants = {name: checks.number(value, name, self.name) for name, value in given.items()}

    def build(self, input_shape) -> None:
        super().build(input_shape)
        self.recurrent_bias = None
        apart = len(self.program.q_parts)
        if self.use_bias and apart:
            self.recurrent_bias = self.add_weight(
                (apart * self.units,),
                self.bias_initializer,
                "recurrent_bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        for name, weight in self.equations.weights.items():
            initializer = weight.initializer
            if isinstance(initializer, (int, float)):
                initializer = initializers.Constant(initializer)
            made = self.add_weight(
                (self.units if weight.per_unit else 1,),
                initializers.get(initializer),
                name,
                regularizer=regularizers.get(weight.regularizer),
                constraint=constraints.get(weight.constraint),
            )
            setattr(self, name, made)

    def equation_weights(self) -> dict[str, Variable]:
        return {name: self._weights[name] for name in self.equations.weights}

    def gate_weights(self) -> dict[str, GateWeights]:
        """Views of each gate's part of the weights, by gate name; None for weights that the gate lacks."""
        if not self.built:
            raise ValueError(f"{self.name} was never built, so its gates have no weights yet: call it on data.")
        H, found = self.units, {}
        made = self.program

        def block(weight, parts, part):
            if weight is None or part not in parts:
                return None
            place = parts.index(part) * H
            return weight.value[..., place : place + H]

        for part in self.equations.parts:
            biases = block(self.bias, made.x_parts, part), block(self.recurrent_bias, made.q_parts, part)
            both = [bias for bias in biases if bias is not None]
            bias = both[0] if len(both) == 1 else xp.stack(both) if both else None
            found[part.name] = GateWeights(
                block(self.kernel, made.x_parts, part), block(self.recurrent_kernel, made.h_parts, part), bias
            )
        return Named(found, f"{self.name}: no gate")

    def seen(self, tape):
        made, known = self.program, {}
        for part, gate in zip(made.x_parts, () if tape.gates is None else tape.gates):
            if part.letter in made.symbols:
                known[made.symbols[part.letter]] = gate
                yield "gates", part.name, gate, part.name
        if tape.z is None:
            return
        known |= dict(zip((part.x for part in made.x_parts), tape.z))
        known |= dict(zip((part.h for part in made.q_parts), tape.q))
        for symbol, state in zip(self.equations.states.values(), tape.states):
            known |= {f"{symbol}_prev": state[:-1], symbol: state[1:]}
        known |= {name: weight.value for name, weight in self.equation_weights().items()}
        known |= {name: np.dtype(self.dtype).type(value) for name, value in self.constants.items()}
        for part in made.x_parts:
            z = preactivation(made, part, known)
            if z is not None:
                yield "preactivations", part.name, z, part.name
        for part, q in zip(made.q_parts, tape.q):
            end = "" if len(made.q_parts) == 1 else f"_{part.letter}"
            yield "projections", f"projected_state{end}", q, part.name

    @classmethod
    def named_lines(cls) -> tuple[tuple[str, str, str], ...]:
        """Each line of the step: symbol, expression, and its name in a trace, "" if a trace does not hold it."""
        made, lines = cls.program, cls.program.derived.forward
        named = {symbol: state for state, symbol in cls.equations.states.items()}
        named |= {made.symbols[p.letter]: p.name for p in made.x_parts if p.letter in made.symbols}
        for part in made.x_parts:
            activation = next(
                (line.expression for line in lines if line.symbol == made.activated.get(part.letter)), None
            )
            if activation is not None:
                named.setdefault(ast.unparse(activation.args[0]), f"z {part.name}")
        return tuple((line.symbol, ast.unparse(line.expression), named.get(line.symbol, "")) for line in lines)

    def equation_values(self, unit: int) -> dict[str, np.generic]:
        values = {name: weight.value for name, weight in self.equation_weights().items()}
        found = {name: value[unit if len(value) > 1 else 0] for name, value in values.items()}
        return found | {name: np.dtype(self.dtype).type(value) for name, value in self.constants.items()}

    def kernel_options(self) -> dict:
        """What the equations use besides products."""
        H, b_q = self.units, self.recurrent_bias
        if b_q is not None:
            b_q = admitted(b_q.value, (len(self.program.q_parts) * H,), self.dtype, self.name, "recurrent_bias")
            b_q = b_q.reshape(-1, H)
        weights = {
            name: admitted(weight.value, weight.shape, self.dtype, self.name, name)
            for name, weight in self.equation_weights().items()
        }
        by_unit = tuple(value for name, value in weights.items() if self.equations.weights[name].per_unit)
        scalars = [value[0] for name, value in weights.items() if not self.equations.weights[name].per_unit]
        return {"extra": Extra(b_q, by_unit, np.array([*self.constants.values(), *scalars], self.dtype))}

    def kernel_choice(self, batch_size: int = 32, *, training: bool = True) -> KernelChoice:
        """Compiled for the CPU; see :meth:`rnn_ref.layers.RNN.kernel_choice`."""
        if xp.device == "cpu":
            return KernelChoice("compiled")
        return KernelChoice("compiled", "cells that are written as equations are compiled for the CPU, and run there")

    def admitted_tape(self, tape):
        return admitted_written_tape(tape, self.program, self.units, self.dtype, self.name)

    def weight_gradients(self, flow) -> dict[str, np.ndarray]:
        found = {"kernel": flow.dW}
        if self.recurrent_kernel is not None:
            found["recurrent_kernel"] = flow.dU
        if flow.db is not None:
            found["bias"] = flow.db
        if flow.db_q is not None:
            found["recurrent_bias"] = flow.db_q.reshape(-1)
        for (name, weight), d in zip(self.equation_weights().items(), flow.dper_unit):
            found[name] = d if len(d) == weight.shape[0] else d.sum(keepdims=True)
        return found

    @classmethod
    def source(cls) -> str:
        """What is compiled: forward and backward of one unit, and the loops over a chunk of a batch."""
        return cls.program.text

    def get_config(self) -> dict:
        return super().get_config() | self.constants


class WrittenRNN(BuiltInRNN):
    """A recurrent layer of a step written as equations; the cell is in its subclasses."""

    Cell: type[WrittenCell]

    def __init__(self, units, **options):
        names = [*DEFAULTS, "implementation", *self.Cell.equations.constants]
        of_cell = {name: options.pop(name) for name in names if name in options}
        super().__init__(self.Cell(units, name=f"{type(self).__name__}_cell", **of_cell), **options)

    @classmethod
    def source(cls) -> str:
        """What is compiled: forward and backward of one unit, and the loops over a chunk of a batch."""
        return cls.Cell.source()


def preactivation(made: Program, part: Part, known: dict) -> np.ndarray | None:
    """The argument of a gate's activation, from arrays by symbol; None if a tape does not determine it.

    Sums and products are rounded one by one, here as in the kernels, so that the result is the same to the bit; powers
    above the second may differ in the last digit.
    """
    lines = {line.symbol: line.expression for line in made.derived.forward}
    activation = lines.get(made.activated.get(part.letter))
    if activation is None:
        return known[part.x] if part.x == part.h else None
    name = ast.unparse(activation.args[0])
    if name in known:
        return known[name]
    inside = {node.id for node in ast.walk(lines[name]) if isinstance(node, ast.Name)}
    if not inside <= set(known):
        return None
    return eval(ast.unparse(lines[name]), {"__builtins__": {}}, known)
