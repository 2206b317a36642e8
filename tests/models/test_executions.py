"""With ``steps_per_execution`` callbacks hear of groups of batches, as in Keras; what is learned stays the same."""

import keras
import numpy as np
import pytest

import rnn_ref

X, Y = np.arange(14.0, dtype="float32").reshape(7, 2) / 14, np.ones((7, 1), "float32")


def heard(library, size):
    """What callbacks hear in fit, evaluate and predict, and the losses."""
    model = library.Sequential([library.Input((2,)), library.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", steps_per_execution=size)
    events = []

    class Listener(library.callbacks.Callback):
        pass

    for what in ("train", "test", "predict"):
        for end in ("begin", "end"):
            name = f"on_{what}_batch_{end}"
            setattr(Listener, name, lambda self, batch, logs=None, name=name: events.append((name, int(batch))))
    options = {"batch_size": 2, "callbacks": [Listener()], "verbose": 0}
    losses = model.fit(X, Y, epochs=2, shuffle=False, **options).history["loss"]
    loss = model.evaluate(X, Y, **options)
    return events, losses, loss, model.predict(X, **options)


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_callbacks_hear_of_groups(size):
    (events, *numbers), (expected, *values) = heard(rnn_ref, size), heard(keras, size)
    assert events == expected
    for ours, theirs in zip(numbers, values):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_outputs_that_callbacks_get_are_those_of_the_group():
    model = rnn_ref.Sequential([rnn_ref.Input((2,)), rnn_ref.layers.Dense(1)])
    model.compile(loss="mse", steps_per_execution=3)
    sizes = []
    listener = rnn_ref.callbacks.LambdaCallback(
        on_predict_batch_end=lambda batch, logs: sizes.append(len(logs["outputs"]))
    )
    assert model.predict(X, batch_size=2, callbacks=[listener], verbose=0).shape == (7, 1)
    assert sizes == [6, 1]


def test_training_ends_after_the_group_in_which_it_was_stopped():
    model = rnn_ref.Sequential([rnn_ref.Input((2,)), rnn_ref.layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=2)

    class Stop(rnn_ref.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    model.fit(X, Y, batch_size=1, callbacks=[Stop()], verbose=0)
    assert int(model.optimizer.iterations) == 2
