"""Two small networks trained elsewhere, to open: one by PyTorch, one by Keras."""

from importlib import resources
from pathlib import Path

from rnn_ref.guard import guarded

FILES = {"PyTorch": "sunspots-pytorch.safetensors", "Keras": "sunspots-keras.keras"}


@guarded
def trained_elsewhere(library: str) -> Path:
    """The file of a network that forecasts the next year's sunspots from those of the last 24 years.

    Both have 16 units, were trained on the years up to 1949, and read windows divided by the standard deviation of
    these years (:func:`~rnn_ref.datasets.windows`).

    Parameters
    ----------
    library : {"PyTorch", "Keras"}
        ``"PyTorch"``: the weights of a module with the parts ``lstm = nn.LSTM(1, 16, batch_first=True)`` and ``out =
        nn.Linear(16, 1)``, as a ``.safetensors`` file. ``"Keras"``: a ``Sequential`` of ``GRU(16)`` and ``Dense(1)``,
        as a ``.keras`` archive.

    Returns
    -------
    pathlib.Path

    Examples
    --------
    >>> trained_elsewhere("PyTorch").name
    'sunspots-pytorch.safetensors'
    """
    if library not in FILES:
        raise ValueError(f"trained_elsewhere knows {' and '.join(map(repr, FILES))}, got {library!r}.")
    return Path(str(resources.files("rnn_ref.datasets").joinpath("trained", FILES[library])))
