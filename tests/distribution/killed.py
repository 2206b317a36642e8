"""A sweep to be killed: ``python -m tests.distribution.killed store``; prints its rows as JSON."""

import json
import sys
import time

import rnn_ref


def slow(rate, seed):
    time.sleep(0.02)
    return {"loss": rate + seed / 7}


if __name__ == "__main__":
    found = rnn_ref.sweep(slow, {"rate": [1, 2, 3]}, seeds=range(8), store=sys.argv[1], progress=False)
    print(json.dumps(found.rows))
