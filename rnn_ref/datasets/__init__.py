"""Small real series, a real text, the classic long-memory tasks, and generated text."""

from rnn_ref.datasets.adding_problem import adding_problem
from rnn_ref.datasets.copy_memory import copy_memory
from rnn_ref.datasets.named_entities import named_entities
from rnn_ref.datasets.number_words import number_words
from rnn_ref.datasets.python_topics import load_python_topics
from rnn_ref.datasets.reviews import reviews
from rnn_ref.datasets.sunspots import load_sunspots
from rnn_ref.datasets.trained_models import trained_elsewhere
from rnn_ref.datasets.windows import windows
from rnn_ref.datasets.written_dates import written_dates

__all__ = [
    "adding_problem",
    "copy_memory",
    "load_python_topics",
    "load_sunspots",
    "named_entities",
    "number_words",
    "reviews",
    "trained_elsewhere",
    "windows",
    "written_dates",
]
