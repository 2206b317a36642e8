"""Package-wide settings: the default precision (Keras's ``floatx``)."""

from __future__ import annotations

FLOAT_TYPES = ("float32", "float64")

_floatx = "float32"


def floatx() -> str:
    """The precision of layers that are not given a ``dtype``.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.config.floatx()
    'float32'
    """
    return _floatx


def set_floatx(value: str) -> None:
    """Set the default precision to ``"float32"`` or ``"float64"``."""
    global _floatx
    _floatx = check_dtype(value, "set_floatx")


def check_dtype(dtype, where: str) -> str:
    """The name of a supported precision; None gives the default one. Reads Keras's dtype policies too.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.config.check_dtype(rnn_ref.config.policy("float64"), "here")
    'float64'
    """
    if isinstance(dtype, dict):  # a policy in a configuration
        name = str(dtype.get("config", {}).get("name"))
    elif hasattr(dtype, "compute_dtype"):  # keras.DTypePolicy
        name = dtype.name
    else:
        name = _floatx if dtype is None else getattr(dtype, "__name__", None) or str(dtype)
    if name not in FLOAT_TYPES:
        raise ValueError(f"{where}: dtype={dtype!r} is not supported; use one of {', '.join(FLOAT_TYPES)}.")
    return name


def policy(dtype: str) -> dict:
    """A precision as Keras 3 writes it into configurations."""
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": dtype}, "registered_name": None}
