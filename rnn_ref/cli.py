"""The command line: ``rnn-ref tour`` and ``rnn-ref lab``."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from rnn_ref.version import __version__

PACKAGE = Path(__file__).parent
FIRST_NOTEBOOK = "01-a-first-look.ipynb"
COPIES = "rnn_ref-notebooks"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = parser().parse_args(arguments)
    return options.run(options)


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="rnn-ref", description="Recurrent neural networks you can see through.")
    top.add_argument("--version", action="version", version=f"rnn-ref {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    tour = commands.add_parser("tour", help="train three networks on a real series and draw what they do")
    tour.add_argument("--out", type=Path, default=Path("figures"), help="folder for the pictures (%(default)s)")
    tour.add_argument("--seed", type=int, default=0, help="of initial weights and shuffling (%(default)s)")
    tour.set_defaults(run=run_tour)

    lab = commands.add_parser("lab", help="open the notebooks in JupyterLab")
    lab.add_argument("--dir", type=Path, help=f"copy the notebooks there (./{COPIES} outside a checkout)")
    lab.add_argument("--copy-only", action="store_true", help="copy the notebooks, do not open them")
    lab.set_defaults(run=run_lab)
    return top


def run_tour(options) -> int:
    from rnn_ref import tour  # Matplotlib is imported only for those who draw

    return 0 if tour.run(options.out, seed=options.seed) else 1


def run_lab(options) -> int:
    folder = Path("notebooks")
    if options.dir is not None or options.copy_only or not (folder / FIRST_NOTEBOOK).is_file():
        folder = options.dir or Path(COPIES)
        copy_notebooks(folder)
    if options.copy_only:
        return 0
    if find_spec("jupyterlab") is None:
        print(
            "JupyterLab is not installed. In a checkout of rnn_ref, this installs it:\n"
            f"    {sys.executable} -m pip install '.[notebooks]'",
            file=sys.stderr,
        )
        return 1
    return subprocess.call([sys.executable, "-m", "jupyterlab", "--notebook-dir", os.fspath(folder)])


def notebook_folder() -> Path:
    """Where the notebooks are: in an installed package inside it, in a checkout beside it."""
    for folder in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        if (folder / FIRST_NOTEBOOK).is_file():
            return folder
    raise FileNotFoundError(f"no notebooks in {PACKAGE} or beside it.")


def copy_notebooks(folder: Path) -> None:
    """Copy the notebooks that are not there yet; those that are there stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in sorted(notebook_folder().glob("*.ipynb")):
        target = folder / notebook.name
        if target.exists():
            print(f"{target} is there already and stays as it is.")
        else:
            shutil.copyfile(notebook, target)
            print(f"{target} written.")


if __name__ == "__main__":
    sys.exit(main())
