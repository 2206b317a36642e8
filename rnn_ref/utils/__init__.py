"""Small helpers around training, named as in `keras.utils`."""

from rnn_ref.utils.categorical import to_categorical
from rnn_ref.utils.normalization import normalize
from rnn_ref.utils.seeding import set_random_seed

__all__ = ["normalize", "set_random_seed", "to_categorical"]
