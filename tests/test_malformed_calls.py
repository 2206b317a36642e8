"""Malformed calls: nonsense in the place of one argument. Never a crash, nor an error by accident."""

import numpy as np
import pytest

import rnn_ref

from .clear_errors import MALFORMED, problem
from .malformed import CALLED_ON, MADE_WITH, NOT_CALLED, SCHEDULES, calls, made, names_of

CALLS = calls()


def test_every_well_formed_call_is_one():
    wrong = {name: found for name, (function, given) in CALLS.items() if (found := _plain_problem(function, given))}
    assert not wrong


def _plain_problem(function, given):
    try:
        function(**made(given))
    except Exception as error:
        return repr(error)
    return None


def test_every_public_name_has_an_entry():
    for kind in ("layers", "losses", "metrics", "optimizers"):
        public = set(names_of(getattr(rnn_ref, kind)))
        named = {name.partition(".")[2].removesuffix("()") for name in CALLS if name.startswith(f"{kind}.")}
        assert public == named | (NOT_CALLED[kind] & public), kind
    assert set(names_of(rnn_ref.optimizers.schedules)) == set(SCHEDULES) | NOT_CALLED["schedules"]
    assert set(MADE_WITH) | set(CALLED_ON) <= set(rnn_ref.layers.__all__)


def run(count: int, seed: int) -> dict:
    rng, wrong = np.random.default_rng(seed), {}
    names = [name for name, (_, given) in CALLS.items() if given]
    for _ in range(count):
        name = names[rng.integers(len(names))]
        function, given = CALLS[name]
        argument, by = list(given)[rng.integers(len(given))], list(MALFORMED)[rng.integers(len(MALFORMED))]
        found = problem(name, function, given, argument, by)
        if found:
            wrong[f"{name}({argument}={by})"] = found
    return wrong


def test_malformed_calls_end_in_a_result_or_an_error_on_purpose():
    assert run(300, 0) == {}


@pytest.mark.long
def test_every_argument_of_every_call_spoilt_in_every_way():
    wrong = {
        f"{name}({argument}={by})": found
        for name, (function, given) in CALLS.items()
        for argument in given
        for by in MALFORMED
        if (found := problem(name, function, given, argument, by))
    }
    assert wrong == {}
