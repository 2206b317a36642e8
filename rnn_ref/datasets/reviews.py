"""Generated film reviews, in which a "not" reverses what follows."""

from rnn_ref import checks, random
from rnn_ref.guard import guarded
from rnn_ref.random import Seed

GOOD = [
    "wonderful",
    "superb",
    "charming",
    "gripping",
    "clever",
    "moving",
    "funny",
    "brilliant",
    "delightful",
    "fresh",
    "warm",
    "honest",
    "lovely",
    "witty",
    "bold",
]
BAD = [
    "dull",
    "dreadful",
    "boring",
    "clumsy",
    "tedious",
    "silly",
    "weak",
    "tired",
    "shallow",
    "noisy",
    "cold",
    "stale",
    "awful",
    "flat",
    "bland",
]
THINGS = ["film", "plot", "acting", "script", "music", "story", "ending", "cast", "dialogue", "camera"]
LINKS = ("is", "was", "seemed", "felt")
DEGREES = ("", "really ", "quite ", "very ", "so ")
OPENINGS = ("", "i saw it twice ", "we went on friday ", "my sister took me along ", "three hours of my life ")


@guarded
def reviews(samples: int, *, negated: float = 0.4, seed: Seed = None) -> tuple[list[str], list[int]]:
    """Draw film reviews of one to three statements, all of one opinion.

    Each statement says something about the film, half of the time at a distance: ``the plot is really not at all
    dull``. A statement with *not* has a word of the opposite opinion. No single word gives a review away, and the
    numbers of good and bad words say nothing if half of the statements are negated: what counts is which of them follow
    a *not*. These are filled-in templates, not real English.

    Parameters
    ----------
    samples : int
    negated : float
        The fraction of statements with a *not*.
    seed : int, numpy.random.Generator or None
        `None` draws from the package-wide generator.

    Returns
    -------
    texts : list of str
        In lower case, without punctuation.
    labels : list of int
        1 for a good review, 0 for a bad one.

    Raises
    ------
    ValueError
        If `samples` is less than 1, or `negated` not between 0 and 1.

    Examples
    --------
    >>> texts, labels = reviews(3, seed=0)
    >>> texts[0], labels[0]
    ('my sister took me along the film is not tedious and the story seemed so lovely', 1)
    """
    checks.integer(samples, "samples", "reviews", least=1)
    negated = checks.fraction(negated, "negated", "reviews")
    rng = random.make(seed)

    def pick(among):
        return among[int(rng.integers(len(among)))]

    texts, labels = [], []
    for _ in range(samples):
        label = int(rng.integers(2))
        statements = []
        for _ in range(int(rng.integers(1, 4))):
            turned = rng.random() < negated
            word = pick(GOOD if label != turned else BAD)
            far = pick(("", "at all ", "what i would call ")) if turned else ""
            statements.append(f"the {pick(THINGS)} {pick(LINKS)} {'not ' if turned else ''}{far}{pick(DEGREES)}{word}")
        texts.append(pick(OPENINGS) + " and ".join(statements))
        labels.append(label)
    return texts, labels
