"""Small helpers around training, and those around data, named as in `keras.utils`."""

from rnn_ref.models.data import PyDataset
from rnn_ref.preprocessing.sequence import pad_sequences
from rnn_ref.preprocessing.timeseries import timeseries_dataset_from_array
from rnn_ref.utils.categorical import to_categorical
from rnn_ref.utils.normalization import normalize
from rnn_ref.utils.seeding import set_random_seed

Sequence = PyDataset  # its name in Keras 2

__all__ = [
    "PyDataset",
    "Sequence",
    "normalize",
    "pad_sequences",
    "set_random_seed",
    "timeseries_dataset_from_array",
    "to_categorical",
]
