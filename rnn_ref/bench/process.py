"""Who is measured, and the process each runs in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path

CONTENDERS_FOLDER = Path(__file__).parent / "contenders"
PACKAGE_PARENT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Contender:
    """A package, the module in ``contenders/`` that uses it, and the environment of its process."""

    package: str
    module: str
    needs: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        return all(find_spec(package) is not None for package in (self.package, *self.needs))


def keras_on(backend: str, package: str, **environment: str) -> Contender:
    return Contender("keras", "keras_like", (package,), {"KERAS_BACKEND": backend, **environment})


CONTENDERS = {
    "rnn_ref": Contender("rnn_ref", "keras_like"),
    "PyTorch": Contender("torch", "pytorch"),
    "JAX": Contender("jax", "jax_scan", environment={"JAX_PLATFORMS": "cpu"}),
    "Keras (JAX)": keras_on("jax", "jax", JAX_PLATFORMS="cpu"),
    "Keras (PyTorch)": keras_on("torch", "torch"),
    "Keras (TensorFlow)": keras_on("tensorflow", "tensorflow", TF_CPP_MIN_LOG_LEVEL="3"),
    "NumPy loop": Contender("numpy", "numpy_loop"),
}


def is_peer(name: str) -> bool:
    """Whether it is compared with; the NumPy loop only shows a scale."""
    return name not in ("rnn_ref", "NumPy loop")


class Process:
    """A process that does or times what it is asked to.

    Parameters
    ----------
    contender : Contender
    cores : int, optional
        It may run on so many cores only (Linux).
    **environment
        Further variables.
    """

    def __init__(self, contender: Contender, cores: int | None = None, **environment: str):
        self.contender = contender
        paths = [str(PACKAGE_PARENT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed on exit
        self.process = subprocess.Popen(
            [
                sys.executable,
                str(CONTENDERS_FOLDER / "worker.py"),
                contender.package,
                contender.module,
                *([] if cores is None else [str(cores)]),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | contender.environment | environment,
            text=True,
        )

    def ask(self, make: str, task, run: str, seconds: float = 0.0) -> dict:
        """Let ``make`` of the module turn the task into functions, and run one; with ``seconds``, time it.

        Returns
        -------
        dict
            ``result`` and the seconds it ``took``, making included; or ``seconds``. None if there is no such function.
            With them ``imported``, the seconds that importing the package took, and ``peak``, the most bytes the
            process has held so far.
        """
        task = task if isinstance(task, int) else asdict(task)
        request = {"make": [make, task], "run": run, "seconds": seconds}
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            status = self.process.wait()
            self.errors.seek(0)
            raise RuntimeError(
                f"the process of {self.contender.package} {self.contender.needs or ''} ended with status {status} at "
                f"{make}, {run}, {str(request['make'][1])[:200]}:\n{self.errors.read()[-2000:]}"
            )
        return json.loads(answer)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()
