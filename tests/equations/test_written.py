"""What a step that is written as equations may hold, and what its errors say."""

import inspect
import os
import subprocess
import sys

import pytest

from rnn_ref import cell, per_unit
from rnn_ref.equations.written import read


def minimal_gated_unit(z_f, x_c, h_c, h_prev):
    f = sigmoid(z_f)  # noqa: F821
    g = tanh(x_c + f * h_c)  # noqa: F821
    h = (1 - f) * h_prev + f * g
    return h


def test_arguments_and_lines_are_read():
    written = read(minimal_gated_unit, ("forget", "candidate"), ("hidden",))
    assert [(part.name, part.letter, part.x, part.h, part.apart) for part in written.parts] == [
        ("forget", "f", "z_f", "z_f", False),
        ("candidate", "c", "x_c", "h_c", True),
    ]
    assert written.states == {"hidden": "h"}
    assert str(written.lines[0]) == "f = sigmoid(z_f)"


def wrong(arguments: str, *lines: str, gates=("forget", "candidate"), states=("hidden",)):
    return pytest.param(arguments, lines, gates, states, id=lines[0] if lines else arguments)


# arguments, lines, what the error says besides the line
WRONG = [
    (wrong("z_f, z_c", "h = sigmoid(z_f) * tahn(z_c)", "return h"), "Did you mean 'tanh'"),
    (wrong("z_f, z_c", "h = sigmoid(z_f) * z_d", "return h"), "there is no z_d"),
    (wrong("z_f, z_c, z_q", "h = z_f * z_c * z_q", "return h"), "names no gate and no state"),
    (wrong("z_f, z_c, c_prev", "h = z_f * z_c * c_prev", "return h"), "names no gate and no state"),
    (wrong("z_f, z_c", "h = z_f * z_c", "return h, c"), "2 are returned"),
    (wrong("z_f, z_c", "g = z_f * z_c", "return h"), "no line computes it"),
    (wrong("z_f, z_c", "c = h * z_f", "h = c * z_c", "return h"), "not computed yet"),
    (wrong("z_f, z_c", "if z_f > 0:", "    h = z_c", "return h"), "branch or loop"),
    (wrong("z_f, z_c", "for k in range(3):", "    h = z_c", "return h"), "branch or loop"),
    (wrong("z_f, z_c", "h = z_c if z_f > 0 else z_f", "return h"), "no derivative to be written down"),
    (wrong("z_f, z_c", "h = np.tanh(z_c) * z_f", "return h"), "works on arrays"),
    (wrong("z_f, z_c", "h = z_c @ z_f", "return h"), "no expression of numbers"),
    (wrong("z_f, z_c", "h = z_c[0] * z_f", "return h"), "no expression of numbers"),
    (wrong("z_f, z_c", "h = tanh(z_c, z_f)", "return h"), "takes one number"),
    (wrong("z_f, z_c", "h = z_c ** z_f", "return h"), "exponent z_f must be a number"),
    (wrong("z_f, z_c", "h = z_f * z_c", "h = h * h", "return h"), "computed above already"),
    (wrong("z_f, z_c", "tanh = z_f * z_c", "h = tanh", "return h"), "meaning of its own"),
    (wrong("z_f, z_c", "b_f = z_f * z_c", "h = b_f", "return h"), "meaning of its own"),
    (wrong("z_f, z_c, b_c=0.5", "h = z_f * z_c * b_c", "return h"), "meaning of its own"),
    (wrong("z_f, z_c", "d_f = z_f * z_c", "h = d_f", "return h"), "as gradients do"),
    (wrong("z_f, z_c, h_prev", "dh = z_f * z_c", "h = dh * h_prev", "return h"), "the gradient of h"),
    (wrong("z_f, z_c, k_=0.5", "h = z_f * z_c * k_", "return h"), "ends with an underscore"),
    (wrong("z_f, z_c", "a, b = z_f, z_c", "h = a * b", "return h"), "no equation"),
    (wrong("z_f, z_c", "h = z_f * 1", "return h"), "z_c is used by no line"),
    (wrong("z_f, z_c", "q = z_c * 2", "h = z_f * z_c", "return h"), "q is used by no line"),
    (wrong("z_f, x_f, z_c", "h = z_f * x_f * z_c", "return h"), "take either"),
    (wrong("z_f", "h = z_f * 1.0", "return h"), "the gate candidate is no argument"),
    (wrong("h_f, h_c", "h = h_f * h_c", "return h"), "no gate looks at the inputs"),
    (wrong("z_f, z_c", "h = z_f * z_c", "return h * 1"), "last line must be"),
    (wrong("z_f, z_c, k=True", "h = z_f * z_c * k", "return h"), "a constant must be a number"),
    (wrong("z_f, z_c, *k", "h = z_f * z_c", "return h"), "must be a plain one"),
]


