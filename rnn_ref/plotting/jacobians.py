"""What remains of a state after many steps: singular values by distance, and the eigenvalues behind them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rnn_ref import checks
from rnn_ref.guard import guarded
from rnn_ref.plotting.shared import COLOURS, LINE_STYLES, describe, larger, need_some, new_figure
from rnn_ref.plotting.time_axis import whole_steps

ROUNDING = 1e-14  # singular values this much smaller than the largest are noise
MARKERS = ("o", "x", "^", "+", "s", "v", "D")


@guarded
def jacobians(jacobians, *, ax=None, stop: int | None = None, title: str | None = None) -> Figure:
    """Draw the singular values of d s_stop / d s_(stop - distance) by distance on a logarithmic scale.

    A curve for the largest, and a dotted one for the bound of Pascanu et al. (2013) if there is one (SimpleRNN). For a
    single sequence of Jacobians, the other singular values are drawn as thin lines, down to the level of rounding.

    Parameters
    ----------
    jacobians : StateJacobians, or dict of str to StateJacobians
        Several are drawn in one picture, with the names in the dict.
    ax : matplotlib.axes.Axes, optional
        Draw here instead of in a new figure.
    stop : int, optional
        The state is the one after ``stop`` steps; by default the last.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> lstm = rnn_ref.layers.LSTM(4, name="lstm")
    >>> figure = rnn_ref.plot.jacobians(rnn_ref.state_jacobians(lstm, np.ones((1, 50, 3))))
    >>> figure.axes[0].get_xlabel()
    'distance $d$ (steps)'
    """
    need_some([jacobians] if not isinstance(jacobians, Mapping) else jacobians, "plot.jacobians")
    labelled = jacobians if isinstance(jacobians, Mapping) else {jacobians.name: jacobians}
    axis = ax if ax is not None else new_figure(7.5, 4.4).subplots()
    ends = []
    for k, (label, each) in enumerate(labelled.items()):
        distances, values = each.by_distance(stop)
        colour, style = COLOURS[k % len(COLOURS)], LINE_STYLES[k % len(LINE_STYLES)]
        if len(labelled) == 1:
            others = np.where(values > ROUNDING * values[:, :1], values, np.nan)[:, 1:]
            thin = axis.semilogy(distances, others, color=colour, linewidth=0.6, alpha=0.5)
            for line in thin[:1]:
                line.set_label(
                    f"{label}: all others" + (", until rounding hides them" if np.isnan(others).any() else "")
                )
        look = {"color": colour, "linestyle": style, "linewidth": 2.0}
        axis.semilogy(distances, _positive(values[:, 0]), label=f"{label}: largest", **look)
        bound = each.bound(distances, stop)
        if bound is not None:
            look = {"color": colour, "linestyle": ":", "linewidth": 1.6}
            axis.semilogy(distances, _positive(bound), label=rf"{label}: bound $(\|U\|\,\gamma)^d$", **look)
        ends.append(f"{label} from {values[0, 0]:.1e} to {values[-1, 0]:.1e}")
    axis.axhline(1, color="0.5", linewidth=0.8)
    axis.set_xlabel("distance $d$ (steps)")
    whole_steps(axis, distances)
    axis.set_ylabel(r"singular values of $\partial s_t / \partial s_{t-d}$")
    axis.set_title(title or "What is left of a state $d$ steps later", fontsize=11)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, loc="lower left")
    return describe(
        axis.figure,
        f"Singular values of the state's derivative by an earlier state, by distance up to {distances[-1]} steps, on "
        f"a log scale. Largest: {'; '.join(ends)}.",
    )


def _positive(values: np.ndarray) -> np.ndarray:
    """Leave out zero and infinity, which a logarithmic axis cannot show."""
    return np.where((values > 0) & np.isfinite(values), values, np.nan)


@guarded
def eigenvalues(spectra, *, ax=None, title: str | None = None) -> Figure:
    """Draw eigenvalues in the complex plane with the unit circle, for example before and after training.

    Parameters
    ----------
    spectra : dict of str to LayerWeights, GateReport, StateJacobians or complex ndarray
        Drawn together with the names in the dict; or just one of these. For a layer's weights, the eigenvalues of each
        gate's recurrent kernel in a panel of its own; for Jacobians, those of the last step.
    ax : matplotlib.axes.Axes, optional
        Draw here instead of in a new figure, if there is a single panel.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import rnn_ref
    >>> layer = rnn_ref.layers.LSTM(8, input_shape=(10, 3), name="lstm")
    >>> figure = rnn_ref.plot.eigenvalues({"before": rnn_ref.weight_report(layer)["lstm"]})
    >>> [axis.get_title() for axis in figure.axes]
    ['input', 'forget', 'candidate', 'output']
    """
    need_some([spectra] if not isinstance(spectra, Mapping) else spectra, "plot.eigenvalues")
    labelled = spectra if isinstance(spectra, Mapping) and not hasattr(spectra, "gates") else {"": spectra}
    panels: dict[str, dict[str, np.ndarray]] = {}
    for label, spectrum in labelled.items():
        gates = spectrum if hasattr(spectrum, "gates") else {"": spectrum}
        for gate, each in gates.items():
            values = _eigenvalues(each)
            if len(values):  # a gate that does not read the state has no recurrent kernel
                panels.setdefault(gate, {})[label] = values
    if not panels:
        raise ValueError(f"plot.eigenvalues: expected eigenvalues, or a gate with a recurrent kernel, got {spectra!r}.")
    places = {label: k for k, label in enumerate(labelled)}
    if ax is not None and len(panels) > 1:
        raise ValueError(f"plot.eigenvalues: ax= takes one panel, but there are {len(panels)}: {', '.join(panels)}.")
    if ax is None:
        axes = new_figure(0.6 + 3.1 * len(panels), 4.5).subplots(
            1, len(panels), sharex=True, sharey=True, squeeze=False
        )
    else:
        axes = np.array([[ax]])
    reach = max(1.0, *(np.abs(values).max() for drawn in panels.values() for values in drawn.values())) * 1.08
    circle = "unit circle: " + _meaning(panels, labelled.values())
    angle = np.linspace(0, 2 * np.pi, 361)
    for axis, (gate, drawn) in zip(axes[0], panels.items()):
        axis.plot(np.cos(angle), np.sin(angle), color="0.6", linewidth=1, label=circle)
        for label, values in drawn.items():
            k = places[label]
            hollow = MARKERS[k % len(MARKERS)] not in "x+"
            axis.scatter(
                values.real,
                values.imag,
                s=26,
                marker=MARKERS[k % len(MARKERS)],
                linewidths=1.2,
                label=label,
                facecolors="none" if hollow else COLOURS[k % len(COLOURS)],
                **({"edgecolors": COLOURS[k % len(COLOURS)]} if hollow else {}),
            )
        axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="real part")
        axis.set_title(gate, fontsize=10)
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], symmetric=True))
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("imaginary part")
    figure = axes[0, 0].figure
    if ax is None:
        columns = 4 if len(panels) > 2 and larger() == 1 else 1
        found = {label: handle for axis in axes[0] for handle, label in zip(*axis.get_legend_handles_labels())}
        figure.legend(found.values(), found, loc="outside lower center", ncols=columns, frameon=False)
    else:
        ax.legend(frameon=False)
    names = dict.fromkeys(each.name for each in labelled.values() if hasattr(each, "gates"))
    whose = " and ".join(f"“{name}”" for name in names)
    title = title or (f"Recurrent kernels of {whose}: eigenvalues" if names else "Eigenvalues")
    figure.suptitle(title, fontsize=11) if ax is None else ax.set_title(title, fontsize=11)
    radii = "; ".join(
        " ".join(part for part in (gate, label, f"radius {np.abs(values).max():.2f}") if part)
        for gate, drawn in panels.items()
        for label, values in drawn.items()
    )
    return describe(figure, f"Eigenvalues in the complex plane with the unit circle. Spectral radius: {radii}.")


def _meaning(panels: dict, spectra) -> str:
    """What it means that an eigenvalue lies inside or outside."""
    if any(hasattr(each, "by_distance") for each in spectra):
        return "what lies inside fades in this step, what lies outside grows"
    if list(panels) == ["candidate"]:  # without gates: a SimpleRNN, or similar
        return "inside, a linear SimpleRNN forgets; outside, it grows (its tanh shrinks both)"
    if any(panels):
        return "radius 1, for comparison; a gate's eigenvalues do not say how long its cell remembers"
    return "radius 1"


def _eigenvalues(spectrum) -> np.ndarray:
    values = checks.unmasked(getattr(spectrum, "eigenvalues", spectrum), "spectra", "plot.eigenvalues")
    if not (callable(values) or (isinstance(values, np.ndarray) and values.dtype.kind in "cf")):
        raise TypeError(
            f"plot.eigenvalues: expected weights, Jacobians or an array of complex numbers, got {spectrum!r}."
        )
    return np.asarray(values(len(spectrum) - 1) if callable(values) else values, complex)
