"""The command line: ``rnn-ref tour``, ``rnn-ref figures`` and ``rnn-ref lab``."""

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

    figures = commands.add_parser("figures", help="draw the gallery: every picture, with the code that makes it")
    figures.add_argument("--out", type=Path, default=Path("figures"), help="folder for the pictures (%(default)s)")
    figures.set_defaults(run=run_figures)

    lab = commands.add_parser("lab", help="open the notebooks in JupyterLab")
    lab.add_argument("--dir", type=Path, help=f"copy the notebooks there (./{COPIES} outside a checkout)")
    lab.add_argument("--copy-only", action="store_true", help="copy the notebooks, do not open them")
    lab.set_defaults(run=run_lab)
    bench = commands.add_parser("bench", help="measure rnn_ref beside PyTorch, JAX and Keras")
    bench.add_argument("target", choices=["cpu"])
    bench.add_argument(
        "--out", type=Path, default=Path("figures"), help="folder for bench-cpu.json and .png (%(default)s)"
    )
    bench.add_argument("--quick", action="store_true", help="two small cases, little time; the numbers mean little")
    bench.set_defaults(run=run_bench)
    return top


def run_bench(options) -> int:
    from rnn_ref.bench import cpu

    quick = {"cases": ((2, 3, 4, 5), (3, 9, 2, 17)), "rounds": 2, "seconds": 0.01} if options.quick else {}
    report = cpu.run(**quick)
    print()
    print(cpu.markdown(report))
    print(
        f"\nBest peer's time over rnn_ref's, geometric mean over all: inference "
        f"{cpu.geometric_mean(report, 'infer'):.2f}, training {cpu.geometric_mean(report, 'train'):.2f}."
    )
    cpu.write(report, options.out)
    print(f"{options.out / 'bench-cpu.json'} and {options.out / 'bench-cpu.png'} written.")
    return 0


def run_tour(options) -> int:
    from rnn_ref import tour  # Matplotlib is imported only for those who draw

    return 0 if tour.run(options.out, seed=options.seed) else 1


def run_figures(options) -> int:
    if find_spec("sympy") is None:
        print(
            "One of the pictures needs SymPy. In a checkout of rnn_ref, this installs it:\n"
            f"    {sys.executable} -m pip install '.[notebooks]'",
            file=sys.stderr,
        )
        return 1
    from rnn_ref import gallery

    pictures = gallery.run(options.out)
    print(f"{len(pictures)} pictures, and the page that shows them: {options.out / 'README.md'}")
    return 0


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
