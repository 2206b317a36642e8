"""Names of older TensorFlow and Keras versions, and what is written today instead."""

from __future__ import annotations

_CUDNN = (
    "write {0}(...): there is one {0} here, and its kernels take every option. To run on a GPU: "
    "rnn_ref.set_device('cuda')."
)

TODAY = {
    "CuDNNLSTM": _CUDNN.format("LSTM"),
    "CuDNNGRU": _CUDNN.format("GRU"),
    "dynamic_rnn": "write RNN(cell, return_sequences=True, return_state=True)(x).",
    "static_rnn": "write RNN(cell, return_sequences=True, return_state=True)(x); the sequence is one array (B, T, F).",
    "raw_rnn": "write a cell with call(inputs, states), and run it with RNN(cell).",
    "bidirectional_dynamic_rnn": "write Bidirectional(RNN(cell, return_sequences=True), merge_mode=None)(x).",
    "static_bidirectional_rnn": "write Bidirectional(RNN(cell, return_sequences=True))(x).",
    "BasicLSTMCell": "write LSTMCell(units).",
    "BasicRNNCell": "write SimpleRNNCell(units).",
    "LSTMBlockCell": "write LSTMCell(units).",
    "LSTMBlockFusedCell": "write LSTM(units).",
    "CudnnLSTM": _CUDNN.format("LSTM"),
    "CudnnGRU": _CUDNN.format("GRU"),
    "MultiRNNCell": "write StackedRNNCells(cells).",
    "DropoutWrapper": "give the cell dropout=..., recurrent_dropout=...",
    "LSTMStateTuple": "states are a list [h, c].",
    "nn": "for nn.dynamic_rnn write layers.RNN(cell), layers.LSTM or layers.GRU; for its functions, activations.*.",
    "contrib": "contrib.seq2seq is now layers.Attention, Model(inputs, outputs), and seq2seq for decoding; "
    "contrib.rnn is layers.",
    "compat": "models are layers.*, Sequential and Model; sessions and placeholders are gone.",
    "addons": "its BeamSearchDecoder is seq2seq.BeamSearchDecoder.",
}


def explain(name: str, module: str = "rnn_ref.layers") -> str:
    """What to tell someone who asks for a name that is not here."""
    if name in TODAY:
        return f"there is no {name} any more: {TODAY[name]}"
    return f"module {module!r} has no attribute {name!r}"
