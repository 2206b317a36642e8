"""What Keras keeps in ``utils`` is found there too."""

from rnn_ref import preprocessing, utils


def test_helpers_around_data():
    assert utils.pad_sequences is preprocessing.sequence.pad_sequences
    assert utils.timeseries_dataset_from_array is preprocessing.timeseries.timeseries_dataset_from_array
