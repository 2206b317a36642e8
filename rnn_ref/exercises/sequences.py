"""07: sequences in and out."""

from __future__ import annotations

import numpy as np

from rnn_ref import layers
from rnn_ref.exercises.answers import Unanswered, Wrong, array, compare, function, is_blank, parts, run
from rnn_ref.exercises.course import exercise, notebook
from rnn_ref.models import Sequential

notebook("07", "Sequences in and out")


def _shapes() -> tuple[tuple[int, ...], ...]:
    """What the five networks of 07.1 give, as they say themselves."""
    networks = (
        [layers.LSTM(8, return_sequences=True)],
        [layers.Bidirectional(layers.GRU(8))],
        [layers.Bidirectional(layers.LSTM(8, return_sequences=True), merge_mode="sum")],
        [layers.GRU(8, return_sequences=True), layers.TimeDistributed(layers.Dense(2))],
    )
    models = [Sequential([layers.Input((100, 3)), *network]) for network in networks]
    return (*(tuple(model.compute_output_shape((5, 100, 3))) for model in models), (5, 8))


@exercise(
    "07.1",
    "what comes out",
    "Features out are units, not features in. Two directions are concatenated, unless merge_mode says otherwise. The "
    "states that return_state adds belong to the last step alone.",
)
def _what_comes_out(answer):
    if is_blank(answer):
        raise Unanswered
    found = parts(answer, "a", "b", "c", "d", "e")
    mistakes = {
        "a": {(5, 8): "return_sequences gives an output at each of the 100 steps."},
        "b": {
            (5, 8): "two directions, concatenated: twice as many numbers.",
            (5, 100, 16): "without return_sequences only the last state of each direction comes out.",
            (5, 100, 8): "without return_sequences only the last state of each direction comes out.",
        },
        "c": {(5, 100, 16): "merge_mode='sum' adds the two directions instead of concatenating them."},
        "d": {
            (5, 2): "TimeDistributed applies the Dense layer to each step: the steps stay.",
            (5, 100, 8): "the Dense layer makes 2 numbers of 8 at each step.",
        },
        "e": {
            (5, 100, 8): "the last array is the final cell state, of the last step alone.",
            (5, 16): "h and c are two arrays.",
        },
    }
    for name, shape, right in zip("abcde", found, _shapes()):
        try:
            shape = tuple(int(size) for size in shape)
        except (TypeError, ValueError):
            raise Wrong(f"({name}) should be a shape such as (2, 3), got {shape!r}.") from None
        if shape == right:
            continue
        if shape[:2] == (100, 5):
            raise Wrong(f"({name}) is not {shape}: batch first, (batch, time, units).")
        if len(shape) > 1 and shape[-1] == 3:
            raise Wrong(f"({name}) is not {shape}: the last axis has the layer's units, whatever came in.")
        said = mistakes[name].get(shape, f"it has {len(right)} axes and other sizes.")
        raise Wrong(f"({name}) is not {shape}: {said}")


@exercise(
    "07.2",
    "padding behind",
    "x = np.full((N, longest, F), value), mask = np.zeros((N, longest), bool); then for n, s in enumerate(sequences): "
    "x[n, : len(s)] = s, mask[n, : len(s)] = True.",
)
def _pad(answer):
    function(answer, "sequences", "value")
    rng = np.random.default_rng(7)
    sequences = [rng.normal(size=(T, 2)).round(2) for T in (3, 5, 1)]
    sequences[0][1] = -1.0  # a real step that holds the value
    shown = "sequences of 3, 5 and 1 steps with 2 features, and value -1"
    x, mask = parts(run(answer, sequences, -1.0, shown=shown), "x", "mask")
    if np.shape(x) == (3, 1, 2):
        raise Wrong("this cuts all sequences to the shortest; fill up to the longest.")
    if np.shape(x) == (5, 3, 2):
        raise Wrong("batch first: x is (N, longest T, F).")
    counts = np.arange(5) < np.array([[3], [5], [1]])
    right = np.full((3, 5, 2), -1.0)
    front, zeros = right.copy(), np.zeros((3, 5, 2))
    for n, sequence in enumerate(sequences):
        right[n, : len(sequence)] = zeros[n, : len(sequence)] = sequence
        front[n, 5 - len(sequence) :] = sequence
    compare(
        x,
        right,
        "x",
        {
            "this pads in front; real steps come first here, and what is filled up behind them.": front,
            "this fills up with 0; fill up with value.": zeros,
        },
    )
    compare(
        array(mask, (3, 5), "the mask"),
        counts.astype(float),
        "the mask",
        {
            "the mask is the other way round: true where a step is real.": (~counts).astype(float),
            "a real step holds the value, too, and is masked here: make the mask from the lengths.": (
                (right != -1).all(axis=-1).astype(float)
            ),
        },
    )


