"""Traces of models: wrapped, stacked, nested, masked, with attention; limits, tables and files."""

import tracemalloc

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, Sequential, Trace, layers, trace

B, T, F, H = 3, 9, 2, 4


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(B, T, F)).astype("float32")


def same(a, b):
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("limits", [{"every": 3}, {"gates": ["forget", "cell"]}, {"gates": "hidden", "every": 4}])
@pytest.mark.parametrize("steps", [T, 1000])  # the second is longer than a piece
def test_limits_keep_a_part_of_the_whole_to_the_bit(limits, steps):
    x = np.random.default_rng(0).normal(size=(2, steps, F)).astype("float32")
    layer = layers.LSTM(150, name="memory", return_sequences=True)
    whole, part = trace(layer, x)["memory"], trace(layer, x, **limits)["memory"]
    every = limits.get("every", 1)
    same(part.times, np.arange(0, steps, every))
    names = limits.get("gates", [*whole.gates, *whole.states])
    names = [names] if isinstance(names, str) else names
    assert {*part.gates, *part.states} == set(names)
    for name in names:
        same(part[name], whole[name][:, ::every])


def test_layers_limits_to_these_and_those_inside(x):
    model = Sequential(
        [layers.GRU(H, name="a", return_sequences=True), layers.Bidirectional(layers.GRU(H), name="both")]
    )
    seen = trace(model, x, layers="both")
    assert len(seen.recurrent) == 2
    assert all(name == "both" or name.startswith("both/") for name in seen)
    with pytest.raises(ValueError, match=r"no layer of .* is named 'c'; there are a, both"):
        trace(model, x, layers=["c"])
    with pytest.raises(ValueError, match=r"no gate or state of .* is named 'forget'; there are update, reset"):
        trace(model, x, gates="forget")


def test_both_directions_stand_in_the_order_of_the_data(x):
    layer = layers.Bidirectional(layers.LSTM(H, return_sequences=True), name="both")
    seen = trace(layer, x)
    forwards, backwards = seen.recurrent.values()
    same(np.concatenate([forwards.hidden, backwards.hidden], axis=-1), layer(x))


def test_each_cell_of_a_stack(x):
    layer = layers.RNN([layers.LSTMCell(H), layers.GRUCell(3)], name="stack", return_sequences=True)
    first, second = trace(layer, x).recurrent.values()
    assert [len(first.gates), len(second.gates)] == [4, 3]
    same(second.inputs, first.hidden)
    same(second.hidden, layer(x))


def test_a_nested_model_a_shared_layer_and_attention_scores(x):
    entrance = Input((T, F))
    inner = Sequential([Input((T, F)), layers.GRU(H, return_sequences=True, name="gru")], name="encoder")
    shared = layers.GRU(H, return_sequences=True, name="shared")
    h = shared(shared(inner(entrance)))
    model = Model(entrance, layers.Attention(name="attention")([h, h]))
    seen = trace(model, x)
    assert {"encoder/gru", "shared", "shared#2", "attention"} <= set(seen)
    same(seen["shared#2"].inputs, seen["shared"].hidden)
    query = seen["shared#2"].hidden.astype("float64")
    scores = query @ query.swapaxes(1, 2)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    np.testing.assert_allclose(seen["attention"].scores, scores / scores.sum(axis=-1, keepdims=True), atol=1e-6)


def test_time_distributed_keeps_both_times(x):
    videos = np.random.default_rng(0).normal(size=(2, 5, 3, F)).astype("float32")
    layer = layers.TimeDistributed(layers.LSTM(H, name="inner"), name="each")
    (inner,) = trace(layer, videos).recurrent.values()
    alone = trace(layer.layer, videos.reshape(10, 3, F))["inner"]
    same(np.asarray(inner.gates["forget"]).reshape(10, 3, H), alone.gates["forget"])
    assert len(inner.axes["gates/forget"]) == inner.gates["forget"].ndim


