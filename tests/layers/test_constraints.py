import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rnn_ref.layers import constraints

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

entries = st.floats(-100, 100, width=32).filter(lambda x: x == 0 or abs(x) > 1e-3)
weights = arrays("float32", array_shapes(min_dims=1, max_dims=3, max_side=4), elements=entries)
bounds = st.floats(0, 10)


def axes_of(w):
    """One axis, counted from either end, several, or all."""
    one = st.integers(-w.ndim, w.ndim - 1)
    several = st.lists(st.integers(0, w.ndim - 1), min_size=1, unique=True)
    return st.one_of(one, several, st.none())


def check(name, w, **arguments):
    before = w.copy()
    ours = getattr(constraints, name)(**arguments)(w)
    theirs = np.asarray(getattr(keras.constraints, name)(**arguments)(w))
    np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=1e-7)
    assert ours.dtype == w.dtype
    np.testing.assert_array_equal(w, before)


@settings(max_examples=40, deadline=None)
@given(st.data(), weights)
def test_norms_equal_keras(data, w):
    axis = data.draw(axes_of(w))
    low, high = sorted(data.draw(st.tuples(bounds, bounds)))
    check("MaxNorm", w, max_value=high, axis=axis)
    check("UnitNorm", w, axis=axis)
    check("MinMaxNorm", w, min_value=low, max_value=high, rate=data.draw(st.floats(0, 1)), axis=axis)


@settings(max_examples=10, deadline=None)
@given(weights)
def test_defaults_and_non_neg_equal_keras(w):
    for name in ("MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm", "Constraint"):
        check(name, w)


def test_float64_stays_float64():
    w = np.random.default_rng(0).standard_normal((3, 4))
    for name in ("MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"):
        assert getattr(constraints, name)()(w).dtype == np.float64
    np.testing.assert_allclose(np.linalg.norm(constraints.UnitNorm()(w), axis=0), 1, atol=1e-6)


@pytest.mark.parametrize(
    "ours",
    [
        constraints.MaxNorm(3, axis=[0, 1]),
        constraints.NonNeg(),
        constraints.UnitNorm(axis=1),
        constraints.MinMaxNorm(0.5, 2.0, 0.25, 1),
    ],
)
def test_config_round_trip_through_json_and_keras(ours):
    config = json.loads(json.dumps(constraints.serialize(ours)))
    assert config == keras.constraints.serialize(keras.constraints.deserialize(config))
    copy = constraints.deserialize(config)
    assert type(copy) is type(ours)
    assert copy.get_config() == ours.get_config()


@pytest.mark.parametrize("name", ["max_norm", "MaxNorm", "non_neg", "unit_norm", "MinMaxNorm", "min_max_norm"])
def test_get_by_every_name_that_keras_knows(name):
    assert constraints.get(name).get_config() == keras.constraints.get(name).get_config()
    if name.islower():
        assert type(constraints.get(name)) is getattr(constraints, name)


def test_get_keeps_functions_and_none():
    assert constraints.get(np.abs) is np.abs
    assert constraints.get(None) is None
    assert type(constraints.get(constraints.NonNeg)) is constraints.NonNeg


def test_errors():
    with pytest.raises(ValueError, match=r"unknown constraint 'maxnorm' \(did you mean 'max_norm'\?\)"):
        constraints.get("maxnorm")
    with pytest.raises(ValueError, match="min_value should not exceed max_value"):
        constraints.MinMaxNorm(2, 1)
