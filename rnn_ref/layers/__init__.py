"""Keras's layers, each with a ``forward`` and a ``backward`` that can be read."""

from rnn_ref.layers.activation import Activation
from rnn_ref.layers.dense import Dense
from rnn_ref.layers.flatten import Flatten
from rnn_ref.layers.gru import GRU, GRUCell
from rnn_ref.layers.input import Input
from rnn_ref.layers.layer import Layer
from rnn_ref.layers.lstm import LSTM, LSTMCell
from rnn_ref.layers.simple_rnn import SimpleRNN, SimpleRNNCell

__all__ = [
    "GRU",
    "LSTM",
    "Activation",
    "Dense",
    "Flatten",
    "GRUCell",
    "Input",
    "LSTMCell",
    "Layer",
    "SimpleRNN",
    "SimpleRNNCell",
]
