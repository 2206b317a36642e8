"""The modules that the names in a PyTorch ``state_dict`` belong to."""

from __future__ import annotations

import re

import numpy as np

RECURRENT = re.compile(r"^(weight|bias)_(ih|hh|hr)(_l(\d+))?(_reverse)?$")
GATES = {1: "RNN", 3: "GRU", 4: "LSTM"}
EITHER = "Embedding or Linear"


def find_kinds(state: dict[str, np.ndarray]) -> dict[str, str]:
    """The kind of each module with weights of its own, by name (``""`` for the saved module itself).

    ``Embedding or Linear`` has a matrix and no bias, which does not show which it is. ``"unknown"`` is neither of these
    nor recurrent.
    """
    modules: dict[str, dict[str, np.ndarray]] = {}
    for key, array in state.items():
        module, _, name = key.rpartition(".")
        modules.setdefault(module, {})[name] = array
    return {module: _kind(arrays) for module, arrays in modules.items()}


def _kind(arrays: dict[str, np.ndarray]) -> str:
    if any(RECURRENT.match(name) for name in arrays):
        if "weight_hr_l0" in arrays:
            return "LSTM"  # projected: its states are smaller than its gates
        cell = "" if "weight_ih_l0" in arrays else "Cell"
        first, second = (arrays.get(f"weight_{part}{'' if cell else '_l0'}") for part in ("ih", "hh"))
        if first is None or second is None or first.ndim != 2 or second.ndim != 2 or not second.shape[1]:
            return "unknown"
        kind = GATES.get(first.shape[0] / second.shape[1])
        return f"{kind}{cell}" if kind else "unknown"
    shapes = {name: array.ndim for name, array in arrays.items()}
    if shapes == {"weight": 2, "bias": 1}:
        return "Linear"
    return EITHER if shapes == {"weight": 2} else "unknown"


def own(state: dict[str, np.ndarray], prefix: str, where: str) -> dict[str, np.ndarray]:
    """The arrays of one module, by their names within it."""
    prefix = prefix if not prefix or prefix.endswith(".") else f"{prefix}."
    found = {
        key[len(prefix) :]: a for key, a in state.items() if key.startswith(prefix) and "." not in key[len(prefix) :]
    }
    if not found:
        kinds = find_kinds(state)
        there = ", ".join(f"{name!r} ({kind})" for name, kind in kinds.items()) or "nothing"
        raise ValueError(f"{where}: no module named {prefix.rstrip('.')!r}; give a prefix. There is {there}.")
    return found


def recurrent_directions(arrays: dict[str, np.ndarray], kind: str, where: str) -> list[list[dict[str, np.ndarray]]]:
    """For each layer, for each direction, the arrays ``weight_ih`` ... checked to fit together."""
    parts: dict[tuple[int, bool], dict[str, np.ndarray]] = {}
    for name, array in arrays.items():
        match = RECURRENT.match(name)
        if match is None or match[3] is None:
            raise ValueError(f"{where}: {name!r} is no weight of nn.{kind}.")
        if match[2] == "hr":
            raise ValueError(
                f"{where}: {name} is the projection of an nn.LSTM with proj_size, which multiplies h by a matrix "
                "before it is fed back; the LSTM here (and Keras's) has no such matrix. Train it with proj_size=0."
            )
        if len(match[4]) > 4:
            raise ValueError(f"{where}: {name!r} numbers a layer that cannot be there.")
        parts.setdefault((int(match[4]), match[5] is not None), {})[f"{match[1]}_{match[2]}"] = array
    both = any(reverse for _, reverse in parts)
    count = max(layer for layer, _ in parts) + 1
    expected = {
        (layer, reverse)
        for layer in range(min(count, len(parts) + 1))
        for reverse in ((False, True) if both else (False,))
    }
    if set(parts) != expected:
        lacking = sorted(expected - set(parts)) or sorted(set(parts) - expected)
        layer, reverse = lacking[0]
        raise ValueError(
            f"{where}: the weights of layer {layer}{', reverse direction,' if reverse else ''} are missing."
        )
    names = set(parts[0, False])
    G = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    H = parts[0, False]["weight_hh"].shape[-1] if "weight_hh" in names else 0
    F = parts[0, False]["weight_ih"].shape[-1] if "weight_ih" in names else 0
    for (layer, reverse), found in sorted(parts.items()):
        width = F if layer == 0 else H * (1 + both)
        shapes = {"weight_ih": (G * H, width), "weight_hh": (G * H, H), "bias_ih": (G * H,), "bias_hh": (G * H,)}
        needed = {"weight_ih", "weight_hh"} | (
            {"bias_ih", "bias_hh"} if any("bias" in name for name in names) else set()
        )
        for name in sorted(needed | set(found)):
            suffix = f"_l{layer}{'_reverse' if reverse else ''}"
            if name not in found or name not in needed:
                raise ValueError(f"{where}: {name}{suffix} is {'missing' if name in needed else 'not expected'}.")
            if found[name].shape != shapes[name] or 0 in shapes[name]:
                raise ValueError(f"{where}: {name}{suffix} has shape {found[name].shape}, expected {shapes[name]}.")
            check_floating(found[name], f"{where}: {name}{suffix}", parts[0, False]["weight_ih"])
    return [[parts[layer, reverse] for reverse in ((False, True) if both else (False,))] for layer in range(count)]


def check_floating(array: np.ndarray, what: str, like: np.ndarray | None = None) -> None:
    """Check that weights are float32 or float64, the same for a whole layer."""
    if array.dtype not in (np.float32, np.float64) or (like is not None and like.dtype != array.dtype):
        expected = "float32 or float64" if like is None or like is array else str(like.dtype)
        raise ValueError(f"{what} is of {array.dtype}, expected {expected}.")
