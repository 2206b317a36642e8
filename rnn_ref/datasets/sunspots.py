"""The yearly mean sunspot number, 1700 to 2008."""

from importlib import resources

import numpy as np

from rnn_ref.guard import guarded


@guarded
def load_sunspots() -> tuple[np.ndarray, np.ndarray]:
    """Load the yearly mean sunspot number, a small real series with a period of about eleven years.

    Counted by the Solar Influences Data Analysis Center (SIDC), published by the NOAA National Geophysical
    Data Center, in the public domain. The file `sunspots.csv` beside this module names its source.

    Returns
    -------
    years : numpy.ndarray of int64, shape (309,)
        1700 to 2008.
    values : numpy.ndarray of float64, shape (309,)
        The mean sunspot number of each year.

    Examples
    --------
    >>> years, values = load_sunspots()
    >>> print(years[0], values[0], years[-1], values[-1])
    1700 5.0 2008 2.9
    """
    with resources.files("rnn_ref.datasets").joinpath("sunspots.csv").open(encoding="utf-8") as file:
        rows = [line for line in file if not line.startswith("#")]
    table = np.loadtxt(rows, delimiter=",", skiprows=1)  # The first row names the columns.
    return table[:, 0].astype(np.int64), table[:, 1].copy()
