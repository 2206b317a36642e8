"""Where the parameters of a layer or a model come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnn_ref.guard import guarded
from rnn_ref.layers.layer import Layer

if TYPE_CHECKING:
    from rnn_ref.inspection.derivation import Derivation


@guarded
def derive_parameters(layer: Layer) -> Derivation:
    """Derive the number of parameters: a formula in symbols with named terms, the numbers inserted, and the total.

    Parameters
    ----------
    layer : Layer, cell or model
        Built: called on data, or with a known input shape.

    Returns
    -------
    Derivation
        Prints as text, and as tables in a notebook. ``formula`` (SymPy), ``terms``, ``total``, ``latex``;
        ``multiplications`` of one step and ``state_bytes`` of one sample; ``elsewhere`` has the counts of Keras,
        PyTorch and cuDNN and why they differ; ``parts`` has the layers inside, also by name: ``derivation["lstm"]``.

    Raises
    ------
    ImportError
        Without SymPy.
    ValueError
        The layer, or one in it, is not built.

    Examples
    --------
    >>> import rnn_ref
    >>> rnn_ref.derive_parameters(rnn_ref.layers.SimpleRNN(64, input_shape=(10, 5), name="rnn"))
    rnn (SimpleRNN): F = 5 input features, H = 64 units
    <BLANKLINE>
    weight            shape  numbers  parameters
    kernel            F × H  5 × 64          320
    recurrent kernel  H × H  64 × 64       4,096
    bias              H      64               64
    total                                  4,480
    <BLANKLINE>
    parameters = H·(F + H + 1)
               = 64·(5 + 64 + 1)
               = 4,480
    ...
    """
    try:
        from rnn_ref.inspection.parameter_rules import derive
    except ModuleNotFoundError as error:
        if error.name != "sympy":
            raise
        raise ImportError(
            "derive_parameters writes its formulas with SymPy, which is not installed: pip install sympy, "
            "or install rnn_ref as 'rnn-ref[notebooks]'."
        ) from None
    if not isinstance(layer, Layer):
        raise TypeError(f"derive_parameters takes a layer or a model, got {type(layer).__name__}.")
    unbuilt = [each for each in with_inner_layers(layer) if not each.built and each is not layer]
    if not layer.built or unbuilt:
        which = layer.name if not layer.built else f"{layer.name}: the layer {unbuilt[0].name} inside"
        raise ValueError(
            f"{which} is not built, so its weights have no sizes yet: call it on data, or give it an input shape."
        )
    return derive(layer)


def with_inner_layers(layer: Layer):
    """A layer and all layers inside it."""
    yield layer
    inside = list(layer.sublayers())
    if "cell" in layer.__dict__:
        inside.append(layer.cell)
    for each in inside:
        yield from with_inner_layers(each)
