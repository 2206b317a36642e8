"""PyTorch's modules here and back: outputs and weights, against PyTorch itself."""

import io

import numpy as np
import pytest

import rnn_ref
from rnn_ref.interop import torch as interop
from rnn_ref.layers import GRU, LSTM, Bidirectional, Dense, Dropout, Embedding, SimpleRNN

torch = pytest.importorskip("torch")
nn = torch.nn
F = 3


def module(kind: str, seed: int = 0, **options):
    torch.manual_seed(seed)
    made = getattr(nn, kind)(**options).eval()
    for parameter in made.parameters():  # biases too are no near-zero numbers
        nn.init.uniform_(parameter, -0.8, 0.8)
    return made


def run(made, x, h=None):
    with torch.no_grad():
        outputs, states = made(torch.from_numpy(x), h)
    return outputs.numpy(), states


def outputs(layers, x):
    for layer in layers:
        x = layer(x)
    return x


def draw(seed: int) -> dict:
    g = np.random.default_rng(seed)
    kind = ("RNN", "LSTM", "GRU")[g.integers(3)]
    return {
        "kind": kind,
        "input_size": int(g.integers(1, 5)),
        "hidden_size": int(g.integers(1, 5)),
        "num_layers": int(g.integers(1, 4)),
        "bias": bool(g.random() < 0.75),
        "bidirectional": bool(g.random() < 0.5),
        "dropout": float(g.choice([0, 0.3])),
        "batch_first": True,
        "dtype": (torch.float32, torch.float64)[int(g.random() < 0.25)],
        **({"nonlinearity": str(g.choice(["tanh", "relu"]))} if kind == "RNN" else {}),
    }


def check_round_trip(seed: int) -> None:
    """There and back: weights bit for bit where both sides hold the same numbers, outputs to 1e-6."""
    options = draw(seed)
    kind = options.pop("kind")
    if options["num_layers"] == 1:
        options["dropout"] = 0.0
    there = module(kind, seed, **options)
    dtype = "float64" if options["dtype"] is torch.float64 else "float32"
    x = np.random.default_rng(seed).standard_normal((2, 4, options["input_size"])).astype(dtype)
    here = interop.from_module(there)
    expected, _ = run(there, x)
    scale = np.abs(expected).max() + 1e-30
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    assert np.abs(outputs(here, x) - expected).max() <= tolerance * scale, options
    back = interop.to_module(here).eval()
    assert (back.num_layers, back.bidirectional, back.dropout) == (
        there.num_layers,
        there.bidirectional,
        there.dropout,
    )
    old, new = there.state_dict(), back.state_dict()
    assert list(old) == list(new)
    for name in old:
        if kind == "GRU" or "bias" not in name:
            assert torch.equal(old[name], new[name]), (name, options)
        else:
            sums = [s[name.replace("_hh", "_ih")] + s[name.replace("_ih", "_hh")] for s in (old, new)]
            assert torch.equal(*sums), (name, options)
    assert np.abs(run(back, x)[0] - expected).max() <= tolerance * scale, options


@pytest.mark.parametrize("seed", range(8))
def test_there_and_back(seed):
    check_round_trip(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_there_and_back_300_random_models(seed):
    check_round_trip(seed)


def test_final_states_are_those_of_pytorch():
    there = module("LSTM", input_size=F, hidden_size=4, bidirectional=True, batch_first=True)
    x = np.random.default_rng(0).standard_normal((2, 5, F)).astype("float32")
    (layer,) = interop.from_module(there, return_state=True)
    y, *states = layer(x)
    expected, (h, c) = run(there, x)
    for found, wanted in zip([y, *states], [expected, h[0], c[0], h[1], c[1]]):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6)
    (last,) = interop.from_module(there, return_sequences=False)
    np.testing.assert_allclose(last(x), np.concatenate([h[0], h[1]], axis=-1), rtol=0, atol=2e-6)


