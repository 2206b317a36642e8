import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras.src.initializers.random_initializers import compute_fans as keras_compute_fans
from scipy import stats

from rnn_ref import random
from rnn_ref.layers import initializers

from ..keras_on_numpy import keras

pytestmark = pytest.mark.usefixtures("on_numpy")

SHAPE = (60, 400)  # fan_in 60, fan_out 400; 24 000 values.
P_VALUE = 1e-3  # Seeds are fixed, so that a test that passes once passes always.

# The distribution that each paper states for SHAPE, as (name, scale or bound).
PUBLISHED = {
    "GlorotUniform": ("uniform", math.sqrt(6 / 460)),
    "HeUniform": ("uniform", math.sqrt(6 / 60)),
    "LecunUniform": ("uniform", math.sqrt(3 / 60)),
    "GlorotNormal": ("truncated", math.sqrt(2 / 460)),
    "HeNormal": ("truncated", math.sqrt(2 / 60)),
    "LecunNormal": ("truncated", math.sqrt(1 / 60)),
}
RANDOM = [
    *PUBLISHED,
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Orthogonal",
]
EVERY = [*RANDOM, "Zeros", "Ones", "Constant", "Identity"]


def standard(kind):
    """Return the distribution of unit variance (`uniform`: of unit bound) as a scipy object."""
    if kind == "uniform":
        return stats.uniform(-1, 2)
    cut = stats.truncnorm(-2, 2)
    return stats.truncnorm(-2, 2, scale=1 / cut.std())


@pytest.mark.parametrize("name", PUBLISHED)
def test_values_follow_the_published_distribution(name):
    kind, size = PUBLISHED[name]
    values = getattr(initializers, name)(seed=1)(SHAPE, dtype="float64").ravel()
    theory = standard(kind)
    assert stats.kstest(values / size, theory.cdf).pvalue > P_VALUE
    assert abs(values.mean()) < 4 * size * theory.std() / math.sqrt(values.size)
    assert values.std() == pytest.approx(size * theory.std(), rel=0.02)
    assert np.abs(values).max() <= size * theory.support()[1]


@pytest.mark.parametrize("name", [name for name in RANDOM if name != "Orthogonal"])
def test_values_are_distributed_as_in_keras(name):
    ours = getattr(initializers, name)(seed=2)(SHAPE).ravel()
    theirs = np.asarray(getattr(keras.initializers, name)(seed=2)(SHAPE)).ravel()
    assert stats.ks_2samp(ours, theirs).pvalue > P_VALUE


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["normal", "untruncated_normal", "uniform"])
def test_variance_scaling_matches_keras(mode, distribution):
    arguments = {"scale": 3.0, "mode": mode, "distribution": distribution, "seed": 5}
    ours = initializers.VarianceScaling(**arguments)(SHAPE).ravel()
    theirs = np.asarray(keras.initializers.VarianceScaling(**arguments)(SHAPE)).ravel()
    assert stats.ks_2samp(ours, theirs).pvalue > P_VALUE
    n = {"fan_in": 60, "fan_out": 400, "fan_avg": 230}[mode]
    assert ours.var() == pytest.approx(3 / n, rel=0.04)


def test_mean_stddev_and_bounds_are_used():
    normal = initializers.RandomNormal(mean=2, stddev=3, seed=1)((20_000,), "float64")
    assert stats.kstest(normal, stats.norm(2, 3).cdf).pvalue > P_VALUE
    cut = initializers.TruncatedNormal(mean=2, stddev=3, seed=1)((20_000,), "float64")
    assert stats.kstest(cut, stats.truncnorm(-2, 2, loc=2, scale=3).cdf).pvalue > P_VALUE
    uniform = initializers.RandomUniform(1, 4, seed=1)((20_000,), "float64")
    assert stats.kstest(uniform, stats.uniform(1, 3).cdf).pvalue > P_VALUE


