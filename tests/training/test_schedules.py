"""Learning-rate schedules against Keras on JAX."""

import pytest

from rnn_ref.training.optimizers import schedules

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

CASES = [
    ("ExponentialDecay", (0.1, 7, 0.5), {}),
    ("ExponentialDecay", (0.1, 7, 0.5), {"staircase": True}),
    ("PiecewiseConstantDecay", ([5, 10], [0.1, 0.05, 0.01]), {}),
    ("PiecewiseConstantDecay", ([7], [0.1, 0.01]), {}),
    ("PolynomialDecay", (0.1, 7), {}),
    ("PolynomialDecay", (0.1, 7, 0.01, 2.0), {}),
    ("PolynomialDecay", (0.1, 7, 0.01, 0.5), {"cycle": True}),
    ("InverseTimeDecay", (0.1, 7, 0.5), {}),
    ("InverseTimeDecay", (0.1, 7, 0.5), {"staircase": True}),
    ("CosineDecay", (0.1, 13), {}),
    ("CosineDecay", (0.1, 13, 0.2), {}),
    ("CosineDecay", (0.0, 13), {"warmup_target": 0.1, "warmup_steps": 4}),
    ("CosineDecay", (0.2, 13, 0.1), {"warmup_target": 0.1}),
    ("CosineDecayRestarts", (0.1, 5), {}),
    ("CosineDecayRestarts", (0.1, 5, 1.0, 0.8, 0.1), {}),
    ("CosineDecayRestarts", (0.1, 6, 1.5, 0.9), {}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES, ids=str)
def test_rates_equal_those_of_keras(name, args, kwargs):
    ours = getattr(schedules, name)(*args, **kwargs)
    theirs = getattr(keras.optimizers.schedules, name)(*args, **kwargs)
    # At the step where a period ends, float32 may put Keras at either side of the jump.
    steps = [
        s for s in (0, 1, 4, 5, 6, 7, 10, 13, 14, 15, 17, 31) if not (name == "CosineDecayRestarts" and s in (5, 15))
    ]
    for step in steps:
        assert ours(step) == pytest.approx(float(theirs(step)), rel=1e-4, abs=1e-7), step


@pytest.mark.parametrize(("name", "args", "kwargs"), CASES, ids=str)
def test_configs_go_to_keras_and_back(name, args, kwargs):
    ours = getattr(schedules, name)(*args, **kwargs)
    theirs = getattr(keras.optimizers.schedules, name)(*args, **kwargs)
    assert ours.get_config() == theirs.get_config()
    again = schedules.deserialize(keras.optimizers.schedules.serialize(theirs))
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()


@pytest.mark.parametrize("t_mul", [1.0, 2.0])
def test_a_restart_begins_at_the_top(t_mul):
    schedule = schedules.CosineDecayRestarts(0.1, 5, t_mul=t_mul, m_mul=0.5)
    assert schedule(5) == pytest.approx(0.05)
    assert schedule(4) < 0.01


def test_mistakes_are_explained():
    for name in ("ExponentialDecay", "InverseTimeDecay"):
        with pytest.raises(ValueError, match="decay_steps"):
            getattr(schedules, name)(0.1, 0, 0.5)
    for name in ("PolynomialDecay", "CosineDecay"):
        with pytest.raises(ValueError, match="decay_steps=-1"):
            getattr(schedules, name)(0.1, -1)
    with pytest.raises(ValueError, match="first_decay_steps"):
        schedules.CosineDecayRestarts(0.1, 0)
    with pytest.raises(ValueError, match="2 boundaries and 2 values"):
        schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
    with pytest.raises(ValueError, match="CosineDecay"):
        schedules.deserialize({"class_name": "CosinDecay", "config": {}})
    with pytest.raises(NotImplementedError, match="__call__"):
        schedules.LearningRateSchedule()(0)
