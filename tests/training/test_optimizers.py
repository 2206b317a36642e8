"""Optimizers against Keras on JAX over ten steps, with every option."""

import inspect
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_ref.training import optimizers
from rnn_ref.training.optimizers import schedules

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

SHAPES = {"kernel": (4, 3), "bias": (3,), "scale": ()}
STEPS = 10


def make_weights(dtype="float32"):
    rng = np.random.default_rng(0)
    return [
        SimpleNamespace(name=name, value=rng.normal(size=shape).astype(dtype)[...], constraint=None)
        for name, shape in SHAPES.items()
    ]


def make_grads(step, scale=1.0):
    rng = np.random.default_rng(100 + step)
    return [scale * rng.normal(size=shape).astype("float32")[...] for shape in SHAPES.values()]


CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"rho": 0.8, "momentum": 0.5, "epsilon": 1e-3}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.9}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-2}),
    ("Adam", {"amsgrad": True, "beta_2": 0.5}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "learning_rate": 0.1}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.01, "epsilon": 1e-2}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3}),
    ("Nadam", {}),
    ("Nadam", {"beta_1": 0.8, "beta_2": 0.9}),
    ("Adamax", {}),
    ("Adamax", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.6, "epsilon": 1e-2}),
    ("Lion", {}),
    ("Lion", {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.7}),
    ("Lamb", {}),
    ("Lamb", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.6, "epsilon": 1e-2}),
    ("Ftrl", {"learning_rate": 0.1}),
    ("Ftrl", {"learning_rate": 0.2, "l1_regularization_strength": 1.0, "l2_regularization_strength": 0.1}),
    ("Ftrl", {"learning_rate_power": -0.7, "l2_shrinkage_regularization_strength": 0.2, "beta": 0.3}),
    ("Adafactor", {}),
    ("Adafactor", {"learning_rate": 0.5, "beta_2_decay": -0.4, "clip_threshold": 0.5, "epsilon_2": 0.1}),
]
COMMON = [
    {},
    {"weight_decay": 0.1},
    {"clipnorm": 0.5},
    {"clipvalue": 0.3},
    {"global_clipnorm": 0.7},
    {"weight_decay": 0.1, "global_clipnorm": 100.0},
]
ALL = CASES + [(name, {"learning_rate": 0.1, **common}) for name in ("SGD", "Adam") for common in COMMON]


def run_keras(name, options, constraint=None):
    options = dict(options)
    if isinstance(options.get("learning_rate"), schedules.LearningRateSchedule):
        options["learning_rate"] = keras.optimizers.schedules.deserialize(schedules.serialize(options["learning_rate"]))
    theirs = getattr(keras.optimizers, name)(**options)
    variables = [keras.Variable(w.value, name=w.name) for w in make_weights()]
    if constraint is not None:
        variables[0].constraint = constraint
    for step in range(STEPS):
        theirs.apply(make_grads(step), variables)
    return theirs, [np.asarray(v.value) for v in variables]


def run(optimizer, weights, steps=range(STEPS)):
    for step in steps:
        optimizer.apply(make_grads(step), weights)
    return [w.value for w in weights]


@pytest.mark.parametrize(("name", "options"), ALL, ids=str)
def test_ten_steps_equal_those_of_keras(name, options):
    theirs, expected = run_keras(name, options)
    ours = getattr(optimizers, name)(**options)
    weights = make_weights()
    arrays = [w.value for w in weights]
    for value, target, start in zip(run(ours, weights), expected, make_weights()):
        assert value.dtype == np.float32
        moved = np.abs(target - start.value).max()
        np.testing.assert_allclose(value, target, rtol=1e-6, atol=1e-4 * moved)
    assert all(w.value is array for w, array in zip(weights, arrays))  # in place
    assert ours.iterations == int(theirs.iterations) == STEPS

    state = ours.variables
    assert [v.shape for v in state] == [v.shape for v in theirs.variables]
    for v, target in zip(state, theirs.variables):
        np.testing.assert_allclose(v, np.asarray(target.value), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["Adam", "SGD"])
