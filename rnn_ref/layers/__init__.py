"""Keras's layers, each with a ``forward`` and a ``backward`` that can be read."""

from rnn_ref.layers.activation import Activation
from rnn_ref.layers.activity_regularization import ActivityRegularization
from rnn_ref.layers.additive_attention import AdditiveAttention
from rnn_ref.layers.attention import Attention
from rnn_ref.layers.batch_normalization import BatchNormalization
from rnn_ref.layers.bidirectional import Bidirectional
from rnn_ref.layers.convolution import Conv1D
from rnn_ref.layers.custom_cell import CustomCell
from rnn_ref.layers.dense import Dense
from rnn_ref.layers.dropout import Dropout, GaussianNoise, SpatialDropout1D
from rnn_ref.layers.embedding import Embedding
from rnn_ref.layers.flatten import Flatten
from rnn_ref.layers.functional import generate_dropout_mask, rnn, standardize_args
from rnn_ref.layers.group_normalization import GroupNormalization
from rnn_ref.layers.gru import GRU, GRUCell
from rnn_ref.layers.identity import Identity
from rnn_ref.layers.input import Input, InputLayer
from rnn_ref.layers.lambda_layer import Lambda
from rnn_ref.layers.layer import Layer
from rnn_ref.layers.layer_normalization import LayerNormalization
from rnn_ref.layers.lstm import LSTM, LSTMCell
from rnn_ref.layers.masking import Masking
from rnn_ref.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from rnn_ref.layers.multi_head_attention import MultiHeadAttention
from rnn_ref.layers.permute import Permute
from rnn_ref.layers.pooling import GlobalAveragePooling1D, GlobalMaxPooling1D
from rnn_ref.layers.rectifiers import ELU, LeakyReLU, PReLU, ReLU
from rnn_ref.layers.recurrent import RNN
from rnn_ref.layers.repeat_vector import RepeatVector
from rnn_ref.layers.reshape import Reshape
from rnn_ref.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from rnn_ref.layers.softmax import Softmax
from rnn_ref.layers.stacked_cells import StackedRNNCells
from rnn_ref.layers.time_distributed import TimeDistributed
from rnn_ref.layers.unit_normalization import RMSNormalization, UnitNormalization
from rnn_ref.layers.window_pooling import AveragePooling1D, MaxPooling1D
from rnn_ref.layers.wrapper import Wrapper, describe, layer_from
from rnn_ref.names import missing

GlobalAvgPool1D = GlobalAveragePooling1D
GlobalMaxPool1D = GlobalMaxPooling1D
AvgPool1D = AveragePooling1D
MaxPool1D = MaxPooling1D
Convolution1D = Conv1D
serialize, deserialize = describe, layer_from
RNNCell = AbstractRNNCell = Layer  # state_size and call(inputs, states) make any layer a cell


__getattr__ = missing("layers")

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "AbstractRNNCell",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AdditiveAttention",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AvgPool1D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Convolution1D",
    "CustomCell",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAvgPool1D",
    "GlobalMaxPool1D",
    "GlobalMaxPooling1D",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPooling1D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "RNNCell",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "StackedRNNCells",
    "Subtract",
    "TimeDistributed",
    "UnitNormalization",
    "Wrapper",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "generate_dropout_mask",
    "maximum",
    "minimum",
    "multiply",
    "rnn",
    "serialize",
    "standardize_args",
    "subtract",
]
