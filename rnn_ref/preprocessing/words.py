"""Text to words, and words to integers without a vocabulary.

The names are those of `tf.keras.preprocessing.text`, and are in `rnn_ref.preprocessing.text`, too.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping

from rnn_ref import checks
from rnn_ref.guard import explained, guarded

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""ASCII punctuation but for the apostrophe, tabs and line breaks."""

Analyzer = Callable[[str], Iterable[str]]


def check_filters(filters, owner: str) -> None:
    """Check that filters are a string, or an iterable of strings."""
    if isinstance(filters, Mapping) or not all(isinstance(each, str) for each in filters):
        raise TypeError(f"{owner}: `filters` must be a string of characters. Received: filters={filters!r}")


@explained
def text_to_word_sequence(
    input_text: str, filters: Iterable[str] = FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """Cut a text into words.

    Parameters
    ----------
    input_text : str
        The text.
    filters : str or iterable of str
        Characters that end a word and are dropped.
    lower : bool
        Whether to turn the text to lower case first.
    split : str
        The separator between words.

    Returns
    -------
    list of str
        The words, in order; none is empty.

    Raises
    ------
    TypeError
        If `input_text` is not a string.
    ValueError
        If `split` is empty.

    Examples
    --------
    >>> text_to_word_sequence("Don't panic: it's only a re-run.")
    ["don't", 'panic', "it's", 'only', 'a', 're', 'run']
    """
    if not isinstance(input_text, str):
        raise TypeError(f"a text should be a string, got {input_text!r} of type {type(input_text).__name__}")
    if not split:
        raise ValueError(
            "split should be at least one character, got ''; a Tokenizer with char_level=True cuts "
            "a text into its characters"
        )
    if checks.flag(lower, "lower", "text_to_word_sequence"):
        input_text = input_text.lower()
    check_filters(filters, "text_to_word_sequence")
    separated = input_text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [word for word in separated.split(split) if word]


@guarded
def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: Iterable[str] = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Analyzer | None = None,
) -> list[int]:
    """Give each word of a text an integer computed from its letters, so that no vocabulary is needed.

    Different words may get the same integer, more often the smaller `n` is.

    Parameters
    ----------
    text : str
        The text.
    n : int
        Size of the space of integers, at least 2, counting the reserved 0.
    hash_function : callable, "md5" or None
        From a word to an integer. `None` is Python's `hash`, which differs from one process to the next
        unless `PYTHONHASHSEED` is set; "md5" is always the same.
    filters, lower, split
        As in `text_to_word_sequence`.
    analyzer : callable, optional
        From a text to its words, instead of `text_to_word_sequence`.

    Returns
    -------
    list of int
        One integer in [1, n) for each word.

    Raises
    ------
    ValueError
        If `n` is less than 2, or `hash_function` is a string other than "md5".

    Examples
    --------
    >>> hashing_trick("the cat saw the dog", n=1000, hash_function="md5")
    [132, 759, 624, 132, 168]
    """
    if n < 2:
        raise ValueError(f"n should be at least 2, since no word gets the integer 0; got {n}")
    if hash_function is None:
        hash_function = hash
    elif hash_function == "md5":
        hash_function = _md5
    elif not callable(hash_function):
        raise ValueError(f"hash_function should be a function of a word, 'md5' or None, got {hash_function!r}")
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [hash_function(word) % (n - 1) + 1 for word in words]


@guarded
def one_hot(
    input_text: str,
    n: int,
    filters: Iterable[str] = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Analyzer | None = None,
) -> list[int]:
    """Call `hashing_trick` with Python's `hash`.

    Despite its name it returns integers, not vectors: the positions of the ones in one-hot vectors of size `n`.
    Its arguments, result and errors are those of `hashing_trick`.

    Examples
    --------
    >>> first, second, third = one_hot("to be to", n=50)
    >>> first == third
    True
    """
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)
