"""00: a first look."""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.exercises.answers import Unanswered, Wrong, compare, function, is_blank, parts, run
from rnn_ref.exercises.course import exercise, notebook
from rnn_ref.models import Sequential

notebook("00", "Start here: a first look")


@exercise(
    "00.1",
    "the root mean squared error",
    "np.sqrt(np.mean((forecast - truth) ** 2)), once both have one axis: np.ravel.",
)
def _rmse(answer):
    function(answer, "forecast", "truth")
    rng = np.random.default_rng(0)
    forecast, truth = rng.normal(size=(2, 9))
    error = forecast - truth
    right = np.sqrt(np.mean(error**2))
    for given, shown in ((forecast, "two arrays (9,)"), (forecast[:, None], "a forecast (9, 1) and a truth (9,)")):
        compare(
            run(answer, given, truth, shown=shown),
            right,
            f"with {shown} the error",
            {
                "(9, 1) less (9,) is (9, 9): every forecast is compared with every truth. Models return (N, 1); take "
                "both along one axis first.": np.sqrt(np.mean((forecast[:, None] - truth) ** 2)),
                "this is the mean squared error; its root is missing.": np.mean(error**2),
                "this is the mean absolute error; square before the mean.": np.mean(np.abs(error)),
                "divide by the number of forecasts: the mean, not the sum.": np.sqrt(np.sum(error**2)),
                "errors of both signs cancel: square before the mean.": np.abs(np.mean(error)),
            },
        )


@exercise("00.2", "the forecast of persistence", "The last value of each window: x[:, -1, 0].")
def _persistence(answer):
    function(answer, "x")
    x = np.random.default_rng(1).normal(size=(4, 6, 1))
    value = run(answer, x, shown="windows (4, 6, 1)")
    if np.shape(value) == (4, 1):
        raise Wrong("return (N,), one number for each window; yours is (N, 1).")
    compare(
        value,
        x[:, -1, 0],
        "the forecast",
        {
            "this is the first value of each window; next year is to be like the last.": x[:, 0, 0],
            "this is the mean of each window.": x.mean(axis=(1, 2)),
            "this is the last value but one.": x[:, -2, 0],
        },
    )


@exercise(
    "00.3",
    "the shapes of an LSTM",
    "(batch, time, units) with return_sequences, (batch, units) without; the kernel has a row for each feature and "
    "columns for four gates.",
)
def _shapes(answer):
    if is_blank(answer):
        raise Unanswered
    names = "the whole sequence", "the last output", "the kernel", "the recurrent kernel"
    found = parts(answer, *names)
    model = Sequential([layers.Input((100, 3)), layers.LSTM(24, return_sequences=True)])
    kernel, recurrent, _ = (weight.shape for weight in model.layers[0].weights)
    B, T, F, H = 5, 100, 3, 24
    mistakes = {
        (T, B, H): "batch first: (batch, time, units).",
        (B, T, F): "the layer has 24 units, so its output has 24 features, whatever the input had.",
        (B, H, T): "units come last.",
        (F, H): "the kernels of all four gates stand side by side: four times as many columns.",
        (H, H): "the kernels of all four gates stand side by side: four times as many columns.",
        (4 * H, F): "Keras's kernels are (in, out), as in x @ W.",
        (4 * H, H): "Keras's kernels are (in, out), as in h @ U.",
        (T, 4 * H): "the same weights serve all steps: the kernel has a row for each feature, not for each step.",
    }
    truth = (tuple(model.compute_output_shape((B, T, F))), (B, H), tuple(kernel), tuple(recurrent))
    for name, shape, right in zip(names, found, truth):
        try:
            shape = tuple(int(size) for size in shape)
        except (TypeError, ValueError):
            raise Wrong(f"{name} should be a shape such as (2, 3), got {shape!r}.") from None
        if shape != right:
            raise Wrong(f"{name} is not {shape}: {mistakes.get(shape, f'it has {len(right)} axes and other sizes.')}")


@exercise("00.4", "what is left of a gradient", "norm[0] belongs to the first step, norm[-1] to the last: their ratio.")
def _left(answer):
    function(answer, "norm")
    norm = np.array([1e-6, 3e-4, 2e-2, 0.5])
    compare(
        run(answer, norm, shown="a norm of 4 steps"),
        norm[0] / norm[-1],
        "the share",
        {
            "it is the other way round: the first step's over the last one's.": norm[-1] / norm[0],
            "this is what is left, not as a share: divide by the last step's.": norm[0],
            "this is the share of the sum; the last step's alone was asked for.": norm[0] / norm.sum(),
            "that is what was lost; what is left is 1 less that.": 1 - norm[0] / norm[-1],
        },
        atol=0,
    )
