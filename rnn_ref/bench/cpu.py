"""``rnn-ref bench cpu``: the parts one after the other."""

from __future__ import annotations

import time

from rnn_ref.bench import cases, cliffs, fit, memory, random, scaling, start, variants
from rnn_ref.bench.machine import machine
from rnn_ref.bench.process import CONTENDERS
from rnn_ref.bench.settings import Settings

PARTS = {"cases": cases, "variants": variants, "fit": fit, "start": start, "memory": memory, "scaling": scaling}
ON_REQUEST = {"random": random, "cliffs": cliffs}  # by their options, or by name


def run(parts=tuple(PARTS), settings: Settings | None = None, *, names=None, say=print, keep=None) -> dict:
    """Measure.

    Parameters
    ----------
    parts : iterable of str
        From :data:`PARTS` and :data:`ON_REQUEST`.
    settings : Settings, optional
    names : list of str, optional
        Contenders; all that are installed when absent.
    say : callable
        Gets each line of the result as soon as it is known.
    keep : callable, optional
        Gets the report so far after each part.

    Returns
    -------
    dict
        ``machine``, and the result of each part by its name.
    """
    settings = settings or Settings()
    missing = [name for name, contender in CONTENDERS.items() if not contender.installed]
    names = [name for name in names or CONTENDERS if name not in missing]
    if missing:
        say(f"Not installed, left out: {', '.join(missing)}. In a checkout, pip install '.[bench]' brings them.")
    report = {"machine": machine(), "left_out": missing}
    for part in parts:
        say(f"\n-- {part}")
        begin = time.perf_counter()
        report[part] = (PARTS | ON_REQUEST)[part].run(names, settings, say)
        say(f"({time.perf_counter() - begin:.0f} s)")
        if keep:
            keep(report)
    return report
