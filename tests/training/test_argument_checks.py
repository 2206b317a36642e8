"""Arguments of schedules, losses and callbacks that make no sense are refused by name."""

import numpy as np
import pytest

from rnn_ref.training import callbacks, losses, metrics
from rnn_ref.training.optimizers import SGD, schedules

NO_NUMBER = ["x", None, np.nan, [1.0]]
SCHEDULES = {
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "end_learning_rate": 0.01, "power": 2},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "alpha": 0.1, "warmup_steps": 2},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 9, "t_mul": 2, "m_mul": 1, "alpha": 0},
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    good = SCHEDULES[name]
    made = getattr(schedules, name)(**good)
    assert np.isfinite(made(3))
    for argument in good:
        for value in NO_NUMBER:
            with pytest.raises(ValueError, match=f"^{name}: `{argument}` must be .*Received: {argument}="):
                getattr(schedules, name)(**{**good, argument: value})
    for argument in {"decay_steps", "first_decay_steps", "decay_rate", "power", "m_mul", "warmup_steps"} & good.keys():
        with pytest.raises(ValueError, match=f"{name}: `{argument}`.*{argument}=-1"):
            getattr(schedules, name)(**{**good, argument: -1})


def test_pieces_are_numbers_in_order():
    for boundaries in ([10, 5], [5, 5], [1, "x"]):
        with pytest.raises(ValueError, match="PiecewiseConstantDecay: `boundaries`"):
            schedules.PiecewiseConstantDecay(boundaries, [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=r"`values`.*nan"):
        schedules.PiecewiseConstantDecay([1], [0.1, np.nan])


@pytest.mark.parametrize("kind", [losses, metrics])
@pytest.mark.parametrize("name", ["BinaryCrossentropy", "CategoricalCrossentropy"])
@pytest.mark.parametrize("value", [2.5, -1, *NO_NUMBER], ids=str)
def test_label_smoothing(kind, name, value):
    with pytest.raises(ValueError, match=f"{name}: `label_smoothing`"):
        getattr(kind, name)(label_smoothing=value)


@pytest.mark.parametrize("value", [-1, 0, *NO_NUMBER], ids=str)
def test_delta(value):
    with pytest.raises(ValueError, match="Huber: `delta`"):
        losses.Huber(delta=value)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("EarlyStopping", {"patience": "x"}),
        ("EarlyStopping", {"patience": -1}),
        ("EarlyStopping", {"patience": 1.5}),
        ("EarlyStopping", {"min_delta": "x"}),
        ("EarlyStopping", {"baseline": np.nan}),
        ("EarlyStopping", {"restore_best_weights": "yes"}),
        ("EarlyStopping", {"start_from_epoch": -1}),
        ("EarlyStopping", {"monitor": 3}),
        ("ReduceLROnPlateau", {"factor": -0.5}),
        ("ReduceLROnPlateau", {"factor": 1}),
        ("ReduceLROnPlateau", {"patience": None}),
        ("ReduceLROnPlateau", {"cooldown": -2}),
        ("ReduceLROnPlateau", {"min_lr": np.nan}),
        ("TerminateOnNaN", {"raise_error": "no"}),
        ("SwapEMAWeights", {"swap_on_epoch": "no"}),
        ("LearningRateScheduler", {"schedule": 0.1}),
        ("LambdaCallback", {"on_epoch_end": 3}),
        ("CSVLogger", {"filename": 3}),
        ("CSVLogger", {"filename": "log.csv", "separator": "--"}),
    ],
    ids=str,
)
def test_callbacks(name, options):
    with pytest.raises(ValueError, match=f"{name}: `{list(options)[-1]}` must be .*Received"):
        getattr(callbacks, name)(**options)


def test_a_schedule_of_epochs_must_return_a_number():
    class Model:
        optimizer = SGD(0.1)

    for value in (np.nan, "0.1", None):
        callback = callbacks.LearningRateScheduler(lambda epoch, rate, result=value: result)
        callback.set_model(Model())
        with pytest.raises(ValueError, match=r"LearningRateScheduler: `the value of schedule`"):
            callback.on_epoch_begin(0)
