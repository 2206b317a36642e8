"""Solutions as the notebooks have them."""

import linecache
import os
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SOLUTIONS = sorted((NOTEBOOKS / "solutions").glob("*.ipynb"))


def run_code(cells) -> tuple[dict, dict]:
    """Run cells of code in one namespace: what ``check`` said by number, and the answers it was given."""
    from rnn_ref import exercises

    results, answers = {}, {}

    def check(number, answer):
        answers[number] = answer
        results[number] = exercises.check(number, answer)
        return results[number]

    names = {"__name__": "solutions"}
    for k, code in enumerate(cells):
        file = f"<solution {os.getpid()} {k} {id(names)}>"
        linecache.cache[file] = (len(code), None, code.splitlines(True), file)  # where inspect finds the source
        exec(compile(code, file, "exec"), names)
        if "check" in names:
            names["check"] = check
    return results, answers
