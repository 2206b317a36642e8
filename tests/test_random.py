import json

import numpy as np
import pytest

from rnn_ref import random


def test_set_seed_restarts_the_global_generator():
    random.set_seed(3)
    first = random.make(None).random(5)
    random.set_seed(3)
    np.testing.assert_array_equal(random.generator().random(5), first)
    np.testing.assert_array_equal(np.random.default_rng(3).random(5), first)


def test_make_keeps_a_generator_and_starts_one_for_an_integer():
    rng = np.random.default_rng(0)
    assert random.make(rng) is rng
    assert random.make(None) is random.generator()
    assert random.make(np.int64(4)).random() == np.random.default_rng(4).random()


@pytest.mark.parametrize("seed", ["1", 1.0, -1, [1]])
def test_a_wrong_seed_is_reported(seed):
    with pytest.raises(ValueError, match="seed should be"):
        random.make(seed)
    with pytest.raises(ValueError, match="seed should be"):
        random.set_seed(seed)


@pytest.mark.parametrize("name", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_a_generator_survives_json(name):
    rng = np.random.Generator(getattr(np.random, name)(7))
    rng.standard_normal(3)
    copy = random.from_config(json.loads(json.dumps(random.to_config(rng))))
    np.testing.assert_array_equal(copy.standard_normal(10), rng.standard_normal(10))


def test_an_unknown_description_is_reported():
    with pytest.raises(ValueError, match="SeedGenerator"):
        random.from_config({"class_name": "Generator", "config": {"bit_generator": "RandomState"}})
