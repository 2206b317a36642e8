"""ONNX models of others, and one's own, as layers here."""

import importlib
import sys

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, layers
from rnn_ref.layers import GRU, LSTM, Bidirectional, Dense, Embedding, SimpleRNN

onnx = pytest.importorskip("onnx")
helper, numpy_helper, TensorProto = onnx.helper, onnx.numpy_helper, onnx.TensorProto
export, load = rnn_ref.interop.onnx.export, rnn_ref.interop.onnx.load

T, F, H = 4, 3, 2

# -- the cases that come with ONNX itself --------------------------------------------------------------------

WITHOUT_EQUAL = {"test_lstm_with_peepholes": "peepholes"}  # by which gates see the cell state; the LSTM here has none


def official():
    """Those of LSTM, GRU and RNN: importing the modules that define them makes them, and nothing else."""
    where = "onnx.backend.test.case.node"
    for name in ("gru", "lstm", "rnn"):
        importlib.import_module(f"{where}.{name}")
    cases = sys.modules[where]._NodeTestCases
    return [case for case in cases if case.model.graph.node[0].op_type in ("LSTM", "GRU", "RNN")]


CASES = official()


def test_there_are_cases():
    assert len(CASES) >= 18
    assert {case.name for case in CASES} >= set(WITHOUT_EQUAL)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_official_case(case):
    graph, (inputs, outputs) = case.model.graph, case.data_sets[0]
    given = dict(zip((place.name for place in graph.input), inputs, strict=True))
    weights = {name: given.pop(name) for name in ("W", "R", "B", "P") if name in given}
    if case.name in WITHOUT_EQUAL:
        with pytest.raises(ValueError, match=WITHOUT_EQUAL[case.name]):
            load(case.model, weights=weights)
        return
    model = load(case.model, weights=weights)
    first = any(a.name == "layout" and a.i == 1 for a in graph.node[0].attribute)
    found = model({name: np.moveaxis(array, 0 if first else 1, 0) for name, array in given.items()})
    found = found if isinstance(found, dict) else {graph.output[0].name: found}
    for place, expected in zip(graph.output, outputs, strict=True):
        at = 0 if first else {"Y": 2}.get(place.name, 1)
        np.testing.assert_allclose(found[place.name], np.moveaxis(expected, at, 0), rtol=1e-6, atol=2e-7)


# -- one's own ------------------------------------------------------------------------------------------------


def check(model, arrays, kinds=None):
    g = np.random.default_rng(0)
    model.set_weights([np.abs(g.normal(size=w.shape, scale=0.5)) for w in model.weights])
    made = export(model)
    back = load(made.SerializeToString())
    expected, found = (m(arrays if len(arrays) > 1 else arrays[0]) for m in (model, back))
    if isinstance(expected, (list, tuple)):
        found = [found[place.name] for place in made.graph.output]
    else:
        expected, found = [expected], [found]
    for y, z in zip(expected, found, strict=True):
        np.testing.assert_allclose(z, y, rtol=0, atol=1e-6 * np.abs(y).max())
    if kinds is not None:
        assert [type(layer).__name__ for layer in back.layers[1:]] == kinds
    return back


X = np.random.default_rng(0).normal(size=(2, T, F)).astype("float32")


