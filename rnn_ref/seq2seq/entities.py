"""Entities marked by tags in a sentence, and how well predicted tags find them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rnn_ref.guard import guarded


class Entity(NamedTuple):
    """Steps ``start`` to ``stop - 1`` of a sentence, with a type (``"PER"``; ``""`` if tags have none)."""

    type: str
    start: int
    stop: int


@dataclass(frozen=True)
class EntityScores:
    """What `entity_f1` returns.

    Attributes
    ----------
    precision, recall, f1 : float
        Over all entities.
    correct, predicted, support : int
        The numbers of entities that were found exactly, that were predicted, and that exist.
    by_type : dict of str to EntityScores
        The same for each type.
    """

    correct: int
    predicted: int
    support: int
    by_type: dict[str, EntityScores] = field(default_factory=dict)

    @property
    def precision(self) -> float:
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        return self.correct / self.support if self.support else 0.0

    @property
    def f1(self) -> float:
        both = self.predicted + self.support
        return 2 * self.correct / both if both else 0.0


@guarded
def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities marked by the tags of one sentence.

    Tags are ``"O"`` (outside) or a letter and a type, as in ``"B-PER"``: B begins an entity and I continues it; in the
    BIOES scheme, E ends it and S is an entity of a single step. Inconsistent tags are read as in CoNLL's script
    `conlleval`: an I or E after another type, or after an entity that has ended, begins a new one.

    Parameters
    ----------
    tags : list of str

    Returns
    -------
    list of Entity

    Raises
    ------
    ValueError
        If a tag is none of these.

    Examples
    --------
    >>> entities(["B-PER", "I-PER", "O", "S-LOC"])
    [Entity(type='PER', start=0, stop=2), Entity(type='LOC', start=3, stop=4)]
    """
    if isinstance(tags, str):
        raise ValueError(f"Tags must be a list, one for each step. Received: {tags!r}")
    found, start = [], None
    last, last_type = "O", ""
    for i, tag in enumerate([*tags, "O"]):
        letter, kind = _split(tag)
        differs = kind != last_type
        if start is not None and (last in "ES" or letter in "BSO" or differs):
            found.append(Entity(last_type, start, i))
            start = None
        if letter != "O" and (letter in "BS" or last in "ESO" or differs):
            start = i
        last, last_type = letter, kind
    return found


def _split(tag: str) -> tuple[str, str]:
    letter, _, kind = str(tag).partition("-")
    if letter not in ("B", "I", "O", "E", "S") or (letter == "O" and kind):
        raise ValueError(f"A tag must be 'O', or B, I, E or S and a type, as in 'B-PER'. Received: {tag!r}")
    return letter, kind


@guarded
def entity_f1(y_true: Sequence[Sequence[str]], y_pred: Sequence[Sequence[str]]) -> EntityScores:
    """Precision, recall and F1 of entities; one counts as found if its type and both its ends are right.

    Tjong Kim Sang & De Meulder, "Introduction to the CoNLL-2003 shared task", 2003. Tagging most steps correctly is
    easy if most are outside of any entity; finding whole entities is not, so this and not accuracy is reported.

    Parameters
    ----------
    y_true, y_pred : list of list of str
        The tags of each sentence, in the scheme BIO or BIOES (see `entities`), without padding.

    Returns
    -------
    EntityScores

    Raises
    ------
    ValueError
        If the numbers of sentences, or of their tags, differ.

    Examples
    --------
    >>> scores = entity_f1([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "O", "O", "B-LOC"]])
    >>> scores.precision, scores.recall, scores.by_type["LOC"].f1
    (0.5, 0.5, 1.0)
    """
    y_true, y_pred = list(y_true), list(y_pred)
    if len(y_true) != len(y_pred):
        raise ValueError(f"Expected tags for as many sentences. Received: {len(y_true)} and {len(y_pred)} sentences.")
    correct, predicted, support = Counter(), Counter(), Counter()
    for i, (true, pred) in enumerate(zip(y_true, y_pred)):
        if len(true) != len(pred):
            raise ValueError(f"Sentence {i} has {len(true)} tags, and {len(pred)} predicted ones.")
        true, pred = set(entities(true)), set(entities(pred))
        correct.update(entity.type for entity in true & pred)
        predicted.update(entity.type for entity in pred)
        support.update(entity.type for entity in true)
    types = sorted(predicted.keys() | support.keys())
    by_type = {kind: EntityScores(correct[kind], predicted[kind], support[kind]) for kind in types}
    return EntityScores(correct.total(), predicted.total(), support.total(), by_type)
