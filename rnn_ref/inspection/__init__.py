"""Numbers about a model: what its gates did, where its gradients go, whether they are right."""

from rnn_ref.inspection.checking import check_gradients
from rnn_ref.inspection.gradients import gradient_flow
from rnn_ref.inspection.tracing import trace

__all__ = ["check_gradients", "gradient_flow", "trace"]
