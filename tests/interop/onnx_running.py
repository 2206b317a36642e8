"""An exported model in onnxruntime."""

import numpy as np
import onnxruntime


def run(made, feeds: dict) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


def feeds(made, arrays) -> dict:
    return {place.name: array for place, array in zip(made.graph.input, arrays, strict=True)}


def flat(structure) -> list:
    if isinstance(structure, (list, tuple)):
        return [array for part in structure for array in flat(part)]
    return [np.asarray(structure)]
