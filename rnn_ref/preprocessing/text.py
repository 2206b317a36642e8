"""A vocabulary learned from texts, as in `tf.keras.preprocessing.text`.

Keras 3 no longer has this module; results and saved files here are those of the version in `tf.keras`.
"""

import json
import math
import warnings
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from rnn_ref import checks
from rnn_ref.guard import guard_methods, guarded
from rnn_ref.preprocessing.words import (
    FILTERS,
    Analyzer,
    check_filters,
    hashing_trick,
    one_hot,
    text_to_word_sequence,
)
from rnn_ref.spelling import Spelled

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

Text = str | Sequence[str]

_MODES = ("binary", "count", "tfidf", "freq")


@guard_methods
class Tokenizer(Spelled):
    """Give each word an integer, with the smallest for the most frequent word.

    Index 0 is reserved for padding. With an `oov_token`, index 1 is that token's. The words follow from the most to the
    least frequent, and equally frequent words in the order in which they were first seen.

    A text is a string, or a list of strings that are already tokens.

    Parameters
    ----------
    num_words : int, optional
        Use only indices below this: the `num_words - 1` most frequent words, or with an `oov_token` one word fewer.
        The vocabulary keeps all words in any case; this only affects what the other methods return.
    filters, lower, split
        How to cut a string into words, as in `text_to_word_sequence`. `lower` also applies to characters and
        to tokens of a list.
    char_level : bool
        Treat each character as a token, ignoring `filters` and `split`.
    oov_token : str, optional
        Replaces words that are out of the vocabulary, or beyond `num_words`. Without it such words are dropped.
    analyzer : callable, optional
        From a string to its words, in place of `text_to_word_sequence`; `filters`, `lower` and `split` do not
        apply to it.
    document_count : int
        The number of texts seen before, for a vocabulary restored by hand.

    Attributes
    ----------
    word_counts : OrderedDict of str to int
        How often each word was seen, in the order in which they were first seen.
    word_docs : dict of str to int
        In how many texts each word was seen.
    word_index, index_word : dict of str to int, dict of int to str
        From word to index and back.
    index_docs : dict of int to int
        `word_docs`, by index.
    document_count : int
        The number of texts seen.

    Examples
    --------
    >>> tokenizer = Tokenizer(oov_token="<OOV>")
    >>> tokenizer.fit_on_texts(["The film was great", "The film was dull, the end was dull"])
    >>> tokenizer.word_index
    {'<OOV>': 1, 'the': 2, 'was': 3, 'film': 4, 'dull': 5, 'great': 6, 'end': 7}
    >>> tokenizer.texts_to_sequences(["A great end!"])
    [[1, 6, 7]]
    >>> tokenizer.sequences_to_texts([[1, 6, 7]])
    ['<OOV> great end']
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: Iterable[str] = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Analyzer | None = None,
        *,
        document_count: int = 0,
    ):
        checks.integer(num_words, "num_words", "Tokenizer", least=0, optional=True)
        checks.integer(document_count, "document_count", "Tokenizer", least=0)
        check_filters(filters, "Tokenizer")
        if analyzer is not None and not callable(analyzer):
            raise TypeError(f"Tokenizer: `analyzer` must be a function of a text. Received: analyzer={analyzer!r}")
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.document_count = document_count

        self.word_counts: dict[str, int] = OrderedDict()
        self.word_docs: dict[str, int] = defaultdict(int)
        self.index_docs: dict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_texts(self, texts: Iterable[Text]) -> None:
        """Count the words of some texts, and renumber all words seen so far.

        Parameters
        ----------
        texts : iterable of str or of list of str
            Read once; a generator will do. (Of a single string each character is a text.)

        Raises
        ------
        TypeError
            If a text is neither a string nor a list or tuple.
        """
        for text in texts:
            self.document_count += 1
            counts = Counter(self._tokens(text))
            for word, count in counts.items():
                self.word_counts[word] = self.word_counts.get(word, 0) + count
                self.word_docs[word] = self.word_docs.get(word, 0) + 1

        # `sorted` is stable, even in reverse: among equals, the first seen comes first.
        vocabulary = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        if self.oov_token is not None:
            vocabulary.insert(0, self.oov_token)
        self.word_index = {word: index for index, word in enumerate(vocabulary, start=1)}
        self.index_word = {index: word for word, index in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Iterable[Iterable[int]]) -> None:
        """Count in how many sequences each index occurs, as "tfidf" needs if there are no texts.

        Parameters
        ----------
        sequences : iterable of iterable of int
            Each a text as indices.
        """
        for sequence in sequences:
            self.document_count += 1
            for index in set(sequence):
                self.index_docs[index] = self.index_docs.get(index, 0) + 1

    def texts_to_sequences(self, texts: Iterable[Text]) -> list[list[int]]:
        """Turn texts into lists of indices.

        Parameters
        ----------
        texts : iterable of str or of list of str
            The texts.

        Returns
        -------
        list of list of int
            One list for each text. `pad_sequences` makes an array of them.

        Raises
        ------
        TypeError
            If a text is neither a string nor a list or tuple.
        ValueError
            If an unknown word is to become the `oov_token`, which has no index before `fit_on_texts`.
        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Text]) -> Iterator[list[int]]:
        """Like `texts_to_sequences`, but lazily, one text at a time."""
        for text in texts:
            indices = (self.word_index.get(word) for word in self._tokens(text))
            yield self._known(indices)

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Turn lists of indices into texts.

        Parameters
        ----------
        sequences : iterable of iterable of int
            Indices that belong to no word, including the 0 of padding, become the `oov_token`, or are dropped if there
            is none.

        Returns
        -------
        list of str
            The words of each sequence with spaces between them, whatever `split` is.

        Raises
        ------
        ValueError
            If an unknown index is to become the `oov_token`, which has no index before `fit_on_texts`.
        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Like `sequences_to_texts`, but lazily, one sequence at a time."""
        for sequence in sequences:
            indices = (index if index in self.index_word else None for index in sequence)
            yield " ".join(self.index_word[index] for index in self._known(indices))

    def texts_to_matrix(self, texts: Iterable[Text], mode: str = "binary") -> np.ndarray:
        """Turn each text into one row; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Iterable[Sequence[int]], mode: str = "binary") -> np.ndarray:
        """Turn each sequence into one row, with a column for each index.

        Parameters
        ----------
        sequences : iterable of sequence of int
            Indices of `num_words` or more are ignored. (The 0 of padding counts like any other.)
        mode : {"binary", "count", "tfidf", "freq"}
            The value in column `j` if `j` occurs `c` times, otherwise 0:

            - "binary": 1;
            - "count": c;
            - "freq": c divided by the length of the sequence;
            - "tfidf": (1 + log c) * log(1 + D / (1 + d)), where `d` of the `D` texts seen contain `j`.

        Returns
        -------
        numpy.ndarray of float64, shape (N, V)
            `V` is `num_words`, or one more than there are words.

        Raises
        ------
        ValueError
            If `mode` is unknown, an index negative, or the tokenizer has seen too little: for "tfidf" there
            must be texts or sequences, and without `num_words` a vocabulary.

        Examples
        --------
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["so so good"])
        >>> tokenizer.texts_to_matrix(["so so", "good"], mode="count")
        array([[0., 2., 0.],
               [0., 0., 1.]])
        """
        if mode not in _MODES:
            raise ValueError(f"mode should be one of {', '.join(_MODES)}; got {mode!r}")
        if not self.num_words and not self.word_index:
            raise ValueError(
                "the number of columns is unknown: give the Tokenizer num_words, or call fit_on_texts first"
            )
        if mode == "tfidf" and not self.document_count:
            raise ValueError("tfidf needs to know the texts: call fit_on_texts or fit_on_sequences first")

        sequences = list(sequences)
        columns = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), columns))
        for row, sequence in zip(matrix, sequences):
            for index, count in Counter(sequence).items():
                if index < 0:
                    raise ValueError(f"an index should be 0 or more, got {index}")
                if index < columns:
                    row[index] = self._entry(mode, index, count, len(sequence))
        return matrix

    def get_config(self) -> dict[str, Any]:
        """Return the arguments and the vocabulary, each dictionary as a string of JSON, as `tf.keras` does.

        A function cannot be written to JSON: an `analyzer` is left out, with a warning.
        """
        if self.analyzer is not None:
            warnings.warn(
                "the analyzer is not part of the config; set `tokenizer.analyzer` again after loading it",
                stacklevel=2,
            )
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            "word_counts": json.dumps(self.word_counts),
            "word_docs": json.dumps(self.word_docs),
            "index_docs": json.dumps(self.index_docs),
            "index_word": json.dumps(self.index_word),
            "word_index": json.dumps(self.word_index),
        }

    def to_json(self, **kwargs: Any) -> str:
        """Return the tokenizer as JSON, which `tokenizer_from_json` reads, here and in `tf.keras`.

        Parameters
        ----------
        **kwargs
            Passed on to `json.dumps`, for example `indent=2`.

        Returns
        -------
        str
        """
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)

    def _tokens(self, text: Text) -> Iterable[str]:
        if isinstance(text, (list, tuple)):
            return [token.lower() for token in text] if self.lower else text
        if not isinstance(text, str):
            raise TypeError(
                f"each text should be a string or a list of strings, got {text!r} of type {type(text).__name__}"
            )
        if self.char_level:
            return text.lower() if self.lower else text
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def _known(self, indices: Iterable[int | None]) -> list[int]:
        """Replace what is unknown (`None`) or beyond `num_words` by the `oov_token`'s index, or drop it."""
        limit = self.num_words or math.inf
        known = []
        for index in indices:
            if index is not None and index < limit:
                known.append(index)
            elif self.oov_token is not None:
                if self.oov_token not in self.word_index:
                    raise ValueError(
                        f"the oov_token {self.oov_token!r} has no index yet: call fit_on_texts before using the "
                        "tokenizer, or put it into word_index"
                    )
                known.append(self.word_index[self.oov_token])
        return known

    def _entry(self, mode: str, index: int, count: int, length: int) -> float:
        """Return the entry of a matrix for an index that occurs `count` times in a sequence of `length`."""
        if mode == "binary":
            return 1
        if mode == "count":
            return count
        if mode == "freq":
            return count / length
        documents = self.index_docs.get(index, 0)
        return (1 + math.log(count)) * math.log(1 + self.document_count / (1 + documents))


