"""The zoo's cells against their papers' formulas in PyTorch, which differentiates them by itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_ref import zoo

SCRIPT = Path(__file__).with_name("held_against_torch.py")


def test_every_cell_as_plain_python():
    """Also their gradients by finite differences."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run(
        command, env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = {
        name: (float(worst), float(gradients)) for name, worst, gradients in map(str.split, done.stdout.splitlines())
    }
    assert set(found) == set(zoo.__all__)
    for name, (worst, gradients) in found.items():
        assert worst < 1e-12, name
        assert gradients < 1e-6, name


@pytest.mark.long(minutes=4)
def test_every_cell_compiled():
    """As above, with shapes that fill no vector."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import held_against_torch as script; from rnn_ref import zoo\n"
        "for name in zoo.__all__: print(name, max(script.worst_errors(name, 13, 11, 5, 19).values()))"
    )
    command = [sys.executable, "-c", code, str(SCRIPT.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = dict(map(str.split, done.stdout.splitlines()))
    assert set(found) == set(zoo.__all__)
    assert all(float(worst) < 1e-11 for worst in found.values()), found


def test_each_is_short_and_names_its_source():
    for name in zoo.__all__:
        kind = getattr(zoo, name)
        equations = kind.Cell.equations
        assert "References" in kind.__doc__
        assert len(equations.lines) <= 15


def test_an_echo_state_net_is_not_trained():
    layer = zoo.LeakyEchoState(3, leak=0.5, trainable=False, input_shape=(4, 2))
    assert layer.count_params() == 2 * 3 + 3 * 3 + 3
    assert layer.trainable_weights == []
    assert layer.get_config()["leak"] == 0.5
