"""Random recurrent models, described by plain values so that the same description builds them here and in Keras."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np

from .yardstick import keras

B, T, H = 3, 4, 3
VOCABULARY = 7
ACTIVATIONS = (
    "tanh", "sigmoid", "relu", "linear", "hard_sigmoid", "softsign", "elu", "selu", "softplus", "exponential",
    "silu", "gelu", None,
)  # fmt: skip
CELLS = ("SimpleRNN", "LSTM", "GRU")


@dataclass(frozen=True)
class Recurrent:
    """One recurrent layer. Every default is the simplest value."""

    cell: str = "SimpleRNN"
    form: str = "layer"  # LSTM(...), RNN(LSTMCell(...)), or RNN([LSTMCell(...), SimpleRNNCell(...)])
    units: int = H
    activation: str | None = "tanh"
    recurrent_activation: str | None = "sigmoid"
    use_bias: bool = True
    unit_forget_bias: bool = True
    reset_after: bool = True
    implementation: int = 2
    dropout: float = 0.0  # of no effect in inference
    recurrent_dropout: float = 0.0
    go_backwards: bool = False
    unroll: bool = False
    zero_output_for_mask: bool = False
    bidirectional: bool = False
    merge_mode: str | None = "concat"
    backward_layer: bool = False  # a layer of its own for the way back


@dataclass(frozen=True)
class Configuration:
    """A model: what stands in front, one or two recurrent layers, what stands behind."""

    dtype: str = "float32"
    steps: int = T
    front: str | None = None  # "masking", "embedding"
    mask: str | None = None  # "right", "holes": an argument, or what the front makes
    layers: tuple[Recurrent, ...] = field(default_factory=lambda: (Recurrent(),))
    return_sequences: bool = False
    return_state: bool = False
    initial_state: bool = False
    stateful: bool = False
    head: str | None = None  # "dense", "time_distributed"
    seed: int = 0

    def __str__(self):
        def told(record):
            simplest = type(record)()
            return {f.name: v for f in fields(record) if (v := getattr(record, f.name)) != getattr(simplest, f.name)}

        parts = [f"{name}={value!r}" for name, value in told(self).items() if name != "layers"]
        layers = ", ".join(f"Recurrent({', '.join(f'{n}={v!r}' for n, v in told(r).items())})" for r in self.layers)
        return f"Configuration({', '.join([*parts, f'layers=({layers},)'])})"


def draw(generator: np.random.Generator, seed: int) -> Configuration:
    """A configuration at random."""

    def choose(*values):
        return values[generator.integers(len(values))]

    def sometimes(share):
        return bool(generator.random() < share)

    def activation(usual):
        return usual if sometimes(0.5) else choose(*ACTIVATIONS)

    def recurrent():
        return Recurrent(
            cell=choose(*CELLS),
            form=choose("layer", "layer", "RNN", "stacked"),
            units=choose(2, H),
            activation=activation("tanh"),
            recurrent_activation=activation("sigmoid"),
            use_bias=not sometimes(0.2),
            unit_forget_bias=not sometimes(0.2),
            reset_after=not sometimes(0.4),
            implementation=choose(1, 2),
            dropout=choose(0.0, 0.3),
            recurrent_dropout=choose(0.0, 0.3),
            go_backwards=sometimes(0.3),
            unroll=sometimes(0.3),
            zero_output_for_mask=sometimes(0.3),
            bidirectional=sometimes(0.35),
            merge_mode=choose("concat", "sum", "mul", "ave", None),
            backward_layer=sometimes(0.3),
        )

    front = choose(None, None, "masking", "embedding")
    drawn = Configuration(
        dtype=choose("float32", "float64"),
        steps=choose(1, T, T),
        front=front,
        mask="holes" if front == "masking" else choose(None, "right", "holes"),
        layers=tuple(recurrent() for _ in range(choose(1, 1, 2))),
        return_sequences=sometimes(0.5),
        return_state=sometimes(0.3),
        initial_state=sometimes(0.3),
        stateful=sometimes(0.15),
        head=choose(None, "dense", "time_distributed"),
        seed=seed,
    )
    return sensible(drawn)


def sensible(c: Configuration) -> Configuration:
    """The nearest configuration that Keras allows and runs."""
    # Bidirectional wants a layer that reads forwards.
    c = replace(c, layers=tuple(replace(r, go_backwards=r.go_backwards and not r.bidirectional) for r in c.layers))
    last = c.layers[-1]
    if last.bidirectional and last.merge_mode is None:
        c = replace(c, head=None)
    if len(c.layers) > 1 and c.layers[0].bidirectional and c.layers[0].merge_mode is None:
        c = replace(c, layers=(replace(c.layers[0], merge_mode="concat"), *c.layers[1:]))
    if c.head == "time_distributed" and not c.return_sequences:
        c = replace(c, head="dense")
    if last.bidirectional and c.stateful:
        c = replace(c, return_state=False)  # with it, Keras 3's Bidirectional.compute_mask is a TypeError
    if c.return_state:
        c = replace(c, head=None)
    if keras.backend.backend() == "torch":
        layers = c.layers
        if c.mask:  # Keras on PyTorch takes no mask in an unrolled loop: "'tuple' object has no attribute 'shape'"
            layers = tuple(replace(r, unroll=False) for r in layers)
        if c.dtype == "float64":  # PyTorch's hard_sigmoid multiplies by a sixth in float32
            layers = tuple(
                replace(
                    r,
                    activation=_but_hard_sigmoid(r.activation),
                    recurrent_activation=_but_hard_sigmoid(r.recurrent_activation),
                )
                for r in layers
            )
        c = replace(c, layers=layers)
    elif c.mask:
        # On NumPy and JAX an unrolled loop never zeroes masked outputs, and a scan takes the initial state for the
        # output of masked steps before the first. TensorFlow and PyTorch do as rnn_ref does.
        if last.bidirectional and not c.return_sequences:  # Bidirectional then takes zero_output_for_mask back
            c = replace(c, initial_state=False, stateful=False)
        started = c.initial_state or c.stateful
        layers = [replace(r, zero_output_for_mask=r.zero_output_for_mask or started) for r in c.layers]
        layers = [replace(r, unroll=r.unroll and not (r.zero_output_for_mask or r.bidirectional)) for r in layers]
        c = replace(c, layers=tuple(layers))
    return c


def _but_hard_sigmoid(activation: str | None) -> str | None:
    return "softsign" if activation == "hard_sigmoid" else activation


def simpler(c: Configuration):
    """Configurations with one thing less than ``c``, the largest steps first."""
    if len(c.layers) > 1:
        yield from (replace(c, layers=(layer,)) for layer in c.layers)
    for name, value in asdict(Configuration()).items():
        if name not in ("layers", "seed") and getattr(c, name) != value:
            yield sensible(replace(c, **{name: value}))
    for k, layer in enumerate(c.layers):
        for name, value in asdict(Recurrent()).items():
            if getattr(layer, name) != value:
                layers = (*c.layers[:k], replace(layer, **{name: value}), *c.layers[k + 1 :])
                yield sensible(replace(c, layers=layers))


def smallest(c: Configuration, fails) -> Configuration:
    """The simplest configuration that still fails, by greedy steps."""
    for candidate in simpler(c):
        if candidate != c and fails(candidate):
            return smallest(candidate, fails)
    return c
