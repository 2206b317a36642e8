"""The gallery's page: its code is short, is run as it is shown, and is shown with what it made.

The whole page takes a minute; CI runs it with ``rnn-ref figures``.
"""

import pytest

from rnn_ref import gallery, plot

PAGE = """# A page

```python
from rnn_ref import layers, plot, weight_report
layer = layers.GRU(3, input_shape=(4, 2), name="gru")
```

```python weights.png
plot.weights(weight_report(layer)["gru"])
```
"""


@pytest.fixture
def page(tmp_path, monkeypatch):
    def use(text):
        path = tmp_path / "gallery.md"
        path.write_text(text)
        monkeypatch.setattr(gallery, "PAGE", path)

    return use


def test_pictures_stand_under_the_code_that_made_them(page, tmp_path):
    page(PAGE)
    (picture,) = gallery.run(tmp_path / "out")
    assert picture.stat().st_size > 5_000
    shown = (tmp_path / "out" / "README.md").read_text()
    assert '```python\nplot.weights(weight_report(layer)["gru"])\n```\n\n![' in shown
    assert "](weights.png)" in shown


def test_an_error_names_the_line_of_the_page(page, tmp_path):
    page(PAGE.replace("weight_report(layer)", "weight_report(nothing)"))
    with pytest.raises(NameError) as raised:
        gallery.run(tmp_path / "out")
    assert raised.traceback[-1].lineno + 1 == 9


def test_a_picture_takes_at_most_five_lines(page, tmp_path):
    page(PAGE.replace("plot.weights(", "a = 1\n" * 5 + "plot.weights("))
    with pytest.raises(ValueError, match=r"weights\.png has more than 5 lines"):
        gallery.run(tmp_path / "out")


def test_what_is_no_figure_is_refused(page, tmp_path):
    page(PAGE.replace('plot.weights(weight_report(layer)["gru"])', "layer"))
    with pytest.raises(TypeError, match=r"weights\.png is no figure"):
        gallery.run(tmp_path / "out")


def test_every_public_picture_is_in_the_gallery():
    code = "".join(block.code for block in gallery.blocks(gallery.PAGE.read_text(encoding="utf-8")))
    missing = [name for name in plot.__all__ if f"plot.{name}(" not in code and name != "figure_alt"]
    assert missing == []
