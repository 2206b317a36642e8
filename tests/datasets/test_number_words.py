import re

import numpy as np
import pytest

from rnn_ref.datasets import number_words

KNOWN = {
    0: ("zero", "zéro"),
    1: ("one", "un"),
    16: ("sixteen", "seize"),
    17: ("seventeen", "dix-sept"),
    21: ("twenty-one", "vingt et un"),
    60: ("sixty", "soixante"),
    61: ("sixty-one", "soixante et un"),
    70: ("seventy", "soixante-dix"),
    71: ("seventy-one", "soixante et onze"),
    72: ("seventy-two", "soixante-douze"),
    79: ("seventy-nine", "soixante-dix-neuf"),
    80: ("eighty", "quatre-vingts"),
    81: ("eighty-one", "quatre-vingt-un"),
    90: ("ninety", "quatre-vingt-dix"),
    91: ("ninety-one", "quatre-vingt-onze"),
    97: ("ninety-seven", "quatre-vingt-dix-sept"),
    100: ("one hundred", "cent"),
    101: ("one hundred and one", "cent un"),
    200: ("two hundred", "deux cents"),
    210: ("two hundred and ten", "deux cent dix"),
    1000: ("one thousand", "mille"),
    1001: ("one thousand and one", "mille un"),
    2000: ("two thousand", "deux mille"),
    21_000: ("twenty-one thousand", "vingt et un mille"),
    80_000: ("eighty thousand", "quatre-vingt mille"),
    80_080: ("eighty thousand and eighty", "quatre-vingt mille quatre-vingts"),
    200_000: ("two hundred thousand", "deux cent mille"),
    300_300: ("three hundred thousand three hundred", "trois cent mille trois cents"),
}


@pytest.mark.parametrize(("number", "words"), KNOWN.items())
def test_numbers_whose_words_a_grammar_gives(number, words):
    assert (number_words(number), number_words(number, "French")) == words


def test_each_number_has_words_of_its_own():
    numbers = [*range(2000), *range(70_000, 72_000), *range(998_000, 1_000_000)]
    for language in ("English", "French"):
        said = [number_words(number, language) for number in numbers]
        assert len(set(said)) == len(numbers)
        assert all(re.fullmatch(r"[a-zé]+([ -][a-zé]+)*", words) for words in said)


def test_numbers_of_numpy():
    assert number_words(np.int64(71)) == "seventy-one"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1,), "at least 0"),
        ((1_000_000,), "at most 999,999, got 1000000"),
        ((1.5,), "must be an integer"),
        ((1, "German"), "'English' or 'French', got 'German'"),
    ],
)
def test_what_it_does_not_say(arguments, message):
    with pytest.raises(ValueError, match=message):
        number_words(*arguments)
