"""Numbers about a model: what its gates did, where its gradients go, and whether they are right."""

from rnn_ref.inspection.checking import check_gradients
from rnn_ref.inspection.derived_backward import derive_backward
from rnn_ref.inspection.explain import explain_step
from rnn_ref.inspection.gradients import gradient_flow
from rnn_ref.inspection.jacobians import state_jacobians
from rnn_ref.inspection.parameters import derive_parameters
from rnn_ref.inspection.recording import Recorder, Recording
from rnn_ref.inspection.saturation import saturation
from rnn_ref.inspection.tracing import Trace, trace
from rnn_ref.inspection.weights import weight_report

__all__ = [
    "Recorder",
    "Recording",
    "Trace",
    "check_gradients",
    "derive_backward",
    "derive_parameters",
    "explain_step",
    "gradient_flow",
    "saturation",
    "state_jacobians",
    "trace",
    "weight_report",
]
