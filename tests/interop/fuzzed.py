"""Load mutated archives, and a quarter as many other files: ``python -m tests.interop.fuzzed first count``.

Prints a line of JSON: how many loaded as models, how many were refused, and what else happened. Code that ran, or
files that appeared outside, would show in the folder; a crash ends the process.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import tempfile
import threading
import warnings
from pathlib import Path

from rnn_ref.models import load_model

from .mutations import Mutator

SECONDS, MEMORY = 2.0, 200 << 20


def memory(what: str) -> int:
    """Bytes that the system counts: those held now (VmRSS), or the most so far (VmHWM)."""
    status = Path("/proc/self/status").read_text().split(what + ":")[1]
    return int(status.split()[0]) << 10


def computed() -> float:
    """Seconds of processor time, of children too."""
    return sum(os.times()[:4])


def begin_measuring() -> int:
    """Forget the most so far; what is held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def main(first: int, count: int) -> dict:
    found = {"loaded": 0, "refused": 0, "wrong": [], "longest": 0.0, "largest": 0}
    mutator = Mutator()
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        loose = count // 4
        for number in range(first, first + count + loose):
            print(number, file=sys.stderr, flush=True)
            faulthandler.dump_traceback_later(60, exit=True)
            if number < first + count:
                (what, content), ending = mutator.archive(number), ".keras"
            else:
                ending, content = mutator.loose_file(number)
                what = f"loose {ending}"
            path = folder / f"m{ending}"
            path.write_bytes(content)
            del content
            before = begin_measuring()
            begun = computed()
            try:
                if ending in (".keras", ".h5"):
                    load_model(path)
                else:
                    mutator.model.load_weights(path)
                found["loaded"] += 1
            except ValueError:
                found["refused"] += 1
            except BaseException as error:
                found["wrong"].append([number, what, repr(error)[:300]])
            took = computed() - begun
            used = memory("VmHWM") - before
            found["longest"], found["largest"] = max(found["longest"], took), max(found["largest"], used)
            if took > SECONDS or used > MEMORY:
                found["wrong"].append([number, what, f"{took:.1f} s, {used >> 20} MB"])
            if [file.name for file in folder.iterdir()] != [path.name] or threading.active_count() > 40:
                found["wrong"].append([number, what, "left something behind"])
            path.unlink()
    return found


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
