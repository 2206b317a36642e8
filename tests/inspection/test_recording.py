"""Recorder: the records are what the functions say of the model at that step, and training is not disturbed."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Recorder, Sequential, layers

B, T, F, H = 24, 7, 2, 3
GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.normal(size=(B, T, F)), GENERATOR.normal(size=(B, 1))


def make(built=True, **options):
    rnn_ref.utils.set_random_seed(1)
    model = Sequential([layers.LSTM(H, name="lstm", dropout=0.3, **options), layers.Dense(1)])
    if built:
        model.build((None, T, F))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def fit(model, *callbacks, epochs=2):
    return model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=list(callbacks), validation_split=0.0)


ALL = ("gradient_flow", "saturation", "weights", "jacobians")


def test_records_are_what_the_functions_say():
    """Step 2 again, with another fit that stops there."""
    recorder = Recorder(X[:5], Y[:5], every=2, what=ALL)
    fit(make(), recorder)
    recording = recorder.recording
    np.testing.assert_array_equal(recording.steps, [0, 2, 4, 6])

    class Stop(rnn_ref.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                self.model.stop_training = True

    model = make()
    fit(model, Stop())
    flow = rnn_ref.gradient_flow(model, X[:5], Y[:5])
    assert recording.loss[1] == flow.loss
    np.testing.assert_array_equal(recording["gradient_flow"]["lstm"]["norm"][1], flow["lstm"].norm)
    for weight, norms in flow["lstm"].contribution_norms().items():
        np.testing.assert_array_equal(recording["gradient_flow"]["lstm"]["contributions"][weight][1], norms)
    report = rnn_ref.saturation(model, X[:5])["lstm"]
    for gate in ("input", "forget", "output"):
        np.testing.assert_array_equal(recording["saturation"]["lstm"][gate]["below"][1], report.below[gate])
        np.testing.assert_array_equal(recording["saturation"]["lstm"][gate]["above"][1], report.above[gate])
    np.testing.assert_array_equal(recording["saturation"]["lstm"]["hidden"]["large"][1], report.large)
    for gate, weights in rnn_ref.weight_report(model)["lstm"].items():
        seen = recording["weights"]["lstm"][gate]
        assert seen["spectral_radius"][1] == weights.spectral_radius
        assert seen["spectral_norm"][1] == weights.spectral_norm
        assert seen["bias_norm"][1] == weights.norms["bias"]
        np.testing.assert_array_equal(seen["eigenvalues"][1], weights.eigenvalues)
    exponents = rnn_ref.state_jacobians(model, X[:5]).lyapunov_exponents(4)
    np.testing.assert_array_equal(recording["jacobians"]["lstm"]["lyapunov_exponents"][1], exponents)


@pytest.mark.parametrize("options", [{"built": True}, {"built": False}])
def test_training_is_the_same_with_and_without(options):
    plain = make(**options)
    first = fit(plain)
    watched = make(**options)  # seeds everything anew
    second = fit(watched, Recorder(X[:5], Y[:5], every=1, what=ALL))
    assert first.history == second.history
    for a, b in zip(plain.get_weights(), watched.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_stateful_layers_keep_their_states():
    plain, watched = [
        Sequential([rnn_ref.Input(batch_shape=(8, T, F)), layers.GRU(H, stateful=True, seed=1), layers.Dense(1)])
        for _ in range(2)
    ]
    watched.set_weights(plain.get_weights())
    for model, callbacks in ((plain, []), (watched, [Recorder(X[:8], Y[:8], every=1)])):
        model.compile("sgd", "mse")
        model.fit(X, Y, batch_size=8, shuffle=False, verbose=0, callbacks=callbacks)
    np.testing.assert_array_equal(plain.layers[0].states[0], watched.layers[0].states[0])


def test_files(tmp_path):
    path = tmp_path / "run.npz"
    recorder = Recorder(X[:5], Y[:5], every=4, path=path)
    fit(make(), recorder)
    loaded = Recorder.load(path)
    np.testing.assert_array_equal(loaded.steps, [0, 4, 6])  # the end of training is always recorded
    np.testing.assert_array_equal(loaded.loss, recorder.recording.loss)
    assert set(loaded.series) == set(recorder.recording.series)
    for name, array in recorder.recording.series.items():
        np.testing.assert_array_equal(loaded.series[name], array)
    assert repr(loaded) == "<Recording of gradient_flow, saturation, weights of lstm: 3 records, steps 0 .. 6>"
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    with pytest.raises(ValueError, match="was not written by a Recorder"):
        Recorder.load(tmp_path / "other.npz")


def test_a_second_fit_goes_on():
    recorder, model = Recorder(X[:5], every=2, what="weights"), make()
    fit(model, recorder, epochs=1)
    fit(model, recorder, epochs=1)
    np.testing.assert_array_equal(recorder.recording.steps, [0, 2, 3, 4, 6])
    assert recorder.recording.loss is None
    assert recorder.recording["weights"]["lstm"]["forget"]["spectral_radius"].shape == (5,)


def test_bad_requests():
    with pytest.raises(
        ValueError, match=r"what=\['gates'\] is unknown; choose from gradient_flow, saturation, weights"
    ):
        Recorder(X, Y, what=("gates",))
    with pytest.raises(ValueError, match="gradient_flow needs targets y"):
        Recorder(X)
    with pytest.raises(ValueError, match="every must be a positive number of steps, got 0"):
        Recorder(X, Y, every=0)
    recorder = Recorder(X[:5], every=2, what="weights")
    fit(make(), recorder)
    with pytest.raises(KeyError, match="'saturation' was not recorded; there are weights"):
        recorder.recording["saturation"]
