"""One line where kernels are compiled for the first time: who waits half a minute in silence thinks that it hangs.

It goes to stderr, once in a process, and only if compiling takes longer than a second. The environment variable
``RNN_REF_QUIET=1`` keeps it back.
"""

from __future__ import annotations

import os
import sys
import time

from numba.core import event

QUIET = "RNN_REF_QUIET"
PATIENCE = 1.0  # seconds of silence
TEXT = (
    "rnn_ref: compiling kernels, which is done once and takes up to a minute (`rnn-ref compile` does it for all layers "
    f"ahead; {QUIET}=1 keeps this line back)"
)


def _is_of_the_package(event) -> bool:
    function = getattr(event.data["dispatcher"], "py_func", None)
    return getattr(function, "__module__", "").startswith("rnn_ref.")


class Notice(event.Listener):
    """Numba tells when it begins and ends to compile a function; other functions are compiled meanwhile.

    Attributes
    ----------
    said : bool
        Whether there is nothing more to be said.
    """

    def __init__(self):
        self.said = bool(os.environ.get(QUIET))
        self._inside, self._began, self._spent = 0, 0.0, 0.0

    def on_start(self, event):
        if self.said or not _is_of_the_package(event):
            return
        now = time.monotonic()
        if self._inside == 0:
            self._began = now
        self._inside += 1
        if self._spent + now - self._began > PATIENCE:
            self.say()

    def on_end(self, event):
        if self.said or not _is_of_the_package(event):
            return
        self._inside -= 1
        if self._inside == 0:
            self._spent += time.monotonic() - self._began

    def say(self) -> None:
        """The line; on a terminal in place of a bar that stands at its beginning, and is drawn anew."""
        self.said = True
        if sys.stderr is not None:
            start = "\r\033[K" if sys.stderr.isatty() else ""
            print(f"{start}{TEXT}", file=sys.stderr, flush=True)


notice = Notice()
event.register("numba:compile", notice)
