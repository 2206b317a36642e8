"""Equations as text: what is read is what stands in the source, and what it does not understand is an error."""

import sys

import pytest

from rnn_ref.equations import gru, lstm, simple_rnn
from rnn_ref.equations.reading import backward_lines, forward_lines
from rnn_ref.equations.record import Gate, Record


@pytest.fixture
def record(tmp_path, monkeypatch):
    """``record(step, d_step)``: of a cell whose equations are these lines."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(*bodies):
        text = "from rnn_ref.equations.activations import activate, d_activate\nfrom rnn_ref.jit import equation\n"
        (tmp_path / "some_cell.py").write_text("\n\n".join([text, *bodies]))
        sys.modules.pop("some_cell", None)
        import some_cell

        return Record(
            (Gate("forget", "f", "f"), Gate("candidate", "c", "g")), {"hidden": "h"}, some_cell.step, some_cell.d_step
        )

    yield make
    sys.modules.pop("some_cell", None)


STEP = """
@equation
def step(z_f, z_c, h_prev, activation, recurrent_activation):
    f = activate(recurrent_activation, z_f)
    g = activate(activation, z_c)
    h = (type(f)(1) - f) * h_prev + f * g
    return f, g, h
"""
BACK = """
@equation
def d_step(dh, z_f, z_c, f, g, h_prev, activation, recurrent_activation):
    twice = dh + dh
    df = twice * (g - h_prev)
    dz_f = df * d_activate(recurrent_activation, z_f, f)
    return dz_f
"""


def test_lines_are_those_of_the_source(record):
    cell = record(STEP, BACK)
    assert [" = ".join(line) for line in forward_lines(cell)] == [
        "z_f = x_W_f + h_U_f + b_f",
        "z_c = x_W_c + h_U_c + b_c",
        "f = recurrent_activation(z_f)",
        "g = activation(z_c)",
        "h = (1 - f) * h_prev + f * g",
    ]
    assert [" = ".join(line) for line in backward_lines(cell)] == [
        "d_h = d_out_h + d_later_h",
        "d_f = (d_h + d_h) * (g - h_prev)",  # what is no gradient of a symbol is put in
        "d_z_f = d_f * d_recurrent_activation(z_f, f)",
    ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("f, g = z_f, z_c", "gives several symbols"),
        ("f = max(z_f, z_c)", "'max.z_f, z_c.'"),
        ("f = z_f; f += z_c", "is no equation"),
        ("f = activate(activation, z_f) + unknown(z_c)", "'unknown.z_c.' is neither an activation nor"),
    ],
)
def test_what_is_not_understood_is_named(record, line, complaint):
    cell = record(STEP.replace("f = activate(recurrent_activation, z_f)", line), BACK)
    with pytest.raises(ValueError, match=complaint) as raised:
        forward_lines(cell)
    assert "some_cell.step" in str(raised.value)


@pytest.mark.parametrize("cell", [simple_rnn.RECORD, lstm.RECORD, gru.RESET_AFTER, gru.RESET_BEFORE])
def test_every_gate_has_its_lines(cell):
    forward, backward = dict(forward_lines(cell)), dict(backward_lines(cell))
    for gate in cell.gates:
        assert {f"z{gate.end}", gate.symbol} <= set(forward)
        assert f"d_z{gate.end}" in backward
    for state in cell.states.values():
        assert state in forward
        assert f"d_{state}" in backward
