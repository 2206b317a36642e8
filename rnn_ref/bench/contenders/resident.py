"""Memory of this process, from the system."""

from __future__ import annotations

import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """The most memory this process has held.

    Linux hands ``ru_maxrss`` down to a new program: it would be the benchmark's own where that is larger.
    """
    if STATUS.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def forget_peak() -> None:
    """Let the peak be what is held now (Linux only)."""
    Path("/proc/self/clear_refs").write_text("5")
