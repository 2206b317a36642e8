"""The tour: three networks learn to forecast sunspots, and are looked into."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rnn_ref import callbacks, datasets, gradient_flow, layers, losses, optimizers, plotting, trace, utils
from rnn_ref.layers import Input
from rnn_ref.models import Sequential

WINDOW = 24  # years a network sees: two solar cycles
LAST_TRAINING_YEAR = 1949
UNITS = 24
EPOCHS = 100
LOOKBACK = 100  # years over which gradients are followed
CELLS = {"SimpleRNN": layers.SimpleRNN, "LSTM": layers.LSTM, "GRU": layers.GRU}


def build(cell: str, seed: int, **options) -> Sequential:
    """One recurrent layer and a linear readout, for sequences of any length."""
    utils.set_random_seed(seed)
    recurrent = CELLS[cell](UNITS, name=cell.lower(), **options)
    return Sequential([Input((None, 1)), recurrent, layers.Dense(1, name="forecast")], name=cell)


def linear_autoregression(x, y, x_test) -> np.ndarray:
    """Least squares on the same window: ``y = a_1 x_1 + ... + a_W x_W + b``."""

    def with_one(x):
        return np.column_stack([x[:, :, 0], np.ones(len(x))])

    coefficients = np.linalg.lstsq(with_one(x), y[:, 0], rcond=None)[0]
    return with_one(x_test) @ coefficients


def rmse(forecast, truth) -> float:
    return float(np.sqrt(np.mean((np.ravel(forecast) - np.ravel(truth)) ** 2)))


class _Progress(callbacks.Callback):
    """Moves the tour's one progress bar, a step an epoch."""

    def __init__(self, bar):
        super().__init__()
        self.bar = bar

    def on_epoch_end(self, epoch, logs=None):
        self.bar.set_postfix(loss=f"{logs['loss']:.4f}", refresh=False)
        self.bar.update(1)


def run(out: Path, seed: int = 0) -> dict[str, float]:
    """Train, print, draw.

    Parameters
    ----------
    out : Path
        Folder for the pictures.
    seed : int

    Returns
    -------
    dict of str to float
        Test error, in sunspots, of every network and baseline.
    """
    from tqdm.auto import tqdm

    out.mkdir(parents=True, exist_ok=True)
    years, sunspots = datasets.load_sunspots()
    scale = sunspots[years <= LAST_TRAINING_YEAR].std()
    x, y = datasets.windows(sunspots / scale, WINDOW)
    target_years = years[WINDOW:]
    train = target_years <= LAST_TRAINING_YEAR
    test = ~train
    truth = sunspots[WINDOW:][test]
    print(
        f"Yearly sunspot numbers, {years[0]} to {years[-1]}. Task: from {WINDOW} years, the next.\n"
        f"Training on the years up to {LAST_TRAINING_YEAR} ({train.sum()} windows), "
        f"testing on {target_years[test][0]} to {target_years[test][-1]} ({test.sum()} windows).\n"
    )

    models, forecasts = {}, {}
    with tqdm(total=len(CELLS) * EPOCHS + 3, unit="step", desc="tour") as bar:
        for cell in CELLS:
            bar.set_description(f"training {cell}")
            model = models[cell] = build(cell, seed)
            steps = EPOCHS * -(-int(train.sum()) // 16)
            schedule = optimizers.schedules.CosineDecay(0.01, steps)
            model.compile(optimizers.Adam(schedule, clipnorm=1.0), losses.MeanSquaredError())
            model.fit(x[train], y[train], batch_size=16, epochs=EPOCHS, verbose=0, callbacks=[_Progress(bar)])
            forecasts[cell] = model.predict(x[test], verbose=0)[:, 0] * scale

        bar.set_description("drawing gates")
        whole = (sunspots / scale)[None, :, None]
        figure = plotting.gates(
            trace(models["LSTM"], whole),
            time=("year", years),
            series=("sunspots\na year", sunspots),
            title=f"An LSTM with {UNITS} units, trained to forecast sunspots, reading the whole series",
        )
        figure.savefig(out / "tour-gates.png")
        bar.update(1)

        bar.set_description("following gradients")
        x_long, y_long = datasets.windows(sunspots / scale, LOOKBACK)
        flows = {
            "SimpleRNN": gradient_flow(build("SimpleRNN", seed), x_long, y_long),
            "GRU": gradient_flow(build("GRU", seed), x_long, y_long),
            "LSTM, forget bias 1 (as Keras starts it)": gradient_flow(build("LSTM", seed), x_long, y_long),
        }
        remembering = build("LSTM", seed)
        remembering.layers[0].gate_weights()["forget"].bias[:] = 5
        flows["LSTM, forget bias 5"] = gradient_flow(remembering, x_long, y_long)
        figure = plotting.gradient_flow(
            flows,
            time=("years before the forecast", np.arange(-LOOKBACK + 1, 1)),
            title=f"Gradient of the forecast error, up to {LOOKBACK} years back (untrained networks)",
        )
        figure.savefig(out / "tour-gradient-flow.png")
        bar.update(1)

        bar.set_description("drawing forecasts")
        figure = plotting.forecast(
            ("year", target_years[test]),
            truth,
            forecasts,
            ylabel="sunspots a year",
            title=f"One year ahead, years not used in training ({target_years[test][0]} to {target_years[test][-1]})",
        )
        figure.savefig(out / "tour-forecast.png")
        bar.update(1)
        bar.set_description("tour")

    for model in models.values():
        print()
        model.summary()

    errors = {name: rmse(forecast, truth) for name, forecast in forecasts.items()}
    errors["linear autoregression"] = rmse(linear_autoregression(x[train], y[train], x[test]) * scale, truth)
    errors["persistence"] = rmse(x[test][:, -1, 0] * scale, truth)
    parameters = {name: f"{model.count_params():,}" for name, model in models.items()}
    parameters["linear autoregression"] = str(WINDOW + 1)
    print(f"\nTest error, one year ahead, {target_years[test][0]} to {target_years[test][-1]}\n")
    print(f"{'model':<24}{'parameters':>12}{'RMSE (sunspots)':>18}{'of persistence':>17}")
    for name, error in sorted(errors.items(), key=lambda item: item[1]):
        share = error / errors["persistence"]
        print(f"{name:<24}{parameters.get(name, '0'):>12}{error:>18.1f}{share:>16.0%}")
    ends = {name: next(iter(flow.values())).norm for name, flow in flows.items()}
    print(f"\nGradient that reaches {LOOKBACK - 1} years back, as a share of the last year's\n")
    for name, norm in ends.items():
        print(f"{name:<44}{norm[0] / norm[-1]:>10.0e}")
    names = ("tour-gates.png", "tour-gradient-flow.png", "tour-forecast.png")
    print("\nPictures: " + ", ".join(str(out / name) for name in names))
    return errors
