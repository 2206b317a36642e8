"""Progbar: what it shows."""

import pytest

from rnn_ref.utils import Progbar


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, "a: 2.0000"),
        ({"stateful_metrics": ["a"]}, "a: 3.0000"),
        ({"stateless_metrics": []}, "a: 3.0000"),
        ({"stateless_metrics": ["a"]}, "a: 2.0000"),
    ],
)
def test_values_are_averaged_or_shown_as_they_are(options, shown, capsys):
    bar = Progbar(4, interval=0, **options)
    bar.update(1, [("a", [0.0, 2.0])])
    bar.update(3, [("a", 2.0)])
    bar.update(3 + 0, [("a", 3.0)])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("3/4 ━")
    assert shown in last


def test_the_last_value_replaces_the_average(capsys):
    bar = Progbar(2, verbose=2)
    bar.add(1, [("loss", 5.0)])
    assert capsys.readouterr().out == ""
    bar.add(1, [("loss", 0.0001)])
    assert "loss: 1.0000e-04" in capsys.readouterr().out
    Progbar(None, verbose=0).update(3, [("loss", 1.0)], finalize=True)
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="Only one of"):
        Progbar(1, stateful_metrics=[], stateless_metrics=[])
