"""Callbacks on the first rank, whose decisions reach all, and the record of a training on several ranks."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from rnn_ref import random
from rnn_ref.distribution.alike import check_alike, check_weights, fingerprint
from rnn_ref.models.resuming import generators_of
from rnn_ref.training.callbacks import BackupAndRestore, Callback, History, ProgbarLogger
from rnn_ref.training.callbacks.base import HOOKS

EACH_RANKS_OWN = ("layers", "states", "python", "numpy", "random", "metrics", "callbacks")


class SharedCallbacks:
    """What ``fit`` and ``evaluate`` take for the list of callbacks: that of this rank, and word from the first.

    After every hook of an epoch, of training or of testing, and after those of batches if a callback listens to them,
    all ranks have the first one's weights, learning rate, and word whether to stop.
    """

    def __init__(self, called, model, epochs_of_data, distribution):
        self._called, self._model, self._data, self._distribution = called, model, epochs_of_data, distribution
        self._ranks = distribution.ranks
        self._stack = ExitStack()
        self._begun = self._each_batch = False
        self._backup: SharedBackup | None = None

    def __getattr__(self, name: str):
        return getattr(self._called, name)

    @property
    def callbacks(self) -> list:
        """Those of this rank, with the record that belongs to all."""
        own = [each for each in self._called.callbacks if not isinstance(each, BackupAndRestore)]
        return own if self._backup is None else [*own, self._backup]

    def close(self) -> None:
        """Training ended in an error."""
        self._stack.close()
        self._called.close()

    def _begin(self, told: dict[str, Any]) -> None:
        ranks, model, first = self._ranks, self._model, self._ranks.rank == 0
        self._begun = True
        self._distribution.begin(model)
        source = self._data.source
        told |= {"the batches": [self._data.number_of_steps, getattr(source, "size", None)]}
        told |= {"batch_size": getattr(source, "batch_size", None)}
        check_alike(ranks, model, told)
        here = [each for each in self._called.callbacks if isinstance(each, BackupAndRestore)]
        quiet = (ProgbarLogger, History, BackupAndRestore)
        listening = any(
            _acts_on_batches(each) for each in self._called.callbacks if not isinstance(each, quiet) and first
        )
        self._each_batch, frequencies = ranks.from_first((listening, [each.save_freq for each in here]))
        if len(frequencies) > 1:
            raise ValueError("fit: one BackupAndRestore is enough; two would overwrite what the other puts back.")
        if frequencies:
            self._backup = SharedBackup(here[0] if first else None, frequencies[0], ranks, self._distribution)

    def _take_over(self) -> None:
        """Everything that decides how training goes on, from the first rank."""
        model, optimizer = self._model, self._model.optimizer
        state = self._ranks.from_first(
            {
                "weights": model.get_weights(),
                "optimizer": optimizer.get_state() if optimizer.built else None,
                "random": [random.to_config(each) for each in (random.generator(), *generators_of(model))],
            }
        )
        model.set_weights(state["weights"])
        if state["optimizer"] is not None:
            optimizer.build(model.trainable_weights)
            optimizer.set_state(state["optimizer"])
        elif optimizer.built:
            raise ValueError(
                f"{model.name}: the optimizer of rank {self._ranks.rank} has taken steps, that of rank 0 none; compile "
                "the model anew on every rank."
            )
        for generator, described in zip((random.generator(), *generators_of(model)), state["random"]):
            generator.bit_generator.state = random.from_config(described).bit_generator.state
        self._distribution.begin(model)  # from those generators

    def _hook(self, hook: str, *args) -> None:
        with self._ranks.telling():
            if hook == "on_train_begin":
                self._begin({"epochs": self._called.params["epochs"]})
                self._take_over()
                self._stack.enter_context(self._distribution.interruptible())
            elif hook == "on_test_begin" and not self._begun:
                self._begin({})
                check_weights(self._ranks, self._model)
            elif hook == "on_epoch_end":
                check_weights(self._ranks, self._model)
            if hook.endswith(("batch_begin", "batch_end")) and not self._each_batch:
                getattr(self._called, hook)(*args)
                return
            before = fingerprint(self._model) if self._ranks.rank == 0 else 0
            getattr(self._called, hook)(*args)
            self._follow(before)
            if hook == "on_train_end":
                self._stack.close()

    def _follow(self, before: int) -> None:
        """What callbacks on the first rank have changed, everywhere."""
        model, optimizer = self._model, self._model.optimizer
        told = None
        if self._ranks.rank == 0:
            changed = fingerprint(model) != before
            rate = None if optimizer is None or callable(optimizer._learning_rate) else float(optimizer.learning_rate)
            told = model.stop_training, model.stop_evaluating, rate, model.get_weights() if changed else None
        model.stop_training, model.stop_evaluating, rate, weights = self._ranks.from_first(told)
        if self._ranks.rank and rate is not None and rate != optimizer.learning_rate:
            optimizer.learning_rate = rate
        if self._ranks.rank and weights is not None:
            model.set_weights(weights)


def _hooked(hook: str):
    def call(self, *args):
        self._hook(hook, *args)

    call.__name__ = hook
    return call


for _name in HOOKS:
    setattr(SharedCallbacks, _name, _hooked(_name))


def _acts_on_batches(callback: Callback) -> bool:
    hooks = [name for name in dir(Callback) if name.startswith("on_") and "batch" in name and "predict" not in name]
    return any(getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook) for hook in hooks)


class SharedBackup(BackupAndRestore):
    """The record of a training on several ranks: the first writes it, with what is each rank's own."""

    def __init__(self, inner: BackupAndRestore | None, save_freq, ranks, distribution):
        super().__init__("-" if inner is None else inner.backup_dir, save_freq)
        self._inner, self._ranks, self._distribution = inner, ranks, distribution

    def write(self, state: dict) -> None:
        own = {key: state[key] for key in EACH_RANKS_OWN} | {"draws": self._distribution.draws.states}
        everyone = self._ranks.to_all(own)
        if self._inner is not None:
            self._inner.write(state | {"ranks": everyone})

    def read(self) -> dict | None:
        state = self._ranks.from_first(None if self._inner is None else self._inner.read())
        if state is None:
            return None
        if "ranks" not in state or len(state["ranks"]) != self._ranks.size:
            count = len(state.get("ranks", [None]))
            raise ValueError(
                f"fit: the training to go on with was on {count} ranks, now there are {self._ranks.size}. Start as "
                "many as before, or choose another backup_dir."
            )
        own = state["ranks"][self._ranks.rank]
        self._distribution.draws.states = own["draws"]
        return state | {key: own[key] for key in EACH_RANKS_OWN}

    def forget(self) -> None:
        self._ranks.to_all(None)  # not before all have come to their end
        if self._inner is not None:
            self._inner.forget()
