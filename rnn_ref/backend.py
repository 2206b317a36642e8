"""What is left of ``keras.backend`` in Keras 3: the default precision, ε, and beginning anew."""

from __future__ import annotations

from rnn_ref.config import floatx, set_floatx
from rnn_ref.utils.session import clear_session, is_keras_tensor


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite, 1e-7.

    Examples
    --------
    >>> epsilon()
    1e-07
    """
    return 1e-7


def __getattr__(name: str):
    raise AttributeError(
        f"there is no backend.{name}: arrays here are NumPy's (write np.*, or autograd.numpy in a call that shall be "
        "differentiated); Keras 3 has moved the backend's functions to keras.ops."
    )


__all__ = ["clear_session", "epsilon", "floatx", "is_keras_tensor", "set_floatx"]