@pytest.mark.parametrize("cell", [SimpleRNN, LSTM, GRU])
@pytest.mark.parametrize("options", [
    {}, {"return_sequences": True}, {"go_backwards": True}, {"use_bias": False}, {"activation": "relu"},
    {"return_sequences": True, "go_backwards": True}, {"dtype": "float64"},
])  # fmt: skip
def test_a_recurrent_layer_there_and_back(cell, options):
    x = Input((None, F), dtype=options.get("dtype"))
    model = Model(x, cell(H, **options)(x))
    back = check(model, [X])
    (found,) = [layer for layer in back.layers if isinstance(layer, cell)]
    for name in ("units", "use_bias", "return_sequences", "go_backwards", "dtype"):
        assert getattr(found, name) == getattr(model.layers[1], name)
    assert found.activation.name == model.layers[1].activation.name
    for a, b in zip(found.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_models_there_and_back():
    x = Input((None, F), name="x")
    check(Model(x, GRU(H, reset_after=False, recurrent_activation="hard_sigmoid")(x)), [X], ["GRU"])
    h = Bidirectional(LSTM(H, return_sequences=True))(x)
    y = Dense(3, "softmax")(layers.LayerNormalization(epsilon=1e-5)(h))
    check(Model(x, [y, h]), [X])
    states = [Input((H,)), Input((H,))]
    check(Model([x, *states], LSTM(H, return_state=True)(x, initial_state=states)), [X, X[:, 0, :H], X[:, 1, :H]])
    tokens = Input((None,), dtype="int32")
    model = Model(tokens, Dense(2)(GRU(H, return_sequences=True)(Embedding(9, F)(tokens))))
    check(model, [np.array([[1, 8, 0]])], ["Embedding", "GRU", "Dense"])
    q, v = Input((2, F)), Input((T, F))
    check(Model([q, v], layers.Attention()([q, v])), [X[:, :2], X])
    fixed = Input((T, F))
    y = layers.Conv1D(4, 3, padding="same", activation="relu")(fixed)
    y = layers.Concatenate()([layers.GlobalAveragePooling1D()(y), layers.GlobalMaxPooling1D()(y)])
    check(Model(fixed, layers.Flatten()(layers.Reshape((2, 4))(layers.BatchNormalization()(y)))), [X])
    y = layers.Permute((2, 1))(fixed)
    y = layers.Multiply()([layers.Add()([y, 2 * y]), layers.Subtract()([1 - y, y / 3])])
    check(Model(fixed, y[:, 1:, ::-1]), [X])


def test_gates_of_a_loaded_model_can_be_looked_at():
    x = Input((None, F))
    back = load(export(Model(x, Dense(1)(LSTM(H, name="memory")(x)))))
    seen = rnn_ref.trace(back, X)
    assert seen["memory"].gates["forget"].shape == (2, T, H)
    assert rnn_ref.gradient_flow(back, X, X[:, 0, :1])["memory"].norm.shape == (T,)


# -- graphs written by hand -----------------------------------------------------------------------------------


def graph(nodes, inputs, outputs, constants=(), opset=22, infer=True):
    """A model with inputs ``{name: shape}`` of float32, or ``(type, shape)``."""

    def place(name, shape):
        kind, shape = shape if isinstance(shape, tuple) else (TensorProto.FLOAT, shape)
        return helper.make_tensor_value_info(name, kind, shape)

    made = helper.make_graph(
        nodes,
        "g",
        [place(*each) for each in inputs.items()],
        [place(name, None if infer else ["?"]) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in dict(constants).items()],
    )
    made = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    return onnx.shape_inference.infer_shapes(made) if infer else made  # outputs need shapes


def recurrent(kind="LSTM", G=4, D=1, seed=0, inputs=("x", "W", "R", "B"), outputs=("y",), **options):
    g = np.random.default_rng(seed)
    constants = {
        "W": g.normal(size=(D, G * H, F)), "R": g.normal(size=(D, G * H, H)), "B": g.normal(size=(D, 2 * G * H)),
    }  # fmt: skip
    node = helper.make_node(kind, list(inputs), list(outputs), hidden_size=H, **options)
    return node, {name: array.astype("f") for name, array in constants.items()}


def reference(made, feeds):
    from .onnx_running import run

    return run(made, feeds)


@pytest.mark.filterwarnings("error")
def test_lengths_become_a_mask():
    pytest.importorskip("onnxruntime")
    for direction, D in (("forward", 1), ("reverse", 1), ("bidirectional", 2)):
        node, constants = recurrent(
            D=D, inputs=("x", "W", "R", "B", "lens"), outputs=("y", "h", "c"), direction=direction
        )
        made = graph([node], {"x": [T, 2, F], "lens": (TensorProto.INT32, [2])}, ["y", "h", "c"], constants)
        lens = np.array([1, 3], "int32")
        y, h, c = reference(made, {"x": X.swapaxes(0, 1), "lens": lens})
        found = load(made)([X, lens])
        np.testing.assert_allclose(found["y"], y.transpose(2, 0, 1, 3), rtol=0, atol=1e-6)
        np.testing.assert_allclose(found["h"], h.swapaxes(0, 1), rtol=0, atol=1e-6)
        np.testing.assert_allclose(found["c"], c.swapaxes(0, 1), rtol=0, atol=1e-6)


def test_lengths_are_those_of_one_node():
    """What reads the outputs reads all steps, unless it has lengths of its own."""
    pytest.importorskip("onnxruntime")
    first, constants = recurrent(inputs=("x", "W", "R", "B", "lens"), outputs=("y",))
    second, more = recurrent("GRU", 3, inputs=("y1", "W2", "R2", "B2"), outputs=("", "h"), seed=1)
    constants |= {f"{name}2": array[..., :H] if name == "W" else array for name, array in more.items()}
    constants |= {"axis": np.array([1])}
    nodes = [first, helper.make_node("Squeeze", ["y", "axis"], ["y1"]), second]
    made = graph(nodes, {"x": [T, 2, F], "lens": (TensorProto.INT32, [2])}, ["h"], constants)
    lens = np.array([1, 3], "int32")
    (h,) = reference(made, {"x": X.swapaxes(0, 1), "lens": lens})
    np.testing.assert_allclose(load(made)([X, lens]), h.swapaxes(0, 1), rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("error")
def test_initial_states_of_both_directions():
    pytest.importorskip("onnxruntime")
    options = {"activations": ["HardSigmoid", "Tanh", "Sigmoid", "Relu"], "linear_before_reset": 1}
    inputs = ("x", "W", "R", "B", "", "h0")
    node, constants = recurrent("GRU", 3, 2, inputs=inputs, direction="bidirectional", **options)
    made = graph([node], {"x": ["t", "b", F], "h0": [2, "b", H]}, ["y"], constants)
    h0 = np.random.default_rng(1).normal(size=(2, 2, H)).astype("f")
    (y,) = reference(made, {"x": X.swapaxes(0, 1), "h0": h0})
    np.testing.assert_allclose(load(made)([X, h0.swapaxes(0, 1)]), y.transpose(2, 0, 1, 3), rtol=0, atol=1e-6)


def test_as_pytorch_writes_it():
    """Zeros of a computed shape for initial states, time first, and the last step by its place."""
    pytest.importorskip("onnxruntime")
    node, constants = recurrent(inputs=("xt", "W", "R", "B", "", "h0", "h0"))
    constants |= {"zero": np.array(0), "one": np.array([1]), "units": np.array([H]), "last": np.array(-1)}
    constants |= {
        "axis": np.array([1]),
        "out": np.ones((H, 2), "f"),
        "more": np.array([1, 2], "f"),
        "steps": np.array([0]),
    }
    nodes = [
        helper.make_node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]),
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["batch"]),
        helper.make_node("Unsqueeze", ["batch", "steps"], ["batch1"]),
        helper.make_node("Concat", ["one", "batch1", "units"], ["wanted"], axis=0),
        helper.make_node("ConstantOfShape", ["wanted"], ["h0"]),
        node,
        helper.make_node("Squeeze", ["y", "axis"], ["y1"]),
        helper.make_node("Transpose", ["y1"], ["y2"], perm=[1, 0, 2]),
        helper.make_node("Gather", ["y2", "last"], ["y3"], axis=1),
        helper.make_node("MatMul", ["y3", "out"], ["y4"]),
        helper.make_node("Add", ["more", "y4"], ["z"]),
    ]
    made = graph(nodes, {"x": ["b", "t", F]}, ["z"], constants)
    model = load(made)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "LSTM", "Operator", "Dense"]
    np.testing.assert_allclose(model(X), reference(made, {"x": X})[0], rtol=0, atol=1e-6)


