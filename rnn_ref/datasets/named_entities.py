"""Generated sentences with named entities, many of which only the following words distinguish."""

from rnn_ref import checks, random
from rnn_ref.guard import guarded
from rnn_ref.random import Seed

# Surnames, places and firms are named after each other: these may be any of the three.
NAMES = [
    "Austin",
    "Lincoln",
    "Jackson",
    "Houston",
    "Florence",
    "Sydney",
    "Madison",
    "Jordan",
    "Chelsea",
    "Paris",
    "Dallas",
    "Denver",
    "Bristol",
    "Camden",
    "Carson",
    "Clinton",
    "Hamilton",
    "Hudson",
    "Kent",
    "Lancaster",
    "Logan",
    "Marion",
    "Milan",
    "Orlando",
    "Preston",
    "Sheffield",
    "Trenton",
    "Vernon",
    "Windsor",
    "York",
]
FIRST_NAMES = ["Ada", "Alan", "Emma", "Grace", "Ivan", "Lena", "Marie", "Noor", "Omar", "Paul", "Rosa", "Yuki"]
ENDINGS = {
    "ORG": ["Motors", "Bank", "Records", "Airways", "Foods"],
    "LOC": ["Bay", "Falls", "Heights", "Island", "Springs"],
}
SUBJECTS = {
    "PER": (
        "{} said that the plan was sound .|{} smiled and left the room .|{} wrote a letter to the editor .|"
        "{} was born in {LOC} .|{} told {PER} about the offer from {ORG} .|{} hired {PER} last year ."
    ),
    "LOC": (
        "{} lies on the northern coast .|{} has two bridges and a harbour .|{} was flooded in the spring .|"
        "{} is a day by train from {LOC} .|{} has been the home of {ORG} for years ."
    ),
    "ORG": (
        "{} shares fell after the report .|{} sold its plant in {LOC} .|{} reported a loss on Monday .|"
        "{} made {PER} its chairman .|{} bought {ORG} for a small sum ."
    ),
}
BEFORE = ("", "Yesterday ", "In the end ", "As expected , ", "According to the papers , ", "After the war , ")


@guarded
def named_entities(samples: int, *, unknown: float = 0.2, seed: Seed = None) -> tuple[list[list[str]], list[list[str]]]:
    """Draw sentences and their tags: persons, places and organizations.

    Thirty names, such as Lincoln, may be any of the three; the words around them tell which, in most sentences those
    that follow. Some get a second word, as in *Ada Lincoln* or *Lincoln Motors*. These are filled-in templates, not
    real English: a model that is perfect here is not yet useful anywhere else.

    Parameters
    ----------
    samples : int
        Number of sentences.
    unknown : float
        The fraction of names that are invented, so that only their context can help.
    seed : int, numpy.random.Generator or None
        `None` draws from the package-wide generator.

    Returns
    -------
    sentences : list of list of str
        Words and punctuation.
    tags : list of list of str
        ``"O"``, or B or I and a type: ``"B-PER"``, ``"I-LOC"``.

    Raises
    ------
    ValueError
        If `samples` is less than 1, or `unknown` not between 0 and 1.

    Examples
    --------
    >>> sentences, tags = named_entities(5, seed=3)
    >>> print(" ".join(sentences[4]))
    As expected , Ada Logan was born in York .
    >>> [tag for tag in tags[4] if tag != "O"]
    ['B-PER', 'I-PER', 'B-LOC']
    """
    checks.integer(samples, "samples", "named_entities", least=1)
    unknown = checks.fraction(unknown, "unknown", "named_entities")
    rng = random.make(seed)

    def pick(among):
        return among[int(rng.integers(len(among)))]

    def name(kind):
        if rng.random() < unknown:
            word = "".join(pick("bdfgklmnprstvz") + pick("aeiou") for _ in range(3)).capitalize()
        else:
            word = pick(NAMES)
        if kind == "PER":
            return [pick(FIRST_NAMES), word] if rng.random() < 0.3 else [word]
        return [word, pick(ENDINGS[kind])] if rng.random() < 0.3 else [word]

    sentences, tags = [], []
    for _ in range(samples):
        kind = pick(("PER", "LOC", "ORG"))
        pattern = pick(BEFORE) + pick(SUBJECTS[kind].split("|"))
        words, marks = [], []
        for word in pattern.split():
            if not word.startswith("{"):
                words.append(word)
                marks.append("O")
                continue
            inside = word[1:-1] or kind
            found = name(inside)
            words += found
            marks += [f"B-{inside}", *[f"I-{inside}"] * (len(found) - 1)]
        sentences.append(words)
        tags.append(marks)
    return sentences, tags
