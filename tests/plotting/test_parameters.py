"""The block diagram is to scale: measured on what was drawn."""

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import rnn_ref
from rnn_ref import layers, plot
from rnn_ref.plotting.shared import GATE_COLOURS


def blocks(figure):
    """Width, height and colour of every block; the scale's square is the last one drawn and has no filling."""
    found = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    square = found.pop()
    assert square.get_facecolor()[3] == 0
    return [(b.get_width(), b.get_height(), to_hex(b.get_facecolor()).upper()) for b in found], square


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("layer", [layers.LSTM(64, input_shape=(None, 5)), layers.GRU(6, input_shape=(None, 300))])
def test_areas_are_numbers_of_parameters(layer):
    figure = plot.parameters(layer)
    drawn, square = blocks(figure)
    words = next(text for text in texts(figure) if text.startswith("this area"))
    unit = square.get_width() * square.get_height() / float(words.split()[2].replace(",", ""))
    expected = []
    views = layer.gate_weights().items()
    for kind in ("kernel", "recurrent_kernel"):
        expected += [(getattr(w, kind).shape, GATE_COLOURS[gate].upper()) for gate, w in views]
    bias_rows = 2 if layer.bias.shape[0] == 2 else 1
    expected += [((1, w.bias.shape[-1]), GATE_COLOURS[gate].upper()) for _ in range(bias_rows) for gate, w in views]
    assert len(drawn) == len(expected)
    for (width, height, colour), ((rows, columns), gate_colour) in zip(drawn, expected, strict=True):
        assert width * height == pytest.approx(rows * columns * unit)
        assert height / width == pytest.approx(rows / columns)
        assert colour == gate_colour
    assert figure.axes[0].get_aspect() == 1


def test_weights_are_labelled():
    figure = plot.parameters(layers.LSTM(64, input_shape=(None, 5), name="memory"))
    labels = texts(figure)
    assert {"F = 5", "H = 64", "forget (64)", "bias: 64 × 4 gates = 256"} <= set(labels)
    assert "kernel: 5 × 64 × 4 gates = 1,280" in labels
    assert "17,920" in figure.axes[0].get_title()
    assert "recurrent kernel 16,384" in plot.figure_alt(figure)


def test_a_model_has_one_scale_and_leaves_out_layers_without_parameters():
    model = rnn_ref.Sequential(
        [
            rnn_ref.Input((None,)),
            layers.Embedding(90, 3),
            layers.Dropout(0.1),
            layers.Bidirectional(layers.LSTM(4, name="reader")),
            layers.Dense(2, name="answer"),
        ]
    )
    figure = plot.parameters(rnn_ref.derive_parameters(model))
    drawn, square = blocks(figure)
    words = next(text for text in texts(figure) if text.startswith("this area"))
    unit = square.get_width() ** 2 / float(words.split()[2].replace(",", ""))
    assert sum(width * height for width, height, _ in drawn) / unit == pytest.approx(model.count_params())
    headings = " ".join(texts(figure))
    assert "forward_reader (LSTM)" in headings
    assert "dropout" not in headings
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["input gate", "forget gate", "candidate", "output gate"]


def test_it_draws_on_given_axes_and_refuses_what_has_no_parameters():
    own = Figure()
    assert plot.parameters(layers.Dense(3, input_shape=(2,)), ax=own.subplots(), title="mine") is own
    assert own.axes[0].get_title() == "mine"
    with pytest.raises(ValueError, match="no parameters to draw"):
        plot.parameters(rnn_ref.Sequential([rnn_ref.Input((3, 2)), layers.Flatten(name="flat")]))
