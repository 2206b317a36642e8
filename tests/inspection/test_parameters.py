"""Derived parameter counts against count_params, published numbers, PyTorch, and weights counted one by one."""

import builtins
import subprocess
import sys

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import rnn_ref
from rnn_ref import Input, Model, Sequential, derive_parameters, layers
from rnn_ref.equations import gru, lstm, simple_rnn
from rnn_ref.inspection.parameter_rules import RULES
from rnn_ref.layers.symbolic import entries


class Leaky(layers.Layer):
    """A cell of its own: a matrix and a rate."""

    state_size = 3

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 3), name="kernel")
        self.rate = self.add_weight((), "ones", name="rate")

    def call(self, inputs, states):
        h = states[0] * 0.5 + inputs @ self.kernel.value
        return h, [h]


class Mixture(layers.Layer):
    """Weights of its own and a layer inside."""

    def __init__(self):
        super().__init__(name="mixture")
        self.dense = layers.Dense(4)
        self.dense.ensure_built((None, 7))

    def build(self, input_shape):
        self.add_weight((7, 2), name="mix")

    def sublayers(self):
        return [self.dense]


SEQUENCE, PAIR = (2, 6, 5), [(2, 6, 5), (2, 6, 5)]

# Every layer there is, with the shape it is built on.
LAYERS = {
    "Activation": [(layers.Activation("tanh"), SEQUENCE)],
    "ActivityRegularization": [(layers.ActivityRegularization(0.1), SEQUENCE)],
    "Add": [(layers.Add(), PAIR)],
    "AdditiveAttention": [(layers.AdditiveAttention(use_scale=scale), PAIR) for scale in (True, False)],
    "Attention": [
        (layers.Attention(use_scale=scale, score_mode=mode), PAIR)
        for scale in (True, False)
        for mode in ("dot", "concat")
    ],
    "Average": [(layers.Average(), PAIR)],
    "AveragePooling1D": [(layers.AveragePooling1D(2), SEQUENCE)],
    "BatchNormalization": [
        (layers.BatchNormalization(center=center, scale=scale), SEQUENCE)
        for center in (True, False)
        for scale in (True, False)
    ],
    "Conv1D": [(layers.Conv1D(4, 3, use_bias=bias), SEQUENCE) for bias in (True, False)],
    "ELU": [(layers.ELU(), SEQUENCE)],
    "GroupNormalization": [(layers.GroupNormalization(5), SEQUENCE)],
    "Identity": [(layers.Identity(), SEQUENCE)],
    "LeakyReLU": [(layers.LeakyReLU(), SEQUENCE)],
    "MaxPooling1D": [(layers.MaxPooling1D(2), SEQUENCE)],
    "MultiHeadAttention": [(layers.MultiHeadAttention(2, 3, use_bias=bias), PAIR) for bias in (True, False)],
    "PReLU": [(layers.PReLU(), SEQUENCE)],
    "RMSNormalization": [(layers.RMSNormalization(), SEQUENCE)],
    "ReLU": [(layers.ReLU(), SEQUENCE)],
    "Softmax": [(layers.Softmax(), SEQUENCE)],
    "UnitNormalization": [(layers.UnitNormalization(), SEQUENCE)],
    "Bidirectional": [
        (layers.Bidirectional(layers.LSTM(4)), SEQUENCE),
        (layers.Bidirectional(layers.GRU(4), backward_layer=layers.SimpleRNN(4, go_backwards=True)), SEQUENCE),
        (layers.Bidirectional(layers.LSTM(4), backward_layer=layers.LSTM(3, go_backwards=True)), SEQUENCE),
    ],
    "Concatenate": [(layers.Concatenate(), PAIR)],
    "CustomCell": [(layers.CustomCell(Leaky()), (2, 5))],
    "Dense": [(layers.Dense(4, use_bias=bias), SEQUENCE) for bias in (True, False)],
    "Dot": [(layers.Dot(1), PAIR)],
    "Dropout": [(layers.Dropout(0.5), SEQUENCE)],
    "Embedding": [(layers.Embedding(20, 4), (2, 6))],
    "Flatten": [(layers.Flatten(), SEQUENCE)],
    "GRU": [
        (layers.GRU(4, reset_after=after, use_bias=bias), SEQUENCE) for after in (True, False) for bias in (True, False)
    ],
    "GRUCell": [(layers.GRUCell(4, reset_after=after), (2, 5)) for after in (True, False)],
    "GaussianNoise": [(layers.GaussianNoise(0.1), SEQUENCE)],
    "GlobalAveragePooling1D": [(layers.GlobalAveragePooling1D(), SEQUENCE)],
    "GlobalMaxPooling1D": [(layers.GlobalMaxPooling1D(), SEQUENCE)],
    "InputLayer": [(layers.InputLayer(SEQUENCE[1:]), SEQUENCE)],
    "LSTM": [(layers.LSTM(4, use_bias=bias), SEQUENCE) for bias in (True, False)],
    "LSTMCell": [(layers.LSTMCell(4), (2, 5))],
    "Lambda": [(layers.Lambda(np.tanh), SEQUENCE)],
    "Layer": [(Mixture(), SEQUENCE)],
    "LayerNormalization": [
        (layers.LayerNormalization(axis, center=center, scale=scale), SEQUENCE)
        for axis in (-1, [1, 2])
        for center in (True, False)
        for scale in (True, False)
    ],
    "Masking": [(layers.Masking(), SEQUENCE)],
    "Maximum": [(layers.Maximum(), PAIR)],
    "Minimum": [(layers.Minimum(), PAIR)],
    "Multiply": [(layers.Multiply(), PAIR)],
    "Permute": [(layers.Permute((2, 1)), SEQUENCE)],
    "RNN": [
        (layers.RNN(layers.LSTMCell(4)), SEQUENCE),
        (layers.RNN([layers.LSTMCell(4), layers.GRUCell(3), layers.LSTMCell(4)]), SEQUENCE),
        (layers.RNN(Leaky()), SEQUENCE),
        (layers.RNN([Leaky(), layers.SimpleRNNCell(2)]), SEQUENCE),
    ],
    "RepeatVector": [(layers.RepeatVector(3), (2, 5))],
    "Reshape": [(layers.Reshape((5, 6)), SEQUENCE)],
    "SimpleRNN": [(layers.SimpleRNN(4, use_bias=bias), SEQUENCE) for bias in (True, False)],
    "SimpleRNNCell": [(layers.SimpleRNNCell(4), (2, 5))],
    "SpatialDropout1D": [(layers.SpatialDropout1D(0.5), SEQUENCE)],
    "StackedRNNCells": [(layers.StackedRNNCells([layers.GRUCell(4), layers.GRUCell(4)]), (2, 5))],
    "Subtract": [(layers.Subtract(), PAIR)],
    "TimeDistributed": [
        (layers.TimeDistributed(layers.Dense(4)), SEQUENCE),
        (layers.TimeDistributed(layers.Bidirectional(layers.LSTM(2))), (2, 3, 6, 5)),
    ],
    "Wrapper": [(layers.Wrapper(layers.Dense(4)), SEQUENCE)],
}  # fmt: skip
# Layers whose parameters are counted without a rule of their own, one weight after the other.
GENERIC = {"Layer", "PReLU"}


