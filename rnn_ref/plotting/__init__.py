"""Pictures of what :mod:`rnn_ref.inspection` returns; public name ``rnn_ref.plot``."""

from rnn_ref.plotting.attention import attention
from rnn_ref.plotting.cell_diagram import cell_diagram
from rnn_ref.plotting.contributions import contributions
from rnn_ref.plotting.explore_gradient_flow import explore_gradient_flow
from rnn_ref.plotting.forecast import forecast
from rnn_ref.plotting.gates import gates
from rnn_ref.plotting.gradient_flow import gradient_flow
from rnn_ref.plotting.history import history
from rnn_ref.plotting.jacobians import eigenvalues, jacobians
from rnn_ref.plotting.parameters import parameters
from rnn_ref.plotting.recording import recording
from rnn_ref.plotting.saturation import saturation
from rnn_ref.plotting.shared import figure_alt, style
from rnn_ref.plotting.step_through import step_through
from rnn_ref.plotting.sweep import sweep
from rnn_ref.plotting.text import text
from rnn_ref.plotting.trajectories import trajectories
from rnn_ref.plotting.units import unit
from rnn_ref.plotting.unrolled import unrolled
from rnn_ref.plotting.weights import weights

__all__ = [
    "attention",
    "cell_diagram",
    "contributions",
    "eigenvalues",
    "explore_gradient_flow",
    "figure_alt",
    "forecast",
    "gates",
    "gradient_flow",
    "history",
    "jacobians",
    "parameters",
    "recording",
    "saturation",
    "step_through",
    "style",
    "sweep",
    "text",
    "trajectories",
    "unit",
    "unrolled",
    "weights",
]
