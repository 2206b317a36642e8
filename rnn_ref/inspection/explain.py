"""One unit at one time step: the equations with this sample's numbers, forward and backward."""

from __future__ import annotations

import numpy as np

from rnn_ref import checks
from rnn_ref.device import asarray, converted, device
from rnn_ref.equations.activations import NAMES
from rnn_ref.guard import guarded
from rnn_ref.inspection.explanation import Explanation, Explanations
from rnn_ref.inspection.gradients import Both
from rnn_ref.inspection.known_cells import require_known
from rnn_ref.inspection.on_host import on_host
from rnn_ref.inspection.runs import cells_inside, undisturbed
from rnn_ref.inspection.step_numbers import Numbers
from rnn_ref.inspection.tracing import recurrent
from rnn_ref.layers.bidirectional import Bidirectional
from rnn_ref.layers.call_checks import look_for_nan
from rnn_ref.layers.layer import Layer
from rnn_ref.layers.recurrent import RNN
from rnn_ref.layers.symbolic import entries, pack
from rnn_ref.layers.time_distributed import TimeDistributed
from rnn_ref.models.objective import Objective
from rnn_ref.models.structure import flatten


@guarded
def explain_step(
    model,
    x,
    t,
    unit: int,
    *,
    sample: int = 0,
    layer: str | None = None,
    y=None,
    loss=None,
    dy=None,
    training: bool = False,
    mask=None,
    digits: int | None = 4,
    **arguments,
) -> Explanation | Explanations:
    """The equations of one unit at one time step with the numbers of a sample, forward and backward.

    Numbers computed by the layer are its own, to the bit. A sum over inputs or units is computed again and rounded
    once, so the right-hand side of a pre-activation may differ from its value in the last digit.

    Parameters
    ----------
    model : Model, Sequential or layer
    x : ndarray, (B, T, F)
        Or what else the model takes.
    t : int, or list or range of int
        Time step in the order of the data; negative from the end. Several make a page with a slider:
        ``explain_step(model, x, range(9), unit=0).save_html("steps.html")``.
    unit, sample : int
    layer : str, optional
        Which recurrent layer, named as in a trace; needed if there are several.
    y : optional
        Targets, for the backward pass of the model's loss.
    loss : optional
        Replaces that of ``compile``; mean squared error for a model that is not compiled.
    dy : ndarray, or list of ndarray, optional
        Gradient of the outputs, instead of ``y``. Without either, L is the sum of all outputs.
    training : bool
        Run with dropout.
    mask : ndarray of bool, (B, T), optional
    digits : int, optional
        Significant digits shown; None for as many as distinguish a number from its neighbours. ``.values`` are never
        rounded.
    **arguments
        For the call of the model or layer: ``initial_state=...``.

    Returns
    -------
    Explanation, or Explanations for several steps
        Prints as text; ``.latex``, ``.values`` by symbol, and ``.save_html(path)``.

    Raises
    ------
    ValueError
        If there is no layer with that name, several and none chosen, or the cell is a custom one.
    IndexError
        If there is no such time step, unit or sample.

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> rnn = rnn_ref.layers.SimpleRNN(1, activation="relu", name="rnn", input_shape=(2, 1))
    >>> rnn.set_weights([np.array([[2.0]]), np.array([[0.5]]), np.array([1.0])])
    >>> rnn_ref.explain_step(rnn, np.array([[[1.0], [-1.0]]]), t=1, unit=0)
    SimpleRNN 'rnn': unit 0, time step 1, sample 0
      L is the sum of all outputs.
    <BLANKLINE>
    Forward
      x_t W = -1 · 2
            = -2
      h_{t-1} U = 3 · 0.5
                = 1.5
      z = x_t W + h_{t-1} U + b
        = -2 + 1.5 + 1
        = 0.5
      h_t = relu(z)
          = relu(0.5)
          = 0.5
    <BLANKLINE>
    Backward
      dL/dh_t = dL/dh_t (from outputs) + dL/dh_t (from later steps)
              = 1 + 0
              = 1
      dL/dz = dL/dh_t · relu'(z)
            = 1 · relu'(0.5)
            = 1
    """
    if not isinstance(model, Layer):
        raise TypeError(f"explain_step takes a model or a layer, got {type(model).__name__}.")
    checks.integer(digits, "digits", "explain_step", least=1, optional=True)
    if loss is not None and y is None:
        raise ValueError(f"explain_step: loss={loss!r} needs the targets y; give them, or leave loss out.")
    look_for_nan(x, f"{model.name}: x")
    # The explanation reads numbers later, so it keeps copies.
    x, y, mask = converted((x, y, mask), lambda given: given.copy())
    with undisturbed(model):
        runs, what = _run(model, x, y, loss, dy, training, mask, arguments)
    with device("cpu"):  # NumPy arrays from here on, and small ones
        chosen = _choose(model, runs, layer)
        if not isinstance(t, list | tuple | range | np.ndarray):
            return _explained(chosen, what, t, unit, sample, digits)
        if len(t) == 0:
            raise ValueError("explain_step: t names no time step; give one, such as t=0, or several: t=range(9).")
        return Explanations(_explained(chosen, what, each, unit, sample, digits) for each in t)


