"""Losses of nested outputs, and of several outputs at once, against Keras."""

from typing import NamedTuple

import numpy as np
import pytest

import rnn_ref

from ..keras_that_trains import keras

pytestmark = pytest.mark.usefixtures("that_trains")

rng = np.random.default_rng(0)
X, P, Q, R = (rng.normal(size=(8, n)).astype("float32") for n in (3, 1, 1, 1))


class Pair(NamedTuple):
    p: object
    q: object


def made(library, shape):
    x = library.Input((3,))
    p, q, r = (library.layers.Dense(1, name=name, kernel_initializer="ones")(x) for name in "pqr")
    return library.Model(x, shape(p, q, r))


def leaves(structure):
    inside = [structure[key] for key in sorted(structure)] if isinstance(structure, dict) else structure
    return (
        [leaf for entry in inside for leaf in leaves(entry)]
        if isinstance(structure, (list, tuple, dict))
        else [structure]
    )


def product(y_true, y_pred):
    """No sum of losses of single outputs."""
    (a, b), (c, d) = leaves(y_true)[:2], leaves(y_pred)[:2]
    return (a - c) ** 2 * (1 + (b - d) ** 2)


def of_the_second(y_true, y_pred):
    return (leaves(y_true)[1] - leaves(y_pred)[1]) ** 4


SHAPES = {
    "list": lambda p, q, r: [p, q],
    "tuple": lambda p, q, r: (p, q),
    "named": lambda p, q, r: Pair(p, q),
    "dict": lambda p, q, r: {"b": p, "a": q},
    "deep": lambda p, q, r: {"m": (p, q), "n": {"o": r}},
    "list of pairs": lambda p, q, r: [(p, q), r],
}
CASES = {
    "all at once, and each": ("list", {"loss": (product, ["mse", "mae"])}),
    "weighted": ("list", {"loss": (product, ["mse", "mae"]), "loss_weights": (0.3, [2.0, 0.5])}),
    "a tuple": ("tuple", {"loss": [product, ("mse", "mae")], "metrics": [["mae"], None]}),
    "two at once": ("tuple", {"loss": [product, of_the_second, ("mse", None)]}),
    "a namedtuple": ("named", {"loss": [product, Pair("mse", "mae")]}),
    "a dict": ("dict", {"loss": [product, {"a": "mse", "b": "mae"}], "loss_weights": [0.3, {"a": 2.0, "b": 0.5}]}),
    "two losses of an output": ("dict", {"loss": {"a": ["mse", "mae"], "b": "mse"}}),
    "deep, one for all": ("deep", {"loss": "mse"}),
    "deep, one for each": ("deep", {"loss": {"m": ("mse", "mae"), "n": {"o": "mse"}}}),
    "deep, joint": ("deep", {"loss": {"m": [product, (None, "mae")], "n": {"o": "mse"}}}),
    "deep, flat": ("deep", {"loss": ["mse", "mae", "mse"]}),
    "deep, some": ("deep", {"loss": {"m": ("mse", None)}}),
    "pairs": ("list of pairs", {"loss": [[product, ("mse", "mae")], "mae"]}),
}


@pytest.mark.parametrize("case", CASES)
def test_histories_and_weights_are_those_of_keras(case):
    shape, options = CASES[case]
    y = SHAPES[shape](P, Q, R)
    runs = []
    for library in (rnn_ref, keras):
        model = made(library, SHAPES[shape])
        model.compile(library.optimizers.SGD(0.02), **options)
        history = model.fit(X, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
        evaluated = model.evaluate(X, y, batch_size=5, verbose=0, return_dict=True)
        on_batch = model.test_on_batch(X, y, return_dict=True)
        runs.append((history, evaluated, on_batch, model.get_weights()))
    (*ours, weights), (*theirs, expected) = runs
    for a, b in zip(ours, theirs):
        assert set(a) == set(b)
        for name in b:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-4, err_msg=name)
    for a, b in zip(weights, expected):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_weights_of_samples_count_in_a_joint_loss():
    weight = np.linspace(0, 2, 8).astype("float32")
    model = made(rnn_ref, SHAPES["tuple"])
    model.compile(rnn_ref.optimizers.SGD(0.02), [product, ("mse", "mae")])
    loss = model.test_on_batch(X, (P, Q), sample_weight=weight)[0]
    p, q = (np.asarray(y) for y in model(X))
    each = product((P, Q), (p, q)) + (P - p) ** 2 + np.abs(Q - q)
    np.testing.assert_allclose(loss, np.mean(each[:, 0] * weight), rtol=1e-5)
    with pytest.raises(ValueError, match="one sample_weight, one for all"):
        model.test_on_batch(X, (P, Q), sample_weight=[weight, weight + 1])


def test_a_joint_loss_takes_part_in_a_loss_of_one_s_own():
    class Doubled(rnn_ref.Model):
        def compute_loss(self, *arguments, **options):
            return 2 * super().compute_loss(*arguments, **options)

    ours = []
    for kind, rate in ((Doubled, 0.01), (rnn_ref.Model, 0.02)):
        x = rnn_ref.Input((3,))
        outputs = [rnn_ref.layers.Dense(1, kernel_initializer="ones")(x) for _ in "ab"]
        model = kind(x, outputs)
        model.compile(rnn_ref.optimizers.SGD(rate), (product, ["mse", "mae"]))
        model.fit(X, [P, Q], shuffle=False, verbose=0, batch_size=4)
        ours.append(model.get_weights())
    for a, b in zip(*ours):
        np.testing.assert_allclose(a, b, rtol=1e-5)


REFUSED = {
    "no such output": ("deep", {"loss": {"m": {"u": "mse"}}}, "a dict at m, where the outputs are"),
    "no such name": ("dict", {"loss": [product, {"c": "mse"}]}, "loss names 'c' at its top"),
    "a loss of one output": ("list", {"loss": ("mse", ["mse", "mae"])}, "of one output"),
    "weights": ("list", {"loss": (product, ["mse", "mae"]), "loss_weights": [1.0, 2.0]}, "2 entries for 3 losses"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_fits_no_output_is_refused(case):
    shape, options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        made(rnn_ref, SHAPES[shape]).compile("sgd", **options)


def test_what_a_joint_loss_cannot_be_used_for():
    model = made(rnn_ref, SHAPES["tuple"])
    model.compile("sgd", [product, ("mse", "mae")])
    with pytest.raises(NotImplementedError, match="does not see the loss 'p_q'"):
        rnn_ref.gradient_flow(model, X, (P, Q))
    model = made(rnn_ref, SHAPES["deep"])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="must have the structure of the outputs"):
        model.fit(X, {"m": (P, Q), "n": R}, verbose=0)


def test_a_saved_model_knows_which_losses_were_of_the_same_outputs(tmp_path):
    model = made(rnn_ref, SHAPES["list"])
    model.compile("sgd", (product, ["mse", "mae"]), metrics=(["mae"], None))
    model.save(tmp_path / "joint.keras")
    loaded = rnn_ref.models.load_model(tmp_path / "joint.keras", custom_objects={"product": product})
    np.testing.assert_allclose(loaded.evaluate(X, [P, Q], verbose=0), model.evaluate(X, [P, Q], verbose=0), rtol=1e-5)
    assert loaded.metrics_names == model.metrics_names
