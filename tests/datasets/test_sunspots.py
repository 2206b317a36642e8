import numpy as np

from rnn_ref.datasets import load_sunspots


def test_values():
    years, values = load_sunspots()
    np.testing.assert_array_equal(years, np.arange(1700, 2009))
    assert (years.dtype, values.dtype, values.shape) == (np.int64, np.float64, (309,))
    assert (values >= 0).all()
    # The highest yearly mean on record, and the sum as a check on every value.
    assert (years[values.argmax()], values.max()) == (1957, 190.2)
    assert round(values.sum(), 1) == 15373.4


def test_the_cycle_takes_about_eleven_years():
    _, values = load_sunspots()
    power = np.abs(np.fft.rfft(values - values.mean())) ** 2
    assert 10 < len(values) / power.argmax() < 12


def test_each_call_returns_its_own_arrays():
    load_sunspots()[1][:] = 0
    assert load_sunspots()[1].any()
