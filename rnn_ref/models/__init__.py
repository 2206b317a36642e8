"""Models: layers put together, and their training."""

from rnn_ref.models.cloning import clone_model
from rnn_ref.models.describing import model_from_json
from rnn_ref.models.files import load_model, save_model
from rnn_ref.models.functional import Functional
from rnn_ref.models.model import Model
from rnn_ref.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
