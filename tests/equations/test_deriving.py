"""Derived backwards against finite differences, and against those that were written by hand."""

import ast
import inspect
import random

import numpy as np
import pytest

from rnn_ref import layers
from rnn_ref.equations import gru, lstm
from rnn_ref.equations.deriving import derive
from rnn_ref.equations.written import Line, Part, Written
from rnn_ref.inspection.derived_backward import derive_backward

# NumPy's, not the project's. None has a corner: a finite difference across one is no derivative.
FUNCTIONS = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "softplus": (lambda z: np.log1p(np.exp(z)), lambda z: 1 / (1 + np.exp(-z))),
    "silu": (lambda z: z / (1 + np.exp(-z)), lambda z: (1 + np.exp(-z) * (1 + z)) / (1 + np.exp(-z)) ** 2),
    "exponential": (np.exp, np.exp),
    "linear": (lambda z: z, lambda z: 1.0),
}


def environment() -> dict:
    values = {name: f for name, (f, _) in FUNCTIONS.items()}
    return values | {f"d_{name}": (lambda z, a, d=d: d(z)) for name, (_, d) in FUNCTIONS.items()}


def run(lines, values: dict) -> dict:
    values = dict(values)
    for symbol, expression in lines:
        values[symbol] = eval(ast.unparse(expression), environment(), values)
    return values


def worst_error(written: Written, rng) -> float:
    """Largest difference between a derived gradient and a finite difference, relative to the size of either."""
    derived = derive(written)
    given = {name: rng.normal() for name in written.arguments} | written.constants
    states = list(written.states.values())
    weights = {state: rng.normal() for state in states}  # of the states in the loss

    def loss(**changed) -> float:
        after = run(written.lines, given | changed)
        return sum(weights[state] * after[state] for state in states)

    values = run(derived.forward, given)
    assert all(values[state] == pytest.approx(run(written.lines, given)[state], rel=1e-12) for state in states)
    back = run(derived.backward, values | {f"d{state}": weights[state] for state in states})
    worst = 0.0
    for name in written.arguments:
        if name in written.constants:
            assert name not in derived.gradients
            continue
        d = back[derived.gradients[name]] if name in derived.gradients else 0.0
        step = 1e-6 * max(1.0, abs(given[name]))
        expected = (loss(**{name: given[name] + step}) - loss(**{name: given[name] - step})) / (2 * step)
        worst = max(worst, abs(d - expected) / (1 + abs(expected)))
    return worst


def random_cell(rng: random.Random) -> Written:
    """Equations drawn from a grammar: lines of sums, products, quotients, powers and activations of what is there."""
    arguments = ["z_f", "x_c", "h_c", "h_prev", "p", "alpha"][: rng.randint(2, 6)]
    states = ["h", "c"][: rng.randint(1, 2)]
    known = list(arguments)

    def expression(depth: int) -> str:
        kind = rng.random()
        if depth == 0 or kind < 0.15:
            return rng.choice(known) if rng.random() < 0.85 else rng.choice(["1", "2", "0.5", "1.5"])
        if kind < 0.4:
            return f"{rng.choice(list(FUNCTIONS)[:4])}({expression(depth - 1)})"
        if kind < 0.48:
            return f"({expression(depth - 1)}) ** {rng.choice([2, 3])}"
        if kind < 0.55:
            return f"-({expression(depth - 1)})"
        if kind < 0.62:
            return f"({expression(depth - 1)}) / (1.5 + sigmoid({expression(depth - 1)}))"
        return f"({expression(depth - 1)}) {rng.choice('+-**')} ({expression(depth - 1)})"

    lines = []
    for symbol in [f"s{k}" for k in range(rng.randint(0, 4))] + states:
        lines.append(Line(symbol, ast.parse(f"tanh({expression(3)})", mode="eval").body))
        if rng.random() < 0.5:
            lines[-1] = Line(symbol, lines[-1].expression.args[0])
        known.append(symbol)
    parts = (Part("forget", "f", "z_f", "z_f"), Part("candidate", "c", "x_c", "h_c"))
    constants = {"alpha": 0.7} if "alpha" in arguments else {}
    return Written(
        "drawn", "", parts, dict(zip(("hidden", "cell"), states)), tuple(arguments), tuple(lines), {}, constants, ""
    )


