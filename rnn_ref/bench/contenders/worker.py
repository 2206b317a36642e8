"""A process of one contender. Run as a script: nothing of rnn_ref is imported but what is measured.

    python worker.py PACKAGE MODULE [CORES]

reads requests from standard input, a JSON line each, and answers with a result or a time.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module


def main() -> None:
    package, module, *cores = sys.argv[1:]
    if cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores[0])])
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries may print
    start = time.perf_counter()
    library = import_module(package)
    imported = time.perf_counter() - start

    from resident import peak_bytes

    module = import_module(module)
    functions, made = {}, None
    for line in sys.stdin:
        request, start = json.loads(line), time.perf_counter()
        if made != request["make"]:
            functions.clear()  # one at a time in memory
            functions, made = make(library, module, *request["make"]), request["make"]
            # Threads of BLAS, which made the weights, keep a core busy for a fifth of a second after that.
            time.sleep(min(3 * request["seconds"], 0.3))
        run = functions.get(request["run"])
        if run is None:
            answer = {"result": None, "seconds": None}
        elif request["seconds"]:
            answer = {"seconds": median_time(run, request["seconds"])}
        else:
            answer = {"result": plain(run()), "took": time.perf_counter() - start}
        print(json.dumps(answer | {"imported": imported, "peak": peak_bytes()}), file=answers, flush=True)


def make(library, module, function: str, task):
    from guide import Guide
    from problem import Problem

    if isinstance(task, dict):
        task = Guide(**task) if "series" in task else Problem(**task)
    return getattr(module, function)(library, task)


def median_time(run, seconds: float) -> float:
    """Seconds of a call: the median of those in about so long, of at least two, after one that is not counted."""
    run()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    times.sort()
    return (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2


def plain(result):
    """For JSON; of a large array 512 numbers, the same in every process."""
    if result is None or isinstance(result, (int, float, str)):
        return result
    import numpy as np

    values = np.asarray(result, "float64").ravel()
    return values[sample(values.size)].tolist()


def sample(size: int):
    """Places in an array of this size."""
    import numpy as np

    return np.random.default_rng(0).permutation(size)[:512]


if __name__ == "__main__":
    main()
