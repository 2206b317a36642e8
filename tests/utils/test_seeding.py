import random as python_random

import numpy as np
import pytest

from rnn_ref import random
from rnn_ref.layers import initializers
from rnn_ref.utils import set_random_seed


def draw_from_all():
    return (
        python_random.random(),
        np.random.rand(),  # noqa: NPY002 (the global generator is what is tested)
        random.generator().random(),
        initializers.GlorotUniform()((2, 2)).tolist(),
    )


def test_the_same_seed_gives_the_same_numbers():
    set_random_seed(5)
    first = draw_from_all()
    assert all(a != b for a, b in zip(draw_from_all(), first))
    set_random_seed(np.int64(5))
    assert draw_from_all() == first


@pytest.mark.parametrize("seed", [None, "1", 1.5, -1, 2**32])
def test_errors(seed):
    with pytest.raises(ValueError, match="from 0 to 2"):
        set_random_seed(seed)
