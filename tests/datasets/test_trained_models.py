"""What was trained elsewhere forecasts here as well as it did there."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import datasets, interop

YEARS, SUNSPOTS = datasets.load_sunspots()
SCALE = SUNSPOTS[YEARS < 1950].std()
X, Y = datasets.windows(SUNSPOTS / SCALE, length=24)
LATER = YEARS[24:] >= 1950


def from_torch():
    file = datasets.trained_elsewhere("PyTorch")
    parts = (
        interop.torch.from_state_dict(file, "lstm", return_sequences=False),
        interop.torch.from_state_dict(file, "out"),
    )
    return rnn_ref.Sequential([layer for part in parts for layer in part])


def from_keras():
    return rnn_ref.models.load_model(datasets.trained_elsewhere("Keras"))


# As PyTorch and Keras themselves reported after training, in sunspots a year.
@pytest.mark.parametrize(("load", "rmse"), [(from_torch, 21.03890640146207), (from_keras, 20.113894748093493)])
def test_forecasts_are_those_of_the_other_library(load, rmse):
    y = load().predict(X[LATER], verbose=0)
    assert np.sqrt(np.mean((y - Y[LATER].reshape(-1, 1)) ** 2)) * SCALE == pytest.approx(rmse, rel=1e-5)


def test_other_libraries():
    with pytest.raises(ValueError, match="knows 'PyTorch' and 'Keras', got 'MXNet'"):
        datasets.trained_elsewhere("MXNet")
