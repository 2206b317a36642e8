"""Published cells, each as its paper's equations: compiled, differentiated and explained like the built-in ones.

Each is a layer with the arguments of :class:`~rnn_ref.layers.SimpleRNN` but activation, and its constants; see
:func:`rnn_ref.cell` for the notation.
"""

from rnn_ref.zoo.chaos_free import ChaosFreeNetwork
from rnn_ref.zoo.coupled_lstm import CoupledLSTM
from rnn_ref.zoo.fast_grnn import FastGRNN
from rnn_ref.zoo.independent import IndRNN
from rnn_ref.zoo.janet import JANET
from rnn_ref.zoo.leaky_echo_state import LeakyEchoState
from rnn_ref.zoo.light_gru import LightGRU
from rnn_ref.zoo.minimal_gated_unit import MinimalGatedUnit
from rnn_ref.zoo.peephole_lstm import PeepholeLSTM
from rnn_ref.zoo.simple_recurrent_unit import SRU
from rnn_ref.zoo.update_gate import UGRNN

__all__ = [
    "JANET",
    "SRU",
    "UGRNN",
    "ChaosFreeNetwork",
    "CoupledLSTM",
    "FastGRNN",
    "IndRNN",
    "LeakyEchoState",
    "LightGRU",
    "MinimalGatedUnit",
    "PeepholeLSTM",
]
