"""Large arrays get the memory of those that went, and never of those that are still in use."""

import threading
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_ref import memory
from rnn_ref.memory import ALIGNED, KEPT, LARGE, contiguous, empty, empty_like, zeros


@pytest.fixture(autouse=True)
def nothing_ready(monkeypatch):
    monkeypatch.setattr(memory, "_blocks", {})


def address(array):
    return array.__array_interface__["data"][0]


def test_memory_is_used_again():
    first = empty((1000, 1000))
    place = address(first)
    del first
    assert address(empty((1000, 1000))) == place
    assert address(empty((990, 1000))) == place  # little less


def test_a_view_keeps_its_memory():
    whole = empty((1000, 1000))
    place = address(whole)
    view = whole[500:, ::2].T.view(np.int32)
    del whole
    other = empty((1000, 1000))
    assert address(other) != place
    view[...] = 7
    other[...] = 0
    assert (view == 7).all()


@given(st.lists(st.integers(0, 3 * LARGE), min_size=1, max_size=8), st.sampled_from(["float32", "float64", "bool"]))
def test_arrays_in_use_do_not_overlap(sizes, dtype):
    arrays = [empty(size, dtype) for size in sizes]
    for k, array in enumerate(arrays):
        array[...] = k % 2
    assert all((array == k % 2).all() for k, array in enumerate(arrays))
    spans = sorted((address(a), address(a) + a.nbytes) for a in arrays if a.nbytes)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert all(address(a) % ALIGNED == 0 for a in arrays if a.nbytes >= LARGE)


def test_threads_do_not_share():
    errors = []

    def work(number):
        for _ in range(200):
            array = empty(LARGE, "uint8")
            array[...] = number
            if not (array == number).all():
                errors.append(number)

    threads = [threading.Thread(target=work, args=[k]) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def held():
    return sum(size * len(blocks) for size, blocks in memory._blocks.items())


def test_no_more_than_so_much_is_held():
    arrays = [empty(KEPT // 4 + k * KEPT // 16, "uint8") for k in range(6)]
    assert KEPT // 4 < held() <= KEPT
    for k, array in enumerate(arrays):  # those that are not held are still their users'
        array[:: 1 << 20] = k
    assert all((array[:: 1 << 20] == k).all() for k, array in enumerate(arrays))
    empty(KEPT + 1, "uint8")  # held neither, and drives nothing out
    assert KEPT // 4 < held() <= KEPT


def test_what_does_not_fit_drives_out_what_is_unused():
    first = empty(KEPT // 2, "uint8")
    used = empty(KEPT // 4, "uint8")
    place = address(used)
    del first
    new = empty(KEPT // 2 + KEPT // 8, "uint8")
    assert held() <= KEPT
    assert address(new) in places()
    assert place in places()


def places():
    return [address(block) + start for blocks in memory._blocks.values() for block, start in blocks]


def test_a_step_too_large_for_all_gets_some_again():
    def step():
        return [address(array) for array in [empty(KEPT // 4, "uint8") for _ in range(6)]]

    assert len({*step()} & {*step()}) >= 2


def test_who_keeps_arrays_for_good_leaves_room_for_others():
    kept = [empty(KEPT // 8, "uint8") for _ in range(9)]
    found = [address(empty(KEPT // 5, "uint8")) for _ in range(12)]
    assert found[-1] == found[-2]
    assert {address(array) for array in kept}.isdisjoint(found)


def test_few_of_one_size_are_looked_through():
    kept = [empty(5, aligned=True) for _ in range(2 * memory.MANY)]
    assert all(len(blocks) <= memory.MANY for blocks in memory._blocks.values())
    assert len({address(array) for array in kept}) == len(kept)
    assert all(address(array) % ALIGNED == 0 for array in kept)


def test_little_is_wasted():
    for count in (LARGE, LARGE + 1, 3 * LARGE - 5, 1_000_003):
        tracemalloc.start()
        array = empty(count, "uint8")
        used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert array.nbytes <= used <= 1.07 * count + 2000


def test_as_numpy():
    x = np.arange(2 * LARGE, dtype="float32").reshape(2, -1)
    np.testing.assert_array_equal(contiguous(x[:, ::2]), x[:, ::2])
    assert contiguous(x[:, ::2]).flags.c_contiguous
    assert contiguous(x) is x
    assert not zeros((LARGE,)).any()
    assert empty_like(x.T).shape == x.T.shape
    assert empty((0, 5)).shape == (0, 5)
    assert empty(()).shape == ()
