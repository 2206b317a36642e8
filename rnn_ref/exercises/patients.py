"""Six networks, each with one thing wrong: what notebook 15 asks to be diagnosed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_ref import datasets, layers
from rnn_ref.models import Sequential
from rnn_ref.preprocessing.text import Tokenizer
from rnn_ref.random import set_seed
from rnn_ref.utils import pad_sequences

UNITS, STEPS = 16, 30
DISEASES = (
    "dead units",
    "exploding weights",
    "lost mask",
    "saturated gates",
    "state that leaks",
    "vanished gradient",
)
WARD = dict(zip("ABCDEF", (DISEASES[k] for k in (4, 3, 5, 2, 0, 1))))


@dataclass(frozen=True)
class Patient:
    """A network and what it reads: eight film reviews as word numbers, padded with zeros at the end.

    Attributes
    ----------
    name : str
    model : Sequential
        ``words`` (Embedding), ``memory`` (a recurrent layer) and ``answer`` (Dense).
    x : ndarray (8, 30)
    y : ndarray (8, 1)
    """

    name: str
    model: Sequential
    x: np.ndarray
    y: np.ndarray


def patient(name: str) -> Patient:
    """One of the six patients, A to F, as it was brought in.

    Examples
    --------
    >>> [layer.name for layer in patient("A").model.layers]
    ['words', 'memory', 'answer']
    """
    if name not in WARD:
        raise ValueError(f"patient: there are {', '.join(WARD)}, got {name!r}.")
    texts, labels = datasets.reviews(8, seed=15)
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(texts)
    x = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=STEPS, padding="post", truncating="post")
    return Patient(name, _build(WARD[name], len(tokenizer.word_index) + 1), x, np.array(labels)[:, None])


def _build(disease: str, words: int) -> Sequential:
    set_seed(7)
    if disease == "exploding weights":
        memory = layers.SimpleRNN(UNITS, activation="relu", name="memory")
    else:
        memory = layers.LSTM(UNITS, stateful=disease == "state that leaks", name="memory")
    model = Sequential(
        [
            layers.Input(batch_shape=(8, None)),
            layers.Embedding(words, 8, mask_zero=disease != "lost mask", name="words"),
            memory,
            layers.Dense(1, activation="sigmoid", name="answer"),
        ],
        name="patient",
    )
    (embeddings,) = model.layers[0].get_weights()
    model.layers[0].set_weights([embeddings * 20])  # to the size of trained ones, as the answer's
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * 10, bias])
    gates = memory.gate_weights()
    if disease == "saturated gates":
        for gate in gates.values():
            gate.kernel[:] *= 30
    elif disease == "dead units":
        gates["output"].bias[[2, 3, 8, 11, 15]] = -30
    elif disease == "vanished gradient":
        gates["forget"].bias[:] = -3
    elif disease == "exploding weights":
        (gate,) = gates.values()
        gate.recurrent_kernel[:] *= 1.5
    model.compile("adam", "binary_crossentropy")
    return model
