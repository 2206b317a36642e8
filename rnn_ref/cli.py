"""The command line: ``rnn-ref tour``, ``lab``, ``slides``, ``bench`` and others, see ``rnn-ref --help``."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from rnn_ref.version import __version__

PACKAGE = Path(__file__).parent
FIRST_NOTEBOOK = "00-start-here.ipynb"
COPIES = "rnn_ref-notebooks"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status. What the user can mend ends in one line, not in a traceback."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except (OSError, BadArgument) as error:
        print(f"rnn-ref: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("rnn-ref: interrupted", file=sys.stderr)
        return 130


class BadArgument(Exception):
    """What was asked for cannot be done; the message says why and what to change."""


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="rnn-ref", description="Recurrent neural networks you can see through.")
    top.add_argument("--version", action="version", version=f"rnn-ref {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    tour = commands.add_parser("tour", help="train three networks on a real series and draw what they do")
    tour.add_argument("--out", type=Path, default=Path("figures"), help="folder for the pictures (%(default)s)")
    tour.add_argument("--seed", type=whole, default=0, help="of initial weights and shuffling (%(default)s)")
    tour.set_defaults(run=run_tour)

    figures = commands.add_parser("figures", help="draw the gallery: every picture, with the code that makes it")
    figures.add_argument("--out", type=Path, default=Path("figures"), help="folder for the pictures (%(default)s)")
    figures.set_defaults(run=run_figures)

    lab = commands.add_parser("lab", help="open the course in JupyterLab")
    lab.add_argument("--dir", type=Path, help=f"copy the notebooks there (./{COPIES} outside a checkout)")
    lab.add_argument("--copy-only", action="store_true", help="copy the notebooks, do not open them")
    lab.add_argument("jupyter", nargs="*", metavar="-- OPTION", help="for JupyterLab: rnn-ref lab -- --no-browser")
    lab.set_defaults(run=run_lab)

    slides = commands.add_parser("slides", help="make slides for a lecture of notebooks of the course")
    slides.add_argument("notebooks", nargs="+", metavar="NUMBER", help='of a notebook, as 03; or "all"')
    slides.add_argument("--out", type=Path, default=Path("slides"), help="folder for the pages (%(default)s)")
    slides.add_argument("--code", action="store_true", help="show the code, too")
    slides.set_defaults(run=run_slides)

    assignment = commands.add_parser("assignment", help="make nbgrader's assignments of the course's exercises")
    assignment.add_argument("notebooks", nargs="+", metavar="NUMBER", help='of a notebook, as 03; or "all"')
    assignment.add_argument("--out", type=Path, default=Path("."), help="nbgrader's course folder (%(default)s)")
    assignment.set_defaults(run=run_assignment)

    progress = commands.add_parser("progress", help="show which exercises of the course were answered")
    progress.set_defaults(run=run_progress)

    docs = commands.add_parser("docs", help="build the documentation, in a checkout")
    docs.add_argument("--out", type=Path, default=Path("build/docs"), help="folder for its pages (%(default)s)")
    docs.add_argument(
        "--repository",
        metavar="OWNER/NAME",
        help="on GitHub: the course's pages then open themselves in Binder or Colab",
    )
    docs.set_defaults(run=run_docs)

    compiling = commands.add_parser("compile", help="compile all kernels now, for a machine that others will use")
    compiling.add_argument("--processes", type=positive, help="that compile side by side (one a core)")
    compiling.set_defaults(run=run_compile)

    bench = commands.add_parser("bench", help="measure rnn_ref beside PyTorch, JAX and Keras")
    bench.add_argument("target", choices=["cpu", "cuda"])
    bench.add_argument("--parts", help="what to measure, with commas between: cases,variants,fit,start,memory,scaling")
    bench.add_argument(
        "--random", type=positive, metavar="N", help="measure so many cells and sizes drawn at random, too"
    )
    bench.add_argument("--seed", type=whole, default=0, help="of that (%(default)s)")
    bench.add_argument(
        "--cliffs", action="store_true", help="look for sizes that take longer than their neighbours, too"
    )
    bench.add_argument("--quick", action="store_true", help="tiny sizes, seconds; the numbers mean nothing")
    bench.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    bench.add_argument("--figure", type=Path, metavar="FILE", help="draw it there")
    bench.add_argument("--markdown", type=Path, metavar="FILE", help="write it as tables for a README there")
    bench.add_argument(
        "--from",
        dest="known",
        type=Path,
        metavar="FILE",
        help="begin with a result written before, and measure no more than --parts",
    )
    bench.set_defaults(run=run_bench)
    return top


def whole(text: str, least: int = 0) -> int:
    """A whole number, for argparse."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"expected a whole number from {least} on, got {text!r}")
    return int(text)


