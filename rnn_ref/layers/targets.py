"""The kernels of each device, ``rnn_ref.kernels.cpu`` or ``rnn_ref.kernels.cuda``, and which of them a layer uses."""

from __future__ import annotations

import warnings
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from rnn_ref.device import xp


class KernelChoice(NamedTuple):
    """The kernel that runs, and why it is not the fast one.

    Attributes
    ----------
    name : str
        On the CPU ``"compiled"``; on a GPU ``"persistent"``, one launch per sequence, or ``"teaching"``, one per time
        step; ``"Python"`` for custom cells, which run on the CPU in any case.
    reason : str or None
        Why it is not the fast kernel.
    """

    name: str
    reason: str | None = None


def kernels(name: str) -> ModuleType:
    """The module with this name for the current device."""
    # Not sys.modules.get, which would return a half-initialized module while another thread imports it.
    return import_module(f"rnn_ref.kernels.{xp.device}.{name}")


class Kernels:
    """The attribute ``kernels`` of a cell: the module with its kernels for the current device."""

    def __init__(self, name: str):
        self.name = name
        self._found: dict[str, ModuleType] = {}

    def __get__(self, cell, kind=None) -> ModuleType:
        if xp.device not in self._found:
            self._found[xp.device] = kernels(self.name)
        return self._found[xp.device]


_warned: set[str] = set()


def warn_of_fallback(choice: KernelChoice, layer: str) -> None:
    """Say once why the fast kernel does not run, unless that was asked for."""
    reason = choice.reason
    if reason is not None and not reason.startswith("asked for") and reason not in _warned:
        _warned.add(reason)
        warnings.warn(
            f"{layer} runs on the {choice.name} kernel, which is slower: {choice.reason}. (layer.kernel_choice() tells "
            "for every layer; this warning comes once.)",
            stacklevel=3,
        )
