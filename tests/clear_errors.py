"""What to put in the place of an argument to spoil a call, and what its outcome must be then."""

import dis
import os
import re
import warnings

import numpy as np

import rnn_ref

from .malformed import made

MALFORMED = {
    "None": None, "text": "abc", "no text": "", "bytes": b"ab", "NaN": float("nan"), "inf": float("inf"), "half": 2.5,
    "negative": -3, "huge": 10**30, "True": True, "complex": 1 + 2j, "dict": {"a": 1}, "set": {1, 2}, "empty list": [],
    "nested": [[1], [2, [3]]], "lambda": lambda *a: None, "class": int, "object": object(),
    "no entries": np.zeros((0,)), "other rank": np.zeros((2, 2, 2, 2, 2)), "floats": np.full((2, 4), 0.5),
    "objects": np.array([None, "a"], object), "complex array": np.ones((2, 4, 3), complex),
    "strings": np.array(["a", "b"]), "dates": np.zeros(2, "datetime64[s]"),
    "masked": np.ma.masked_array(np.ones((2, 4, 3), "float32"), True),
}  # fmt: skip
# What an argument may be beside what it is by default.
TAKEN = {
    **dict.fromkeys(("decay_steps", "warmup_steps", "first_decay_steps"), ("half",)),  # a length
    "order": ("half", "inf"),  # of a norm
    "filters": ("empty list", "no entries", "set", "strings"),  # whatever consists of strings
    "texts": ("text", "no text", "dict", "strings"),  # the same
    "data": ("complex array", "dates", "objects", "strings"),  # windows of anything
    "targets": ("complex array", "dates", "objects", "strings"),
    "dataset": ("complex array", "dates", "objects", "strings"),  # parts of anything
    "labels": ("complex array", "dates", "objects", "strings"),  # classes of any kind
    "what": ("complex array",),  # eigenvalues
    "verbose": ("True",),  # 1
    "target_class_ids": ("set",),
    "value": ("dates",),  # an attention's key is its value
    "moving_variance_initializer": ("None",),  # Keras's default, which draws negative variances
    "input_shape": ("complex array", "masked"),  # read as nested shapes
}

CAME = re.compile(
    r"[Gg]ot |[Rr]eceived|cannot work with|masked array|shape|(has|have|holds?) (\d+|NaN|the)|named|names|not there|"
    r"gives|differ|is not a|empty|nothing|needs a|=\S|\d (values|features)|no target|returned|give |it holds"
)
EXPECTED = re.compile(
    r"[Ee]xpect|must|should|takes|needs?\b|[Gg]ive |[Kk]nown|use |[Ll]eave |[Tt]here (is|are)|one of|Did you mean|"
    r"such as|at least|has no |only|make it|fit|Fill it|is not there|says neither|from \S+ to|the outputs (are|have)|"
    r", but |does not exist|the (trace|flows?) ha|x has|are positive|divided|repeated|side by side|not in the|"
    r"is one after|integers|predicted|has a loss|is not optional|[Ww]rite (it|shape)|has \w+ \d to"
)
RAW = re.compile(
    "has no attribute|object is not|is ambiguous|not supported between|inhomogeneous|could not convert|"
    "cannot be interpreted|broadcast together|data type '.*' not understood"
)


def problem(name: str, function, arguments: dict, spoilt: str, by: str) -> str | None:
    """What is wrong with the outcome of a call: an error that helps nobody, or a result that cannot be."""
    given = made(arguments)
    good, given[spoilt] = given[spoilt], MALFORMED[by]
    with warnings.catch_warnings(record=True) as warned, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            result = function(**given)
        except Exception as error:
            return unclear(error, name, spoilt, MALFORMED[by])
    if warned or by in TAKEN.get(spoilt, ()):
        return None
    if _cannot_be_meant(good, MALFORMED[by], spoilt):
        return f"accepted {spoilt}={MALFORMED[by]!r} where {good!r} was meant"
    strange = by in ("NaN", "inf") and isinstance(good, (np.ndarray, list))  # goes where it should
    return None if strange or _finite(result) else "the result is not finite"


def unclear(error: Exception, name: str, spoilt: str, bad) -> str | None:
    """What an error lacks: to be raised on purpose, to say whose argument it is, what came, and what was expected."""
    text, lacks = " ".join(str(error).split()), []
    if not (on_purpose(error) and isinstance(error, (ValueError, TypeError, NotImplementedError, LookupError))):
        lacks.append("a purpose")
    said, whose = text.lower().replace("_", ""), [spoilt, *re.split(r"[._()]+", name)[-4:]]
    by_itself = r"\w+_\d+\b|sequential|mse\b|log_?cosh|GlorotUniform|.* initializer "  # where the call had no name
    if not re.match(by_itself, text) and not any(word and word.lower().replace("_", "") in said for word in whose):
        lacks.append("a name")
    came = [repr(bad)[:20], str(bad)[:20], type(bad).__name__, str(getattr(bad, "dtype", "no dtype"))]
    if not (any(word in text for word in came) or CAME.search(text)):
        lacks.append("what came")
    if not EXPECTED.search(text):
        lacks.append("what was expected")
    if RAW.search(text):
        lacks.append("words of its own")
    return f"{type(error).__name__} lacks {', '.join(lacks)}: {text[:200]}" if lacks else None


def on_purpose(error: Exception) -> bool:
    """Whether an error comes from a ``raise`` of the package."""
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code
    raised = code.co_code[last.tb_lasti] in (dis.opmap["RAISE_VARARGS"], dis.opmap["RERAISE"])
    return raised and code.co_filename.startswith(os.path.dirname(rnn_ref.__file__))


def _cannot_be_meant(good, bad, argument: str) -> bool:
    """Whether no reading of a call makes sense of a value in the place of one of another kind."""
    if bad is None or bad is good:
        return False  # None says: as if it were not given; what cannot do without says so, or has another result
    nonsense = isinstance(bad, (bytes, dict, set, complex, np.ma.MaskedArray)) or type(bad) is object
    nonsense |= isinstance(bad, np.ndarray) and bad.dtype.kind not in "biuf"
    number = isinstance(bad, (bool, int, float))
    if isinstance(good, bool):
        return nonsense or not (isinstance(bad, int) and bad in (0, 1))
    if isinstance(good, float):
        return nonsense or not number or bad != bad
    if isinstance(good, int):
        return nonsense or not isinstance(bad, int) or (isinstance(bad, bool) and argument != "seed")
    if isinstance(good, str):
        return nonsense or not (isinstance(bad, str) or callable(bad))
    if isinstance(good, np.ndarray):
        return nonsense or isinstance(bad, (str, type)) or callable(bad)
    if isinstance(good, (list, tuple)):
        return nonsense or isinstance(bad, (str, type)) or callable(bad)
    return nonsense or (isinstance(bad, float) and bad != bad)  # None, which says little


def _finite(result) -> bool:
    if isinstance(result, (list, tuple)):
        return all(map(_finite, result))
    if isinstance(result, (np.ndarray, np.generic, float)) and np.asarray(result).dtype.kind in "fc":
        return bool(np.isfinite(result).all())
    return True