def positive(text: str) -> int:
    return whole(text, 1)


def read_report(path: Path) -> dict:
    """What ``rnn-ref bench cpu --json`` wrote."""
    try:
        report = json.loads(path.read_text())
    except ValueError as error:
        raise BadArgument(f"--from {path} is not JSON: {error}") from None
    if not isinstance(report, dict) or "machine" not in report:
        raise BadArgument(f"--from {path}: expected a report that 'rnn-ref bench cpu --json FILE' wrote.")
    return report


def run_docs(options) -> int:
    if not (PACKAGE.parent / "notebooks" / "site" / "conf.py").is_file():
        raise BadArgument(
            "docs: the documentation's sources are in a checkout of rnn_ref, and this is an installed package."
        )
    lacking = [
        name for name in ("sphinx", "myst_nb", "furo", "sphinx_copybutton", "sphinx_design") if find_spec(name) is None
    ]
    if lacking:
        raise BadArgument(
            f"docs: {', '.join(lacking)} missing; in a checkout of rnn_ref, this installs it: "
            f"{sys.executable} -m pip install -e '.[docs]'"
        )
    if options.repository is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", options.repository):
        raise BadArgument(f"docs: --repository should be OWNER/NAME, got {options.repository!r}.")
    from rnn_ref.documentation.build import BrokenSite, build

    try:
        print(f"The documentation begins at {build(options.out, options.repository)}")
    except BrokenSite as error:
        raise BadArgument(f"docs: {error}") from None
    return 0


def run_compile(options) -> int:
    from rnn_ref.compiling import compile_all

    compile_all(options.processes)
    return 0


def run_bench(options) -> int:
    return run_bench_cuda(options) if options.target == "cuda" else run_bench_cpu(options)


def run_bench_cuda(options) -> int:
    from rnn_ref.bench import cuda

    if options.parts or options.known or options.figure or options.random or options.cliffs:
        print(
            "rnn-ref bench cuda has no parts, and draws no figure; leave out --parts, --random, --cliffs, --from, "
            "--figure.",
            file=sys.stderr,
        )
        return 2
    try:
        report = cuda.run(quick=options.quick)
    except cuda.NoDevice as error:
        print(error, file=sys.stderr)
        return 1
    print("\n-- goals", *cuda.goals(report), sep="\n")
    for path, text in (
        (options.json, lambda: json.dumps(report, indent=1) + "\n"),
        (options.markdown, lambda: cuda.markdown(report)),
    ):
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text())
    return 0


