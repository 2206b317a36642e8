"""clear_session, and what code around training asks of utils and backend."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import backend, utils


def test_names_begin_anew():
    for clear in (utils.clear_session, backend.clear_session):
        rnn_ref.layers.LSTM(2)
        rnn_ref.optimizers.Adam()
        clear()
        assert rnn_ref.layers.LSTM(2).name == "lstm"
        assert rnn_ref.optimizers.Adam().name == "adam"


def test_packing():
    x, y, w = np.ones(2), np.zeros(2), np.ones(2)
    for packed, unpacked in (((x,), (x, None, None)), ((x, y), (x, y, None)), ((x, y, w), (x, y, w))):
        assert utils.unpack_x_y_sample_weight(utils.pack_x_y_sample_weight(*packed)) == unpacked
    with pytest.raises(ValueError, match="got 4 entries"):
        utils.unpack_x_y_sample_weight((1, 2, 3, 4))


def test_backend_has_what_keras_3_left_there():
    assert backend.floatx() == "float32"
    assert backend.epsilon() == 1e-7
    with pytest.raises(AttributeError, match=r"no backend.sum: arrays here are NumPy's"):
        backend.sum  # noqa: B018