def test_masks_and_dropout_are_seen(x):
    mask = np.arange(T) < [[3], [9], [5]]
    layer = layers.LSTM(H, name="memory", dropout=0.4, recurrent_dropout=0.3, seed=1)
    seen = trace(layer, x, mask=mask, training=True)["memory"]
    same(seen.mask, mask)
    same(seen.hidden[0, 3:], np.broadcast_to(seen.hidden[0, 2], (T - 3, H)))  # carried over masked steps
    assert len(seen.dropout) == 2
    for drop in seen.dropout.values():
        kept = np.unique(drop[drop > 0])
        assert np.isclose(kept[0], [1 / 0.6, 1 / 0.7]).any()
        assert kept.size == 1
        assert (drop == 0).any()
    assert not trace(layer, x)["memory"].dropout


def test_select_by_sample_time_and_unit(x):
    seen = trace(layers.LSTM(H, name="memory"), x)["memory"]
    part = seen.select(sample=1, time=slice(2, 6), unit=3)
    same(np.squeeze(part["forget"]), seen["forget"][1, 2:6, 3])
    with pytest.raises((IndexError, ValueError), match="unit"):
        seen.select(unit=H)


def test_file_and_table(x, tmp_path):
    model = Sequential([layers.GRU(H, name="memory"), layers.Dense(2, name="out")])
    seen = trace(model, x)
    again = Trace.load(seen.save(tmp_path / "seen.npz"))
    assert list(again) == list(seen)
    same(again["memory"].gates["reset"], seen["memory"].gates["reset"])
    assert again["memory"].axes == seen["memory"].axes
    table = seen.to_pandas()
    assert list(table.columns[:6]) == ["layer", "array", "sample", "time", "unit", "value"]
    row = table[
        (table.layer == "memory") & (table.array == "gates/update") & (table["sample"] == 2) & (table.time == 5)
    ]
    same(row.sort_values("unit").value.to_numpy(dtype="float32"), seen["memory"].gates["update"][2, 5])
    assert "memory" in seen._repr_html_()
    assert "GRU" in repr(seen)


def bytes_of(seen):
    """Of all arrays; what several of them share counts once."""
    arrays = [array for layer in seen.values() for array in layer.arrays().values() if array.size]
    total = end = 0
    for first, last in sorted(np.lib.array_utils.byte_bounds(array) for array in arrays):
        total += max(0, last - max(first, end))
        end = max(end, last)
    return total


def masked(*inside):
    return Sequential([layers.Masking(), *inside])


@pytest.mark.parametrize(
    "model",
    [
        layers.LSTM(64),
        layers.GRU(64, reset_after=False, return_sequences=True),
        layers.SimpleRNN(64),
        layers.RNN([layers.LSTMCell(64), layers.GRUCell(32)]),
        layers.Bidirectional(layers.LSTM(64, return_sequences=True)),
        Sequential([layers.LSTM(64, return_sequences=True), Sequential([layers.GRU(64)]), layers.Dense(3)]),
        masked(layers.LSTM(64, dropout=0.2, recurrent_dropout=0.2)),
        masked(layers.TimeDistributed(layers.Dense(16)), layers.GRU(64, return_sequences=True)),
    ],
    ids=["lstm", "gru", "simple rnn", "stacked cells", "two directions", "nested", "masked, dropout", "wrapped"],
)
def test_memory_is_that_of_the_arrays(model, monkeypatch):
    monkeypatch.setattr(rnn_ref.memory, "empty", np.empty)  # memory that is used again is not seen by tracemalloc
    x = np.random.default_rng(0).normal(size=(8, 200, 32)).astype("float32")
    trace(model, x, training=True)
    tracemalloc.start()
    seen = trace(model, x, training=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.1 * bytes_of(seen)


def test_memory_of_a_long_sequence_is_that_of_the_limits(monkeypatch):
    """A part of a percent of what everything would take, and a piece of time."""
    monkeypatch.setattr(rnn_ref.memory, "empty", np.empty)
    layer, x = layers.LSTM(16, name="memory"), np.zeros((1, 200_000, 1), "float32")
    trace(layer, x, every=1000)
    tracemalloc.start()
    seen = trace(layer, x, every=1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6 < 0.1 * (200_000 * 16 * 10 * 4)
    assert seen["memory"].gates["forget"].shape == (1, 200, 16)


def test_what_was_never_built_says_so():
    class Empty(Model):
        pass

    with pytest.raises(ValueError, match="never built"):
        trace(Empty(), np.zeros((1, 2, 3)))
