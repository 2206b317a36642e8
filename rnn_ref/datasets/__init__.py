"""Small real series and the classic long-memory tasks."""

from rnn_ref.datasets.adding_problem import adding_problem
from rnn_ref.datasets.copy_memory import copy_memory
from rnn_ref.datasets.sunspots import load_sunspots
from rnn_ref.datasets.trained_models import trained_elsewhere
from rnn_ref.datasets.windows import windows

__all__ = ["adding_problem", "copy_memory", "load_sunspots", "trained_elsewhere", "windows"]
