"""What the reference shows of classes, and formulas without a script."""

import pytest

from rnn_ref import layers, losses
from rnn_ref.documentation import extension


def test_signatures_are_those_of_init():
    signature, _ = extension.constructor(None, "class", "LSTM", layers.LSTM, {}, "(*arguments, **options)", None)
    assert signature.startswith("(units, activation='tanh', recurrent_activation='sigmoid', ")
    assert extension.constructor(None, "function", "f", test_signatures_are_those_of_init, {}, "()", None) is None


@pytest.mark.parametrize(
    ("value", "base"), [(layers.LSTM, "layers.RNN"), (losses.Huber, "losses.Loss"), (layers.Layer, "")]
)
def test_bases_are_public(value, base):
    bases = list(value.__bases__)
    extension.public_bases(None, value.__name__, value, {}, bases)
    assert bases == [f":class:`rnn_ref.{base}`" if base else ":class:`object`"]


def test_equations_in_docstrings_stay_as_they_are():
    lines = ["A cell.", "", "    h = f(x)", "", "More.", "", "Parameters", "----------", "x : int", "    Some."]
    extension.show_equations(None, "class", "C", None, {}, lines)
    assert lines == ["A cell.", "", "::", "", "    h = f(x)", "", *lines[6:]]
    assert lines[-4:] == ["Parameters", "----------", "x : int", "    Some."]


def test_formulas_are_mathml():
    pytest.importorskip("docutils", reason="docutils is not installed")
    assert "<msub>" in extension.mathml("c_t", False)
    assert "<mtable" in extension.mathml(r"a &= b \\ c &= \Big(d\Big)", True)
