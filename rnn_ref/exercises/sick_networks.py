"""15: a trained network from elsewhere, and six sick ones."""

from __future__ import annotations

import numpy as np

from rnn_ref import gradient_flow, saturation, trace, weight_report
from rnn_ref.exercises.answers import Unanswered, Wrong, compare, function, is_blank, run
from rnn_ref.exercises.course import exercise, notebook
from rnn_ref.exercises.patients import DISEASES, UNITS, WARD, Patient, patient

notebook("15", "A trained network from elsewhere")


def examine(patient: Patient) -> dict[str, float]:
    """What the tests of the notebook find: one number for each disease.

    Examples
    --------
    >>> from rnn_ref.exercises.patients import patient
    >>> examine(patient("E"))["dead units"]
    5.0
    """
    model, x = patient.model, patient.x
    twice = np.abs(model(x) - model(x)).max()
    memory = trace(model, x)["memory"]
    h, lengths = memory.hidden, (x != 0).sum(axis=1)
    stuck = saturation(model, x)["memory"]
    ends = [(stuck.below[gate] + stuck.above[gate]).mean() for gate in stuck.below if gate != "forget"]
    norm = gradient_flow(model, x, patient.y)["memory"].norm
    gates = weight_report(model)["memory"].gates.values()
    return {
        "dead units": float(len(stuck.dead)),
        "exploding weights": float(max(gate.spectral_radius for gate in gates)),
        "lost mask": float(max(np.abs(h[k, n:] - h[k, n - 1]).max(initial=0) for k, n in enumerate(lengths))),
        "saturated gates": float(np.mean(ends)) if ends else np.nan,
        "state that leaks": float(twice),
        "vanished gradient": float(norm[0] / norm[-1]),
    }


def _against(disease: str, name: str, found: dict[str, float]) -> str:
    number = found[disease]
    if disease == "saturated gates" and not np.isfinite(number):
        return f"{name} has no gates."
    return {
        "dead units": f"dead units say 0 at all steps, whatever they read; in {name} {number:.0f} of {UNITS} units do.",
        "exploding weights": f"then the recurrent weights would have eigenvalues beyond the unit circle; in {name} the "
        f"largest magnitude is {number:.2f}.",
        "lost mask": f"then the states would go on changing after the last word; in {name} they move by {number:.1g}.",
        "saturated gates": f"then the input and output gates would be near 0 or 1 most of the time; in {name} they are "
        f"so {number:.0%} of the time.",
        "state that leaks": f"then the same batch twice would get two answers; in {name} they differ by {number:.1g}.",
        "vanished gradient": f"in {name} {number:.0e} of the gradient is left at the first step. Where that is little, "
        "look for the cause: in the patient with this disease the forget gates are closed, and nothing else is wrong.",
    }[disease]


def _diagnosis(name: str):
    def check(answer):
        if is_blank(answer):
            raise Unanswered
        if not isinstance(answer, str) or answer not in DISEASES:
            raise Wrong(f"expected one of {', '.join(map(repr, DISEASES))}, got {answer!r}.")
        if answer != WARD[name]:
            raise Wrong(_against(answer, name, examine(patient(name))))
        return REMARKS[answer]

    return check


REMARKS = {
    "dead units": "Their output gates never open; without these five units the "
    "network would say the same. Prune them, or begin with a smaller rate.",
    "exploding weights": "Its states grow by half at each step. Clip gradients, start with an orthogonal matrix, or "
    "take an activation with a bound.",
    "lost mask": "Embedding(mask_zero=True), and every layer between must pass the mask on.",
    "saturated gates": "Its inputs are far too large: scale them (or clip gradients, where training did it).",
    "state that leaks": "It is stateful: reset_states between sequences that have nothing to do with each other.",
    "vanished gradient": "Its forget gates begin closed (bias -3): along the cell 5 % is left at each step. Open them.",
}
HINTS = {
    "dead units": "Look for rows that stay white.",
    "exploding weights": "Look at the range of its states, and at its eigenvalues.",
    "lost mask": "Look at what happens to the right of the line.",
    "saturated gates": "Look at the share of time that its gates are at an end of their range.",
    "state that leaks": "Its pictures look healthy. What happens if it reads the same batch once more?",
    "vanished gradient": "Look at the left end of its gradient flow, and at the forget gate.",
}
for _k, _name in enumerate(WARD, start=1):
    exercise(f"15.{_k}", f"what is wrong with {_name}", HINTS[WARD[_name]])(_diagnosis(_name))


