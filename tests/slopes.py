"""Gradients against how a number changes along random directions, for a yardstick that has no gradients of its own."""

import numpy as np

H = 1e-6


def check_slopes(total, arrays, gradients, tolerance=1e-7):
    """``gradients`` of the number ``total(*arrays)`` against central differences in float64, along two directions."""
    generator = np.random.default_rng(0)
    arrays = [np.asarray(array, "float64") for array in arrays]
    assert [np.shape(gradient) for gradient in gradients] == [array.shape for array in arrays]
    for _ in range(2):
        directions = [generator.normal(size=array.shape) for array in arrays]
        if not _agree(total, arrays, gradients, directions, tolerance):
            for k, direction in enumerate(directions):
                alone = [direction if place == k else np.zeros_like(a) for place, a in enumerate(arrays)]
                assert _agree(total, arrays, gradients, alone, tolerance), f"the gradient of array {k} is wrong"
            raise AssertionError("the gradients of several arrays are wrong")


def _agree(total, arrays, gradients, directions, tolerance) -> bool:
    up, down = (float(total(*(a + h * u for a, u in zip(arrays, directions)))) for h in (H, -H))
    parts = np.concatenate([np.ravel(np.asarray(g, "float64") * u) for g, u in zip(gradients, directions)])
    return abs(parts.sum() - (up - down) / (2 * H)) <= tolerance * max(np.abs(parts).sum(), 0.01)
