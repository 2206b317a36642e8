"""The course's exercises: what they check, and how they say what is wrong. Answers stand in ``notebooks/solutions``.

>>> from rnn_ref.exercises import check, hint, show
"""

from rnn_ref.exercises import (  # noqa: F401 - register their exercises
    backpropagation,
    characters,
    entities,
    first_look,
    first_step,
    gru_forecasts,
    lstm_gates,
    own_cell,
    parameters,
    regularization,
    sentiment,
    sequences,
    sick_networks,
    speed,
    translation,
    vanishing,
)
from rnn_ref.exercises.course import EXERCISES, TITLES, Exercise, Result, check, hint
from rnn_ref.exercises.showing import Source, show

__all__ = ["EXERCISES", "TITLES", "Exercise", "Result", "Source", "check", "hint", "show"]
