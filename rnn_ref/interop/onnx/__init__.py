"""ONNX files: a model out, for whatever runs ONNX, and models in, to be looked into.

interop.onnx.export(model, "model.onnx")
model = interop.onnx.load("model.onnx")
"""

from rnn_ref.interop.onnx.export import export
from rnn_ref.interop.onnx.load import load

__all__ = ["export", "load"]
