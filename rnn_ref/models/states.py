"""Everything that training changes, as a tree of arrays: Keras's ``get_state_tree`` and ``set_state_tree``."""

from __future__ import annotations

from typing import Any

import numpy as np


class StateTree:
    """The part of a model that returns its state as nested dicts, and takes it back.

    References
    ----------
    https://keras.io/api/models/model_saving_apis/
    """

    def get_state_tree(self, value_format="numpy_array") -> dict[str, dict]:
        """Weights and the optimizer's variables, in dicts nested by the parts of their names.

        Parameters
        ----------
        value_format : {"numpy_array", "backend_tensor"}
            Both give copies as NumPy arrays.

        Returns
        -------
        dict
            ``"trainable_variables"``, ``"non_trainable_variables"``, ``"optimizer_variables"`` (empty before the first
            step) and ``"metrics_variables"`` (always empty: metrics start afresh with every epoch).

        Examples
        --------
        >>> import rnn_ref
        >>> model = rnn_ref.Sequential([rnn_ref.Input((3,)), rnn_ref.layers.Dense(2, name="out")])
        >>> {name: w.shape for name, w in model.get_state_tree()["trainable_variables"]["out"].items()}
        {'kernel': (3, 2), 'bias': (2,)}
        """
        if value_format not in ("numpy_array", "backend_tensor"):
            raise ValueError(
                f"{self.name}: value_format must be 'numpy_array' or 'backend_tensor', got {value_format!r}."
            )
        return {kind: _nested({p: np.array(v) for p, v in found.items()}) for kind, found in self._state().items()}

    def set_state_tree(self, state_tree: dict[str, dict]) -> None:
        """Restore what :meth:`get_state_tree` returned; kinds of variables that are not in it stay as they are.

        Raises
        ------
        ValueError
            If a name is unknown or missing, or a shape differs. Nothing is changed then.
        """
        own = self._state()
        given = {kind: _flat(tree) for kind, tree in state_tree.items()}
        if unknown := set(given) - set(own):
            raise ValueError(f"{self.name}: set_state_tree knows {', '.join(own)}; got {', '.join(sorted(unknown))}.")
        for kind, values in given.items():
            if set(values) != set(own[kind]):
                missing, more = sorted(set(own[kind]) - set(values)), sorted(set(values) - set(own[kind]))
                raise ValueError(f"{self.name}: {kind} do not fit: missing {missing}, unexpected {more}.")
            for path, value in values.items():
                shape = own[kind][path].shape
                if np.shape(value) != shape:
                    raise ValueError(f"{self.name}: {kind}: {path} has the shape {np.shape(value)}, expected {shape}.")
        weights = {name: w for found in self._weights_by_kind().values() for name, w in found.items()}
        for kind in ("trainable_variables", "non_trainable_variables"):
            for path, value in given.get(kind, {}).items():
                weights[path].assign(value)
        if given.get("optimizer_variables"):
            self.optimizer.set_state(given["optimizer_variables"])

    def _weights_by_kind(self) -> dict[str, dict[str, Any]]:
        trainable = self.trainable_named_weights()
        frozen = {name: w for name, w in self.named_weights().items() if name not in trainable}
        return {"trainable_variables": trainable, "non_trainable_variables": frozen}

    def _state(self) -> dict[str, dict[str, np.ndarray]]:
        found = {
            kind: {name: w.numpy() for name, w in weights.items()} for kind, weights in self._weights_by_kind().items()
        }
        built = self.optimizer is not None and self.optimizer.built
        return found | {"optimizer_variables": self.optimizer.get_state() if built else {}, "metrics_variables": {}}


def _nested(flat: dict[str, np.ndarray]) -> dict:
    tree: dict = {}
    for path, value in flat.items():
        *parents, last = path.split("/")
        place = tree
        for part in parents:
            place = place.setdefault(part, {})
        place[last] = value
    return tree


def _flat(tree: dict, above: str = "") -> dict[str, Any]:
    found = {}
    for name, value in tree.items():
        path = f"{above}/{name}".lstrip("/")
        found |= _flat(value, path) if isinstance(value, dict) else {path: value}
    return found