@exercise("07.3", "a masked mean", "((forecast - y) ** 2)[mask].mean(): one mean over all steps that count.")
def _masked(answer):
    function(answer, "y", "forecast", "mask")
    rng = np.random.default_rng(8)
    y, forecast = rng.normal(size=(2, 3, 6))
    mask = np.arange(6) < np.array([[6], [2], [3]])
    squares = (forecast - y) ** 2
    of_rows = (squares * mask).sum(axis=1) / mask.sum(axis=1)
    compare(
        run(answer, y, forecast, mask, shown="3 sequences, of which 6, 2 and 3 steps count"),
        squares[mask].mean(),
        "the error",
        {
            "all steps are counted: those that are masked should not be.": squares.mean(),
            "masked steps are left out of the sum, but not of the number it is divided by.": (squares * mask).mean(),
            "this is a mean of each sequence's mean: short ones count too much. One mean over all steps.": (
                of_rows.mean()
            ),
            "these are the steps that do not count.": squares[~mask].mean(),
            "this is the sum; divide by the number of steps that count.": squares[mask].sum(),
            "the root was not asked for.": np.sqrt(squares[mask].mean()),
        },
    )


@exercise(
    "07.4",
    "both directions",
    "The second layer reads x[:, ::-1]; what it returns has to be turned back, [:, ::-1], before "
    "np.concatenate along the last axis.",
)
def _both(answer):
    function(answer, "forward", "backward", "x")
    rng = np.random.default_rng(9)
    U, V = rng.normal(size=(2, 3, 4)) / 2

    def reader(weights):
        def read(x):
            x = np.asarray(x)
            if x.ndim != 3 or x.shape[2] != 3:
                raise ValueError(f"a layer reads (B, T, 3), got {x.shape}")
            h, states = np.zeros((len(x), 4)), []
            for t in range(x.shape[1]):
                h = np.tanh(x[:, t] @ weights + 0.5 * h)
                states.append(h)
            return np.stack(states, axis=1)

        return read

    forward, backward = reader(U), reader(V)
    x = rng.normal(size=(2, 5, 3))
    ahead, turned = forward(x), backward(x[:, ::-1])
    value = run(answer, forward, backward, x, shown="2 sequences of 5 steps and layers of 4 units")
    if np.shape(value) == (2, 5, 4):
        raise Wrong("concatenate the two along the last axis, (B, T, 2H); yours has H numbers at each step.")
    if np.shape(value) == (2, 10, 4):
        raise Wrong("concatenate along the last axis, not along time: (B, T, 2H).")
    compare(
        value,
        np.concatenate([ahead, turned[:, ::-1]], axis=-1),
        "the outputs",
        {
            "the second layer's outputs are in the order in which it read, last step first: turn them back.": (
                np.concatenate([ahead, turned], axis=-1)
            ),
            "both read from left to right: give the second one the sequence reversed in time.": np.concatenate(
                [ahead, backward(x)], axis=-1
            ),
            "the second layer reads forwards here, and its outputs are turned round.": np.concatenate(
                [ahead, backward(x)[:, ::-1]], axis=-1
            ),
            "the features are reversed here; reverse the time, x[:, ::-1].": np.concatenate(
                [ahead, backward(x[:, :, ::-1])], axis=-1
            ),
            "the forward layer's outputs come first.": np.concatenate([turned[:, ::-1], ahead], axis=-1),
        },
    )


@exercise("07.5", "a loop with a mask", "h = step(x[t], h) if mask[t] else h, and keep h at every step, masked or not.")
def _masked_loop(answer):
    function(answer, "step", "x", "mask", "h0")
    rng = np.random.default_rng(10)
    W = rng.normal(size=(2, 3))
    x, h0 = rng.normal(size=(6, 2)), rng.normal(size=3)
    mask = np.array([True, False, True, True, False, False])

    def step(x_t, h):
        return np.tanh(x_t @ W + 0.7 * h)

    def loop(masked=lambda new, h, t: h, begin=h0):
        h, states = begin, []
        for t in range(6):
            new = step(x[t], h)
            h = new if mask[t] else masked(new, h, t)
            states.append(h)
        return np.array(states)

    value = run(answer, step, x, mask, h0, shown="6 steps of which the second and the last two are masked")
    if np.shape(value) == (3, 3):
        raise Wrong("one state for each step, masked or not: (T, H). Yours leaves the masked ones out.")
    if np.shape(value) == (3,):
        raise Wrong("this is the last state alone; return those after all steps, (T, H).")
    outputs = loop() * mask[:, None]
    compare(
        value,
        loop(),
        "the states",
        {
            "the mask is not used.": loop(lambda new, h, t: new),
            "at a masked step the state stays as it was; here it is set to zero, and what was known is lost.": loop(
                lambda new, h, t: 0 * h
            ),
            "the states at masked steps are returned as zeros; they are those of the step before.": outputs,
            "at a masked step the state goes back to h0; it stays as it was.": loop(lambda new, h, t: h0),
            "begin with h0, not with zeros.": loop(begin=0 * h0),
            "the mask is the other way round: a step counts where it is true.": _inverted(step, x, mask, h0),
        },
    )


def _inverted(step, x, mask, h):
    states = []
    for t in range(len(x)):
        h = h if mask[t] else step(x[t], h)
        states.append(h)
    return np.array(states)