@exercise(
    "15.7",
    "dead units",
    "hidden[mask] is (steps that count, H); dead is where (… == 0).all(axis=0): np.flatnonzero of that.",
)
def _dead(answer):
    function(answer, "hidden", "mask")
    rng = np.random.default_rng(15)
    hidden, mask = rng.normal(size=(3, 4, 6)), np.ones((3, 4), bool)
    mask[1, 2:] = False
    hidden[mask, 1] = 0  # dead; what stands at padding is no output
    hidden[:, :, 4] = 0  # dead
    hidden[0, :, 2] = 0  # silent in one sequence only
    hidden[:, :, 5] = np.where(np.arange(12).reshape(3, 4) % 2, 1.0, -1.0) * 0.5  # its mean is 0
    found = run(answer, hidden, mask, shown="6 units")
    found = np.asarray(found)
    if found.dtype == bool:
        raise Wrong("return the numbers of the units, as np.flatnonzero gives them, not True and False.")
    if found.ndim != 1 or not np.issubdtype(found.dtype, np.number):
        raise Wrong(f"return the numbers of the units, (n,), got an array of shape {found.shape}.")
    dead = {int(k) for k in found}
    if 5 in dead:
        raise Wrong("unit 5 is counted, whose mean is 0, but which says 0.5 and -0.5 in turn: it must be 0 each time.")
    if 2 in dead:
        raise Wrong("unit 2 is counted, which is silent in one sequence only: it must be 0 in all of them.")
    if 1 not in dead and 4 in dead:
        raise Wrong("unit 1 is missing: what stands at steps that the mask leaves out does not count.")
    if dead != {1, 4}:
        raise Wrong(f"the dead ones are 1 and 4, got {sorted(dead)}.")


@exercise(
    "15.8",
    "what moves after the last word",
    "For each row: np.abs(hidden[b, n:] - hidden[b, n - 1]).max() with n = lengths[b], where any steps follow; then "
    "the largest.",
)
def _moves(answer):
    function(answer, "hidden", "lengths")
    rng = np.random.default_rng(16)
    hidden, lengths = rng.normal(size=(3, 6, 2)), np.array([3, 6, 4])
    for b, n in enumerate(lengths):
        hidden[b, n:] = hidden[b, n - 1]
    carried = hidden.copy()
    hidden[2, 4:, 1] += [0.25, -0.5]
    for h, truth, shown in ((carried, 0.0, "states that are carried over"), (hidden, 0.5, "a state that moves")):
        n = lengths
        compare(
            run(answer, h, lengths, shown=shown),
            truth,
            f"with {shown} the largest change",
            {
                "this compares with the first step of padding; the last word's state is hidden[b, n - 1].": (
                    max(np.abs(h[b, k:] - h[b, k]).max() for b, k in enumerate(n) if k < 6)
                ),
                "the changes while it reads are counted too; only those after the last word tell.": (
                    np.abs(np.diff(h, axis=1)).max()
                ),
                "this is the largest state after the last word, not how far it moves.": (
                    max(np.abs(h[b, k:]).max(initial=0) for b, k in enumerate(n))
                ),
                "changes of both signs count: take magnitudes before the largest.": (
                    max((h[b, k:] - h[b, k - 1]).max(initial=0) for b, k in enumerate(n))
                ),
                "this is from step to step; it should be from the last word on.": (
                    max(np.abs(np.diff(h[b, k - 1 :], axis=0)).max(initial=0) for b, k in enumerate(n))
                ),
            },
        )
