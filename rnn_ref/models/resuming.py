"""Everything that determines how training continues, saved and restored: what `BackupAndRestore` records."""

from __future__ import annotations

import random as pythons
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_ref import random
from rnn_ref.device import to_numpy, xp
from rnn_ref.state_file import is_plain
from rnn_ref.training.callbacks import BackupAndRestore, ProgbarLogger


@dataclass
class Point:
    """Where training was: how many batches into which epoch, and whether a callback had stopped it."""

    epoch: int
    step: int
    stop: bool
    logs: dict


def backup_of(called) -> BackupAndRestore | None:
    """The callback that records, if there is one."""
    found = [callback for callback in called.callbacks if isinstance(callback, BackupAndRestore)]
    if len(found) > 1:
        raise ValueError("fit: one BackupAndRestore is enough; two would overwrite what the other puts back.")
    return found[0] if found else None


def record(model, training, called, backup, epoch: int, step: int, logs: dict | None = None) -> None:
    """Save the state after a batch (number ``step`` of this epoch), or after an epoch (``step`` is 0)."""
    optimizer = model.optimizer
    backup.write(
        {
            "epoch": epoch,
            "step": step,
            "stop": bool(model.stop_training),
            "logs": {name: value for name, value in (logs or {}).items() if is_plain(value)},
            "weights": model.get_weights(),
            "optimizer": [type(optimizer).__name__, optimizer.get_state()] if optimizer and optimizer.built else None,
            "random": random.to_config(random.generator()),
            "python": pythons.getstate(),
            "numpy": np.random.get_state(legacy=False),  # noqa: NPY002 - for the user's own code
            "layers": [random.to_config(generator) for generator in generators_of(model)],
            "states": [_states(layer) for layer in _recurrent(model)],
            "metrics": [[type(metric).__name__, plain_parts(metric)] for metric in _metrics(model)] if step else [],
            "callbacks": [[type(callback).__name__, plain_parts(callback)] for callback in _callbacks(called)],
            "data": training.position(),
        }
    )


def resume(model, training, called, backup) -> Point | None:
    """Restore what was recorded last; None if there is nothing."""
    state = backup.read()
    if state is None:
        return None
    if not model.built:
        raise ValueError(f"{model.name}: BackupAndRestore needs a model that is built before fit; call it on data.")
    where = f"{backup.path}: is of another training than this: "
    if [value.shape for value in state["weights"]] != [weight.shape for weight in model.weights]:
        raise ValueError(f"{where}its weights are not those of {model.name}. Choose another folder, or delete it.")
    kinds = [type(callback).__name__ for callback in _callbacks(called)]
    if [kind for kind, _ in state["callbacks"]] != kinds:
        raise ValueError(f"{where}the callbacks were {[kind for kind, _ in state['callbacks']]}, now {kinds}.")
    if state["step"]:
        called.on_epoch_begin(state["epoch"])
    last = training.rejoin(state["data"], state["step"])
    wanted = [kind for kind, _ in state["metrics"]]
    if last is not None and wanted and wanted != _kinds(model):
        model._test_step(*last)  # decides which metric "accuracy" stands for
    if wanted and wanted != _kinds(model):
        raise ValueError(f"{where}the metrics were {wanted}, now {_kinds(model)}.")
    if state["optimizer"] is not None:
        kind, values = state["optimizer"]
        if kind != type(model.optimizer).__name__:
            raise ValueError(f"{where}the optimizer was {kind}, now {type(model.optimizer).__name__}.")
        model.optimizer.build(model.trainable_weights)
        model.optimizer.set_state(values)
    model.set_weights(state["weights"])
    for generator, described in zip(generators_of(model), state["layers"]):
        _set_generator(generator, described)
    for layer, states in zip(_recurrent(model), state["states"]):
        layer.states = None if states is None else [xp.asarray(each) for each in states]
    for metric, (_, parts) in zip(_metrics(model), state["metrics"]):
        put_back_parts(metric, parts)
    for callback, (_, parts) in zip(_callbacks(called), state["callbacks"]):
        put_back_parts(callback, parts)
    _set_generator(random.generator(), state["random"])
    pythons.setstate(state["python"])
    np.random.set_state(state["numpy"])  # noqa: NPY002
    return Point(state["epoch"], state["step"], state["stop"], state["logs"])


def generators_of(model) -> list[np.random.Generator]:
    """The random generators of the layers, each once."""
    found: dict[int, np.random.Generator] = {}
    for layer in model.with_all_inside():
        for value in vars(layer).values():
            if isinstance(value, np.random.Generator):
                found.setdefault(id(value), value)
    return list(found.values())


def _set_generator(generator: np.random.Generator, described: dict) -> None:
    generator.bit_generator.state = random.from_config(described).bit_generator.state


def _recurrent(model) -> list:
    return [layer for layer in model.with_all_inside() if layer is not model and "states" in vars(layer)]


def _states(layer) -> list[np.ndarray] | None:
    return None if layer.states is None else [np.array(to_numpy(state)) for state in layer.states]


def _metrics(model) -> list:
    found, waiting = [], list(model.metrics)
    while waiting:
        metric = waiting.pop(0)
        if metric not in found:
            found.append(metric)
            waiting += metric._inner
    return found


def _kinds(model) -> list[str]:
    return [type(metric).__name__ for metric in _metrics(model)]


def _callbacks(called) -> list:
    """All callbacks but the progress bar, which starts afresh."""
    return [callback for callback in called.callbacks if not isinstance(callback, ProgbarLogger)]


def plain_parts(owner) -> dict[str, Any]:
    """The attributes that a file can hold, except those that ``fit`` sets itself."""
    return {name: value for name, value in vars(owner).items() if name != "params" and is_plain(value)}


def put_back_parts(owner, parts: dict[str, Any]) -> None:
    """Set attributes; existing arrays are overwritten in place, as others may refer to them."""
    for name, value in parts.items():
        current = vars(owner).get(name)
        if not _put_into(current, value):
            setattr(owner, name, value)


def _put_into(current, value) -> bool:
    if isinstance(current, np.ndarray) and isinstance(value, np.ndarray) and current.shape == value.shape:
        current[...] = value
        return True
    if isinstance(current, dict) and isinstance(value, dict) and current and current.keys() == value.keys():
        done = [_put_into(current[key], value[key]) for key in value]  # go on after one that cannot be restored
        return all(done)
    return False
