"""How far back in time a loss reaches: the norm of dL/dh_t by time step."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rnn_ref.guard import guarded
from rnn_ref.plotting.shared import COLOURS, LINE_STYLES, describe, need_some, new_figure, say_floor
from rnn_ref.plotting.time_axis import whole_steps


@guarded
def gradient_flow(flows, *, ax=None, time=None, title: str | None = None, floor: float = 1e-16) -> Figure:
    """Draw the norm of the loss's gradient with respect to the hidden state on a logarithmic scale.

    Parameters
    ----------
    flows : GradientFlow, LayerFlow, FlowComparison, or dict of str to GradientFlow or LayerFlow
        Several are drawn in one picture, with their labels.
    ax : matplotlib.axes.Axes, optional
        Draw here instead of in a new figure.
    time : tuple of (str, ndarray (T,)), optional
        Label and values of the time axis; by default step numbers.
    title : str, optional
    floor : float
        Curves are not drawn below this value.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> model = rnn_ref.Sequential([rnn_ref.layers.SimpleRNN(4), rnn_ref.layers.Dense(1)])
    >>> flow = rnn_ref.gradient_flow(model, np.ones((2, 30, 3)), np.ones((2, 1)))
    >>> rnn_ref.plot.gradient_flow(flow).axes[0].get_yscale()
    'log'
    """
    curves = _curves(flows)
    need_some(curves or flows, "plot.gradient_flow")
    T = max(len(norm) for norm in curves.values())
    label, values = time or ("time step", np.arange(T))
    if len(values) != T:
        raise ValueError(f"plot.gradient_flow: time has {len(values)} values, the flows have {T} time steps.")
    axis = ax if ax is not None else new_figure(7.5, 4.2).subplots()
    for k, (name, norm) in enumerate(curves.items()):
        axis.semilogy(
            values[-len(norm) :],
            np.where(norm >= floor, norm, np.nan),
            label=name,
            color=COLOURS[k % len(COLOURS)],
            linestyle=LINE_STYLES[k % len(LINE_STYLES)],
            linewidth=1.8,
        )
    axis.set_xlabel(label)
    whole_steps(axis, values)
    say_floor(axis, floor, any((norm < floor).any() for norm in curves.values()))
    axis.set_ylabel(r"mean norm $\|\partial L/\partial h_t\|$")
    axis.set_title(title or "How far back the loss reaches", fontsize=11)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    ends = "; ".join(f"{name} from {norm[-1]:.0e} to {norm[0]:.0e}" for name, norm in curves.items())
    return describe(
        axis.figure,
        f"Norm of the gradient by time step on a log scale, from the last of {T} steps to the first: {ends}.",
    )


def _curves(flows) -> dict[str, np.ndarray]:
    """Norms by label, from any of the accepted forms."""
    if hasattr(flows, "norm"):
        return {flows.name: flows.norm}
    curves = {}
    for label, flow in flows.items():
        if hasattr(flow, "norm"):
            curves[label] = flow.norm
        else:
            for name, layer in flow.items():
                curves[label if len(flow) == 1 else f"{label}: {name}"] = layer.norm
    return curves