def test_weights_and_gradients_may_lie_anywhere_in_memory(name, dtype):
    def every_second(a):
        wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype) if a.ndim else np.zeros(2, a.dtype)
        view = wide[..., ::2] if a.ndim else wide[:1].reshape(())
        view[...] = a
        return view

    def read_only(a):
        a.flags.writeable = False
        return a

    expected = run(getattr(optimizers, name)(0.1), make_weights(dtype))
    for move in (np.asfortranarray, every_second):
        weights, optimizer = make_weights(dtype), getattr(optimizers, name)(0.1)
        for weight in weights:
            weight.value = move(weight.value)
        arrays = [w.value for w in weights]
        for step in range(STEPS):
            optimizer.apply([read_only(move(g)) for g in make_grads(step)], weights)
        for weight, array, target in zip(weights, arrays, expected):
            assert weight.value is array
            assert array.dtype == dtype
            np.testing.assert_allclose(array, target, rtol=1e-2 if dtype == "float16" else 1e-5)


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_training_goes_on_from_a_saved_state(name, options):
    make = getattr(optimizers, name)
    expected = run(make(**options), make_weights())

    first, weights = make(**options), make_weights()
    run(first, weights, range(4))
    second = make.from_config(first.get_config())
    second.build(weights)
    second.set_state(first.get_state())
    for value, target in zip(run(second, weights, range(4, STEPS)), expected):
        np.testing.assert_array_equal(value, target)


@pytest.mark.parametrize("name", [cls.__name__ for cls in optimizers._CLASSES])
def test_arguments_and_defaults_are_those_of_keras(name):
    def arguments(cls):
        return [(p.name, p.default) for p in inspect.signature(cls).parameters.values() if p.kind is not p.VAR_KEYWORD]

    assert arguments(getattr(optimizers, name)) == arguments(getattr(keras.optimizers, name))
    # The signature is composed; the call must agree with it.
    options = dict(arguments(getattr(keras.optimizers, name)))
    made = getattr(optimizers, name)(*options.values())
    assert made.weight_decay == options["weight_decay"]
    given = {**options, "clipnorm": 0.5, "name": "mine"}
    made = getattr(optimizers, name)(*given.values())
    assert (made.clipnorm, made.clipvalue, made.name) == (0.5, None, "mine")


@pytest.mark.parametrize(("name", "options"), ALL, ids=str)
def test_configs_go_to_keras_and_back(name, options):
    ours = getattr(optimizers, name)(**options)
    if name == "Lamb":  # which Keras's deserialize does not know by its bare name
        theirs = keras.optimizers.Lamb.from_config(ours.get_config())
    else:
        theirs = keras.optimizers.deserialize(optimizers.serialize(ours))
    expected = getattr(keras.optimizers, name)(**options).get_config()
    config = theirs.get_config()
    assert {k: v for k, v in config.items() if k != "name"} == {k: v for k, v in expected.items() if k != "name"}
    again = optimizers.deserialize(keras.optimizers.serialize(theirs)).get_config()
    assert again.pop("learning_rate") == pytest.approx(ours.learning_rate)  # float32 in Keras
    assert again == {k: v for k, v in ours.get_config().items() if k != "learning_rate"}


def test_hyperparameters_do_not_promote_float32_and_float64_stays():
    for name, options in CASES:
        for dtype in ("float32", "float64"):
            optimizer = getattr(optimizers, name)(**options, weight_decay=np.float64(0.1)) if name != "AdamW" else None
            if optimizer is None:
                continue
            weights = make_weights(dtype)
            run(optimizer, weights, range(2))
            assert all(w.value.dtype == dtype for w in weights)
            assert all(v.dtype == dtype for slots in optimizer._slots for v in slots.values())


def test_a_schedule_sets_the_rate_of_each_step():
    options = {"learning_rate": schedules.ExponentialDecay(0.1, 3, 0.5)}
    theirs, expected = run_keras("SGD", options)
    optimizer = optimizers.SGD(**options)
    for value, target in zip(run(optimizer, make_weights()), expected):
        np.testing.assert_allclose(value, target, rtol=1e-5)
    assert optimizer.learning_rate == pytest.approx(float(theirs.learning_rate))
    assert [v.shape for v in optimizer.variables] == [v.shape for v in theirs.variables]
    with pytest.raises(TypeError, match="schedule"):
        optimizer.learning_rate = 0.1
    again = optimizers.SGD.from_config(optimizer.get_config())
    again.iterations = STEPS
    assert again.learning_rate == optimizer.learning_rate
    optimizer.learning_rate = schedules.CosineDecay(1.0, 100)
    assert optimizer.learning_rate > 0.9


def test_the_learning_rate_can_be_set_and_be_a_function():
    optimizer = optimizers.SGD()
    optimizer.learning_rate = np.float32(0.5)
    weights = make_weights()
    before = [w.value.copy() for w in weights]
    run(optimizer, weights, range(1))
    for w, b, g in zip(weights, before, make_grads(0)):
        np.testing.assert_allclose(w.value, b - 0.5 * g, rtol=1e-6)
    assert optimizers.SGD(lambda: 0.25).learning_rate == 0.25
    with pytest.raises(ValueError, match="learning_rate"):
        optimizers.SGD("fast")


