"""03: vanishing and exploding gradients."""

from __future__ import annotations

import numpy as np

from rnn_ref.exercises.answers import Wrong, array, compare, function, run
from rnn_ref.exercises.course import exercise, notebook

notebook("03", "Vanishing and exploding gradients")


@exercise("03.1", "the spectral radius", "The largest magnitude among the eigenvalues: np.abs of np.linalg.eigvals.")
def _radius(answer):
    function(answer, "U")
    rotation = np.array([[0.0, -0.9], [0.9, 0.0]])
    for U, shown in (
        (np.array([[-2.0, 1, 0], [0, 0.5, 0], [0, 0, 0.1]]), "[[-2, 1, 0], [0, 0.5, 0], [0, 0, 0.1]]"),
        (rotation, "a rotation times 0.9"),
        (np.array([[0.5, 10.0], [0.0, 0.5]]), "[[0.5, 10], [0, 0.5]]"),
    ):
        values = np.linalg.eigvals(U)
        compare(
            run(answer, U, shown=f"U = {shown}"),
            np.abs(values).max(),
            f"with U = {shown} the radius",
            {
                "this is the spectral norm, the largest singular value: how far one step can stretch; the radius says "
                "what many steps do.": np.linalg.norm(U, 2),
                "eigenvalues may be negative or complex: take magnitudes before the largest.": values.real.max(),
                "this is the magnitude of the smallest eigenvalue.": np.abs(values).min(),
            },
        )


@exercise(
    "03.2",
    "the derivative of one step",
    "h_a = tanh(sum_b h_prev_b U[b, a] + ...): its derivative by h_prev_b is (1 - h_a**2) U[b, a].",
)
def _jacobian(answer):
    function(answer, "h", "U")
    rng = np.random.default_rng(3)
    h, U = np.tanh(rng.normal(size=4)), rng.normal(size=(4, 4))
    slope = 1 - h**2
    compare(
        run(answer, h, U, shown="4 units"),
        slope[:, None] * U.T,
        "J",
        {
            "this is the transpose: rows are the units after the step, columns those before.": (slope[:, None] * U.T).T,
            "the slope of tanh is missing.": U.T,
            "the slope belongs to the unit after the step, the row.": slope * U.T,
            "U[b, a] leads from b to a: J[a, b] has U transposed.": slope[:, None] * U,
        },
    )


@exercise(
    "03.3",
    "clipping by the norm of all",
    "One norm over all arrays: the root of the sum of all squares. If it is above the limit, multiply every array by "
    "limit / norm.",
)
def _clip(answer):
    function(answer, "gradients", "limit")
    rng = np.random.default_rng(5)
    gradients = [3 * rng.normal(size=(2, 3)), 0.1 * rng.normal(size=4)]
    norm = np.sqrt(sum((g**2).sum() for g in gradients))

    def said(limit):
        found = run(answer, gradients, limit, shown=f"limit={limit}")
        if not isinstance(found, list | tuple) or len(found) != 2:
            raise Wrong("return a list of as many arrays as were given.")
        return np.concatenate([array(f, g.shape, "a gradient").ravel() for f, g in zip(found, gradients)])

    flat = np.concatenate([g.ravel() for g in gradients])
    each = np.concatenate([(g * min(1, 1 / np.linalg.norm(g))).ravel() for g in gradients])
    compare(
        said(1.0),
        flat / norm,
        "the gradient",
        {
            "each array is clipped by itself: that turns the direction. Take one norm over all.": each,
            "this clips each number: that turns the direction. Scale all by the same factor.": np.clip(flat, -1, 1),
            "nothing is clipped, though the norm is above the limit.": flat,
            "divide by the norm, the root of the sum of squares, not by its square.": flat / norm**2,
        },
    )
    compare(
        said(100.0),
        flat,
        "with a limit above the norm the gradient",
        {"a gradient below the limit stays as it is; yours is made larger.": flat * 100 / norm},
    )


@exercise(
    "03.4",
    "a forget bias for a memory of so many steps",
    "sigmoid(b)**steps = share, so the gate is f = share**(1 / steps), and b = log(f / (1 - f)).",
)
def _bias(answer):
    function(answer, "steps", "share")
    for steps, share in ((100, 0.5), (10, 0.1)):
        shown = f"steps={steps}, share={share}"
        f = share ** (1 / steps)
        compare(
            run(answer, steps, share, shown=shown),
            np.log(f / (1 - f)),
            f"with {shown} the bias",
            {
                "this is the gate; the bias is what the sigmoid makes it of: log(f / (1 - f)).": f,
                "the sign is the other way round: open gates need positive biases here.": -np.log(f / (1 - f)),
                "gates multiply over steps: f**steps = share, not f * steps.": np.log(
                    share / steps / (1 - share / steps)
                ),
                "the gate of a single step is share**(1 / steps), not share.": np.log(share / (1 - share)),
            },
        )
