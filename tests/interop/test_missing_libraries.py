"""Without a library of the extra, what needs it says how to install it; everything else works."""

import sys

import pytest

import rnn_ref
from rnn_ref import interop, layers


def model():
    return rnn_ref.Sequential([rnn_ref.Input((None, 2)), layers.GRU(2)])


@pytest.mark.parametrize(
    ("library", "use"),
    [
        ("onnx", lambda folder: interop.onnx.export(model())),
        ("onnx", lambda folder: interop.onnx.load(b"")),
        ("safetensors", lambda folder: interop.torch.find_modules(folder / "a.safetensors")),
    ],
)
def test_the_extra_is_named(library, use, tmp_path, monkeypatch):
    (tmp_path / "a.safetensors").write_bytes(b"")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"{library}.*pip install 'rnn-ref\[interop\]'"):
        use(tmp_path)


def test_pytorch_is_needed_for_its_modules_only(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    (layer,) = model().layers
    (back,) = interop.torch.from_state_dict(interop.torch.to_state_dict(layer))
    assert type(back) is layers.GRU
    with pytest.raises(ImportError, match=r"to_module.*torch"):
        interop.torch.to_module(layer)