def _explained(chosen, what: str, t: int, unit: int, sample: int, digits) -> Explanation:
    name, rnn, cell, tape, flow = chosen
    T, B, H = tape.x.shape[0], tape.x.shape[1], cell.units
    t, unit, sample = (
        _inside(n, size, kind, name) for n, size, kind in ((t, T, "t"), (unit, H, "unit"), (sample, B, "sample"))
    )
    step = T - 1 - t if rnn.go_backwards else t
    numbers = Numbers(cell, tape, flow, step, sample, unit, rnn.return_state)
    notes = [f"L is {what}."]
    if flow is None:
        notes = [f"L, {what}, does not depend on this layer."]
    if rnn.go_backwards:
        notes.append("The layer reads backwards: what is written t-1 was computed at the step after this one.")
    if numbers.masked:
        notes.append("This step is masked: it computes nothing, and the states are carried over it.")
    notes += [] if numbers.masked else numbers.dropout_notes()
    forward, backward = numbers.lines()
    backward = backward if flow is not None else ()
    values = numbers.evaluate((*forward, *backward))
    functions = {name: name for name in NAMES}
    functions |= {f: getattr(cell, f).name for f in ("activation", "recurrent_activation") if hasattr(cell, f)}
    kind = type(rnn if cell is rnn.cell else cell).__name__
    return Explanation(
        name, kind, t, unit, sample, forward, backward, values, numbers.terms, notes,
        functions, numbers.symbols(), digits,
    )  # fmt: skip


def _inside(number: int, size: int, kind: str, name: str) -> int:
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        raise TypeError(f"explain_step: {kind}={number!r} must be a whole number; {name} has 0 to {size - 1}.")
    if not -size <= number < size:
        raise IndexError(f"explain_step: {kind}={number}, but {name} has 0 to {size - 1}.")
    return int(number) % size


# -- running forward and backward -------------------------------------------------------------------------


def _run(model, x, y, loss, dy, training, mask, arguments):
    """Every recurrent layer with tape and gradients, in the form that :func:`recurrent` takes, and what L is."""
    if y is not None and dy is not None:
        raise ValueError("explain_step: give the targets y or the gradient dy, not both.")
    if hasattr(model, "walk_layers"):
        outputs, tape, _ = model.run(x, mask=mask, training=training, keep_z=True, **arguments)
        if y is not None:
            dys, what = _of_loss(model, outputs, tape, y, loss)
        else:
            dys, what = _of_outputs(outputs, dy)
        flow = model.run_back(tape, dys).flow
        return Both(on_host(tape), on_host(flow)).runs(), what
    if y is not None or loss is not None:
        raise ValueError(f"explain_step: {model.name} is a layer, and has no loss; give dy=, or put it into a model.")
    inner = model
    while isinstance(inner, TimeDistributed):
        inner = inner.layer
    if isinstance(inner, (RNN, Bidirectional)) or hasattr(inner, "walk_layers"):
        arguments = arguments | {"keep_z": True}
    given = arguments if mask is None else arguments | {"mask": mask}
    outputs, tape = model.forward(x, training=training, **given)
    dys, what = _of_outputs(outputs, dy)
    gradients = model.backward(tape, pack(outputs, dys), input_gradient=False)
    return [(model, Both(on_host(tape), on_host(gradients.flow)))], what


def _of_outputs(outputs, dy):
    outputs = entries(outputs)
    if dy is None:
        return [np.ones_like(y) for y in outputs], "the sum of all outputs"
    dys = entries(dy)
    if [np.shape(d) for d in dys] != [y.shape for y in outputs]:
        raise ValueError(
            f"explain_step: dy has shape {[np.shape(d) for d in dys]}, the outputs have {[y.shape for y in outputs]}."
        )
    return [asarray(d, o.dtype) for d, o in zip(dys, outputs)], "what the given dy is the gradient of"


def _of_loss(model, outputs, tape, y, loss):
    weights = None
    if loss is None:
        model.refuse_own_loss("explain_step")
    if loss is None and model.objective is not None:
        loss, weights = model.objective.losses, model.objective.loss_weights
    y = flatten(y, model.output_names, f"{model.name}: y")
    objective = Objective("mean_squared_error" if loss is None else loss, weights, None, None, model.output_names)
    value, dys = objective.value_and_gradients(y, entries(outputs), [None] * len(y), model.output_masks(tape))
    return dys, f"the loss, {float(value):.6g} for this batch"


def _choose(model, runs, layer: str | None):
    found, layers = {}, []
    for name, rnn, both in recurrent(runs):
        layers.append(name)
        inside = cells_inside(rnn.cell, both.tape)
        for cell, tape in inside:
            flow = None if both.flow is None else both.flow[cell.name]
            found[f"{name}/{cell.name.rpartition('/')[2]}"] = (rnn, cell, tape, flow)
        if not inside:
            found[name] = (rnn, rnn.cell, both.tape, both.flow)
    if not found:
        raise ValueError(f"explain_step: {model.name} has no recurrent layer.")
    if layer is None and len(found) > 1:
        raise ValueError(f"explain_step: {model.name} has several; choose one with layer=: {', '.join(found)}.")
    name = next(iter(found)) if layer is None else layer
    if name not in found:
        raise ValueError(f"explain_step: no recurrent layer is named {name!r}; there are {', '.join(found)}.")
    require_known(found[name][1], "explain_step", name)
    return name, *found[name]
