"""``rnn-ref docs``: the documentation, in which warnings and broken links are errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from rnn_ref.documentation import links, staging


class BrokenSite(Exception):
    """The documentation was built, and something in it is wrong."""


def build(out: Path, repository: str | None = None) -> Path:
    """Build the documentation.

    Parameters
    ----------
    out : Path
        Its folder; sources are staged beside it, in ``OUT-sources``.
    repository : str, optional
        ``OWNER/NAME`` on GitHub: the course's pages then offer to open themselves in Binder and Colab.

    Returns
    -------
    Path
        The page to begin with.

    Raises
    ------
    BrokenSite
        If Sphinx warned, or a link inside leads nowhere.
    """
    out = out.resolve()
    sources = out.with_name(f"{out.name}-sources")
    staging.stage(sources, repository)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", f"{sources}/.doctrees"]
    # In a process of its own, without threads of kernels; and not in several, which lose pages without a word.
    if subprocess.call([*command, os.fspath(sources), os.fspath(out)]):
        raise BrokenSite("Sphinx warned; what it said stands above.")
    if found := links.faults(out):
        raise BrokenSite("\n".join(["links and pictures:", *found]))
    return out / "index.html"