def run_bench_cpu(options) -> int:
    from rnn_ref.bench import cpu
    from rnn_ref.bench.goals import goals
    from rnn_ref.bench.markdown import markdown
    from rnn_ref.bench.settings import QUICK, Settings

    report = read_report(options.known) if options.known else {}
    parts = options.parts.split(",") if options.parts else [] if options.known else list(cpu.PARTS)
    asked = {"random": options.random, "cliffs": options.cliffs}
    parts += [part for part, wanted in asked.items() if wanted and part not in parts]
    there = [*cpu.PARTS, *cpu.ON_REQUEST]
    unknown = [part for part in parts if part not in there]
    if unknown:
        print(f"rnn-ref bench: no part {', '.join(unknown)}; there are {', '.join(there)}.", file=sys.stderr)
        return 2
    settings = replace(QUICK if options.quick else Settings(), seed=options.seed)
    if options.random:
        settings = replace(settings, random=options.random)
    for path in filter(None, (options.json, options.figure, options.markdown)):
        path.parent.mkdir(parents=True, exist_ok=True)

    def keep(measured: dict) -> None:  # part by part: minutes of measuring are not lost with a process that fails
        if options.json:
            options.json.write_text(json.dumps(report | measured, indent=1) + "\n")

    if parts:
        report |= cpu.run(parts, settings, keep=keep)
    keep({})
    print("\n-- goals", *goals(report), sep="\n")
    if options.markdown:
        options.markdown.write_text(markdown(report))
    if options.figure:
        from rnn_ref.plotting.bench import bench

        bench(report).savefig(options.figure)
    return 0


def run_tour(options) -> int:
    from rnn_ref import tour  # Matplotlib is imported only for those who draw

    return 0 if tour.run(options.out, seed=options.seed) else 1


def run_figures(options) -> int:
    if find_spec("sympy") is None:
        print(
            "One of the pictures needs SymPy. In a checkout of rnn_ref, this installs it:\n"
            f"    {sys.executable} -m pip install -e '.[notebooks]'",
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
            f"    {sys.executable} -m pip install -e '.[notebooks]'",
            file=sys.stderr,
        )
        return 1
    command = [sys.executable, "-m", "jupyterlab", "--notebook-dir", os.fspath(folder), *options.jupyter]
    return subprocess.call(command)


def run_slides(options) -> int:
    notebooks = chosen_notebooks("slides", options.notebooks, needs="nbconvert")
    from rnn_ref import slides

    for notebook in notebooks:
        print(slides.write(notebook, options.out, code=options.code))
    return 0


def run_assignment(options) -> int:
    notebooks = chosen_notebooks("assignment", options.notebooks, needs="nbformat")
    from rnn_ref import assignments

    for notebook in notebooks:
        print(assignments.write(notebook, options.out))
    return 0


def chosen_notebooks(command: str, numbers: list[str], needs: str) -> list[Path]:
    """Notebooks of the course by their numbers."""
    there = {path.name[:2]: path for path in sorted(notebook_folder().glob("[0-9][0-9]-*.ipynb"))}
    wanted = list(there) if numbers == ["all"] else numbers
    unknown = [number for number in wanted if number not in there]
    if unknown:
        raise BadArgument(f"{command}: no notebook {', '.join(unknown)}; there are {', '.join(there)}.")
    if find_spec(needs) is None:
        raise BadArgument(
            f"{command}: {needs} is missing; in a checkout of rnn_ref, this installs it: {sys.executable} -m pip "
            "install -e '.[notebooks]'"
        )
    return [there[number] for number in wanted]


def run_progress(options) -> int:
    from rnn_ref import exercises
    from rnn_ref.exercises import progress

    try:
        print(progress.table(exercises.TITLES, exercises.EXERCISES))
    except ValueError as error:
        raise BadArgument(error) from None
    return 0


def notebook_folder() -> Path:
    """Where the notebooks are: in an installed package inside it, in a checkout beside it."""
    for folder in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        if (folder / FIRST_NOTEBOOK).is_file():
            return folder
    raise FileNotFoundError(f"no notebooks in {PACKAGE} or beside it.")


def copy_notebooks(folder: Path) -> None:
    """Copy the notebooks that are not there yet; those that are there stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    source = notebook_folder()
    for notebook in sorted((*source.glob("*.ipynb"), *source.glob("solutions/*.ipynb"))):
        target = folder / notebook.relative_to(source)
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            print(f"{target} is there already and stays as it is.")
        else:
            shutil.copyfile(notebook, target)
            print(f"{target} written.")


if __name__ == "__main__":
    sys.exit(main())
