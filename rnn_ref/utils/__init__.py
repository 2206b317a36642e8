"""Small helpers around training, and those around data, named as in `keras.utils`."""

from rnn_ref.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
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
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "register_keras_serializable",
    "set_random_seed",
    "split_dataset",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
