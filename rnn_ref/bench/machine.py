"""Where and when, and the versions of everything."""

from __future__ import annotations

import os
import platform
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rnn_ref.hardware import VECTOR_BYTES
from rnn_ref.version import __version__

PACKAGES = ("numba", "numpy", "torch", "jax", "keras", "tensorflow")


def machine() -> dict:
    return {
        "date": date.today().isoformat(),
        "processor": processor(),
        "vector_bytes": VECTOR_BYTES,
        "caches": caches(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.platform(),
        "versions": {"rnn_ref": __version__, "python": platform.python_version(), **versions()},
    }


def versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        for distribution in (package, f"{package}-cpu"):
            try:
                found[package] = version(distribution)
            except PackageNotFoundError:
                continue
    return found


def processor() -> str:
    """The name of the processor, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def caches() -> list[str]:
    """Of one core, data only, such as ``"L1 32K"``; none where the system does not tell (it does on Linux)."""
    found = []
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            kind, level, size = ((cache / name).read_text().strip() for name in ("type", "level", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return found
