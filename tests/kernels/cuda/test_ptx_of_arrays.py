"""The kernels of layers that are not recurrent, compiled for GPUs nobody has at hand."""

import numpy as np
import pytest

from rnn_ref.equations.activations import CODES
from rnn_ref.kernels.cuda import lookup, pointwise

from .test_ptx import CAPABILITIES, compiled, recorded  # skips where there is no compiler


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"cc{c[0]}{c[1]}")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernels_of_arrays_compile(dtype, capability):
    z, tokens = np.ones((3, 4), dtype), np.arange(3)
    with recorded() as launched:
        pointwise.d_activate(z, z, z, max(CODES.values()))
        pointwise.activate(z, max(CODES.values()))
        lookup.sum_rows(z, tokens, tokens, np.ones((5, 4), dtype))
    assert len(launched) == 3
    for kernel, types in launched:
        text, spilled = compiled(kernel, types, capability)
        assert dtype == "float64" or ".f64" not in text
        assert spilled == 0