def layer_classes():
    return {
        value.__name__: value
        for value in vars(layers).values()
        if isinstance(value, type) and issubclass(value, layers.Layer)
    }


def weight_count(layer):
    """Entries of the arrays themselves."""
    return sum(np.size(array) for array in layer.get_weights())


def test_every_layer_is_tested():
    assert set(LAYERS) == set(layer_classes())


@pytest.mark.parametrize("name", LAYERS)
def test_totals_agree_with_count_params(name):
    for layer, shape in LAYERS[name]:
        layer.ensure_built(shape)
        found = derive_parameters(layer)
        assert found.total == layer.count_params() == weight_count(layer)
        assert sum(term.count for term in found.terms) == found.total
        assert found.formula.subs(found.values) == found.total
        assert sum((term.formula for term in found.terms), sympy.Integer(0)).subs(found.values) == found.total
        assert f"{found.total:,}" in found.text
        assert f"{found.total:,}" in found._repr_html_()


@pytest.mark.parametrize("name", [name for name in LAYERS if name not in GENERIC])
def test_layers_with_weights_have_a_rule(name):
    kind = layer_classes()[name]
    if any(weight_count(layer) for layer, shape in LAYERS[name] if layer.ensure_built(shape) is None):
        assert any(issubclass(kind, ruled) and kind.build is ruled.build for ruled in RULES), (
            f"{name} has weights; write its terms in rnn_ref/inspection/parameter_rules.py"
        )


@given(F=st.integers(1, 300), H=st.integers(1, 300), use_bias=st.booleans(), reset_after=st.booleans())
def test_formulas_by_hand(F, H, use_bias, reset_after):
    b = int(use_bias)
    counts = {
        layers.SimpleRNN: F * H + H * H + b * H,
        layers.LSTM: 4 * (F * H + H * H + b * H),
        layers.GRU: 3 * (F * H + H * H + b * (1 + reset_after) * H),
    }
    for kind, expected in counts.items():
        options = {"reset_after": reset_after} if kind is layers.GRU else {}
        found = derive_parameters(kind(H, use_bias=use_bias, kernel_initializer="zeros",
                                       recurrent_initializer="zeros", input_shape=(1, F), **options))  # fmt: skip
        assert found.total == expected
        assert found.elsewhere["Keras"].total == expected