def test_reshaping_is_followed():
    pytest.importorskip("onnxruntime")
    node, constants = recurrent(D=2, direction="bidirectional")
    constants |= {"join": np.array([0, 0, -1]), "rows": np.array([-1, 2 * H]), "split": np.array([T, 2, H, 2])}
    nodes = [
        node,
        helper.make_node("Transpose", ["y"], ["y1"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["y1", "join"], ["a"]),  # (T, B, 2H)
        helper.make_node("Reshape", ["a", "rows"], ["rows_"]),  # (T*B, 2H)
        helper.make_node("Relu", ["rows_"], ["r"]),
        helper.make_node("Reshape", ["r", "split"], ["s"]),  # (T, B, H, 2): other numbers together
        helper.make_node("Transpose", ["s"], ["z"], perm=[1, 2, 3, 0]),
    ]
    made = graph(nodes, {"x": [T, 2, F]}, ["a", "z"], constants)
    a, z = reference(made, {"x": X.swapaxes(0, 1)})
    found = load(made)(X)
    np.testing.assert_allclose(found["a"], a.swapaxes(0, 1), rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["z"], z, rtol=0, atol=1e-6)


NODE, WEIGHTS = recurrent()
SAME = helper.make_node("Identity", ["c"], ["z"])


def changed(**options):
    node, constants = recurrent(**options)
    return graph([node], {"x": [T, 2, F]}, ["y"], constants)


def simple(kind, *inputs, constants=(), shape=("b", T, F), opset=22, **options):
    node = helper.make_node(kind, ["x", *inputs], ["z"], **options)
    return graph([node], {"x": list(shape)}, ["z"], constants, opset, infer=False)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: changed(clip=1.0), "clips"),
        (lambda: changed(input_forget=1), "couples input and forget gate"),
        (lambda: changed(activations=["Sigmoid", "Tanh", "Relu"]), "on the way out"),
        (lambda: changed(activations=["ScaledTanh", "Tanh", "Tanh"], activation_alpha=[1.0]), "ScaledTanh"),
        (lambda: changed(activations=["LeakyRelu", "Tanh", "Tanh"]), "LeakyRelu"),
        (lambda: changed(activations=["Tanh"]), "has 1 activations, expected 3"),
        (lambda: changed(kind="GRU"), r"weights W are float32 \(1, 8, 3\), expected float32 \(1, 6, 3\)"),
        (lambda: changed(direction="bidirectional"), r"expected float32 \(2, "),
        (lambda: graph([NODE], {"x": [T, 2, F], "W": [1, 8, F]}, ["y"], dict(list(WEIGHTS.items())[1:])), "are inputs"),
        (lambda: graph([NODE], {"x": [T, 2, F + 1]}, ["y"], WEIGHTS), "has 4 features, its weights 3"),
        (lambda: simple("Erf"), "the operator has no equal here"),
        (lambda: simple("Softmax", axis=0), "the batch axis; samples must stay apart"),
        (lambda: simple("Squeeze"), "must name them"),
        (lambda: simple("Squeeze", "a", constants={"a": np.array([1])}), "whose size is 4"),
        (lambda: simple("Clip"), "clips to"),
        (lambda: simple("Add", "c", constants={"c": np.ones((2, 1, 1), "f")}), "differs from sample to sample"),
        (lambda: simple("MatMul", "c", constants={"c": np.ones((F, 2, 2), "f")}), "a matrix is expected"),
        (lambda: simple("Reshape", "s", constants={"s": np.array([-1, 7])}), "size 7 cannot be made"),
        (lambda: simple("Reshape", "s", constants={"s": np.array([F, T, -1])}), "cannot be made|the batch"),
        (lambda: simple("Slice", "a", "e", constants={"a": np.array([0]), "e": np.array([1])}), "slices the batch"),
        (lambda: simple("Relu", opset=6), "opset 6"),
        (lambda: graph([SAME], {"x": [2]}, ["z"], {"c": WEIGHTS["B"]}), "is a constant"),
        (lambda: graph([SAME], {}, ["z"], {"c": WEIGHTS["B"]}), "no inputs"),
    ],
)  # fmt: skip
def test_what_has_no_equal_here_is_named(made, message):
    with pytest.raises(ValueError, match=message):
        load(made())


def test_batches_stay_batches():
    """A batch that was written as one sample may be any here, and is never mixed up with time."""
    node, constants = recurrent()
    made = graph([node], {"x": [T, 1, F]}, ["y"], constants)
    assert load(made).input_shape == (None, T, F)
    again = graph([node, recurrent()[0]], {"x": [T, 1, F]}, ["y"], constants)
    again.graph.node[1].output[0] = "y2"
    again.graph.node[1].input[0] = "xt"
    again.graph.node.insert(1, helper.make_node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]))
    with pytest.raises(ValueError, match="laid out otherwise"):
        load(again)