def test_500_random_cells():
    rng, numbers = random.Random(0), np.random.default_rng(0)
    errors = [worst_error(random_cell(rng), numbers) for _ in range(500)]
    assert max(errors) < 1e-6, f"cell {int(np.argmax(errors))}: {max(errors):.2e}"


BY_HAND = {
    "lstm": (layers.LSTM, lstm.RECORD),
    "gru": (layers.GRU, gru.RESET_AFTER),
    "simple_rnn": (layers.SimpleRNN, layers.SimpleRNNCell.record),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_it_equals_the_backward_written_by_hand(name):
    kind, record = BY_HAND[name]
    derivation = derive_backward(kind)
    functions = {"activation": FUNCTIONS["tanh"], "recurrent_activation": FUNCTIONS["sigmoid"]}
    rng = np.random.default_rng(1)
    names = {f: v for f, (v, _) in functions.items()} | {
        f"d_{f}": (lambda z, a, d=d: d(z)) for f, (_, d) in functions.items()
    }
    space = dict(names)
    exec(derivation.code, space)
    derived = space["backward"]
    forward = {
        p: float(rng.normal())
        for p in inspect.signature(getattr(record.step, "py_func", record.step)).parameters
        if not p.endswith("activation")
    }
    for line in derivation.forward:
        symbol, expression = line.split(" = ")
        forward[symbol] = eval(expression, names, forward)
    given = forward | {f"d{state}": float(rng.normal()) for state in record.states.values()}
    by_hand = getattr(record.d_step, "py_func", record.d_step)
    codes = {"activation": np.int64(0), "recurrent_activation": np.int64(1)}  # tanh and sigmoid
    expected = by_hand(**{p: given.get(p, codes.get(p)) for p in inspect.signature(by_hand).parameters})
    expected = expected if isinstance(expected, tuple) else (expected,)
    found = derived(**{p: given[p] for p in inspect.signature(derived).parameters})
    found = found if isinstance(found, tuple) else (found,)
    returned = [name.strip() for name in derivation.code.splitlines()[-1].removeprefix("    return ").split(",")]
    found = dict(zip(returned, found))
    order = [
        node.id
        for node in ast.walk(ast.parse(inspect.getsource(by_hand).strip().splitlines()[-1].strip()))
        if isinstance(node, ast.Name)
    ]
    compared = 0
    for symbol, value in zip(order, expected):
        if symbol in found:
            assert found[symbol] == pytest.approx(value, rel=1e-12)
            compared += 1
    assert compared >= len(found) - 1  # dx_h of the GRU is dz_h there


def test_lines_are_those_of_the_hand_written_file():
    """Up to order, and to the product with the activation of the cell state, which has a line of its own there."""
    shown = {(step.symbol, step.expression) for step in derive_backward(layers.LSTM).backward}
    for line in (
        ("d_g", "d_c * i"),
        ("d_f", "d_c * c_prev"),
        ("d_i", "d_c * g"),
        ("d_o", "d_h * a"),
        ("d_c_prev", "d_c * f"),
    ):
        assert line in shown


def test_a_product_in_between_is_refused():
    with pytest.raises(ValueError, match="a matrix product stands between"):
        derive_backward(layers.GRU(2, reset_after=False))
    with pytest.raises(ValueError, match="takes a recurrent layer"):
        derive_backward(layers.Dense(2))

    class Own(layers.LSTMCell):
        def run(self, x, states, **options):
            return super().run(2 * x, states, **options)

    with pytest.raises(ValueError, match="is custom"):
        derive_backward(Own(2))
