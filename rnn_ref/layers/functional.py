"""The loop over time as a function, for any step, and two helpers.

TensorFlow.js and Keras build their recurrent layers on these functions. Here they are in plain Python, for a step
function, a sequence and states. Arrays stay on the device they are on. The layers of this package run on compiled
kernels instead.
"""

from __future__ import annotations

import numpy as np

from rnn_ref.device import is_array
from rnn_ref.guard import guarded
from rnn_ref.layers.symbolic import SymbolicTensor


@guarded
def rnn(
    step_function,
    inputs,
    initial_states,
    go_backwards=False,
    mask=None,
    constants=None,
    unroll=False,
    need_per_step_outputs=False,
):
    """Run a step function over the time axis.

    Parameters
    ----------
    step_function : callable
        ``step_function(x_t, states)`` returns ``(output, new_states)``: ``x_t`` is ``(B, ...)``, ``states`` a list of
        the states, then the constants.
    inputs : ndarray, (B, T, ...)
    initial_states : ndarray or list of ndarray, each (B, ...)
    go_backwards : bool
        Start with the last time step; outputs are in the order in which they were computed.
    mask : ndarray of bool, (B, T) or (B, T, 1), optional
        Where False, the states are carried over and the previous output is repeated (zeros if there is none).
    constants : list of ndarray, optional
        Passed to every step after the states.
    unroll : bool
        Does not affect results: this is a Python loop either way. As in Keras, T must be known.
    need_per_step_outputs : bool
        Whether to collect the outputs of all steps.

    Returns
    -------
    last_output : ndarray, (B, ...)
    outputs : ndarray, (B, T, ...), or None
    new_states : list of ndarray
        After the last step.

    Examples
    --------
    A running sum:

    >>> import numpy as np
    >>> from rnn_ref.layers import rnn
    >>> x = np.arange(4.0).reshape(1, 4, 1)
    >>> last, outputs, _ = rnn(lambda x, s: (s[0] + x, [s[0] + x]), x, np.zeros((1, 1)), need_per_step_outputs=True)
    >>> outputs.ravel()
    array([0., 1., 3., 6.])
    """
    if isinstance(inputs, SymbolicTensor):
        if unroll and inputs.shape[1] is None:
            raise ValueError("rnn: unroll=True needs a known number of time steps; give it in the Input.")
        raise TypeError("rnn: takes arrays; for symbolic tensors use the RNN layer.")
    inputs = _as_given(inputs)
    if inputs.ndim < 3:
        raise ValueError(f"rnn: expected inputs (batch, time, ...), got shape {inputs.shape}.")
    B, T = inputs.shape[:2]
    if T == 0:
        raise ValueError("rnn: got zero time steps; at least one is needed.")
    states = [_as_given(state) for state in _listed(initial_states)]
    constants = [_as_given(constant) for constant in _listed(constants)]
    if mask is not None:
        mask = _as_given(mask).astype(bool)
        if mask.shape not in ((B, T), (B, T, 1)):
            raise ValueError(f"rnn: the mask has shape {mask.shape}, expected {(B, T)} (batch, time).")
        mask = mask.reshape(B, T)
    outputs, output = [], None
    for t in reversed(range(T)) if go_backwards else range(T):
        new_output, new_states = step_function(inputs[:, t], states + constants)
        new_output, new_states = _as_given(new_output), [_as_given(state) for state in _listed(new_states)]
        if len(new_states) != len(states):
            raise ValueError(f"rnn: the step function returned {len(new_states)} states, expected {len(states)}.")
        if mask is not None:
            before = np.zeros_like(new_output) if output is None else output
            new_output = _where(mask[:, t], new_output, before)
            new_states = [_where(mask[:, t], new, old) for new, old in zip(new_states, states)]
        output, states = new_output, new_states
        if need_per_step_outputs:
            outputs.append(output)
    return output, (np.stack(outputs, axis=1) if need_per_step_outputs else None), states


@guarded
def standardize_args(inputs, initial_state, constants, num_constants=None):
    """Split ``[x, *states, *constants]``, the list form of a recurrent layer's arguments.

    Parameters
    ----------
    inputs : array, or list of arrays
        A list holds the sequence, then initial states, then ``num_constants`` constants.
    initial_state, constants : array, list of arrays, or None
        If ``inputs`` is a list of several arrays, both must be None.
    num_constants : int, optional

    Returns
    -------
    inputs
        The sequence alone.
    initial_state, constants : list or None

    Examples
    --------
    >>> from rnn_ref.layers import standardize_args
    >>> standardize_args(["x", "h", "c", "k"], None, None, num_constants=1)
    ('x', ['h', 'c'], ['k'])
    """
    if isinstance(inputs, (list, tuple)):
        if not inputs:
            raise ValueError("standardize_args: got an empty list of inputs.")
        if len(inputs) > 1 and (initial_state is not None or constants is not None):
            raise ValueError(
                "standardize_args: initial_state and constants must be None where inputs is a list that holds them."
            )
        inputs, *rest = inputs
        if rest:
            if num_constants:
                if num_constants > len(rest):
                    raise ValueError(
                        f"standardize_args: num_constants={num_constants}, but {len(rest)} arrays follow the sequence."
                    )
                rest, constants = rest[:-num_constants], rest[-num_constants:]
            initial_state = rest or None
    return inputs, _listed(initial_state) or None, _listed(constants) or None


@guarded
def generate_dropout_mask(ones, rate, training=None, count=1, dropout_func=None):
    """Dropout masks for use at all time steps of a sequence.

    Parameters
    ----------
    ones : callable or ndarray
        An array of ones in the shape of a mask, or a function that returns one.
    rate : float
        Fraction of zeros; the others become ``1 / (1 - rate)``.
    training : bool, optional
        If false, the masks are the ones.
    count : int
        The number of masks.
    dropout_func : callable, optional
        ``dropout_func(ones, rate)`` instead of random numbers from the package's seed.

    Returns
    -------
    ndarray, or list of ndarray where ``count`` is more than 1

    Examples
    --------
    >>> import numpy as np
    >>> from rnn_ref.layers import generate_dropout_mask
    >>> generate_dropout_mask(lambda: np.ones((1, 3)), rate=0.5, training=False)
    array([[1., 1., 1.]])
    >>> len(generate_dropout_mask(np.ones((1, 3)), rate=0.5, training=True, count=4))
    4
    """
    if not 0 <= rate < 1:
        raise ValueError(f"generate_dropout_mask: rate must lie in [0, 1), got {rate!r}.")
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
        raise ValueError(f"generate_dropout_mask: count must be a positive integer, got {count!r}.")
    drop = dropout_func or _random_dropout

    def mask():
        array = ones() if callable(ones) else _as_given(ones)
        return drop(array, rate) if training else array

    masks = [mask() for _ in range(count)]
    return masks if count > 1 else masks[0]


def _random_dropout(ones, rate):
    from rnn_ref import random
    from rnn_ref.layers.cell import dropout_mask

    ones = _as_given(ones)
    dtype = ones.dtype.name if ones.dtype.kind == "f" else "float32"
    return dropout_mask(random.make(None), ones.shape, rate, dtype)


def _listed(arrays) -> list:
    if arrays is None:
        return []
    return list(arrays) if isinstance(arrays, (list, tuple)) else [arrays]


def _as_given(x):
    """An array stays on its device."""
    return x if is_array(x) else np.asarray(x)


def _where(mask, new, old):
    """The new rows where the mask is True, the old ones elsewhere."""
    return np.where(mask.reshape(-1, *[1] * (new.ndim - 1)), new, old)
