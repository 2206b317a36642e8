"""What a step that is written as equations may hold, and what its errors say."""

import inspect

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


def test_a_step_without_source_says_so():
    namespace = {}
    exec("def step(z_c):\n    h = tanh(z_c)\n    return h\n", namespace)
    with pytest.raises(ValueError, match="source cannot be read"):
        cell(gates=("candidate",))(namespace["step"])
    with pytest.raises(TypeError, match="must be a function"):
        cell(gates=("candidate",))(3)
