"""CTC against Keras, PyTorch and the enumeration of all paths."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import itertools

import jax
import keras
import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers, losses
from rnn_ref.training.losses.ctc import ctc_loss

LABELS = np.array([[1, 2, 3, 0], [2, 2, 0, 0], [1, 1, 1, 0], [4, 3, 4, 3], [0, 0, 0, 0]])


def logits(T=8, C=5, scale=2.0, seed=0):
    return scale * np.random.default_rng(seed).normal(size=(len(LABELS), T, C)).astype("float32")


def read(path, blank=0):
    """The labels of a path: repetitions merged, then blanks left out."""
    return [k for k, _ in itertools.groupby(path) if k != blank]


def test_value_and_gradient_equal_those_of_keras():
    y_pred = logits()
    weight = np.array([1.0, 0.5, 2.0, 0.0, 1.5], "float32")
    expected, dexpected = jax.value_and_grad(lambda z: keras.losses.CTC()(LABELS, z, weight))(jax.numpy.asarray(y_pred))
    value, dy_pred = losses.CTC().value_and_gradient(LABELS, y_pred, weight)
    assert value.dtype == dy_pred.dtype == np.float32
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(dy_pred, dexpected, atol=2e-6)
    np.testing.assert_allclose(losses.ctc(LABELS, y_pred), keras.losses.ctc(LABELS, y_pred), rtol=1e-5)


def test_lengths_blank_and_gradient_equal_those_of_pytorch():
    """In float64, to the last digits; PyTorch takes lengths of labels and sequences, and another blank."""
    torch = pytest.importorskip("torch")
    y_pred, T = logits(9).astype(float), np.array([9, 7, 8, 9, 3])
    lengths, labels = np.count_nonzero(LABELS, axis=1), np.where(LABELS == 3, 0, LABELS)  # class 3 is the blank
    labels = np.where(np.arange(4) < lengths[:, None], labels, 0)
    z = torch.tensor(y_pred, requires_grad=True)
    log_p = torch.nn.functional.log_softmax(z, -1).transpose(0, 1)
    expected = torch.nn.functional.ctc_loss(
        log_p, torch.tensor(labels), torch.tensor(T), torch.tensor(lengths), blank=3, reduction="none"
    )
    expected.sum().backward()
    for b in range(len(labels)):
        value, dz = ctc_loss(labels[b : b + 1], y_pred[b : b + 1, : T[b]], lengths[b : b + 1], blank=3, gradient=True)
        np.testing.assert_allclose(value, expected[b].item(), rtol=1e-12)
        np.testing.assert_allclose(dz[0], z.grad[b, : T[b]], atol=1e-12)


def test_all_paths_counted_one_by_one():
    T, C = 4, 3
    z = np.random.default_rng(1).normal(size=(T, C))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    found = {}
    for path in itertools.product(range(C), repeat=T):
        key = tuple(read(path))
        found[key] = found.get(key, 0) + np.prod(p[np.arange(T), path])
    for labels, probability in found.items():
        row = np.zeros((1, 4), int)
        row[0, : len(labels)] = labels
        np.testing.assert_allclose(np.exp(-losses.CTC()(row, z[None])), probability, rtol=1e-12)
    np.testing.assert_allclose(sum(found.values()), 1)


def test_long_sequences_do_not_underflow():
    y_pred = logits(600, scale=20.0)
    y_pred[:, :, 1:3] -= 50
    value, dy_pred = losses.CTC().value_and_gradient(LABELS, y_pred)
    expected, dexpected = losses.CTC().value_and_gradient(LABELS, y_pred.astype(float))
    assert np.isfinite(value)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_allclose(dy_pred, dexpected, atol=1e-7)
    np.testing.assert_allclose(dy_pred.sum(axis=-1), 0, atol=1e-6)


def test_a_mask_shortens_a_sequence():
    y_pred, T = logits(), np.array([8, 3, 5, 7, 1])
    mask = np.arange(8) < T[:, None]
    value, dy_pred = losses.CTC(reduction="sum").value_and_gradient(LABELS, y_pred, mask=mask)
    total = 0
    for b, length in enumerate(T):
        own, down = losses.CTC().value_and_gradient(LABELS[b : b + 1], y_pred[b : b + 1, :length])
        total += own
        np.testing.assert_allclose(dy_pred[b, :length], down[0], atol=1e-7)
        assert not dy_pred[b, length:].any()
    np.testing.assert_allclose(value, total, rtol=1e-6)
    np.testing.assert_allclose(losses.CTC(reduction="sum")(LABELS, y_pred, mask=mask), total, rtol=1e-6)
    with pytest.raises(ValueError, match="end of a sequence"):
        losses.CTC()(LABELS, y_pred, mask=mask[:, ::-1])


def test_labels_that_do_not_fit_are_refused():
    """Keras gives a loss of a hundred thousand, whose gradient means nothing."""
    for labels, T in (([1, 2, 3, 4], 3), ([1, 1, 0, 0], 2), ([1, 1, 1, 2], 5)):
        with pytest.raises(ValueError, match=r"labels of row 1 do not fit into its time steps"):
            losses.CTC()([[1, 0, 0, 0], labels], logits()[:2, :T])
        assert np.isfinite(losses.CTC()([[1, 0, 0, 0], labels], logits()[:2, : T + 1]))
    assert ctc_loss(np.array([[1, 1]]), logits()[:1, :2], np.array([2]))[0] == [np.inf]
    for bad in ([[5, 0]], [[-1, 0]], [[1.5, 0]]):
        with pytest.raises(ValueError, match="labels are integers"):
            losses.CTC()(bad, logits()[:1])
    with pytest.raises(ValueError, match=r"expected labels \(B, L\)"):
        losses.CTC()([1, 2], logits()[:1])
    with pytest.warns(UserWarning, match="row 1 of the targets has a 0 before other labels"):
        losses.CTC()([[1, 2, 0], [1, 0, 2]], logits()[:2])


@pytest.mark.parametrize("shape", [(2, 0, 3), (2, 4, 0), (1, 4, 3), (2, 3)])
def test_logits_of_no_step_or_class_are_refused(shape):
    """The kernel begins with the first step, whether there is one or not."""
    for call in (losses.CTC(), losses.CTC().gradient):
        with pytest.raises(ValueError, match=r"expected labels .* and logits"):
            call(np.zeros((2, 1), int), np.zeros(shape))


def test_a_network_learns_to_read():
    """The order of marks in a sequence, without being told their places."""
    rnn_ref.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x, y = np.zeros((64, 10, 3), "float32"), np.zeros((64, 3), int)
    for n in range(64):
        places = np.sort(rng.choice(10, 3, replace=False))
        y[n] = rng.integers(1, 4, 3)
        x[n, places, y[n] - 1] = 1
    model = rnn_ref.Sequential([rnn_ref.Input((10, 3)), layers.GRU(16, return_sequences=True), layers.Dense(4)])
    model.compile(rnn_ref.optimizers.Adam(0.03), losses.CTC())
    model.fit(x, y, epochs=40, batch_size=16, verbose=0)
    decoded, _ = rnn_ref.seq2seq.ctc_decode(model.predict(x, verbose=0), np.full(64, 10))
    right = [[k for k in row if k >= 0] == labels.tolist() for row, labels in zip(decoded[0], y)]
    assert np.mean(right) > 0.8
