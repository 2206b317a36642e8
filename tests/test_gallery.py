"""The gallery shows every picture there is, with the code that makes it; CI runs ``rnn-ref figures`` itself."""

import re
import traceback
from pathlib import Path

import pytest

from rnn_ref import gallery, plot
from rnn_ref.cli import main

FIGURES = Path(__file__).parents[1] / "figures"
PAGE = gallery.PAGE.read_text(encoding="utf-8")

SMALL = """# A page

```python
from rnn_ref import plot

curve = {"loss": [3.0, 2.0]}
```

Its picture:

```python small.png
curve["loss"].append(1.0)
plot.history(curve)
```
"""


@pytest.fixture
def page(tmp_path, monkeypatch):
    """``page(text)``: make this the gallery's page."""

    def use(text):
        path = tmp_path / "gallery.md"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setattr(gallery, "PAGE", path)

    return use


def test_every_function_that_draws_is_shown():
    code = "".join(block.code for block in gallery.blocks(PAGE) if block.picture)
    missing = [name for name in plot.__all__ if name not in ("figure_alt", "style") and f"plot.{name}(" not in code]
    assert not missing


def test_the_page_in_figures_is_this_one():
    """Its text, code and pictures; the alternative texts hold numbers, whose last digits depend on the machine."""

    def without_alts(text):
        return re.sub(r"!\[[^\]]*\]", "![]", text)

    names = [block.picture for block in gallery.blocks(PAGE) if block.picture]
    expected = gallery.rendered(PAGE, dict.fromkeys(names, ""))
    written = (FIGURES / "README.md").read_text(encoding="utf-8")
    assert without_alts(written) == expected, "run rnn-ref figures"
    assert all(len(alt) > 40 for alt in re.findall(r"!\[([^\]]*)\]", written))
    for name in names:
        assert (FIGURES / name).read_bytes().startswith(b"\x89PNG")
    of_other_commands = {path.name for command in ("tour", "bench") for path in FIGURES.glob(f"{command}-*.png")}
    assert {path.name for path in FIGURES.glob("*.png")} == {*names, *of_other_commands}


def test_pictures_and_page_are_written(page, tmp_path, capsys):
    page(SMALL)
    assert main(["figures", "--out", str(tmp_path / "out")]) == 0
    assert "1 pictures" in capsys.readouterr().out
    assert (tmp_path / "out" / "small.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "```python\ncurve[" in text
    assert "plot.history(curve)\n```\n\n![Training over 3 epochs: loss from 3 to 1.](small.png)\n" in text


def test_an_error_names_the_line_of_the_page(page, tmp_path):
    page(SMALL.replace("plot.history(curve)", "plot.history({})"))
    with pytest.raises(ValueError, match="history is empty") as caught:
        main(["figures", "--out", str(tmp_path / "out")])
    frames = traceback.extract_tb(caught.value.__traceback__)
    number = next(frame.lineno for frame in frames if frame.filename.endswith("gallery.md"))
    assert gallery.PAGE.read_text(encoding="utf-8").splitlines()[number - 1] == "plot.history({})"


def test_a_page_that_breaks_its_rules(page, tmp_path):
    page(SMALL.replace("plot.history(curve)", "curve"))
    with pytest.raises(TypeError, match="is no figure, but"):
        gallery.run(tmp_path / "out")
    with pytest.raises(ValueError, match="more than 5 lines"):
        gallery.blocks("```python a.png\n" + "1\n" * 6 + "```\n")
    with pytest.raises(ValueError, match=r"two pictures are named a\.png"):
        gallery.blocks("```python a.png\n1\n```\n\n```python a.png\n2\n```\n")
