"""ONNX files: exporting models to anything that runs ONNX, and importing models for inspection.

interop.onnx.export(model, "model.onnx")
model = interop.onnx.load("model.onnx")
"""

from rnn_ref.interop.onnx.export import export
from rnn_ref.interop.onnx.load import load

__all__ = ["export", "load"]
