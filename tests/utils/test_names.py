"""Every public name of Keras is there, or in the one table that says what to write instead; never both."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

from pathlib import Path

import keras
import pytest

import rnn_ref
from rnn_ref import names, preprocessing, utils


def public(module):
    return {name for name in dir(getattr(keras, module)) if not name.startswith("_")}


@pytest.mark.parametrize("module", names.MODULES)
def test_each_name_is_there_or_in_the_table(module):
    ours = getattr(rnn_ref, module)
    there = {name for name in public(module) if hasattr(ours, name)}
    absent = set(names.ABSENT[module])
    assert public(module) - there - absent == set(), "neither there nor in the table"
    assert there & absent == set(), "in the table, but there"
    assert absent - public(module) == set(), "in the table, but not Keras's"


def test_no_name_stands_twice():
    for module, groups in names.GROUPS.items():
        listed = [name for group, _ in groups for name in group.split()]
        assert len(listed) == len(set(listed)), module


def test_the_messages():
    with pytest.raises(AttributeError, match=r"rnn_ref.layers has no Conv2D: it is for images"):
        rnn_ref.layers.Conv2D  # noqa: B018
    with pytest.raises(ImportError, match=r"rnn_ref.layers has no Conv2D: it is for images"):
        from rnn_ref.layers import Conv2D  # noqa: F401
    with pytest.raises(ImportError, match=r"rnn_ref.utils has no plot_model: it draws a graph; model.summary"):
        from rnn_ref.utils import plot_model  # noqa: F401
    with pytest.raises(AttributeError, match="has no attribute 'unheard_of'"):
        rnn_ref.losses.unheard_of  # noqa: B018
    for module in names.MODULES:
        for name in names.ABSENT[module]:
            assert f"rnn_ref.{module} has no {name}: it " in names.explain(name, module)


def test_what_the_docs_show_is_the_table():
    shown = Path(names.__file__).with_name("names.md").read_text(encoding="utf-8")
    assert shown == names.as_markdown(), "write names.as_markdown() to rnn_ref/names.md"


def test_layers_are_written_and_read():
    layer = rnn_ref.layers.Dense(3, name="d")
    again = rnn_ref.layers.deserialize(rnn_ref.layers.serialize(layer))
    assert (type(again), again.get_config()) == (type(layer), layer.get_config())


def test_helpers_around_data():
    assert utils.pad_sequences is preprocessing.sequence.pad_sequences
    assert utils.timeseries_dataset_from_array is preprocessing.timeseries.timeseries_dataset_from_array