def test_gradients_are_left_as_they_are():
    for name, options in ALL:
        grads = make_grads(0)
        getattr(optimizers, name)(**options).apply(grads, make_weights())
        for g, original in zip(grads, make_grads(0)):
            np.testing.assert_array_equal(g, original)


def test_constraints_are_applied_after_the_update():
    _, expected = run_keras("Adam", {"learning_rate": 0.3}, constraint=keras.constraints.NonNeg())
    weights = make_weights()
    weights[0].constraint = lambda w: np.maximum(w, 0)
    values = run(optimizers.Adam(0.3), weights)
    assert (values[0] >= 0).all()
    assert (values[0] == 0).any()
    np.testing.assert_allclose(values[0], expected[0], rtol=1e-4, atol=1e-4)


def test_weights_can_be_excluded_from_decay():
    weights = make_weights()
    before = [w.value.copy() for w in weights]
    optimizer = optimizers.SGD(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[weights[2]], var_names=["bi.s"])
    optimizer.apply([np.zeros(s, "float32") for s in SHAPES.values()], weights)
    np.testing.assert_allclose(weights[0].value, before[0] * 0.95, rtol=1e-6)
    np.testing.assert_array_equal(weights[1].value, before[1])
    np.testing.assert_array_equal(weights[2].value, before[2])


def test_missing_gradients_are_skipped_with_a_warning():
    weights = make_weights()
    bias = weights[1].value.copy()
    grads = make_grads(0)
    grads[1] = None
    optimizer = optimizers.Adam()
    with pytest.warns(UserWarning, match="bias"):
        optimizer.apply_gradients(zip(grads, weights))
    np.testing.assert_array_equal(weights[1].value, bias)
    assert optimizer.iterations == 1
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None] * 3, weights)


def test_gradients_that_are_not_finite_show_after_clipping_by_norm():
    weights = make_weights()
    grads = make_grads(0)
    grads[1][0] = np.inf
    optimizers.SGD(global_clipnorm=1.0).apply(grads, weights)
    assert all(np.isnan(w.value).all() for w in weights)


def test_mistakes_are_explained():
    weights = make_weights()
    optimizer = optimizers.SGD()
    with pytest.raises(ValueError, match="build"):
        optimizer.apply(make_grads(0))
    with pytest.raises(ValueError, match="build"):
        optimizers.SGD(momentum=0.5).set_state({"iteration": 1, "learning_rate": 0.1, "0/momentum": np.zeros(3)})
    optimizer.apply(make_grads(0), weights)
    optimizer.apply(make_grads(1))
    assert optimizer.iterations == 2
    with pytest.raises(ValueError, match="not one of those"):
        optimizer.apply(make_grads(0), make_weights())
    with pytest.raises(ValueError, match="one gradient per weight"):
        optimizer.apply(make_grads(0)[:2], weights)
    with pytest.raises(ValueError, match=r"'kernel' has shape \(3,\)"):
        optimizer.apply([np.zeros(3), *make_grads(0)[1:]], weights)
    with pytest.raises(ValueError, match="Only one of"):
        optimizers.SGD(clipnorm=1.0, clipvalue=1.0)
    with pytest.raises(ValueError, match="momentum"):
        optimizers.SGD(momentum=1.5)
    with pytest.raises(ValueError, match="weight_decay"):
        optimizers.AdamW(weight_decay=None)
    with pytest.raises(ValueError, match="Did you mean 'rmsprop'"):
        optimizers.get("rmsprob")
    with pytest.raises(ValueError, match="Received: 3"):
        optimizers.get(3)


def test_unsupported_options_say_so():
    with pytest.raises(NotImplementedError, match="Adam: `loss_scale_factor`"):
        optimizers.Adam(loss_scale_factor=2.0)


def test_get():
    assert isinstance(optimizers.get("Adam"), optimizers.Adam)
    assert isinstance(optimizers.get("adamw"), optimizers.AdamW)
    assert isinstance(optimizers.get(optimizers.SGD), optimizers.SGD)
    assert optimizers.get(None) is None
    assert optimizers.get({"class_name": "SGD", "config": {"momentum": 0.5}}).momentum == 0.5


def test_an_update_step_as_keras_has_it_is_refused():
    with pytest.raises(TypeError, match=r"takes \(gradient, variable, learning_rate\); here it is update_step\(self"):

        class Mine(optimizers.SGD):
            def update_step(self, gradient, variable, learning_rate):
                variable.assign(variable - learning_rate * gradient)

    class Twice(optimizers.SGD):
        def update_step(self, gradient, value, *more):
            super().update_step(2 * gradient, value, *more)

    weights = [SimpleNamespace(value=np.ones(2), name="w", constraint=None)]
    Twice(0.1).apply([np.ones(2)], weights)
    np.testing.assert_allclose(weights[0].value, 0.8)