def test_embedding_and_linear():
    words, out = module("Embedding", num_embeddings=7, embedding_dim=F), module("Linear", in_features=F, out_features=2)
    model = rnn_ref.Sequential([*interop.from_module(words), *interop.from_module(out)])
    tokens = np.array([[1, 6, 0]])
    with torch.no_grad():
        expected = out(words(torch.from_numpy(tokens))).numpy()
    np.testing.assert_allclose(model(tokens), expected, rtol=0, atol=1e-6)
    for layer, there in zip(model.layers, (words, out)):
        for name, array in interop.to_state_dict(layer).items():
            np.testing.assert_array_equal(array, there.state_dict()[name].numpy())
        back = interop.to_module(layer).state_dict()
        assert all(torch.equal(back[name], tensor) for name, tensor in there.state_dict().items())


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(9, 4)
        self.gru = nn.GRU(4, 3, num_layers=2, bidirectional=True, batch_first=True)
        self.out = nn.Linear(6, 2)

    def forward(self, tokens):
        return self.out(self.gru(self.words(tokens))[0])


def as_model(state):
    return rnn_ref.Sequential(
        [
            *interop.from_state_dict(state, "words", kind="Embedding"),
            *interop.from_state_dict(state, "gru"),
            *interop.from_state_dict(state, "out."),
        ]
    )


def test_a_model_by_its_names(tmp_path):
    from safetensors.torch import save_file

    torch.manual_seed(0)
    net, tokens = Net(), np.array([[1, 2, 8, 0]])
    path = tmp_path / "net.safetensors"
    save_file(net.state_dict(), path)
    expected = net(torch.from_numpy(tokens)).detach().numpy()
    for state in (net, net.state_dict(), {k: v.numpy() for k, v in net.state_dict().items()}, path, str(path)):
        assert interop.find_modules(state) == {"words": "Embedding or Linear", "gru": "GRU", "out": "Linear"}
        np.testing.assert_allclose(as_model(state)(tokens), expected, rtol=0, atol=1e-6)
    # What was trained here goes back by the same names.
    model = as_model(path)
    words, *stack, out = model.layers
    state = (
        interop.to_state_dict(words, "words") | interop.to_state_dict(stack, "gru") | interop.to_state_dict(out, "out")
    )
    assert list(state) == list(net.state_dict())
    net.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    seen = rnn_ref.trace(model, tokens)
    assert seen[f"{stack[0].name}/{stack[0].forward_layer.name}"].gates["update"].shape == (1, 4, 3)


def test_weights_into_layers_that_are_there():
    there = module("LSTM", input_size=F, hidden_size=2, num_layers=2, batch_first=True)
    model = rnn_ref.Sequential([LSTM(2, return_sequences=True, input_shape=(None, F)), LSTM(2, return_sequences=True)])
    interop.load_state_dict(model, there)
    x = np.random.default_rng(0).standard_normal((2, 3, F)).astype("float32")
    np.testing.assert_allclose(model(x), run(there, x)[0], rtol=0, atol=1e-6)
    before = model.get_weights()
    other = module("LSTM", input_size=F, hidden_size=2, num_layers=1, batch_first=True)
    with pytest.raises(ValueError, match="bias_hh_l1 has shape none"):
        interop.load_state_dict(model, other)
    with pytest.raises(ValueError, match=r"expected nn\.LSTM"):
        interop.load_state_dict(model, module("GRU", input_size=F, hidden_size=2))
    assert all(map(np.array_equal, before, model.get_weights()))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_as_many_parameters_as_the_derivation_says(kind):
    layer = interop.LAYERS[kind](4, input_shape=(None, F))
    count = sum(array.size for array in interop.to_state_dict(layer).values())
    assert count == rnn_ref.derive_parameters(layer).elsewhere["PyTorch"].total
    assert count == sum(p.numel() for p in getattr(nn, kind)(F, 4).parameters())


def test_dropout_stands_between_the_layers():
    there = nn.GRU(F, 2, num_layers=3, dropout=0.25).double()
    layers = interop.from_module(there)
    assert [type(layer).__name__ for layer in layers] == ["GRU", "Dropout", "GRU", "Dropout", "GRU"]
    assert layers[1].rate == 0.25
    assert {layer.dtype for layer in layers} == {"float64"}


def test_half_precision_becomes_float32():
    for dtype in (torch.float16, torch.bfloat16):
        there = nn.Linear(2, 1).to(dtype)
        (layer,) = interop.from_module(there)
        assert layer.dtype == "float32"
        np.testing.assert_array_equal(layer.get_weights()[0].T, there.weight.detach().float().numpy())


