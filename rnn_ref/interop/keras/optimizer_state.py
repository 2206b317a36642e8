"""The state of an optimizer in Keras's files: ``optimizer/vars/0``, ``1``, ... in the order of its variables."""

from __future__ import annotations

import warnings

import numpy as np

from rnn_ref.interop.hdf5 import Stored

GROUP = "optimizer/vars"


def write(model, file) -> None:
    """Write the state, if there is any yet."""
    optimizer = model.optimizer
    if not model.compiled or optimizer is None or not optimizer.built:
        return
    group = file.create_group(GROUP)
    group.attrs["name"] = optimizer.name
    for k, (name, value) in enumerate(optimizer.get_state().items()):
        # Keras keeps all numbers in float32, except for the count of steps.
        group[str(k)] = value.astype("int32") if name == "iteration" else _exact(value)


def _exact(value: np.ndarray) -> np.ndarray:
    """A single number as it is, in double precision, which Keras rounds on reading."""
    return value


def read(model, stored: Stored) -> None:
    """Load the state if the file has it and it fits; otherwise warn that the optimizer starts afresh."""
    optimizer = model.optimizer
    names = sorted((name for name in stored.inside(GROUP) if name.isdigit()), key=int)
    if not names or optimizer is None:
        return
    optimizer.build(model.trainable_weights)
    own = optimizer.get_state()
    arrays = [stored.array(f"{GROUP}/{name}") for name in names]
    if [array.shape for array in arrays] != [value.shape for value in own.values()]:
        if len(arrays) > 2:  # a Keras optimizer that has not trained yet has two
            warnings.warn(
                f"{stored.where}: the state of the optimizer is not that of {type(optimizer).__name__} for these "
                "weights; it begins anew.",
                stacklevel=5,
            )
        return
    optimizer.set_state(dict(zip(own, arrays)))