@guarded
def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Read a tokenizer from what `Tokenizer.to_json` returned, here or in `tf.keras`.

    Parameters
    ----------
    json_string : str
        The JSON.

    Returns
    -------
    Tokenizer
        It can continue learning with `fit_on_texts`.

    Raises
    ------
    ValueError
        If the JSON does not describe a tokenizer.

    Examples
    --------
    >>> tokenizer = Tokenizer(num_words=10)
    >>> tokenizer.fit_on_texts(["to be or not to be"])
    >>> tokenizer_from_json(tokenizer.to_json()).word_index
    {'to': 1, 'be': 2, 'or': 3, 'not': 4}
    """
    description = json.loads(json_string)
    names = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
    config = dict(description.get("config") or {}) if isinstance(description, dict) else {}
    missing = [name for name in names if name not in config]
    if missing:
        raise ValueError(
            f"a tokenizer's JSON should have a config with {', '.join(names)}; it lacks {', '.join(missing)}"
        )
    dictionaries = {name: json.loads(config.pop(name)) for name in names}
    for name in ("index_docs", "index_word"):  # JSON turned their keys into strings
        dictionaries[name] = {int(index): value for index, value in dictionaries[name].items()}
    tokenizer = Tokenizer(**config)
    tokenizer.word_counts.update(dictionaries["word_counts"])
    tokenizer.word_docs.update(dictionaries["word_docs"])
    tokenizer.index_docs.update(dictionaries["index_docs"])
    tokenizer.word_index = dictionaries["word_index"]
    tokenizer.index_word = dictionaries["index_word"]
    return tokenizer
