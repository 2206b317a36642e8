"""The exercises of the course by number, and what is done with an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rnn_ref.exercises import progress
from rnn_ref.exercises.answers import Unanswered, Wrong

TITLES: dict[str, str] = {}  # of the notebooks, by number


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    number, title, hint : str
        ``"06.2"``: the second one of notebook 06.
    check : callable
        Takes the answer, raises :class:`~rnn_ref.exercises.answers.Wrong` if it is wrong; may return what is worth
        knowing about a right one.
    """

    number: str
    title: str
    hint: str
    check: Callable[[object], str | None]


EXERCISES: dict[str, Exercise] = {}
MARKS = {True: "✓", False: "✗", None: "○"}


def notebook(number: str, title: str) -> None:
    """Name a notebook of the course."""
    TITLES[number] = title


def exercise(number: str, title: str, hint: str):
    """Register the check of an exercise; its notebook must have been named."""

    def register(check):
        if number in EXERCISES or number[:2] not in TITLES:
            raise ValueError(f"exercise {number} is there twice, or its notebook has no title.")
        EXERCISES[number] = Exercise(number, title, hint, check)
        return check

    return register


@dataclass(frozen=True)
class Result:
    """What :func:`check` found: true if the answer is right, and as text what to say about it.

    Attributes
    ----------
    number : str
    right : bool or None
        None if nothing has been filled in.
    message : str
    """

    number: str
    right: bool | None
    message: str

    def __bool__(self) -> bool:
        return bool(self.right)

    def __repr__(self) -> str:
        return f"{MARKS[self.right]} {self.number} {self.message}"


def find(number: str) -> Exercise:
    """The exercise of this number."""
    if number not in EXERCISES:
        raise ValueError(f"there is no exercise {number!r}; there are {', '.join(sorted(EXERCISES))}.")
    return EXERCISES[number]


def check(number: str, answer) -> Result:
    """Check an answer, and say what is wrong with it; progress is kept on this machine.

    Parameters
    ----------
    number : str
        Of the exercise: ``"06.2"``.
    answer : object
        What the exercise asks for: a function, numbers, arrays.

    Returns
    -------
    Result
        True if the answer is right; printed, it says what is wrong.

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> import os, rnn_ref
    >>> os.environ["RNN_REF_PROGRESS"] = os.devnull  # keep nothing
    >>> rnn_ref.exercises.check("06.1", lambda F, H: F * H + H * H)
    ✗ 06.1 Not yet: the bias is missing: one number for each unit.
    >>> bool(rnn_ref.exercises.check("06.1", lambda F, H: H * (F + H + 1)))
    True
    """
    asked = find(number)
    try:
        remark = asked.check(answer)
    except Unanswered:
        return Result(number, None, f"Not answered yet: {asked.title}. `hint({number!r})` helps.")
    except Wrong as wrong:
        return Result(number, False, f"Not yet: {wrong}{progress.note(number, right=False)}")
    return Result(number, True, f"Right. {remark or ''}".rstrip() + progress.note(number, right=True))


def hint(number: str) -> str:
    """Print a hint for an exercise."""
    print(find(number).hint)