@pytest.mark.parametrize(("kind", "expected"), [("SimpleRNN", 4480), ("LSTM", 17920), ("GRU", 13632)])
def test_published_counts(kind, expected):
    layer = getattr(layers, kind)(64, input_shape=(10, 5))
    assert derive_parameters(layer).total == expected
    model = Sequential([layer, layers.Dense(1)])
    assert derive_parameters(model).total == expected + 65  # 4545, 17985, 13697


def test_published_count_of_a_stack():
    model = Sequential([layers.LSTM(64, return_sequences=True, input_shape=(10, 5)), layers.LSTM(32), layers.Dense(1)])
    found = derive_parameters(model)
    assert found.total == 30369
    assert [part.total for part in found.parts] == [17920, 12416, 33]
    assert "17,920 + 12,416 + 33" in found.text


def test_terms_are_named_and_belong_to_gates():
    layer = layers.LSTM(64, input_shape=(10, 5))
    found = derive_parameters(layer)
    assert {term.name: (term.sizes, term.gates) for term in found.terms} == {
        "kernel": ((5, 64), ("input", "forget", "candidate", "output")),
        "recurrent kernel": ((64, 64), ("input", "forget", "candidate", "output")),
        "bias": ((64,), ("input", "forget", "candidate", "output")),
    }
    for name, weights in layer.gate_weights().items():
        assert found.gates[name] == sum(array.size for array in weights)
    F, H = sympy.symbols("F H", integer=True, positive=True)
    assert sympy.expand(found.formula - 4 * (F * H + H**2 + H)) == 0


def test_gru_has_two_biases_with_reset_after():
    found = derive_parameters(layers.GRU(3, input_shape=(None, 2)))
    assert [term.name for term in found.terms] == ["kernel", "recurrent kernel", "input bias", "recurrent bias"]
    assert found.elsewhere["Keras, reset_after=False"].total == found.total - 9
    other = derive_parameters(layers.GRU(3, reset_after=False, input_shape=(None, 2)))
    assert other.elsewhere["Keras"].total == other.total == found.total - 9
    assert other.elsewhere["Keras, reset_after=True"].total == found.total


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_counts_of_pytorch(kind, use_bias):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    module = getattr(torch.nn, kind.removeprefix("Simple"))

    def theirs(**options):
        return sum(p.numel() for p in module(5, 7, bias=use_bias, **options).parameters())

    layer = getattr(layers, kind)(7, use_bias=use_bias)
    one = Sequential([Input((3, 5)), layer])
    both = Sequential([Input((3, 5)), layers.Bidirectional(layer)])
    cell = getattr(layers, f"{kind}Cell")(7, use_bias=use_bias)
    cell.ensure_built((2, 5))
    assert derive_parameters(layer).elsewhere["PyTorch"].total == theirs()
    assert derive_parameters(one).elsewhere["PyTorch"].total == theirs()
    assert derive_parameters(both).elsewhere["PyTorch"].total == theirs(bidirectional=True)
    own = getattr(torch.nn, f"{kind.removeprefix('Simple')}Cell")(5, 7, bias=use_bias)
    assert derive_parameters(cell).elsewhere["PyTorch"].total == sum(p.numel() for p in own.parameters())


def test_a_model_with_a_shared_layer_counts_it_once():
    x, shared = Input((6, 5)), layers.LSTM(4, name="shared")
    inner = Sequential([Input((4,)), layers.Dense(3)], name="inner")
    y = layers.Add()([inner(shared(x)), layers.Dense(3)(shared(x))])
    apart = layers.TimeDistributed(layers.Dense(4, name="twice"))
    model = Model(x, [y, apart(x), layers.TimeDistributed(apart.layer)(x)])
    found = derive_parameters(model)
    assert found.total == model.count_params() == weight_count(model)
    assert found["inner"].total == 15
    with pytest.raises(KeyError, match="shared"):
        found["nothing"]


def test_symbols_are_numbered_where_sizes_differ():
    found = derive_parameters(layers.RNN([layers.LSTMCell(8), layers.GRUCell(4)], input_shape=(3, 5)))
    assert {str(symbol): value for symbol, value in found.values.items()} == {"F_1": 5, "F_2": 8, "H_1": 8, "H_2": 4}
    same = derive_parameters(layers.Bidirectional(layers.LSTM(64), input_shape=(10, 5)))
    assert str(same.formula) == "8*H*(F + H + 1)"


class Counting:
    """A number that counts how often one of its kind is multiplied."""

    products = 0

    def __init__(self, value=0):
        pass

    def __mul__(self, other):
        Counting.products += 1
        return self

    def __add__(self, other):
        return self

    __sub__ = __add__


