"""Integers in English and French words: a small translation task with exact answers."""

from rnn_ref import checks
from rnn_ref.guard import guarded

LARGEST = 999_999
ENGLISH = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
ENGLISH_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
FRENCH = [
    "zéro",
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
    "dix-sept",
    "dix-huit",
    "dix-neuf",
]
FRENCH_TENS = [
    "_",
    "_",
    "vingt",
    "trente",
    "quarante",
    "cinquante",
    "soixante",
    "soixante",
    "quatre-vingt",
    "quatre-vingt",
]


@guarded
def number_words(number: int, language: str = "English") -> str:
    """Say a number in words.

    English as in Britain, with *and* before tens and ones. French as in France, with the hyphens and the ``s`` of the
    time before 1990: 71 is *soixante et onze* (sixty and eleven), 80 *quatre-vingts* (four twenties), 97
    *quatre-vingt-dix-sept* (four twenty ten seven); *vingt* and *cent* have their ``s`` at the very end only.

    Parameters
    ----------
    number : int
        From 0 to 999,999.
    language : {"English", "French"}

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the number is not among these, or the language is another one.

    Examples
    --------
    >>> number_words(2071), number_words(2071, "French")
    ('two thousand and seventy-one', 'deux mille soixante et onze')
    >>> number_words(80_400, "French"), number_words(480, "French")
    ('quatre-vingt mille quatre cents', 'quatre cent quatre-vingts')
    """
    checks.integer(number, "number", "number_words", least=0)
    if number > LARGEST:
        raise ValueError(f"number_words: number must be at most {LARGEST:,}, got {number}.")
    if language not in ("English", "French"):
        raise ValueError(f"number_words: language must be 'English' or 'French', got {language!r}.")
    thousands, rest = divmod(number, 1000)
    if language == "English":
        words = [_english(thousands), "thousand"] if thousands else []
        if thousands and 0 < rest < 100:
            words.append("and")
        return " ".join([*words, *([_english(rest)] if rest or not thousands else [])])
    words = [] if thousands == 0 else ["mille"] if thousands == 1 else [_french(thousands, last=False), "mille"]
    return " ".join([*words, *([_french(rest, last=True)] if rest or not thousands else [])])


def _english(number: int) -> str:
    """Below 1000."""
    hundreds, rest = divmod(number, 100)
    if hundreds:
        return f"{ENGLISH[hundreds]} hundred" + (f" and {_english(rest)}" if rest else "")
    if rest < 20:
        return ENGLISH[rest]
    tens, ones = divmod(rest, 10)
    return ENGLISH_TENS[tens] + (f"-{ENGLISH[ones]}" if ones else "")


def _french(number: int, last: bool) -> str:
    """Below 1000; ``last`` if no word follows, which vingt and cent show by their s."""
    hundreds, rest = divmod(number, 100)
    if hundreds:
        counted = "" if hundreds == 1 else f"{FRENCH[hundreds]} "
        if rest:
            return f"{counted}cent {_french(rest, last)}"
        return counted + ("cents" if hundreds > 1 and last else "cent")
    if rest < 20:
        return FRENCH[rest]
    tens = rest // 10
    ones = rest % 20 if tens in (7, 9) else rest % 10  # counting by twenties: 75 is sixty-fifteen
    if ones == 0:
        return FRENCH_TENS[tens] + ("s" if rest == 80 and last else "")
    joint = " et " if ones in (1, 11) and tens < 8 else "-"
    return FRENCH_TENS[tens] + joint + FRENCH[ones]
