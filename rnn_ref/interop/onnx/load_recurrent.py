"""ONNX's RNN, LSTM and GRU as SimpleRNN, LSTM and GRU, or as Bidirectional layers of these."""

from __future__ import annotations

import numpy as np

from rnn_ref.device import xp
from rnn_ref.interop.onnx.activations import INSIDE, TAKES
from rnn_ref.interop.onnx.axes import Atom, Filled, Held, arranged, natural
from rnn_ref.interop.onnx.recurrent_weights import BLOCKS, STATES, from_onnx
from rnn_ref.layers import GRU, LSTM, Bidirectional, Concatenate, Layer, SimpleRNN
from rnn_ref.layers.layer import LayerGradients

LAYERS = {"RNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}
USUAL = {"RNN": ["Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}
DEFAULTS = {  # for alpha and beta, if a node does not give them
    "HardSigmoid": (0.2, 0.5),
    "Elu": (1.0,),
    "LeakyRelu": (0.01,),
    "Affine": (None, None),
}


class SequenceMask(Layer):
    """The mask of sequences, given how many of their first steps count.

        mask[b, t] = t < lengths[b]

    Inputs: a list of ``lengths (B,)`` and of the sequences ``(B, T, F)``, of which only T is read; output ``(B, T)``.

    Examples
    --------
    >>> SequenceMask()([np.array([1, 2]), np.zeros((2, 3, 1))])
    array([[ True, False, False],
           [ True,  True, False]])
    """

    never_builds = True

    def forward(self, x, *, training: bool = False):
        """``[lengths, sequences]`` -> ``(B, T)``, bool; the tape is empty."""
        lengths, sequences = (xp.asarray(array) for array in x)
        if lengths.ndim != 1 or len(lengths) != len(sequences):
            raise ValueError(
                f"{self.name}: expected a length for each of {len(sequences)} samples, got {lengths.shape}."
            )
        return xp.arange(sequences.shape[1]) < lengths[:, None], None

    def backward(self, tape, grads, *, input_gradient: bool = True):
        """A mask has no gradient."""
        return LayerGradients([None, None])

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[1][:2])


def recurrent(reader, node) -> None:
    """Make the layers of a node, and keep its outputs."""
    kind = node.op_type
    x, W, R, B, lengths, *states = (reader.given(node, k) for k in range(7))
    peepholes = reader.given(node, 7)
    options = reader.attributes(node, "hidden_size", "direction", "layout", "clip", "input_forget", "activations",
                                "activation_alpha", "activation_beta", "linear_before_reset")  # fmt: skip
    if options.get("clip"):
        raise ValueError(f"it clips its pre-activations (clip={options['clip']}); the layers here do not.")
    if options.get("input_forget"):
        raise ValueError("it couples input and forget gate (input_forget=1); the LSTM here does not.")
    if peepholes is not None and not (isinstance(peepholes, np.ndarray) and not peepholes.any()):
        raise ValueError("it has peepholes (P), by which gates see the cell state; the LSTM here has none.")
    direction = options.get("direction", "forward")
    if direction not in ("forward", "reverse", "bidirectional"):
        raise ValueError(f"its direction is {direction!r}.")
    D = 2 if direction == "bidirectional" else 1
    W, R, B = _checked(kind, D, W, R, B, options.get("hidden_size"))
    H = R.shape[-1]
    if not isinstance(x, Held) or x.rank != 3:
        raise ValueError("its input is no sequence (time, batch, features).")
    batch_major = options.get("layout", 0) == 1
    b, t = (0, 1) if batch_major else (1, 0)
    if x.batch != b:
        raise ValueError(f"its batch stands on axis {x.batch} of X, not on axis {b}: the input is laid out otherwise.")
    T = x.axes[t]
    sequence = arranged(x, [x.axes[b], T, x.axes[2]])
    if sequence.shape[-1] not in (None, W.shape[-1]):
        raise ValueError(f"its input has {sequence.shape[-1]} features, its weights {W.shape[-1]}.")
    wanted = [k < len(node.output) and node.output[k] in reader.used for k in range(1 + STATES[kind])]
    functions = _activations(kind, D, options)
    # If only the last hidden state is needed, that is the output.
    last_only = wanted[1] and not wanted[0] and not any(wanted[2:]) and not isinstance(lengths, Held)
    arguments = {
        "use_bias": B is not None,
        "return_sequences": wanted[0],
        "return_state": any(wanted[1:]) and not last_only,
        "go_backwards": direction == "reverse",
        "zero_output_for_mask": isinstance(lengths, Held),
        "dtype": str(W.dtype),
        "input_shape": (None, W.shape[-1]),
    }
    reset_after = bool(options.get("linear_before_reset", 0))
    if kind == "GRU":
        arguments["reset_after"] = reset_after
    if D == 1:
        layer = LAYERS[kind](H, **arguments, **functions[0], name=reader.name(node))
    else:
        inner, back = LAYERS[kind](H, **arguments, **functions[0]), None
        if functions[0] != functions[1]:
            back = LAYERS[kind](H, **(arguments | {"go_backwards": True}), **functions[1])
        layer = Bidirectional(inner, backward_layer=back, name=reader.name(node), dtype=str(W.dtype))
    call = _call_arguments(reader, node, kind, x, sequence, lengths, states[: STATES[kind]], batch_major, D)
    layer.ensure_built(sequence.shape)
    layer.set_weights(
        [w for d in range(D) for w in from_onnx(kind, W[d], R[d], None if B is None else B[d], reset_after)]
    )
    made = layer(sequence, **call)
    y, *final = made if isinstance(made, (list, tuple)) else [made]
    direction_axis = (Atom(2),) if D == 2 else ()
    units = (Atom(H),)
    features = (*direction_axis, *units)
    batch = x.axes[b]

    def placed(*inner) -> list:
        """Axes of a state ``(D, B, H)``, with the batch first under layout 1."""
        return [batch, direction_axis, *inner] if batch_major else [direction_axis, batch, *inner]

    if wanted[0]:
        y = y[:, ::-1] if direction == "reverse" else y
        if "mask" in call:
            y = y[:]  # the lengths apply to this node only: the mask ends after an index
        axes = [batch, T, direction_axis, units] if batch_major else [T, direction_axis, batch, units]
        reader.hold(node.output[0], Held(y, [batch, T, features], axes))
    if last_only:
        reader.hold(node.output[1], Held(y, [batch, features], placed(units)))
        return
    for k in range(STATES[kind]):
        if wanted[1 + k]:
            own = [final[d * STATES[kind] + k] for d in range(D)]
            state = own[0] if D == 1 else Concatenate(dtype=layer.dtype)(own)
            reader.hold(node.output[1 + k], Held(state, [batch, features], placed(units)))


def _call_arguments(reader, node, kind, x, sequence, lengths, states, batch_major: bool, D: int) -> dict:
    found: dict = {}
    if isinstance(lengths, Held):
        found["mask"] = SequenceMask()([natural(lengths)[0], sequence])
    elif lengths is not None:
        size = sequence.shape[1]
        if not isinstance(lengths, np.ndarray) or size is None or (lengths != size).any():
            raise ValueError("its sequence_lens are a constant other than the number of steps; make them an input.")
    zero = [state is None or _is_zero(state) for state in states]
    if all(zero):
        return found
    if not all(isinstance(state, Held) for state in states):
        raise ValueError("its initial states are partly a constant other than 0; make them inputs, or 0.")
    initial = [[], []]
    for state in states:
        b = 0 if batch_major else 1
        if state.rank != 3 or state.batch != b:
            raise ValueError("an initial state is not laid out as (directions, batch, units).")
        directions = state.axes[1 - b]
        if D == 1 and not directions:
            initial[0].append(arranged(state, [state.axes[b], state.axes[2]]))
            continue
        tensor, _ = natural(state)
        for d in range(D):
            initial[d].append(tensor[:, d])
    return found | {"initial_state": [*initial[0], *initial[1]]}


def _is_zero(value) -> bool:
    if isinstance(value, Filled):
        return value.value == 0
    return isinstance(value, np.ndarray) and not value.any()


def _checked(kind: str, D: int, W, R, B, hidden_size) -> tuple:
    """The weights, checked to have shapes and types that fit together."""
    for name, array in (("W", W), ("R", R), ("B", B)):
        if array is None and name == "B":
            continue
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            raise ValueError(
                f"its weights {name} are no constants; give those that are inputs as weights={{name: array}}."
            )
    G = BLOCKS[kind]
    H = R.shape[-1] if R.ndim == 3 else 0
    F = W.shape[-1] if W.ndim == 3 else 0
    shapes = {"W": (D, G * H, F), "R": (D, G * H, H), "B": (D, 2 * G * H)}
    for name, array in (("W", W), ("R", R), ("B", B)):
        if array is not None and (array.shape != shapes[name] or 0 in array.shape or array.dtype != W.dtype):
            raise ValueError(f"its weights {name} are {array.dtype} {array.shape}, expected {W.dtype} {shapes[name]}.")
    if hidden_size not in (None, H):
        raise ValueError(f"hidden_size is {hidden_size}, but its weights have {H} units.")
    return W, R, B


def _activations(kind: str, D: int, options: dict) -> list[dict]:
    """For each direction, activation and recurrent_activation by Keras's names."""
    names = list(options.get("activations") or USUAL[kind] * D)
    if len(names) != len(USUAL[kind]) * D:
        raise ValueError(f"it has {len(names)} activations, expected {len(USUAL[kind]) * D}.")
    numbers = [list(options.get(f"activation_{what}") or []) for what in ("alpha", "beta")]
    found = [_named(name, *numbers) for name in names]
    told = []
    for d in range(D):
        own = found[d * len(USUAL[kind]) : (d + 1) * len(USUAL[kind])]
        if kind == "LSTM" and own[1] != own[2]:
            raise ValueError(
                f"its candidate has {own[1]}, its cell state on the way out {own[2]}; here they are the same."
            )
        told.append({"activation": own[-1]} | ({} if kind == "RNN" else {"recurrent_activation": own[0]}))
    return told


def _named(name: str, alphas: list, betas: list) -> str:
    """Keras's name; its parameters are taken from the given ones, in order."""
    proper = next((known.name for known in INSIDE.values() if known.name.lower() == name.lower()), name)
    count = TAKES.get(proper, 0)
    pairs = list(zip((alphas, betas), DEFAULTS.get(proper, (None, None))))[:count]
    own = [given.pop(0) if given else default for given, default in pairs]
    for keras, known in INSIDE.items():
        numbers = [*known.alpha, *known.beta]
        if (
            known.name == proper
            and len(own) == len(numbers)
            and None not in own
            and np.allclose(own, numbers, rtol=1e-6)
        ):
            return keras
    raise ValueError(f"its activation {name}{own or ''} has no equal in the layers here; {', '.join(INSIDE)} have.")
