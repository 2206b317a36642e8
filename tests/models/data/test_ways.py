"""Every way to hand data over does what it does in Keras: the same numbers from the same weights, or both refuse it."""

import warnings
from functools import cache

import numpy as np
import pytest

import rnn_ref
from tests.keras_that_trains import keras
from tests.models.data import ways_to_validate, ways_with_arrays, ways_with_sources  # noqa: F401, each adds its own
from tests.models.data.ways import WAYS, model

pytestmark = pytest.mark.usefixtures("that_trains")

# What is taken here although Keras refuses it, with the reason; each has a row in rnn_ref/departures.md.
TAKEN = {
    "an_iterator_of_a_zip": "any iterator can give batches",
    "sample_weights_by_name": "targets and weights by name, of a model with a list of outputs",
}


@cache
def start(kind: str) -> list:
    return model(keras, kind).get_weights()


def maker(module):
    def make(kind):
        made = model(module, kind)
        made.set_weights(start(kind))
        made.run_eagerly = True  # compiling takes longer than the few steps
        return made

    return make


def outcome(name: str, module):
    """What comes of a way, by name, or the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = WAYS[name](module, maker(module))
        except Exception as error:
            return error
    if isinstance(result, dict):
        return result
    return dict(enumerate(result if isinstance(result, list) else [result]))


def test_there_are_enough_ways_and_few_departures():
    assert len(WAYS) >= 64
    assert len(TAKEN) <= 4
    assert set(TAKEN) <= set(WAYS)


@pytest.mark.parametrize("name", WAYS)
def test_data_is_taken_as_keras_takes_it(name):
    expected, found = outcome(name, keras), outcome(name, rnn_ref)
    if isinstance(expected, Exception):
        if name in TAKEN:
            assert not isinstance(found, Exception), found
        else:
            assert isinstance(found, (ValueError, TypeError)), found  # with words of ours
        return
    assert not isinstance(found, Exception), repr(found)
    assert list(found) == list(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=2e-4, atol=1e-5, err_msg=f"{name}: {key}")
