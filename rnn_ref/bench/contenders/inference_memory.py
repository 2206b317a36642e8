"""What inference holds beyond its input and output."""

from __future__ import annotations

import numpy as np


def inference(keras, problem) -> dict:
    """``every()`` and ``last()``: bytes held beyond input and output, for the outputs of every step and the last."""

    from resident import forget_peak, peak_bytes  # beside this file

    def extra(**options) -> int:
        layer = getattr(keras.layers, problem.cell)(problem.H, **options)
        model = keras.Sequential([keras.Input((None, problem.F)), layer])
        model.predict_on_batch(np.ones((problem.B, 2, problem.F), "float32"))  # loads what is compiled
        x = np.ones((problem.B, problem.T, problem.F), "float32")
        forget_peak()
        before = peak_bytes()
        y = model.predict_on_batch(x)
        return peak_bytes() - before - y.nbytes

    return {"every": lambda: extra(return_sequences=True), "last": extra}
