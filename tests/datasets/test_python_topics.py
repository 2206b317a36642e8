import sys

import pytest

from rnn_ref.datasets import load_python_topics


def test_it_is_english_and_python():
    text = load_python_topics()
    assert 200_000 < len(text) < 1_000_000
    assert 60 < len(set(text)) < 200
    assert text.count(" the ") > 2000
    assert "def " in text
    assert load_python_topics() == text


def test_every_paragraph_is_there_once():
    paragraphs = load_python_topics().split("\n\n")
    assert len(paragraphs) == len(set(paragraphs)) > 1000
    assert all(part.strip() for part in paragraphs)
    from pydoc_data.topics import topics

    assert set(paragraphs) == {p.strip("\n") for text in topics.values() for p in text.split("\n\n") if p.strip()}


def test_a_python_without_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(ModuleNotFoundError, match=r"no pydoc_data\.topics.*complete standard library"):
        load_python_topics()
