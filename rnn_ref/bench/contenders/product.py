"""A large float32 matrix product, with NumPy's or PyTorch's library: what the machine can reach."""

from __future__ import annotations

SIZE = 1536


def product(library, n) -> dict:
    a = library.ones((n, n), dtype=library.float32)
    return {"product": lambda: a @ a}
