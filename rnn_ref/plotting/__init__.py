"""Pictures of what :mod:`rnn_ref.inspection` returns; public name ``rnn_ref.plot``."""

from rnn_ref.plotting.forecast import forecast
from rnn_ref.plotting.gates import gates
from rnn_ref.plotting.gradient_flow import gradient_flow
from rnn_ref.plotting.history import history
from rnn_ref.plotting.style import figure_alt

__all__ = ["figure_alt", "forecast", "gates", "gradient_flow", "history"]
