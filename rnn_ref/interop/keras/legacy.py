"""``.h5`` files of tf.keras 2 and of Keras 2, models and weights: read only."""

from __future__ import annotations


def is_legacy(stored) -> bool:
    """Whether an HDF5 file is laid out as tf.keras 2 did."""
    return "layer_names" in stored.groups[""].attrs or "model_weights" in stored.groups


def load(path, *, compile: bool, skip_unknown: bool):
    """Not there yet."""
    raise NotImplementedError(f"{path}: models of tf.keras 2 are not read yet.")


def read_weights(model, stored, *, skip_mismatch: bool, by_name: bool) -> None:
    """Not there yet."""
    raise NotImplementedError(f"{stored.where}: weights of tf.keras 2 are not read yet.")
