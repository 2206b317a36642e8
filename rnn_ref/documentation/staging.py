"""The sources of the documentation in one folder: pages from all over the project, their links turned to each other.

What a page says stays beside what it is about (``rnn_ref/departures.md``, ``figures/README.md``, the notebooks); here
it gets its place on the site. A link to something that has no place there is an error.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import shutil
from pathlib import Path
from urllib.parse import quote

from rnn_ref.documentation import reference, running

ROOT = Path(__file__).parents[2]
SITE = "notebooks/site"
# Pages from elsewhere, by their places on the site.
PLACES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "figures/README.md": "gallery/index.md",
    "figures/bench-cpu-2026-11-21.json": "bench-cpu-2026-11-21.json",
    "figures/bench-cpu.json": "bench-cpu.json",
    "figures/bench-cpu.png": "bench-cpu.png",
    "figures/benchmarks.md": "benchmarks.md",
    "notebooks/README.md": "course/index.md",
    "notebooks/solutions": "course/solutions/index.md",
    "rnn_ref/departures.md": "departures.md",
    "rnn_ref/gpu.md": "gpu.md",
    "rnn_ref/names.md": "names.md",
    "tests/documents/README.md": "documents.md",
    "tests/interop/README.md": "files-tested.md",
}
LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")
FENCE = re.compile(r"(^ *(?:`{3,}|~{3,}).*?^ *(?:`{3,}|~{3,})$)", re.MULTILINE | re.DOTALL)


def stage(folder: Path, repository: str | None = None) -> None:
    """Write all sources into a folder.

    Parameters
    ----------
    folder : Path
        What is in it is deleted.
    repository : str, optional
        ``OWNER/NAME`` on GitHub, for links that open a notebook in Binder and in Colab.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "extra").mkdir(parents=True)
    places = all_places()
    for source, place in places.items():
        path, target = ROOT / source, folder / place
        if path.is_dir() or source == "README.md":
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            text = path.read_text(encoding="utf-8")
            if running.BLOCK.search(text) and source.startswith(SITE):
                text = running.run(path, target.parent, slow=True)
            target.write_text(turned(text, source, places), encoding="utf-8")
        elif path.suffix == ".ipynb":
            content = notebook(json.loads(path.read_text("utf-8")), source, places)
            if repository:
                links = {"id": "launch", "cell_type": "markdown", "metadata": {}, "source": launch(repository, source)}
                content["cells"].insert(1, links)
            target.write_text(json.dumps(content), "utf-8")
        else:
            shutil.copyfile(path, target)
    for page in list(folder.rglob("*.html")):  # written by code of the guides; Sphinx takes them as they are
        target = folder / "extra" / page.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        page.rename(target)
    _toctrees(folder)
    reference.write(folder / reference.FOLDER)


def all_places() -> dict[str, str]:
    """Where each file of the project is on the site."""
    places = dict(PLACES)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")) + sorted((ROOT / "notebooks/solutions").glob("*.ipynb")):
        places[path.relative_to(ROOT).as_posix()] = "course/" + path.relative_to(ROOT / "notebooks").as_posix()
    for path in sorted((ROOT / "figures").glob("*.png")):
        places.setdefault(f"figures/{path.name}", f"gallery/{path.name}")
    for path in sorted(path for path in (ROOT / SITE).rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        places[path.relative_to(ROOT).as_posix()] = path.relative_to(ROOT / SITE).as_posix()
    return places


def turned(text: str, source: str, places: dict[str, str]) -> str:
    """The links of a page, as they must be on the site.

    Raises
    ------
    ValueError
        If one leads to a file that has no place there.
    """
    here = posixpath.dirname(places[source])

    def turn(match: re.Match) -> str:
        link = match[2]
        if "://" in link or link.startswith("mailto:"):
            return match[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        if target not in places:
            on_site = posixpath.normpath(posixpath.join(here, link))
            made = on_site.startswith(f"{reference.FOLDER}/") or on_site.endswith((".html", ".png"))
            if source.startswith(SITE) and made:
                return match[0]  # is made while the site is built
            raise ValueError(f"{source}: {link} has no place in the documentation; see PLACES in {__name__}.")
        return f"{match[1]}{posixpath.relpath(places[target], here or '.')}{match[3]}"

    parts = FENCE.split(text)
    parts[::2] = [LINK.sub(turn, part) for part in parts[::2]]
    return "".join(parts)


def notebook(content: dict, source: str, places: dict[str, str]) -> dict:
    """A notebook with its links turned, and words for each of its pictures."""
    for cell in content["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cell["source"] = turned(text, source, places)
        elif any("image/png" in output.get("data", {}) for output in cell["outputs"]):
            made = next((line for line in reversed(text.strip().splitlines()) if line.strip(")] ")), "the code above")
            words = made.strip().replace('"', "'")
            cell["metadata"] = {"mystnb": {"image": {"alt": f"The picture that the code above draws: {words}"}}}
    return content


def launch(repository: str, source: str) -> str:
    """Links that open a notebook elsewhere, and what Colab must install first."""
    binder = f"https://mybinder.org/v2/gh/{repository}/main?labpath={quote(source, safe='')}"
    colab = f"https://colab.research.google.com/github/{repository}/blob/main/{source}"
    return (
        f"Open this notebook in [Binder]({binder}), or in [Colab]({colab}); there, run first "
        f"`%pip install 'rnn-ref[notebooks] @ git+https://github.com/{repository}'`."
    )


def _toctrees(folder: Path) -> None:
    """Lists of pages at the end of those that others lead to."""
    course = folder / "course"
    numbered = [path.stem for path in sorted(course.glob("*.ipynb"))]
    _append(course / "index.md", [*numbered, "solutions/index"])
    solved = [path.stem for path in sorted((course / "solutions").glob("*.ipynb"))]
    words = "# Worked answers\n\nTo the course's exercises: look after you have tried.\n\n"
    words += "".join(f"- [{_title(course / 'solutions' / f'{name}.ipynb')}]({name}.ipynb)\n" for name in solved)
    (course / "solutions" / "index.md").write_text(words, encoding="utf-8")
    _append(course / "solutions" / "index.md", solved)


def _title(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "".join(cells[0]["source"]).splitlines()[0].lstrip("# ").removesuffix(": solutions")


def _append(page: Path, entries: list[str]) -> None:
    listed = os.linesep.join(entries)
    with page.open("a", encoding="utf-8") as file:
        file.write(f"\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n")
