"""MultiHeadAttention as people set it beside a recurrent layer: in models, with masks, in a trace."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

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
    with pytest.raises(NotImplementedError, match="sliding_window=2"):
        layers.MultiHeadAttention(2, 3, sliding_window=2)
    with pytest.raises(NotImplementedError, match="attention_axes"):
        layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))
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
