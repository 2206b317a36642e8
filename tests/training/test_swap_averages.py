"""`SwapEMAWeights` and the end of `fit` with averaged weights, against Keras with models of one weight."""

import numpy as np
import pytest

import rnn_ref

from ..keras_that_trains import keras

pytestmark = pytest.mark.usefixtures("that_trains")

X = np.linspace(-1, 1, 8, dtype="float32")[:, None]
Y = 3 * X


class Seen:
    """The kernel at the end of every epoch, and the loss on the validation data."""

    def __init__(self, library, **options):
        layers = [library.Input((1,)), library.layers.Dense(1, use_bias=False, kernel_initializer="ones")]
        self.model = library.Sequential(layers)
        optimizer = library.optimizers.SGD(0.3, use_ema=True, ema_momentum=0.7, **options)
        self.model.compile(optimizer, "mse")
        self.library = library

    def fit(self, *callbacks, **options):
        kernels = []
        look = self.library.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kernels.append(self.kernel()))
        options = {"validation_data": (X, Y), "epochs": 3, "batch_size": 4, "shuffle": False, "verbose": 0, **options}
        history = self.model.fit(X, Y, callbacks=[*callbacks, look], **options)
        return [*kernels, *history.history["val_loss"], self.kernel()]

    def kernel(self):
        return float(self.model.get_weights()[0][0, 0])


@pytest.mark.parametrize("swap_on_epoch", [False, True, None])
def test_fit_ends_with_averages_and_swaps_as_in_keras(swap_on_epoch):
    found = []
    for library in (rnn_ref, keras):
        swap = [] if swap_on_epoch is None else [library.callbacks.SwapEMAWeights(swap_on_epoch)]
        seen = Seen(library)
        found.append(seen.fit(*swap))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5, atol=1e-6)


def test_training_that_stops_early_ends_with_averages_too():
    stopped, whole = Seen(rnn_ref), Seen(rnn_ref)
    stop = rnn_ref.callbacks.EarlyStopping("loss", mode="max")  # less is worse: after the second epoch
    ended = stopped.fit(rnn_ref.callbacks.SwapEMAWeights(True), stop)
    assert ended[-1] == pytest.approx(whole.fit(epochs=2)[-1], rel=1e-6)


def test_prediction_uses_averages_and_gives_the_weights_back():
    seen = Seen(rnn_ref)
    swap = rnn_ref.callbacks.SwapEMAWeights()
    seen.model.train_on_batch(X, Y)
    seen.model.train_on_batch(X, Y)
    own = seen.kernel()
    average = float(seen.model.optimizer._slots[0]["average"][0, 0])
    assert average != own
    predicted = seen.model.predict(X, verbose=0, callbacks=[swap])
    np.testing.assert_allclose(predicted, average * X, rtol=1e-6)
    assert seen.kernel() == own
    evaluated = seen.model.evaluate(X, Y, verbose=0, callbacks=[swap])
    assert evaluated == pytest.approx(np.mean((average * X - Y) ** 2), rel=1e-5)
    assert seen.kernel() == own


def test_without_averages_it_says_how_to_have_some():
    model = rnn_ref.Sequential([rnn_ref.Input((1,)), rnn_ref.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="use_ema=True"):
        model.evaluate(X, Y, verbose=0, callbacks=[rnn_ref.callbacks.SwapEMAWeights()])
