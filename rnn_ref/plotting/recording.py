"""What a Recorder found while a model was trained."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from rnn_ref.guard import guarded
from rnn_ref.plotting.named import colour_of
from rnn_ref.plotting.shared import COLOURS, LINE_STYLES, describe, new_figure
from rnn_ref.plotting.time_axis import whole_steps

RANGE = 1e-12  # gradients smaller than the largest by more than this share one colour


@guarded
def recording(recording, layer: str | None = None, *, title: str | None = None) -> Figure:
    """Draw how a layer changed during training: one panel for each quantity recorded, training steps to the right.

    The loss; the gradient norm by time step as colours; the mean fraction of time each gate was open or closed; the
    spectral radius of each gate's recurrent kernel; the largest Lyapunov exponents.

    Parameters
    ----------
    recording : Recording, or Recorder
    layer : str, optional
        Not needed if only one layer was recorded.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> model = rnn_ref.Sequential([rnn_ref.layers.GRU(4, name="gru"), rnn_ref.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> x, y = np.ones((32, 10, 2)), np.ones((32, 1))
    >>> recorder = rnn_ref.Recorder(x, y, every=2, what=("gradient_flow", "weights"))
    >>> _ = model.fit(x, y, batch_size=8, verbose=0, callbacks=[recorder])
    >>> [axis.get_ylabel() for axis in rnn_ref.plot.recording(recorder).axes[:3]]
    ['loss', 'time step', 'spectral radius']
    """
    recording = getattr(recording, "recording", recording)
    if len(recording.steps) == 0:
        raise ValueError("plot.recording: nothing was recorded; give the Recorder to fit(callbacks=[...]).")
    layers = list(dict.fromkeys(name for kind in recording.values() for name in kind))
    if layer is None and len(layers) > 1:
        raise ValueError(f"plot.recording draws one layer; choose one of {', '.join(layers)}.")
    layer = layers[0] if layer is None else layer
    if layer not in layers:
        raise ValueError(f"plot.recording: no recorded layer is named {layer!r}; there are {', '.join(layers)}.")
    panels = [(_PANELS[kind], kind_of[layer]) for kind, kind_of in recording.items() if layer in kind_of]
    if recording.loss is not None:
        panels.insert(0, (_loss, recording.loss))
    figure = new_figure(8, 1.0 + 1.9 * len(panels))
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    said = [draw(axis, recording.steps, seen) for axis, (draw, seen) in zip(axes, panels)]
    axes[-1].set_xlabel("training step")
    whole_steps(axes[-1], recording.steps)
    figure.suptitle(title or f"Layer “{layer}” over training", fontsize=11)
    return describe(figure, f"Layer “{layer}” over {recording.steps[-1]} training steps. {' '.join(said)}")


def _lines(axis, ylabel: str, **legend) -> None:
    axis.set_ylabel(ylabel)
    axis.grid(alpha=0.3)
    axis.margins(x=0)
    if legend:
        axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5), **legend)


def _loss(axis, steps, loss) -> str:
    axis.plot(steps, loss, color=COLOURS[6], linewidth=1.8)
    if loss.min() > 0 and loss.max() > 20 * loss.min():
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_locator(NullLocator())
    _lines(axis, "loss")
    return f"The loss goes from {loss[0]:.3g} to {loss[-1]:.3g}."


def _gradient_flow(axis, steps, seen) -> str:
    norm = seen["norm"]  # (N, T)
    largest = np.nanmax(norm)
    scale = LogNorm(max(RANGE * largest, norm[norm > 0].min(initial=largest)), largest) if largest > 0 else None
    shown = np.where(norm > 0, norm, scale.vmin if scale else 0)
    image = axis.pcolormesh(steps, np.arange(norm.shape[1]), shown.T, cmap="cividis", norm=scale, shading="nearest")
    axis.set_ylabel("time step")
    axis.yaxis.get_major_locator().set_params(integer=True)
    beside = axis.inset_axes((1.015, 0, 0.02, 1))
    axis.figure.colorbar(image, cax=beside, label=r"mean norm $\|\partial L/\partial h_t\|$")
    return (
        f"Gradient norm at the first time step from {norm[0, 0]:.1e} to {norm[-1, 0]:.1e}, "
        f"at the last from {norm[0, -1]:.1e} to {norm[-1, -1]:.1e}."
    )


def _saturation(axis, steps, seen) -> str:
    gates = [gate for gate in seen if gate != "hidden"]
    for gate in gates:
        colour = colour_of(gate)
        axis.plot(steps, 100 * seen[gate]["above"].mean(axis=1), color=colour, label=f"{gate} open", linewidth=1.6)
        axis.plot(
            steps, 100 * seen[gate]["below"].mean(axis=1), "--", color=colour, label=f"{gate} closed", linewidth=1.6
        )
    if not gates:
        axis.plot(steps, 100 * seen["hidden"]["large"].mean(axis=1), color=COLOURS[0], label="|h| above 0.9")
    axis.plot(steps, 100 * seen["hidden"]["zero"].mean(axis=1), ":", color="0.3", label="h exactly 0", linewidth=1.2)
    axis.set_ylim(0, max(5.0, 1.05 * max(line.get_ydata().max() for line in axis.lines)))
    _lines(axis, "share of time (%)", ncols=1)
    ends = ", ".join(f"{g} open {seen[g]['above'][0].mean():.0%} to {seen[g]['above'][-1].mean():.0%}" for g in gates)
    return f"Saturation: {ends}." if gates else ""


def _weights(axis, steps, seen) -> str:
    for k, (gate, of_gate) in enumerate(seen.items()):
        colour, style = colour_of(gate), LINE_STYLES[k % len(LINE_STYLES)]
        axis.plot(steps, of_gate["spectral_radius"], color=colour, linestyle=style, label=gate, linewidth=1.6)
    axis.axhline(1, color="0.5", linewidth=0.8)
    _lines(axis, "spectral radius", ncols=1)
    ends = ", ".join(f"{g} {r['spectral_radius'][0]:.2f} to {r['spectral_radius'][-1]:.2f}" for g, r in seen.items())
    return f"Spectral radius: {ends}."


def _jacobians(axis, steps, seen) -> str:
    exponents = seen["lyapunov_exponents"]
    for k, curve in enumerate(exponents.T):
        look = {"color": COLOURS[k], "linestyle": LINE_STYLES[k], "linewidth": 1.6}
        axis.plot(steps, np.where(np.isfinite(curve), curve, np.nan), label=f"no. {k + 1}", **look)
    axis.axhline(0, color="0.5", linewidth=0.8)
    _lines(axis, "Lyapunov exponents\n(per step)", ncols=1)
    return f"Largest Lyapunov exponent {exponents[0, 0]:.3f} to {exponents[-1, 0]:.3f}."


_PANELS = {"gradient_flow": _gradient_flow, "saturation": _saturation, "weights": _weights, "jacobians": _jacobians}
