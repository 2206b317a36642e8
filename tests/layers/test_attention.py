"""What the comparison with Keras in test_against_keras.py does not reach."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

Q, V = np.random.default_rng(0).standard_normal((3, 4, 5)), np.random.default_rng(1).standard_normal((3, 6, 5))
each = pytest.mark.parametrize("make", [layers.Attention, layers.AdditiveAttention])


@each
def test_scores_are_on_the_tape(make):
    (y, scores), tape = make(dtype="float64").forward([Q, V], return_attention_scores=True)
    assert np.shares_memory(tape.scores, scores)
    np.testing.assert_allclose(scores.sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(y, scores @ V, rtol=1e-12)


@each
def test_masked_values_and_the_future_have_no_weight(make):
    mask = np.array([[1, 1, 1, 1, 0, 0]] * 3, bool)
    _, scores = make()([Q, V], mask=[None, mask], return_attention_scores=True, use_causal_mask=True)
    assert not scores[:, :, 4:].any()
    assert not np.triu(scores, 1).any()


@each
def test_query_mask_is_handed_on(make):
    layer, mask = make(), np.array([[1, 1, 0, 0]] * 3, bool)
    y, _, out = layer.run([Q, V], mask=[mask, None])
    assert not y[:, 2:].any()
    np.testing.assert_array_equal(out, mask)
    _, _, out = layer.run([Q, V], mask=[mask, None], return_attention_scores=True)
    np.testing.assert_array_equal(out[0], mask)
    assert out[1] is None


@each
def test_dropout(make):
    drop = np.random.default_rng(0).choice([0.0, 2.0], size=(3, 4, 6))
    errors = rnn_ref.check_gradients(make(), [Q, V], drop=drop, return_attention_scores=True)
    assert max(errors.values()) < 1e-6
    layer = make(dropout=0.5, seed=3)
    y, scores = layer([Q, V], training=True, return_attention_scores=True)
    assert (scores == 0).any()
    again = make.from_config(layer.get_config())
    again.ensure_built([Q.shape, V.shape])
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again([Q, V], training=True), y)
    assert (layer([Q, V], return_attention_scores=True)[1] > 0).all()


def test_same_array_as_value_and_key_given_twice():
    layer = layers.Attention(dtype="float64")
    _, tape = layer.forward([Q, V, V])
    _, short = layer.forward([Q, V])
    _, dv, dk = layer.backward(tape, Q).inputs
    np.testing.assert_allclose(layer.backward(short, Q).inputs[1], dv + dk)


@each
def test_symbolic_shapes(make):
    query, value = rnn_ref.Input((4, 5)), rnn_ref.Input((None, 5))
    assert make()([query, value]).shape == (None, 4, 5)
    y, scores = make()([query, value], return_attention_scores=True)
    assert y.shape == (None, 4, 5)
    assert scores.shape == (None, 4, None)


@each
@pytest.mark.parametrize(
    ("inputs", "what"),
    [
        (Q, r"expected a list \[query, value\]"),
        ([Q], "got 1 inputs"),
        ([Q, V[:2]], "batch sizes of query, value and key must be equal"),
        ([Q, V[..., :2]], "features of query and key must be equal"),
        ([Q, V, V[:, :2]], "time steps of value and key must be equal"),
        ([Q, V[0]], r"value must have 3 axes .*, got shape \(6, 5\)"),
    ],
)
def test_bad_inputs(make, inputs, what):
    with pytest.raises(ValueError, match=what):
        make()(inputs)


def test_bad_arguments():
    with pytest.raises(ValueError, match="score_mode must be 'dot' or 'concat', got 'cosine'"):
        layers.Attention(score_mode="cosine")
    with pytest.raises(ValueError, match=r"the value mask has shape \(3, 4\), expected \(3, 6\)"):
        layers.Attention()([Q, V], mask=[None, np.ones((3, 4), bool)])
    with pytest.raises(ValueError, match="mask must be a list"):
        layers.Attention()([Q, V], mask=np.ones((3, 4), bool))


@each
def test_axes_before_time_are_like_the_batch(make):
    q, v = Q.reshape(1, 3, 4, 5), V.reshape(1, 3, 6, 5)
    layer = make(dtype="float64")
    mask = [np.arange(4) < [[4], [2], [3]], np.arange(6) < [[6], [2], [3]]]
    y, scores = layer([Q, V], mask=mask, return_attention_scores=True)
    (y4, scores4), tape = layer.forward([q, v], mask=[m[None] for m in mask], return_attention_scores=True)
    np.testing.assert_array_equal(y4[0], y)
    np.testing.assert_array_equal(scores4[0], scores)
    dq, dv = layer.backward(tape, [y4, None]).inputs
    assert (dq.shape, dv.shape) == (q.shape, v.shape)
    assert max(rnn_ref.check_gradients(layer, [q, v]).values()) < 1e-6
    y, scores = layer(
        [rnn_ref.Input(batch_shape=q.shape), rnn_ref.Input(batch_shape=v.shape)], return_attention_scores=True
    )
    assert (y.shape, scores.shape) == (y4.shape, scores4.shape)
    with pytest.raises(ValueError, match="axes before time"):
        layer([q, V.reshape(1, 1, 18, 5)])
