"""Losses for nested outputs: one per output, or a Python function of several at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rnn_ref.device import xp
from rnn_ref.layers.autodiff import pullback
from rnn_ref.models.structure import leaves_of, put_back
from rnn_ref.training import losses
from rnn_ref.training._recording import is_recorded, plain, reduced
from rnn_ref.training.losses.from_function import FunctionLoss


class Term(NamedTuple):
    """A loss, and the outputs it applies to.

    ``places`` has the structure that the loss sees, holding the indices of the outputs.
    """

    places: Any
    loss: Any
    weight: Any
    name: str

    @property
    def rows(self) -> list[int]:
        return leaves_of(self.places)


def is_nested(setting) -> bool:
    """Whether this holds several settings; a dict with a class name describes a single loss."""
    return isinstance(setting, (list, tuple)) or (isinstance(setting, dict) and "class_name" not in setting)


def are_joint(loss, structure) -> bool:
    """Whether outputs, or losses, are nested deeper than a list or dict of single ones."""
    return any(
        is_nested(tree) and any(map(is_nested, _inside(tree).values())) and not _each_alone(tree)
        for tree in (loss, structure)
    )


def terms(loss, weights, structure, names: list[str]) -> list[Term]:
    """Which loss applies to which outputs, by Keras's rules.

    A list whose type or length differs from that of the outputs holds losses that all apply to the same outputs;
    otherwise settings and outputs have the same structure.

    Raises
    ------
    ValueError
        If a setting belongs to no output.
    """
    loss = _made(loss)
    if isinstance(loss, dict) and not isinstance(structure, dict) and set(loss) == set(names):
        weights = [weights[name] for name in names] if isinstance(weights, dict) else weights
        loss = [loss[name] for name in names]
    if not is_nested(loss):
        loss = put_back(structure, [loss] * len(names))
        if weights is not None and not is_nested(weights):
            weights = [weights] * len(names)
    found: list[Term] = []
    weights = _like(loss, weights)
    _walk(loss, weights, put_back(structure, range(len(names))), put_back(structure, names), (), found)
    return found


def _walk(loss, weights, places, names, path: tuple, found: list[Term]) -> None:
    if not is_nested(loss):
        if loss is not None:
            found.append(Term(places, loss, weights, _name(path, names)))
        return
    listed = isinstance(loss, (list, tuple))
    if listed and not any(map(is_nested, loss)) and len(loss) == len(leaves_of(places)):
        loss, weights = put_back(places, loss), put_back(places, weights)
        if not is_nested(loss):
            return _walk(loss, weights, places, names, path, found)
    elif listed and not isinstance(places, type(loss)):
        for entry, weight in zip(loss, weights):
            _walk(entry, weight, places, names, path, found)
        return None
    if not isinstance(loss, type(places)):
        raise ValueError(f"compile: loss has a {type(loss).__name__} at {_at(path)}, where the outputs are {names!r}.")
    there, inner, factors = _inside(places), _inside(names), _inside(weights)
    for key, entry in _inside(loss).items():
        if entry is not None and key not in there:
            raise ValueError(f"compile: loss names {key!r} at {_at(path)}, where the outputs are {names!r}.")
        if entry is not None:
            _walk(entry, factors[key], there[key], inner[key], (*path, key), found)
    return None


def _made(loss):
    """Make losses of their configurations, so that every dict that remains is one of outputs."""
    if isinstance(loss, dict):
        return {key: _made(entry) for key, entry in loss.items()} if is_nested(loss) else losses.get(loss)
    if isinstance(loss, (list, tuple)):
        entries = [_made(entry) for entry in loss]
        return type(loss)(*entries) if hasattr(loss, "_fields") else type(loss)(entries)
    return loss


def _inside(tree) -> dict:
    return dict(tree) if isinstance(tree, dict) else dict(enumerate(tree))


def _each_alone(tree) -> bool:
    """``[["mse"], ["mae"]]`` is ``["mse", "mae"]``."""
    return all(
        not is_nested(entry) or (isinstance(entry, (list, tuple)) and len(entry) == 1 and not is_nested(entry[0]))
        for entry in _inside(tree).values()
    )


def _at(path: tuple) -> str:
    return "its top" if not path else "/".join(map(str, path))


def _name(path: tuple, names) -> str:
    if not is_nested(names):
        path = (*path[:-1], names) if not path or isinstance(path[-1], int) else path
    elif not path:
        return "_".join(names if isinstance(names, dict) else leaves_of(names))
    return "/".join(map(str, path))


def _like(loss, weights):
    """Weights in the structure of the losses."""
    if weights is None:
        return put_back(loss, [None] * len(leaves_of(loss)))
    given = leaves_of(weights)
    if len(given) != len(leaves_of(loss)):
        raise ValueError(
            f"compile: loss_weights={weights!r} has {len(given)} entries for {len(leaves_of(loss))} losses; "
            "give it the structure of loss."
        )
    return put_back(loss, given)


# -- one batch --------------------------------------------------------------------------------------


def resolved(term: Term) -> Term:
    """The same term, with the loss object used in training.

    Raises
    ------
    ValueError
        If a loss of this package, which takes one output, is set for several.
    """
    loss = losses.resolve(term.loss)
    if is_nested(term.places) and not isinstance(loss, FunctionLoss) and type(loss).__module__.startswith("rnn_ref."):
        raise ValueError(
            f"compile: the loss {loss.name!r} stands for the outputs {term.name!r} together; it is of one output. "
            "Write a Python function f(y_true, y_pred) of their structure, or one loss for each."
        )
    return term._replace(loss=loss)


def value(term: Term, y_true: list, y_pred: list, sample_weight: list, masks: list):
    """The reduced loss; autograd records it if it is recording the predictions."""
    true, pred, weight = _of(term, y_true, y_pred, sample_weight, masks)
    if not is_nested(term.places):
        return term.loss(true, pred, sample_weight=weight, mask=masks[term.places])
    each = _call(term, true, pred)
    if is_recorded(each):
        return reduced(term.loss, each, plain(weight), None)
    return term.loss._reduce(xp.asarray(each), weight, None)[0]


def value_and_gradients(term: Term, y_true: list, y_pred: list, sample_weight: list, masks: list) -> tuple:
    """The reduced loss and its derivative with respect to each of its outputs."""
    true, pred, weight = _of(term, y_true, y_pred, sample_weight, masks)
    if not is_nested(term.places):
        found, dy = term.loss.value_and_gradient(true, pred, sample_weight=weight, mask=masks[term.places])
        return found, [dy]
    if xp.module is not np:
        raise NotImplementedError(
            f"The loss {term.loss.name!r} of several outputs is differentiated by autograd, which knows NumPy's arrays "
            "only: rnn_ref.set_device('cpu')."
        )
    leaves = leaves_of(pred)
    (each,), back = pullback(lambda *p: [_call(term, true, put_back(pred, p))], leaves, f"the loss {term.loss.name!r}")
    found, deach = term.loss._reduce(np.asarray(each), weight, None)
    if np.ndim(found):
        raise ValueError(f"Training needs one number, but the loss {term.loss.name!r} has shape {np.shape(found)}.")
    grads, _ = back([np.broadcast_to(np.asarray(deach, np.asarray(each).dtype), np.shape(each))])
    return found, [np.zeros_like(p) if g is None else np.asarray(g, p.dtype) for g, p in zip(grads, leaves)]


def _call(term: Term, true, pred):
    loss = term.loss
    return loss.fn(true, pred, **loss.fn_kwargs) if isinstance(loss, FunctionLoss) else loss.call(true, pred)


def _of(term: Term, y_true: list, y_pred: list, sample_weight: list, masks: list) -> tuple:
    """The arguments that a term's loss is called with."""
    rows = term.rows
    missing = [row for row in rows if y_true[row] is None]
    if missing:
        raise ValueError(f"No target y for output number {missing[0]}, which the loss {term.name!r} needs.")
    if not is_nested(term.places):
        return y_true[term.places], y_pred[term.places], sample_weight[term.places]
    if any(masks[row] is not None for row in rows):
        raise NotImplementedError(
            f"The loss {term.name!r} is of several outputs at once, of which one has a mask: which of its values would "
            "count is not clear. Give one loss for each output."
        )
    first, *rest = (sample_weight[row] for row in rows)
    if any((first is None) != (other is None) or (first is not None and (first != other).any()) for other in rest):
        raise ValueError(f"The loss {term.name!r} of several outputs takes one sample_weight, one for all of them.")
    parts = ([leaf.astype(p.dtype, copy=False) for leaf, p in _pairs(y_true, y_pred, rows)], [y_pred[k] for k in rows])
    return *(put_back(term.places, part) for part in parts), first


def _pairs(y_true: list, y_pred: list, rows: list[int]):
    return [(xp.asarray(y_true[row]), plain(y_pred[row])) for row in rows]
