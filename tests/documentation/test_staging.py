"""Sources of the documentation, their links, and what is found wrong in a built site."""

import json
import re

import pytest

from rnn_ref.documentation import links, staging

PLACES = staging.all_places()


def test_links_are_turned():
    text = "[a](../README.md#tests) [b](https://x.y/z) [c](../guides/masks.md)\n```\n[d](nowhere.md)\n```\n"
    places = {
        "notebooks/site/keras/x.md": "keras/x.md",
        "notebooks/site/README.md": "r.md",
        "notebooks/site/guides/masks.md": "guides/masks.md",
    }
    turned = staging.turned(text, "notebooks/site/keras/x.md", places)
    assert turned == text.replace("../README.md#tests", "../r.md#tests")


def test_a_link_that_has_no_place_is_an_error():
    with pytest.raises(ValueError, match=r"figures/README\.md: nowhere\.md has no place"):
        staging.turned("[a](nowhere.md)", "figures/README.md", PLACES)


@pytest.mark.parametrize("source", [source for source in PLACES if source.endswith(".md")])
def test_every_link_of_every_page_has_a_place(source):
    staging.turned((staging.ROOT / source).read_text(encoding="utf-8"), source, PLACES)


def test_no_two_sources_have_one_place():
    written = [place for source, place in PLACES.items() if not source.startswith("README")]
    assert len(set(written)) == len(written)


def test_pictures_of_notebooks_get_words():
    source = "notebooks/00-start-here.ipynb"
    content = json.loads((staging.ROOT / source).read_text(encoding="utf-8"))
    drawn = [c for c in content["cells"] if any("image/png" in o.get("data", {}) for o in c.get("outputs", []))]
    staging.notebook(content, source, PLACES)
    alts = [cell["metadata"]["mystnb"]["image"]["alt"] for cell in drawn]
    assert alts
    assert all(re.match("The picture that the code above draws: .", alt) for alt in alts)


def test_faults_of_a_site_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<p id="here"></p><a href="b.html#there">b</a><a href="#here">x</a><img src="c.png">'
    )
    (tmp_path / "b.html").write_text('<a href="a.html#here">a</a><a href="gone.html">x</a>')
    assert links.faults(tmp_path) == [
        "a.html: b.html#there leads to no place in the file",
        "a.html: c.png has no alternative text",
        "a.html: c.png leads to no file",
        "b.html: gone.html leads to no file",
    ]


def test_notebooks_can_be_opened_elsewhere():
    text = staging.launch("owner/name", "notebooks/solutions/05-the-gru.ipynb")
    assert "https://mybinder.org/v2/gh/owner/name/main?labpath=notebooks%2Fsolutions%2F05-the-gru.ipynb)" in text
    assert "https://colab.research.google.com/github/owner/name/blob/main/notebooks/solutions/05-the-gru.ipynb)" in text
