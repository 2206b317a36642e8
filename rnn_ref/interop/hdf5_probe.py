"""A program that checks an HDF5 file; it reads a line of JSON, followed by the file itself if that gives no path.

A damaged file can hang HDF5's C code, or crash it, and Python cannot stop that. So a process that can be killed reads
everything that the reader will ask for, before the reader does. Other faults are left to the reader.
"""

import io
import json
import signal
import sys
from contextlib import suppress


def look_through(file, expansion: int, small: int, objects: int) -> None:
    """Open everything reachable by hard links, and read all attributes and all numbers stored in chunks."""
    import h5py

    def inside(group):
        for name in group:
            with suppress(Exception):
                if group.get(name, getclass=True, getlink=True) is h5py.HardLink:
                    waiting.append(group[name])

    waiting, seen = [file], set()
    while waiting and len(seen) < objects:
        entry = waiting.pop()
        if hash(entry.id) in seen:
            continue
        seen.add(hash(entry.id))
        with suppress(Exception):
            for name in entry.attrs:
                with suppress(Exception):
                    entry.attrs.get(name)
        with suppress(Exception):
            if isinstance(entry, h5py.Group):
                inside(entry)
            elif entry.chunks and entry.nbytes <= max(small, expansion * entry.id.get_storage_size()):
                entry[()]


def main() -> None:
    asked = json.loads(sys.stdin.buffer.readline())
    sys.path[:] = asked["path"]
    content = sys.stdin.buffer.read() if asked["file"] is None else None
    with suppress(Exception):
        import h5py

        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, asked["seconds"])  # of processor time, then SIGPROF ends the process
        with h5py.File(io.BytesIO(content) if asked["file"] is None else asked["file"], "r") as file:
            look_through(file, *asked["limits"])


if __name__ == "__main__":
    main()
