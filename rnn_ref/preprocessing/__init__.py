"""Raw data to arrays: words to integers, ragged sequences to one length, a long series to windows."""

from rnn_ref.preprocessing import sequence, text, timeseries
from rnn_ref.preprocessing.timeseries import timeseries_dataset_from_array

__all__ = ["sequence", "text", "timeseries", "timeseries_dataset_from_array"]
