"""An ONNX graph as a functional model of layers that can be inspected."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np

from rnn_ref.guard import explained
from rnn_ref.interop.onnx.axes import Atom, Filled, Held, made, natural
from rnn_ref.interop.onnx.batch_axes import batch_axes
from rnn_ref.interop.onnx.graph import live
from rnn_ref.interop.onnx.load_operators import READERS
from rnn_ref.interop.onnx.reading import array_of, read_model
from rnn_ref.layers import Input
from rnn_ref.layers.layer import unique_name
from rnn_ref.models import Model

OPSETS = (7, 30)


@explained
def load(source, *, weights: dict | None = None) -> Model:
    """Read an ONNX model.

    Recurrent operators become ``SimpleRNN``, ``LSTM`` and ``GRU`` (``Bidirectional`` for both directions), so that
    ``trace``, ``gradient_flow`` and all other tools work on them. The batch comes first in every input and output of
    the returned model, even where ONNX has time first: an input ``X (time, batch, features)`` is given as ``(batch,
    time, features)``, an output ``Y (time, directions, batch, units)`` comes as ``(batch, time, directions, units)``.

    Parameters
    ----------
    source : str, Path, bytes or onnx.ModelProto
        Data in files beside the model is read only from its folder.
    weights : dict of str to ndarray, optional
        For a graph whose weights are inputs, their values by name.

    Returns
    -------
    Model
        Functional, and in inference the same function; its inputs and outputs have the same names as in the file.

    Raises
    ------
    ValueError
        If the file is damaged, or the graph uses an operator, or an option of one, without an equivalent here; the
        error names the node and the reason.

    References
    ----------
    https://onnx.ai/onnx/operators/

    Examples
    --------
    >>> import numpy as np, rnn_ref
    >>> from rnn_ref.interop import onnx
    >>> there = onnx.export(rnn_ref.Sequential([rnn_ref.Input((None, 3), name="x"), rnn_ref.layers.GRU(4)]))
    >>> model = onnx.load(there)
    >>> type(model.layers[1]).__name__, model(np.zeros((2, 5, 3))).shape
    ('GRU', (2, 4))
    """
    proto = read_model(source)
    folder = Path(source).resolve().parent if isinstance(source, (str, Path)) else None
    try:
        return Reader(proto, folder, weights or {}).model()
    except ValueError:
        raise
    except Exception as error:  # whatever a file brings about is the file's fault
        raise ValueError(f"the model cannot be read: {error or type(error).__name__}") from error


class Reader:
    """Values by name while the nodes of a graph are read in order.

    A value is an array, a :class:`~rnn_ref.interop.onnx.axes.Held` tensor of the model, or a repeated number.
    """

    def __init__(self, proto, folder: Path | None, weights: dict):
        import onnx

        self.onnx, self.graph, self.folder = onnx, proto.graph, folder
        opsets = {entry.domain or "ai.onnx": entry.version for entry in proto.opset_import}
        self.opset = opsets.get("ai.onnx", 0)
        if not OPSETS[0] <= self.opset <= OPSETS[1]:
            raise ValueError(f"the model is of opset {self.opset}; {OPSETS[0]} to {OPSETS[1]} can be read.")
        self.values: dict[str, object] = {}
        self.done: set[str] = set()  # outputs of nodes that were read together with an earlier one
        self.nodes = live(self.graph.node, [output.name for output in self.graph.output])
        self.uses = Counter(name for node in self.nodes for name in node.input)
        self.uses.update(output.name for output in self.graph.output)
        self.used = set(self.uses)
        self.taken: Counter = Counter()
        self._consumers = {name: node for node in self.nodes for name in node.input}
        for name, array in weights.items():
            if name not in {place.name for place in self.graph.input}:
                raise ValueError(f"weights: the graph has no input {name!r}; it has {self._input_names()}.")
            self.values[name] = np.asarray(array)
        for tensor in self.graph.initializer:
            self.values[tensor.name] = array_of(tensor, folder)

    def _input_names(self) -> str:
        return ", ".join(place.name for place in self.graph.input)

    # -- what the functions for operators use ---------------------------------------------------------

    def given(self, node, place: int):
        """The value at a position among a node's inputs; None if there is none."""
        if place >= len(node.input) or not node.input[place]:
            return None
        name = node.input[place]
        if name not in self.values:
            raise ValueError(f"its input {name!r} was not computed before.")
        return self.values[name]

    def attributes(self, node, *known: str) -> dict:
        """Attributes as plain values; unknown ones are refused."""
        found = {}
        for attribute in node.attribute:
            if attribute.name not in known:
                raise ValueError(f"its attribute {attribute.name} is not known here.")
            value = self.onnx.helper.get_attribute_value(attribute)
            if isinstance(value, bytes):
                value = value.decode("utf-8", "replace")
            elif isinstance(value, (list, tuple)):
                value = [entry.decode("utf-8", "replace") if isinstance(entry, bytes) else entry for entry in value]
            found[attribute.name] = value
        return found

    def array(self, tensor) -> np.ndarray:
        return array_of(tensor, self.folder)

    def as_type(self, array: np.ndarray, to: int) -> np.ndarray:
        dtype = np.dtype(self.onnx.helper.tensor_dtype_to_np_dtype(to))
        if dtype.name in ("float16", "bfloat16"):
            dtype = np.dtype("float32")
        if dtype.kind not in "fiub":
            raise ValueError(f"it makes numbers of {dtype}.")
        with np.errstate(all="ignore"):
            return array.astype(dtype)

    def name(self, node) -> str:
        """A unique name for the layer of a node."""
        wish = re.sub(r"[^A-Za-z0-9_.-]+", "_", node.name.rpartition("/")[0] or node.name).strip("_.")[:60]
        if not wish:
            return unique_name(node.op_type if node.op_type not in ("MatMul", "Gemm") else "Dense")
        self.taken[wish] += 1
        return wish if self.taken[wish] == 1 else f"{wish}_{self.taken[wish] - 1}"

    def options(self, node, value) -> dict:
        """Name and precision for a layer without weights."""
        dtype = value.tensor.dtype if isinstance(value, Held) else "float32"
        return {"name": self.name(node), "dtype": dtype if dtype == "float64" else "float32"}

    def bias_after(self, node, size: int) -> tuple[np.ndarray | None, str]:
        """The constant that the next node adds, if nothing else reads this one's output, and the sum's name."""
        output = node.output[0]
        after = self._consumers.get(output)
        if self.uses[output] == 1 and after is not None and after.op_type == "Add" and len(after.input) == 2:
            other = next((n for n in after.input if n != output), None)
            bias = self.values.get(other)
            if isinstance(bias, np.ndarray) and bias.shape == (size,) and bias.dtype.kind == "f":
                self.done.add(after.output[0])
                return bias, after.output[0]
        return None, output

    def hold(self, name: str, value) -> None:
        if name:
            self.values[name] = value

    def hold_natural(self, node, tensor, like: Held) -> None:
        """A tensor with ONNX's axes in order, except for the batch, which is where that of ``like`` is."""
        self.hold(node.output[0], made(tensor, like.batch, like.axes[like.batch][0]))

    # -- the model ------------------------------------------------------------------------------------

    def model(self) -> Model:
        inputs, batch = [], Atom(None, batch=True)
        places = [place for place in self.graph.input if place.name not in self.values]
        if not places:
            raise ValueError("the graph has no inputs.")
        axes = batch_axes(self.graph)
        for place in places:
            inputs.append(self._input(place, axes.get(place.name, 0), batch))
        for node in self.nodes:
            if node.output and node.output[0] in self.done:
                continue
            self._read(node)
        outputs = {}
        for output in self.graph.output:
            value = self.values.get(output.name)
            if not isinstance(value, Held):
                raise ValueError(f"the output {output.name!r} is a constant.")
            try:
                outputs[output.name], _ = natural(value)
            except ValueError as error:
                raise ValueError(f"the output {output.name!r}: {error}") from None
        if not outputs:
            raise ValueError("the graph has no outputs.")
        single = len(outputs) == 1
        name = re.sub(r"[^A-Za-z0-9_.-]+", "_", self.graph.name)[:60] or None
        return Model(
            inputs if len(inputs) > 1 else inputs[0], next(iter(outputs.values())) if single else outputs, name=name
        )

    def _input(self, place, axis: int, batch: Atom):
        kind = place.type.tensor_type
        if not place.type.HasField("tensor_type") or not kind.HasField("shape"):
            raise ValueError(f"the input {place.name!r} is no tensor of known rank.")
        sizes = [d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in kind.shape.dim]
        if not axis < len(sizes):
            raise ValueError(f"the input {place.name!r} has {len(sizes)} axes; a batch of samples is expected.")
        dtype = self.as_type(np.zeros(()), kind.elem_type).dtype.name
        batch.size = batch.size or sizes[axis]
        rest = [size for k, size in enumerate(sizes) if k != axis]
        name = re.sub(r"[^A-Za-z0-9_.-]+", "_", place.name)
        tensor = Input(rest, dtype=dtype, name=name)
        self.values[place.name] = made(tensor, axis, batch)
        return tensor

    def _read(self, node) -> None:
        told = f"node {node.name or node.output[0]!r} ({node.op_type})"
        if node.domain not in ("", "ai.onnx") or node.op_type not in READERS:
            where = f" of the domain {node.domain}" if node.domain not in ("", "ai.onnx") else ""
            raise ValueError(f"{told}: the operator{where} has no equal here; these have: {', '.join(READERS)}.")
        try:
            if any(isinstance(self.values.get(n), Filled) for n in node.output):
                raise ValueError("its output was computed before.")
            READERS[node.op_type](self, node)
        except Exception as error:  # whatever a file brings about is the file's fault
            reason = str(error).strip() or type(error).__name__
            raise ValueError(f"{told}: {reason}") from error