@pytest.mark.parametrize("shape", [(8, 8), (12, 5), (5, 12), (3, 4, 6), (2, 3, 2, 20), (1, 4)])
def test_orthogonal_has_orthonormal_rows_or_columns(shape):
    q = initializers.Orthogonal(gain=1.5, seed=0)(shape, "float64")
    assert q.shape == shape
    q = q.reshape(-1, shape[-1]) / 1.5
    gram = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-13)


def test_orthogonal_matrices_are_uniformly_distributed():
    # An entry of a uniform 3 x 3 orthogonal matrix is a coordinate of a point on the sphere: uniform in [-1,
    # 1]. Without the sign fix the first entry would always be negative.
    first = [initializers.Orthogonal(seed=seed)((3, 3), "float64")[0, 0] for seed in range(800)]
    assert stats.kstest(first, stats.uniform(-1, 2).cdf).pvalue > P_VALUE
    theirs = [keras.initializers.Orthogonal(seed=seed)((3, 3))[0, 0] for seed in range(60)]
    assert stats.ks_2samp(first, np.array(theirs)).pvalue > P_VALUE


@pytest.mark.parametrize("name", ["Zeros", "Ones", "Constant", "Identity"])
@pytest.mark.parametrize("shape", [(3, 5), (4, 4)])
def test_constant_initializers_equal_keras(name, shape):
    arguments = {"Constant": {"value": 2.5}, "Identity": {"gain": 2.5}}.get(name, {})
    ours = getattr(initializers, name)(**arguments)(shape)
    theirs = np.asarray(getattr(keras.initializers, name)(**arguments)(shape))
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


@given(st.lists(st.integers(1, 9), max_size=5))
def test_fans_equal_keras(shape):
    assert initializers.compute_fans(shape) == keras_compute_fans(shape)


def test_fans_of_chosen_axes_equal_keras():
    axes = {"input_axes": [0, 1], "output_axes": [2]}
    assert initializers.compute_fans((2, 3, 5), **axes) == keras_compute_fans((2, 3, 5), **axes) == (6, 5)
    values = initializers.HeUniform(seed=0, **axes)((20, 30, 5), "float64")
    assert 0.99 < np.abs(values).max() / math.sqrt(6 / 600) <= 1


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name):
    cls = getattr(initializers, name)
    fixed = cls(seed=3)
    np.testing.assert_array_equal(fixed(SHAPE), fixed(SHAPE))
    np.testing.assert_array_equal(fixed(SHAPE), cls(seed=3)(SHAPE))
    assert (fixed(SHAPE) != cls(seed=4)(SHAPE)).any()

    moving = cls(seed=np.random.default_rng(3))
    first, second = moving(SHAPE), moving(SHAPE)
    np.testing.assert_array_equal(first, fixed(SHAPE))
    assert (first != second).any()

    random.set_seed(0)
    one, two = cls(), cls()
    np.testing.assert_array_equal(one(SHAPE), one(SHAPE))  # As in Keras.
    assert (one(SHAPE) != two(SHAPE)).any()
    random.set_seed(0)
    np.testing.assert_array_equal(cls()(SHAPE), one(SHAPE))


@pytest.mark.parametrize("name", EVERY)
def test_precisions_agree_and_shapes_are_kept(name):
    initializer = initializers.get(name).clone()
    if name in RANDOM:
        initializer = getattr(initializers, name)(seed=1)
    double = initializer((4, 6), "float64")
    single = initializer([4, 6])
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    np.testing.assert_array_equal(double.astype("float32"), single)
    assert initializer((4, 6), dtype=None).dtype == np.float32
    assert initializer((4, 0)).shape == (4, 0)
    if name not in ("Orthogonal", "Identity"):
        assert initializer(()).shape == ()
        assert initializer((5,)).shape == (5,)


@pytest.mark.parametrize("name", EVERY)
def test_config_round_trip_through_json_and_keras(name):
    arguments = {"seed": 3} if name in RANDOM else {}
    ours = getattr(initializers, name)(**arguments)
    config = json.loads(json.dumps(initializers.serialize(ours)))
    copy = initializers.deserialize(config)
    assert type(copy) is type(ours)
    np.testing.assert_array_equal(copy((4, 4)), ours((4, 4)))

    theirs = keras.initializers.deserialize(config)
    assert type(theirs).__name__ == name
    back = initializers.deserialize(keras.initializers.serialize(theirs))
    np.testing.assert_array_equal(back((4, 4)), ours((4, 4)))


