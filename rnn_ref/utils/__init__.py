"""Small helpers around training, and those around data, named as in `keras.utils`."""

from rnn_ref.models.data import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from rnn_ref.names import missing
from rnn_ref.preprocessing.sequence import pad_sequences
from rnn_ref.preprocessing.timeseries import timeseries_dataset_from_array
from rnn_ref.utils.categorical import to_categorical
from rnn_ref.utils.normalization import normalize
from rnn_ref.utils.progbar import Progbar
from rnn_ref.utils.seeding import set_random_seed
from rnn_ref.utils.session import clear_session, is_keras_tensor
from rnn_ref.utils.splitting import split_dataset

Sequence = PyDataset  # its name in Keras 2
__getattr__ = missing("utils")

__all__ = [
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "set_random_seed",
    "split_dataset",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