@pytest.mark.parametrize(
    ("kind", "equations", "steps"),
    [
        ("SimpleRNN", simple_rnn, {"forward": 1}),
        ("LSTM", lstm, {"forward": 5}),
        ("GRU", gru, {"forward": 3, "reset_projection": 3}),
        ("GRU, reset_after=False", gru, {"forward": 3, "reset_state": 2}),
    ],
)
def test_multiplications_are_those_of_the_equations(monkeypatch, kind, equations, steps):
    """The equations themselves run on counting numbers; in the matrix products every weight is used once a step."""
    monkeypatch.setattr(equations, "activate", lambda code, z: z)
    monkeypatch.setattr(Counting, "products", 0)
    for step, numbers in steps.items():
        function = getattr(equations, step)
        function = getattr(function, "py_func", function)
        codes = [None] * (function.__code__.co_argcount - numbers)
        function(*(Counting() for _ in range(numbers)), *codes)
    options = {"reset_after": False} if "reset_after" in kind else {}
    layer = getattr(layers, kind.partition(",")[0])(7, input_shape=(None, 5), **options)
    expected = layer.kernel.size + layer.recurrent_kernel.size + 7 * Counting.products
    assert derive_parameters(layer).multiplications == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "make",
    [
        lambda dtype: layers.LSTM(7, dtype=dtype, return_state=True),
        lambda dtype: layers.GRU(7, dtype=dtype, return_state=True),
        lambda dtype: layers.RNN([layers.LSTMCell(7), layers.GRUCell(4)], dtype=dtype, return_state=True),
        lambda dtype: layers.RNN(Leaky(), dtype=dtype, return_state=True),
        lambda dtype: layers.Bidirectional(layers.LSTM(3, dtype=dtype, return_state=True)),
    ],
)
def test_bytes_of_the_states_that_come_back(make, dtype):
    layer = make(dtype)
    _, *states = layer(np.ones((1, 2, 5)))
    assert derive_parameters(layer).state_bytes == sum(state.nbytes for state in entries(states))


def test_an_unknown_length_leaves_multiplications_open():
    layer = layers.Attention()
    layer.ensure_built([(None, None, 4), (None, None, 3), (None, None, 4)])
    found = derive_parameters(layer)
    assert found.multiplications is None
    assert str(found.multiplication_formula) == "D*S + H*S"


def test_numbers_stand_where_the_symbols_stood():
    found = derive_parameters(layers.LSTM(64, input_shape=(None, 64)))  # F = H: nothing may be added up
    assert "4·64·(64 + 64 + 1)" in found.text
    assert r"4 \cdot 64 \cdot \left(64 + 64 + 1\right)" in found.latex
    assert found._repr_latex_().startswith("$$")
    assert r"\text{recurrent kernel}" in found.latex


def test_latex_is_typeset_by_matplotlib():
    """Matplotlib's parser is not ours: it refuses what is not LaTeX."""
    from matplotlib.mathtext import MathTextParser

    found = derive_parameters(layers.Bidirectional(layers.GRU(6), input_shape=(None, 3), name="both_ways"))
    body = found.latex.removeprefix("\\begin{aligned}").removesuffix("\\end{aligned}").replace("&", "")
    lines = [line.strip() for line in body.split("\\\\") if "underbrace" not in line]
    assert len(lines) == 3
    for line in lines:
        MathTextParser("agg").parse(f"${line}$")


def test_html_escapes_names():
    layer = layers.Dense(2, input_shape=(3,), name="<b>&")
    assert "&lt;b&gt;&amp;" in derive_parameters(layer)._repr_html_()


def test_what_is_not_built_says_so():
    with pytest.raises(ValueError, match="lonely is not built"):
        derive_parameters(layers.LSTM(3, name="lonely"))
    with pytest.raises(ValueError, match="not built"):
        derive_parameters(Sequential([layers.LSTM(3)]))
    with pytest.raises(TypeError, match="takes a layer or a model, got ndarray"):
        derive_parameters(np.ones(3))


def test_without_sympy_the_error_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "sympy"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("formulas", "derivation", "parameter_rules", "other_frameworks"):
        monkeypatch.delitem(sys.modules, f"rnn_ref.inspection.{name}", raising=False)
    imported = builtins.__import__

    def without_sympy(name, *rest):
        if name.partition(".")[0] == "sympy":
            raise ModuleNotFoundError("No module named 'sympy'", name="sympy")
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_sympy)
    with pytest.raises(ImportError, match=r"pip install sympy"):
        derive_parameters(rnn_ref.layers.LSTM(3, input_shape=(2, 2)))


def test_sympy_is_imported_only_when_asked_for():
    code = "import sys, rnn_ref; assert 'sympy' not in sys.modules; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
