"""Named: a dict that says which names it has when asked for another."""

from __future__ import annotations


class Named(dict):
    """A dict of things by name.

    Parameters
    ----------
    things : dict, or pairs of names and things
    missing : str
        Beginning of the error for a name that is not there: ``"lstm: no gate"``.

    Examples
    --------
    >>> from rnn_ref.named import Named
    >>> gates = Named({"update": 0.5, "reset": 0.1}, "gru: no gate")
    >>> gates["forget"]
    Traceback (most recent call last):
    KeyError: "gru: no gate is named 'forget'; there are update, reset."
    """

    def __init__(self, things=(), missing: str = "nothing"):
        super().__init__(things)
        self.missing = missing

    def __missing__(self, name):
        raise KeyError(f"{self.missing} is named {name!r}; there are {', '.join(map(str, self)) or 'none'}.")