class Changed(nn.LSTM):
    def forward(self, x):
        return super().forward(2 * x)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: nn.LSTM(3, 4, proj_size=2), "proj_size"),
        (lambda: nn.Embedding(4, 2, max_norm=1.0), "max_norm"),
        (lambda: nn.Conv1d(2, 2, 1), "got Conv1d"),
        (lambda: nn.LSTMCell(2, 2), "got LSTMCell"),
        (Net, "Of a model give a part"),
        (lambda: Changed(2, 2), "forward of its own"),
    ],
)
def test_modules_that_have_no_equal_here(made, message):
    with pytest.raises(ValueError, match=message):
        interop.from_module(made())


SEQ = {"return_sequences": True, "input_shape": (None, F)}


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: GRU(2, reset_after=False, **SEQ), "reset_after=False"),
        (lambda: LSTM(2, recurrent_activation="hard_sigmoid", **SEQ), "recurrent_activation='hard_sigmoid'"),
        (lambda: SimpleRNN(2, activation="elu", **SEQ), "tanh or relu only"),
        (lambda: LSTM(2, go_backwards=True, **SEQ), "go_backwards"),
        (lambda: Bidirectional(LSTM(2, **SEQ), merge_mode="sum"), "merge_mode='sum'"),
        (lambda: [LSTM(2, **SEQ), GRU(2, return_sequences=True, input_shape=(None, 2))], "kind is GRU"),
        (lambda: [LSTM(2, **SEQ), LSTM(3, return_sequences=True, input_shape=(None, 2))], "units is 3"),
        (lambda: [LSTM(2, **SEQ), LSTM(2, input_shape=(None, 5))], "reads 5 features"),
        (lambda: [LSTM(2, **SEQ), Dropout(0.5)], "drops between all"),
        (lambda: Embedding(3, 2, mask_zero=True, input_length=4), "mask_zero"),
        (lambda: Dense(2, "relu", input_shape=(3,)), "activation='relu'"),
        (lambda: [Dense(2, input_shape=(3,)), Dense(2, input_shape=(2,))], "different modules"),
        (lambda: LSTM(2), "has no weights yet"),
        (lambda: rnn_ref.layers.Conv1D(2, 1, input_shape=(4, 3)), "got Conv1D"),
        (lambda: [], "no layer with weights"),
    ],
)
def test_layers_that_pytorch_does_not_have(made, message):
    with pytest.raises(ValueError, match=message):
        interop.to_state_dict(made())


class Reader(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.words = nn.Embedding(9, 4)
        self.memory = getattr(nn, kind)(4, 3, **options)
        self.out = nn.Linear(3 * (1 + self.memory.bidirectional), 2)

    def forward(self, tokens):
        y, _ = self.memory(self.words(tokens))
        return torch.softmax(self.out(torch.relu(y[:, -1] if self.memory.batch_first else y[-1])), -1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("kind", "options"),
    [("LSTM", {"batch_first": True}), ("GRU", {"num_layers": 2, "bidirectional": True}), ("RNN", {})],
)
def test_what_pytorch_exports_to_onnx(kind, options):
    """As its TorchScript exporter writes it; the other one unrolls an nn.RNN."""
    pytest.importorskip("onnx")
    torch.manual_seed(0)
    net, file = Reader(kind, **options).eval(), io.BytesIO()
    tokens = torch.tensor([[1, 8, 0], [2, 3, 4]])
    given = tokens if net.memory.batch_first else tokens.T.contiguous()
    axes = dict(enumerate(("batch", "time") if net.memory.batch_first else ("time", "batch")))
    torch.onnx.export(net, (given,), file, dynamo=False, input_names=["tokens"], dynamic_axes={"tokens": axes})
    model = rnn_ref.interop.onnx.load(file.getvalue())
    np.testing.assert_allclose(model(tokens.numpy()), net(given).detach().numpy(), rtol=0, atol=1e-6)
    recurrent = [layer for layer in model.layers if isinstance(layer, (SimpleRNN, LSTM, GRU, Bidirectional))]
    assert len(recurrent) == options.get("num_layers", 1)
