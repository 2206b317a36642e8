"""A series cut into examples: some values, and those that follow them."""

import numpy as np
from numpy.typing import ArrayLike

from rnn_ref.guard import guarded


@guarded
def windows(series: ArrayLike, length: int, horizon: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Slide a window over a series, to learn the next values from the last ones.

    Parameters
    ----------
    series : array_like, shape (n,)
        The values, in order of time.
    length : int
        How many values the model sees.
    horizon : int
        How many of the values right after them it should predict.

    Returns
    -------
    x : numpy.ndarray, shape (N, length, 1)
        `N = n - length - horizon + 1` windows, each one step after the previous one.
    y : numpy.ndarray, shape (N, horizon)
        The values that follow each window. Both arrays have the type of `series`, or float64 if it is not
        floating, and are copies.

    Raises
    ------
    ValueError
        If `series` is not one-dimensional or too short, or `length` or `horizon` is less than 1.

    Examples
    --------
    >>> x, y = windows([1.0, 2.0, 3.0, 4.0], length=2)
    >>> x[:, :, 0]
    array([[1., 2.],
           [2., 3.]])
    >>> y
    array([[3.],
           [4.]])
    """
    series = np.asarray(series)
    if not np.issubdtype(series.dtype, np.floating):
        series = series.astype(np.float64)
    if series.ndim != 1:
        raise ValueError(f"series should have shape (n,), got shape {series.shape}")
    if length < 1 or horizon < 1:
        raise ValueError(f"length and horizon should be at least 1, got {length} and {horizon}")
    if len(series) < length + horizon:
        raise ValueError(
            f"a series of {len(series)} values has no window of length {length} followed by {horizon}: it "
            f"needs at least {length + horizon} values"
        )
    both = np.lib.stride_tricks.sliding_window_view(series, length + horizon)
    return both[:, :length, np.newaxis].copy(), both[:, length:].copy()
