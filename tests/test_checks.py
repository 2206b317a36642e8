"""Checks of single arguments."""

import numpy as np
import pytest

from rnn_ref.checks import flag, integer, number

NOTHING = [None, "1", "x", [1], np.ones(1), {}, 1j, object(), np.ones, float]


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("[0, 1)", [0, 0.5, np.float32(0.25), np.array(0.0)], [1, -1e-9, np.inf]),
        ("(0, 1]", [1e-9, 1, np.int8(1)], [0, 1.0001]),
        ("[0, inf)", [0, 1e300], [-1, np.inf]),
        ("(-inf, inf)", [-3, 0.0], [np.inf, -np.inf]),
    ],
)
def test_a_number_is_in_its_interval(interval, inside, outside):
    for value in inside:
        checked = number(value, "a", "Owner", interval)
        assert type(checked) is float
        assert checked == value
    for value in [*outside, *NOTHING, np.nan, True]:
        with pytest.raises(ValueError, match=r"^Owner: `a` must be .*Received: a="):
            number(value, "a", "Owner", interval)
    assert number(None, "a", "Owner", interval, optional=True) is None


def test_an_integer_is_whole_and_large_enough():
    for value in (2, np.int64(3), np.array(4)):
        checked = integer(value, "a", "Owner", least=2)
        assert type(checked) is int
        assert checked == value
    for value in (1, 2.0, np.float32(3), np.nan, True, *NOTHING):
        with pytest.raises(ValueError, match=r"^Owner: `a` must be an integer of at least 2. Received: a="):
            integer(value, "a", "Owner", least=2)
    assert integer(-5, "a", "Owner") == -5
    with pytest.raises(ValueError, match="an integer or None"):
        integer("x", "a", "Owner", optional=True)
    assert integer(None, "a", "Owner", optional=True) is None


def test_a_flag_is_true_or_false():
    for value in (True, False, 1, 0, np.True_, np.int64(0)):
        assert flag(value, "a", "Owner") is bool(value)
    for value in (2, -1, 0.0, np.nan, "False", *NOTHING):
        with pytest.raises(ValueError, match=r"^Owner: `a` must be True or False. Received: a="):
            flag(value, "a", "Owner")
