"""A process of one contender: reads requests from standard input, a JSON line each, and answers with times."""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def main() -> None:
    from rnn_ref.bench.contenders import CONTENDERS
    from rnn_ref.bench.problem import Problem

    make = CONTENDERS[sys.argv[1]][0]
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries may print
    functions = {}
    for line in sys.stdin:
        request = json.loads(line)
        problem = Problem(request["cell"], *request["case"])
        if problem not in functions:
            functions.clear()  # one at a time in memory
            functions[problem] = dict(zip(("infer", "train", "learned"), make(problem)))
        run = functions[problem][request["what"]]
        if request.get("seconds"):
            answer = {"times": None if run is None else measure(run, request["seconds"])}
        else:
            result = None if run is None else run()
            answer = {"result": None if result is None else np.asarray(result, "float64").ravel()[:512].tolist()}
        print(json.dumps(answer), file=answers, flush=True)


def measure(run, seconds: float) -> list[float]:
    """Seconds of each call, for about so long; at least three calls, after one that is not counted."""
    run()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return times


if __name__ == "__main__":
    main()
