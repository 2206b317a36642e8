"""English text that everyone has: the language reference behind Python's ``help()``."""

from rnn_ref.guard import guarded


@guarded
def load_python_topics() -> str:
    """Load the topics of Python's ``help()``: about 370,000 characters of technical English, with examples in Python.

    The text is that of `pydoc_data.topics`, written by the authors of the Python documentation and shipped with Python
    itself, so it differs slightly between versions of Python. Topics quote each other: every paragraph is kept only
    where it first occurs, so that text held out for a test is not seen in training.

    Returns
    -------
    str
        Topics in alphabetical order, paragraphs with an empty line between them.

    Raises
    ------
    ModuleNotFoundError
        If this Python was installed without its help.

    Examples
    --------
    >>> text = load_python_topics()
    >>> len(text) > 200_000, "lambda" in text
    (True, True)
    """
    try:
        from pydoc_data.topics import topics
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "load_python_topics: this Python has no pydoc_data.topics, the text behind help(); some distributions "
            "leave it out. Install the complete standard library, or take any other text of some 300,000 characters."
        ) from None
    paragraphs = (part.strip("\n") for name in sorted(topics) for part in topics[name].split("\n\n"))
    return "\n\n".join(dict.fromkeys(part for part in paragraphs if part.strip()))
