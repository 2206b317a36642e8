"""Decoding: from a model that predicts the next token to whole sequences.

Everything here runs on any *step function*::

    logits, states = step(tokens, states)

- `tokens`, integers of shape (N,), are the last token of each of N sequences;
- `logits`, shape (N, V), are the unnormalized log-probabilities of the next token in a vocabulary of size V. A
  model that ends in a softmax returns `numpy.log(probabilities)`;
- `states` are what the model remembers: arbitrarily nested lists, tuples and dicts of arrays whose first axis is N.
  They include what differs between sequences but never changes, such as an encoder's outputs to attend to.

`model_step` makes such a function of a language model, or of the decoder of an encoder-decoder model; `generate`
continues a text or tokens in one call. `ctc_decode` is for models with an output at every time step of their input.

Beam search has `beam_width` times as many sequences as the batch has rows, so N should not be fixed in advance.
A sequence that has ended still takes part in the calls, but what the step function returns for it is ignored.

`bleu` and `entity_f1` measure how good the sequences are.

The simplest model remembers nothing but the last token:

>>> import numpy as np
>>> from rnn_ref.seq2seq import greedy_search
>>> table = np.log([[0.0001, 0.9, 0.0999], [0.2, 0.1, 0.7], [0.3, 0.3, 0.4]])
>>> def step(tokens, states):
...     return table[tokens], states
>>> greedy_search(step, states=None, start_token=[0], max_length=3).tokens
array([[1, 2, 2]])
"""

from rnn_ref.seq2seq.beam import Beams, BeamSearchDecoder, BeamTree
from rnn_ref.seq2seq.bleu import Bleu, bleu
from rnn_ref.seq2seq.ctc import ctc_decode
from rnn_ref.seq2seq.entities import Entity, EntityScores, entities, entity_f1
from rnn_ref.seq2seq.generation import generate
from rnn_ref.seq2seq.greedy import greedy_search
from rnn_ref.seq2seq.loop import Decoded
from rnn_ref.seq2seq.model_step import model_step
from rnn_ref.seq2seq.sampling import sample, sample_search, token_probabilities

__all__ = [
    "BeamSearchDecoder",
    "BeamTree",
    "Beams",
    "Bleu",
    "Decoded",
    "Entity",
    "EntityScores",
    "bleu",
    "ctc_decode",
    "entities",
    "entity_f1",
    "generate",
    "greedy_search",
    "model_step",
    "sample",
    "sample_search",
    "token_probabilities",
]