@pytest.mark.parametrize(
    ("arguments", "lines", "gates", "states", "says"),
    [pytest.param(*case.values, says, id=case.id) for case, says in WRONG],
)
def test_every_error_shows_its_line(tmp_path, arguments, lines, gates, states, says):
    file = tmp_path / "step.py"
    file.write_text(f"def step({arguments}):\n" + "".join(f"    {line}\n" for line in lines))
    namespace = {}
    exec(compile(file.read_text(), str(file), "exec"), namespace)
    with pytest.raises(ValueError, match=r"cell step, line \d+: '.+': ") as error:
        cell(gates=gates, states=states)(namespace["step"])
    assert says in str(error.value)
    shown = str(error.value).split("'")[1]
    assert shown in inspect.getsource(namespace["step"])


@pytest.mark.parametrize(
    ("gates", "states", "says"),
    [
        ("forget", ("hidden",), "tuple of names"),
        (("forget", "fade"), ("hidden",), "begin with one letter"),
        (("forget", "forget"), ("hidden",), "one name twice"),
        ({"F!": "forget"}, ("hidden",), "letters with names"),
        (("forget", "candidate"), ("hidden", "cell"), "states names 2"),
        (("forget", "candidate"), (), "tuple of names"),
    ],
)
def test_gates_and_states_are_checked(gates, states, says):
    with pytest.raises(ValueError, match=says):
        cell(gates=gates, states=states)(minimal_gated_unit)


def test_names_that_layers_have_are_refused():
    def step(z_c, units: per_unit("ones")):
        h = z_c * units
        return h

    with pytest.raises(ValueError, match="a layer has a units of its own"):
        cell(gates=("candidate",))(step)

    def other(z_c, dropout=0.3):
        h = z_c * dropout
        return h

    with pytest.raises(ValueError, match="a layer has a dropout of its own"):
        cell(gates=("candidate",))(other)


def test_what_has_nothing_to_act_on_is_refused():
    from rnn_ref import zoo

    with pytest.raises(ValueError, match="recurrent_dropout is of no effect"):
        zoo.IndRNN(3, recurrent_dropout=0.5)
    with pytest.raises(ValueError, match="recurrent_regularizer is of no effect"):
        zoo.SRU(3, recurrent_regularizer="l2")


def test_a_lambda_and_an_unknown_annotation_say_what_to_write():
    with pytest.raises(ValueError, match="write it with def"):
        cell(gates=("candidate",))(lambda z_c: z_c)

    def step(z_c, p: "nobody"):  # noqa: F821
        h = z_c * p
        return h

    with pytest.raises(ValueError, match="an annotation cannot be read"):
        cell(gates=("candidate",))(step)


def test_a_step_without_source_says_so():
    namespace = {}
    exec(compile("def step(z_c):\n    h = tanh(z_c)\n    return h\n", "<nowhere>", "exec"), namespace)
    with pytest.raises(ValueError, match="source cannot be read"):
        cell(gates=("candidate",))(namespace["step"])
    with pytest.raises(TypeError, match="must be a function"):
        cell(gates=("candidate",))(3)


NAMES_OF_THE_CODE = """
import numpy as np, rnn_ref
from rnn_ref import per_unit, scalar

@rnn_ref.cell(gates=("forward", "step"), states=("tape", "weights"))
def backward(z_f, z_s, tape_prev, weights_prev, here: per_unit("ones"), flow: scalar(0.5), k=0.25, at=2.0, direct=3.0):
    forward = sigmoid(z_f)
    part = tanh(z_s)
    weights = k * weights_prev + at * forward * part
    tape = direct * weights * here + flow * tape_prev
    return tape, weights

layer = backward(3, dtype="float64", return_sequences=True)
assert max(rnn_ref.check_gradients(layer, np.random.default_rng(0).normal(size=(2, 4, 2))).values()) < 1e-7
f, s = layer.gate_weights()["forward"], layer.gate_weights()["step"]
expected = 3 * 2 * np.tanh(np.ones(2) @ s.kernel) / (1 + np.exp(-np.ones(2) @ f.kernel))
np.testing.assert_allclose(layer(np.ones((1, 1, 2)))[0, 0], expected, rtol=1e-12)
"""


def test_symbols_may_be_called_as_the_generated_code_calls_its_own(tmp_path):
    """The loop counts with k, and slices by here; a constant k was the number of the unit there. Runs uncompiled."""
    (tmp_path / "names.py").write_text(NAMES_OF_THE_CODE)
    command = [sys.executable, str(tmp_path / "names.py")]
    done = subprocess.run(
        command, env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
