"""Options that every optimizer has: weights and state after five steps, against Keras."""

import copy
import inspect
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_ref.training import optimizers
from rnn_ref.training.optimizers import schedules

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

SHAPES = {"kernel": (3, 2), "bias": (2,)}
NAMES = [cls.__name__ for cls in optimizers._CLASSES]
EMA = {"use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 2, "clipnorm": 0.5, "weight_decay": 0.1}
ACCUMULATED = {"gradient_accumulation_steps": 2, "clipvalue": 0.3, "weight_decay": 0.1}
BOTH = {"gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}
AT_THE_END = {"use_ema": True, "ema_momentum": 0.6, "global_clipnorm": 0.7}
CASES = [(name, options) for options in (EMA, ACCUMULATED) for name in NAMES]
CASES += [("SGD", BOTH), ("Nadam", BOTH), ("SGD", AT_THE_END)]


def make_weights(dtype="float32"):
    rng = np.random.default_rng(0)
    return [
        SimpleNamespace(name=name, value=rng.normal(size=shape).astype(dtype), constraint=None)
        for name, shape in SHAPES.items()
    ]


def make_grads(step, dtype="float32"):
    rng = np.random.default_rng(100 + step)
    return [rng.normal(size=shape).astype(dtype) for shape in SHAPES.values()]


def compare(name, options, dtype="float32", tolerance=1e-4, steps=5, theirs=None, ours=None, excluded=None):
    theirs = theirs or getattr(keras.optimizers, name)(**options)
    ours = ours or getattr(optimizers, name)(**options)
    weights = make_weights(dtype)
    variables = [keras.Variable(w.value, name=w.name, dtype=dtype) for w in weights]
    if excluded:
        theirs.exclude_from_weight_decay(var_names=[excluded])
        ours.exclude_from_weight_decay(var_names=[excluded])
    for step in range(steps):
        theirs.apply(make_grads(step, dtype), variables)
        ours.apply(make_grads(step, dtype), weights)
        for weight, variable, start in zip(weights, variables, make_weights(dtype)):
            target = np.asarray(variable.value)
            moved = np.abs(target - start.value).max()
            np.testing.assert_allclose(weight.value, target, rtol=tolerance / 100, atol=tolerance * moved)
        assert ours.iterations == int(theirs.iterations)
    assert [v.shape for v in ours.variables] == [v.shape for v in theirs.variables]
    for mine, variable in zip(ours.variables, theirs.variables):
        np.testing.assert_allclose(mine, np.asarray(variable.value), rtol=tolerance, atol=tolerance / 100)
    return ours, theirs, weights, variables


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_five_steps_equal_those_of_keras(name, options):
    ours, theirs, weights, variables = compare(name, {"learning_rate": 0.1, **options})
    ours.finalize_variable_values(weights)
    theirs.finalize_variable_values(variables)
    for weight, variable in zip(weights, variables):
        np.testing.assert_allclose(weight.value, np.asarray(variable.value), rtol=1e-4, atol=1e-5)
    mine, keras_s = ours.get_config(), theirs.get_config()
    assert mine.keys() == keras_s.keys()
    assert {k: v for k, v in mine.items() if k not in ("name", "learning_rate")} == {
        k: v for k, v in keras_s.items() if k not in ("name", "learning_rate")
    }


@pytest.mark.parametrize("name", ["Adam", "Adafactor"])
def test_float64_to_the_last_digits(name, keras_in):
    with keras_in("float64"):
        options = {"use_ema": True, "gradient_accumulation_steps": 2, "weight_decay": 0.1}
        # Keras holds the learning rate itself in float32: 0.125 is the same in both.
        compare(name, {"learning_rate": 0.125, **options}, "float64", tolerance=1e-7)


def test_weights_are_excluded_from_decay_as_in_keras():
    compare("SGD", {"learning_rate": 0.1, "weight_decay": 0.5}, excluded="bias")


def test_a_schedule_looks_at_calls_and_adam_at_updates():
    options = {"gradient_accumulation_steps": 3}
    rate = schedules.ExponentialDecay(0.1, 2, 0.5)
    theirs = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    compare("Adam", {}, theirs=keras.optimizers.Adam(theirs, **options), ours=optimizers.Adam(rate, **options), steps=7)


def test_constraints_come_after_averages_as_in_keras():
    options = {"learning_rate": 0.5, "use_ema": True, "ema_momentum": 0.5}
    ours, theirs = optimizers.SGD(**options), keras.optimizers.SGD(**options)
    weights = make_weights()
    variables = [keras.Variable(w.value) for w in weights]
    weights[0].constraint = lambda w: np.maximum(w, 0)
    variables[0].constraint = keras.constraints.NonNeg()
    for step in range(3):
        ours.apply(make_grads(step), weights)
        theirs.apply(make_grads(step), variables)
    for mine, variable in zip(ours.variables, theirs.variables):
        np.testing.assert_allclose(mine, np.asarray(variable.value), rtol=1e-5, atol=1e-6)
    assert (ours._slots[0]["average"] < 0).any()


@pytest.mark.parametrize("options", [EMA, ACCUMULATED, BOTH], ids=str)
def test_training_goes_on_from_a_state_and_from_a_copy(options):
    first, weights = optimizers.Adam(**options), make_weights()
    for step in range(3):
        first.apply(make_grads(step), weights)
    second, others = optimizers.Adam.from_config(first.get_config()), copy.deepcopy(weights)
    second.build(others)
    second.set_state(first.get_state())
    third, thirds = copy.deepcopy((first, weights))
    for step in range(3, 6):
        for optimizer, those in ((first, weights), (second, others), (third, thirds)):
            optimizer.apply(make_grads(step), those)
    for a, b, c in zip(weights, others, thirds):
        np.testing.assert_array_equal(a.value, b.value)
        np.testing.assert_array_equal(a.value, c.value)


def test_weights_of_an_optimizer_are_its_variables():
    first, weights = optimizers.Adam(use_ema=True), make_weights()
    second = optimizers.Adam(use_ema=True)
    with pytest.raises(ValueError, match="build"):
        second.set_weights([1, 2, 3])
    first.apply(make_grads(0), weights)
    others = copy.deepcopy(weights)
    second.build(others)
    second.set_weights(first.variables)
    for optimizer, those in ((first, weights), (second, others)):
        optimizer.apply(make_grads(1), those)
    for a, b in zip(weights, others):
        np.testing.assert_array_equal(a.value, b.value)


def test_averages_can_be_swapped_in_and_out():
    optimizer, weights = optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), make_weights()
    with pytest.raises(ValueError, match="first step"):
        optimizer.swap_averages()
    for step in range(3):
        optimizer.apply(make_grads(step), weights)
    own = [w.value.copy() for w in weights]
    averages = [slots["average"].copy() for slots in optimizer._slots]
    optimizer.swap_averages()
    for weight, average in zip(weights, averages):
        np.testing.assert_array_equal(weight.value, average)
    optimizer.swap_averages()
    for weight, value in zip(weights, own):
        np.testing.assert_array_equal(weight.value, value)
    optimizer.swap_averages()
    optimizer.finalize_variable_values(weights)  # the averages, swapped or not
    assert not optimizer.averages_swapped
    for weight, average in zip(weights, averages):
        np.testing.assert_array_equal(weight.value, average)
    with pytest.raises(ValueError, match="'kernel'"):
        optimizer.finalize_variable_values(make_weights())
    with pytest.raises(ValueError, match="use_ema=True"):
        optimizers.SGD().swap_averages()


WRONG = {
    "learning_rate": ["x", np.nan, np.inf, [0.1]],
    "weight_decay": [-0.1, "x", np.nan],
    "clipnorm": [-1, np.nan, "x"],
    "clipvalue": [-1, np.nan],
    "global_clipnorm": [-1, np.inf],
    "use_ema": ["yes", 2, None],
    "ema_momentum": [1.5, -0.1, np.nan, None],
    "ema_overwrite_frequency": [0, 1.5, "x"],
    "gradient_accumulation_steps": [1, 0, 2.5, "x"],
    "beta_1": [2, -1, np.nan, None, "x"],
    "beta_2": [2, -1, np.nan, None, "x"],
    "rho": [2, -1, np.nan],
    "momentum": [2, -1, None],
    "epsilon": [-1, "x", np.nan, None],
    "amsgrad": ["False", None],
    "nesterov": ["False", 2],
    "centered": ["False", 2],
    "initial_accumulator_value": [-1, np.nan, "x"],
    "learning_rate_power": [0.5, np.nan],
    "l1_regularization_strength": [-1, np.nan],
    "l2_regularization_strength": [-1, np.nan],
    "l2_shrinkage_regularization_strength": [-1, np.nan],
    "beta": [-1, np.nan],
    "beta_2_decay": [0.5, np.nan],
    "epsilon_1": [-1, np.nan],
    "epsilon_2": [-1, np.nan],
    "clip_threshold": [0, np.nan],
    "relative_step": ["no", 2],
}


@pytest.mark.parametrize("name", NAMES)
def test_every_number_that_makes_no_sense_is_refused(name):
    arguments = set(inspect.signature(getattr(optimizers, name)).parameters) - {"name", "loss_scale_factor"}
    assert arguments <= WRONG.keys()  # a new argument needs its check
    for argument in arguments:
        for value in WRONG[argument]:
            with pytest.raises(ValueError, match=f"^{name}: `{argument}` must be .*Received: {argument}="):
                getattr(optimizers, name)(**{argument: value})
