"""MultiHeadAttention as people set it beside a recurrent layer: in models, with masks, in a trace."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

IDS = np.array([[3, 1, 2, 0], [2, 2, 0, 0], [1, 4, 4, 3]])
X = np.random.default_rng(0).normal(size=(3, 4, 6)).astype("float32")


def decoder(library):
    inside = library.layers
    ids = library.Input((4,))
    x = inside.Embedding(5, 6, mask_zero=True)(ids)
    x = inside.SimpleRNN(6, return_sequences=True)(x)
    y, scores = inside.MultiHeadAttention(2, 3, name="heads")(x, x, use_causal_mask=True, return_attention_scores=True)
    model = library.Model(ids, [inside.Add()([x, y]), scores])
    drawn = np.random.default_rng(1)
    model.set_weights([drawn.normal(size=w.shape) for w in model.get_weights()])
    return model


def test_functional_model_with_masks():
    ours, theirs = decoder(rnn_ref), decoder(keras)
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    for a, b in zip(ours.predict(IDS, verbose=0), theirs.predict(IDS, verbose=0)):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for again in (rnn_ref.Model.from_config(ours.get_config()), rnn_ref.models.clone_model(ours)):
        again.set_weights(ours.get_weights())
        np.testing.assert_array_equal(again.predict(IDS, verbose=0)[0], ours.predict(IDS, verbose=0)[0])


def test_trace_shows_its_scores():
    layer = layers.MultiHeadAttention(2, 3, dropout=0.5, seed=1, name="heads")
    _, scores = layer(X, X, return_attention_scores=True)
    seen = rnn_ref.trace(layer, [X, X], training=True)["heads"]
    assert seen.axes["scores"] == ("sample", "head", "time", "key")
    np.testing.assert_allclose(seen.scores, scores * seen.dropout["scores"], rtol=1e-6)
    figure = rnn_ref.plot.attention(seen, head=1)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), seen.scores[0, 1])
    with pytest.raises(ValueError, match="heads 0 to 1"):
        rnn_ref.plot.attention(seen)


def test_a_query_that_may_look_at_nothing_gets_the_bias_alone():
    mask = np.array([[True, True, True, True], [True, True, True, True], [False] * 4])
    layer = layers.MultiHeadAttention(2, 3)
    layer(X, X)
    layer.set_weights([np.random.default_rng(k).normal(size=w.shape) for k, w in enumerate(layer.weights)])
    y, scores = layer(X, X, value_mask=mask, return_attention_scores=True)
    assert (scores[2] == 0).all()
    np.testing.assert_allclose(y[2], np.broadcast_to(layer.get_weights()[-1], (4, 6)), rtol=1e-6)
    np.testing.assert_array_equal(layer(X, X, None, None, mask), y)  # third to fifth: key, query_mask, value_mask


def test_a_query_mask_by_name_counts():
    mask = np.array([[True, True, False, False]] * 3)
    _, scores = layers.MultiHeadAttention(2, 3)(X, X, query_mask=mask, return_attention_scores=True)
    assert (scores[:, :, 2:] == 0).all()
    assert (scores[:, :, :2] > 0).all()


def test_parameters():
    for layer, shapes in [
        (layers.MultiHeadAttention(2, 3, value_dim=4, output_shape=5), [X, X]),
        (layers.Conv1D(4, 3, groups=2), [X]),
        (layers.BatchNormalization(), [X]),
        (layers.GroupNormalization(3), [X]),
        (layers.RMSNormalization(), [X]),
        (layers.PReLU(), [X]),
    ]:
        layer(*shapes)
        derived = rnn_ref.derive_parameters(layer)
        assert derived.total == layer.count_params() == sum(w.size for w in layer.weights)


def test_refusals():
    with pytest.raises(ValueError, match=r"layer\(x, x\) for self-attention"):
        layers.MultiHeadAttention(2, 3)(X)
    with pytest.raises(ValueError, match="sliding_window"):
        layers.MultiHeadAttention(2, 3, sliding_window=0)
    with pytest.raises(ValueError, match=r"attention_axes=\(1, 2\) of inputs with 3 axes"):
        layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))(X, X)
    with pytest.raises(ValueError, match="output_shape must be a number"):
        layers.MultiHeadAttention(2, 3, output_shape=8.0)
    for options in ({"use_causal_mask": True}, {"query_mask": np.ones((1, 2), bool)}):
        with pytest.raises(ValueError, match="is for one attended axis"):
            layers.MultiHeadAttention(2, 3)(np.ones((1, 2, 3, 4)), np.ones((1, 2, 3, 4)), **options)
    with pytest.raises(ValueError, match="attention_mask has shape"):
        layers.MultiHeadAttention(2, 3)(X, X, attention_mask=np.ones((2, 4, 4), bool))


@pytest.mark.parametrize("shapes", [((2, 3, 4), (2, 5, 6)), ((2, 3, 4), (2, 5, 6), (2, 5, 7))])
def test_build_for_shapes_side_by_side(shapes):
    ours, theirs = (module.layers.MultiHeadAttention(2, 3) for module in (rnn_ref, keras))
    ours.build(*shapes)
    theirs.build(*shapes)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert ours.compute_output_shape(*shapes) == tuple(theirs.compute_output_shape(*shapes))
    ours(*(np.zeros(shape) for shape in shapes))


WITH_MORE_AXES = [  # shapes of query and value, options, shape of an attention mask
    ((2, 3, 4, 5), (2, 3, 2, 5), {"attention_axes": 2}, (2, 4, 2)),
    ((2, 3, 4, 5), (2, 3, 2, 5), {"attention_axes": (-2,)}, (2, 3, 2, 4, 2)),
    ((2, 3, 4, 5), (2, 6, 4, 5), {"attention_axes": 1, "use_gate": True}, None),
    ((2, 3, 4, 5), (2, 3, 2, 5), {"output_shape": (2, 3)}, (2, 3, 4, 3, 2)),
    ((2, 2, 3, 2, 5), (2, 2, 3, 2, 5), {"attention_axes": (2, 3), "use_bias": False, "use_gate": True}, None),
    ((2, 4, 5), (2, 3, 5), {"use_gate": True, "sliding_window": 2}, None),
]


@pytest.mark.parametrize(("query", "value", "options", "mask"), WITH_MORE_AXES)
def test_more_axes_a_gate_and_a_window_as_in_keras(query, value, options, mask, keras_in):
    drawn = np.random.default_rng(3)
    q, v = drawn.normal(size=query), drawn.normal(size=value)
    ours, theirs = (module.layers.MultiHeadAttention(2, 3, dtype="float64", **options) for module in (rnn_ref, keras))
    told = {} if mask is None else {"attention_mask": drawn.random(mask) < 0.7}
    if mask is not None:
        told["attention_mask"][..., 0] = True  # what a query that sees nothing gets is another question
        told["attention_mask"].reshape(*mask[:-2], -1)[..., 0] = True
        if len(mask) == 5 and "output_shape" in options:
            told["attention_mask"][..., 0, 0] = True
    ours.build(query, value)
    theirs.build(query, value)
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    weights = [drawn.normal(size=w.shape) for w in ours.weights]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    y, scores = ours(q, v, return_attention_scores=True, **told)
    with keras_in("float64"):
        expected = theirs(q, v, return_attention_scores=True, **told)
    np.testing.assert_allclose(y, expected[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(scores, expected[1], rtol=1e-5, atol=1e-6)
    symbolic = ours(*(rnn_ref.Input(batch_shape=s) for s in (query, value)), return_attention_scores=True)
    assert [t.shape for t in symbolic] == [y.shape, scores.shape]
    again = layers.MultiHeadAttention.from_config(ours.get_config())
    assert again.get_config() == ours.get_config()
    derived = rnn_ref.derive_parameters(ours)
    assert derived.total == ours.count_params()


@pytest.mark.parametrize(("query", "value", "options", "mask"), WITH_MORE_AXES[1::2])
def test_gradients_over_more_axes(query, value, options, mask):
    layer = layers.MultiHeadAttention(2, 3, dtype="float64", **options)
    drawn = np.random.default_rng(4)
    told = {} if mask is None else {"attention_mask": drawn.random(mask) < 0.7}
    x = [drawn.normal(size=query), drawn.normal(size=value)]
    (y, scores), tape = layer.forward(x, return_attention_scores=True, **told)
    dy, dscores = drawn.normal(size=y.shape), drawn.normal(size=scores.shape)
    found = layer.backward(tape, [dy, dscores])

    def loss():
        y, scores = layer.forward(x, return_attention_scores=True, **told)[0]
        return (y * dy).sum() + (scores * dscores).sum()

    arrays = [*x, *(w.value for w in layer.weights)]
    for array, d in zip(arrays, [*found.inputs, *(found.weights[name] for name in layer.named_weights())]):
        step = drawn.normal(size=array.shape)
        array += 1e-6 * step
        up = loss()
        array -= 2e-6 * step
        down = loss()
        array += 1e-6 * step
        np.testing.assert_allclose((d * step).sum(), (up - down) / 2e-6, rtol=1e-6, atol=1e-7)
