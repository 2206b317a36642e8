"""The line that says that kernels are compiled: once, and only if it takes a while."""

import io
import subprocess
import sys
from os import environ
from types import SimpleNamespace

import pytest

from rnn_ref import notice
from rnn_ref.training.optimizers.adam import running_means


def of(module):
    return SimpleNamespace(data={"dispatcher": SimpleNamespace(py_func=SimpleNamespace(__module__=module))})


OURS, THEIRS = of("rnn_ref.kernels.cpu.lstm"), of("__main__")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """``clock(time)`` sets the time."""
    now = [0.0]
    monkeypatch.setattr(notice.time, "monotonic", lambda: now[0])
    return lambda time: now.__setitem__(0, time)


@pytest.fixture
def listener(monkeypatch):
    monkeypatch.delenv(notice.QUIET, raising=False)
    return notice.Notice()


def test_it_is_said_once_and_only_after_a_second(listener, clock, capsys):
    listener.on_start(OURS)
    clock(0.6)
    listener.on_start(OURS)  # which the first one calls
    listener.on_end(OURS)
    listener.on_end(OURS)
    clock(100)  # waiting in between does not count
    listener.on_start(OURS)
    assert capsys.readouterr().err == ""
    clock(100.5)
    for _ in range(3):
        listener.on_start(OURS)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == notice.TEXT + "\n"


def test_functions_of_the_user_do_not_count(listener, clock, capsys):
    listener.on_start(THEIRS)
    listener.on_start(OURS)
    listener.on_start(THEIRS)
    clock(9)
    listener.on_end(THEIRS)
    listener.on_end(OURS)
    assert listener._spent == 9
    clock(50)
    listener.on_start(THEIRS)
    listener.on_end(THEIRS)
    assert capsys.readouterr().err == ""


def test_on_a_terminal_it_takes_the_place_of_a_bar(listener, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    listener.say()
    assert sys.stderr.getvalue() == f"\r\033[K{notice.TEXT}\n"


def test_a_program_without_stderr_goes_on(listener, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    listener.say()
    assert listener.said


def test_it_can_be_kept_back(monkeypatch):
    monkeypatch.setenv(notice.QUIET, "1")
    assert notice.Notice().said


CODE = """
import numpy as np
from numba import int16
from rnn_ref import notice
from rnn_ref.training.optimizers.adam import running_means
notice.PATIENCE = -1
running_means.compile((int16,) * 5)  # types that nobody compiled before
"""


@pytest.mark.parametrize(("quiet", "expected"), [("", notice.TEXT), ("1", "")])
def test_numba_tells(quiet, expected):
    assert running_means.py_func.__module__.startswith("rnn_ref.")
    environment = {**environ, notice.QUIET: quiet}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (0, "", expected)