def test_config_keeps_every_argument():
    for initializer in [
        initializers.RandomNormal(1.0, 2.0, seed=3),
        initializers.TruncatedNormal(1.0, 2.0, seed=3),
        initializers.RandomUniform(1.0, 2.0, seed=3),
        initializers.Orthogonal(2.0, seed=3),
        initializers.Constant(2.0),
        initializers.Identity(2.0),
        initializers.VarianceScaling(2.0, "fan_out", "uniform", 3, (0,), (1,)),
        initializers.GlorotUniform(3, (1,), (0,)),
        initializers.FromArray(np.arange(12.0).reshape(4, 3)),
    ]:
        config = json.loads(json.dumps(initializer.get_config()))
        np.testing.assert_array_equal(initializer.from_config(config)((4, 3)), initializer((4, 3)))


def test_a_generator_seed_is_saved_as_it_stands():
    initializer = initializers.GlorotUniform(seed=np.random.default_rng(1))
    initializer((3, 3))
    copy = initializers.deserialize(json.loads(json.dumps(initializers.serialize(initializer))))
    np.testing.assert_array_equal(copy((3, 3)), initializer((3, 3)))


def test_the_seed_generator_of_a_keras_file_is_read():
    theirs = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(3))
    ours = initializers.deserialize(keras.initializers.serialize(theirs))
    np.testing.assert_array_equal(ours((2, 2)), initializers.GlorotUniform(seed=3)((2, 2)))


@pytest.mark.parametrize("name", EVERY)
def test_get_by_every_name_that_keras_knows(name):
    snake = keras.src.utils.naming.to_snake_case(name)
    for identifier in (name, snake, getattr(initializers, name), getattr(initializers, snake)):
        assert type(initializers.get(identifier)) is getattr(initializers, name)


def test_get_aliases_callables_arrays_and_none():
    for alias in ("zero", "one", "normal", "uniform", "IdentityInitializer", "OrthogonalInitializer"):
        assert type(initializers.get(alias)).__name__ == type(keras.initializers.get(alias)).__name__

    def countdown(shape, dtype=None):
        return np.arange(shape[0], 0, -1, dtype=dtype)

    assert initializers.get(countdown) is countdown
    assert initializers.get(None) is None
    array = np.array([[1.0, 2.0]])
    from_array = initializers.get(array)
    np.testing.assert_array_equal(from_array((1, 2)), array)
    assert from_array((1, 2)) is not array
    with pytest.raises(ValueError, match=r"\(2, 1\).*\(1, 2\)"):
        from_array((2, 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.get("glorot_unifrom"), "did you mean 'glorot_uniform'.*lecun_normal"),
        (lambda: initializers.get(3), "got 3 of type int"),
        (lambda: initializers.VarianceScaling(scale=0), "scale should be positive, got 0"),
        (lambda: initializers.VarianceScaling(mode="fan"), "fan_in, fan_out, fan_avg; got 'fan'"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "uniform; got 'cauchy'"),
        (lambda: initializers.GlorotNormal(input_axes=[0]), "given together"),
        (lambda: initializers.HeNormal(seed="a"), "seed should be"),
        (lambda: initializers.Constant([1, 2])((3,)), "cannot be repeated"),
        (lambda: initializers.Identity()((3,)), "shape should be"),
        (lambda: initializers.Orthogonal()((3,)), "at least two dimensions"),
        (lambda: initializers.Zeros()((3, None)), "shape should be a tuple"),
        (lambda: initializers.Ones()(3), "shape should be a tuple"),
        (lambda: initializers.RandomNormal()((-1,)), "shape should be a tuple"),
    ],
)
def test_errors_say_what_came_and_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()
