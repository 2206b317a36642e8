"""The cache of compiled kernels while several processes write to it, and where one of them is killed."""

import os
import subprocess
import sys

import pytest

COMMON = """
import contextlib, os, signal, sys, warnings
from pathlib import Path
import numpy as np
from rnn_ref import kernel_cache
from rnn_ref.jit import kernel

warnings.simplefilter("error", RuntimeWarning)  # of a damaged cache, or of one that cannot be written

@kernel
def doubled(x):
    for k in range(x.size):
        x[k] = x[k] * 2

def right(dtype):
    x = np.ones(5, dtype)
    doubled(x)
    return x.tolist() == [2] * 5

def hits():
    return sum(doubled.stats.cache_hits.values())
"""

TOGETHER = """
sys.stdout.write("ready ")
sys.stdout.flush()
sys.stdin.readline()
print([right(dtype) for dtype in ORDER], hits())
"""


def start(folder, code, **settings):
    """A process with a kernel of its own, which is written down where it is looked for."""
    (folder / "program.py").write_text(COMMON + code)
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache")} | settings
    return subprocess.Popen([sys.executable, str(folder / "program.py")], env=environment, text=True, **pipes)


def test_processes_that_start_cold_together_leave_a_good_cache(tmp_path):
    code = TOGETHER.replace("ORDER", str(["float32", "float64"]))
    processes = [start(tmp_path, code) for _ in range(3)]
    for process in processes:
        assert process.stdout.read(6) == "ready ", process.stderr.read()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        out, err = process.communicate(timeout=300)
        assert out.startswith("[True, True]"), out + err
    out, err = start(tmp_path, code).communicate("\n", timeout=300)
    assert out.split() == ["ready", "[True,", "True]", "2"], out + err
    assert not [*tmp_path.rglob("*.tmp.*")]


@pytest.mark.long
def test_machine_code_of_another_processor_is_not_taken(tmp_path):
    """As when a folder of a network, or an image, is used by machines of several kinds."""
    code = 'print(right("float32"), hits())'
    for settings, hits in (({}, 0), ({"NUMBA_CPU_NAME": "generic"}, 0), ({}, 1), ({"NUMBA_CPU_NAME": "generic"}, 1)):
        out, err = start(tmp_path, code, **settings).communicate(timeout=300)
        assert out.split() == ["True", str(hits)], (settings, out + err)


KILLED = """
class Killing:
    \"\"\"A file that ends the process once half of what it is given is written.\"\"\"

    def __init__(self, file):
        self.file = file

    def write(self, content):
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

def killing_open(which):
    \"\"\"Half way through this file, the first being that of the machine code.\"\"\"
    original, seen = kernel_cache._Files._open_for_write, []

    @contextlib.contextmanager
    def opened(self, path):
        with original(self, path) as file:
            seen.append(path)
            yield Killing(file) if len(seen) == which else file

    kernel_cache._Files._open_for_write = opened

def killing_replace(which, before):
    \"\"\"Before or after this file gets its name.\"\"\"
    original, seen = os.replace, []

    def replace(*names):
        seen.append(names)
        if len(seen) == which and before:
            os.kill(os.getpid(), signal.SIGKILL)
        original(*names)
        if len(seen) == which:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace

def in_child(work):
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    status = os.waitpid(pid, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

def dies(prepare, *arguments):
    def work():
        prepare(*arguments)
        return right("float32")
    return in_child(work) == -signal.SIGKILL

def lives():
    \"\"\"Whether the numbers were right, and how many kernels came from the disk.\"\"\"
    return in_child(lambda: 10 * right("float32") + hits())

@kernel
def other(x):
    x[0] = 1

other(np.ones(1))  # the compiler is ready before the children are born
found = []
MOMENTS = [(killing_open, 1), (killing_replace, 1, True), (killing_replace, 1, False),
           (killing_open, 2), (killing_replace, 2, True), (killing_replace, 2, False)]
for moment in MOMENTS:
    for file in Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nb?"):
        file.unlink()
    found.append((dies(*moment), lives(), lives()))
print(found)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_process_that_is_killed_while_it_saves_leaves_a_good_cache(tmp_path):
    process = start(tmp_path, KILLED)
    out, err = process.communicate(timeout=300)
    found = eval(out or "None")
    assert found, err
    *before, last = found
    assert before == [(True, 10, 11)] * 5, err  # compiled anew, then from the disk
    assert last == (True, 11, 11), err  # all was there already
