"""split_dataset: sizes, structures, and that no sample is lost."""

import numpy as np
import pytest

from rnn_ref.utils import split_dataset

X, Y = np.arange(20).reshape(10, 2), np.arange(10)


@pytest.mark.parametrize(
    ("sizes", "left", "right"),
    [((0.8, None), 8, 2), ((None, 3), 7, 3), ((4, 5), 4, 5), ((0.5, 0.5), 5, 5), ((None, 0.25), 8, 2)],
)
def test_sizes(sizes, left, right):
    (a, b), (c, d) = split_dataset((X, Y), *sizes)
    assert (len(a), len(b), len(c), len(d)) == (left, left, right, right)
    np.testing.assert_array_equal(a, X[:left])
    np.testing.assert_array_equal(d, Y[left : left + right])


def test_shuffled_together():
    left, right = split_dataset({"x": X, "y": Y}, 0.5, shuffle=True, seed=1)
    np.testing.assert_array_equal(left["x"][:, 0] // 2, left["y"])
    assert sorted([*left["y"], *right["y"]]) == list(range(10))
    assert sorted(left["y"]) != list(range(5))
    np.testing.assert_array_equal(left["y"], split_dataset(Y, 5, shuffle=True, seed=1)[0])


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((X,), "give left_size"),
        ((X, 1.5), "share from 0 to 1"),
        ((X, 11), "number up to 10"),
        ((X, 0.8, 0.4), "cannot be split"),
        (((X, Y[:3]), 0.5), r"same number of samples, got \[3, 10\]"),
    ],
)
def test_refusals(arguments, match):
    with pytest.raises(ValueError, match=match):
        split_dataset(*arguments)
    with pytest.raises(TypeError, match="takes an array"):
        split_dataset(iter([X]), 0.5)


def test_nested_structures_keep_their_types():
    left, right = split_dataset(([X, {"a": X}], Y), 0.5)
    assert isinstance(left, tuple)
    assert isinstance(left[0], list)
    assert left[0][1]["a"].shape == (5, 2)
    np.testing.assert_array_equal(right[0][1]["a"], X[5:])


@pytest.mark.parametrize(
    "data", [[X, Y], (X, Y), {"x": X, "y": Y}, ((X, X), Y)], ids=["list", "tuple", "dict", "nested"]
)
def test_parts_as_datasets_of_pytorch(data):
    torch = pytest.importorskip("torch")
    left, right = split_dataset(data, 0.2, 0.8, shuffle=True, seed=2, preferred_backend="torch")
    assert isinstance(left, torch.utils.data.Dataset)
    assert (len(left), len(right)) == (2, 8)
    expected = split_dataset(data, 0.2, 0.8, shuffle=True, seed=2)[1]
    loaded = next(iter(torch.utils.data.DataLoader(right, batch_size=8)))
    a, b = torch.utils._pytree.tree_flatten(loaded)[0], torch.utils._pytree.tree_flatten(expected)[0]
    assert len(a) == len(b)
    for got, want in zip(a, b):
        np.testing.assert_array_equal(got.numpy(), want)


def test_a_dataset_of_pytorch_is_not_read_before_it_is_used():
    torch = pytest.importorskip("torch")

    class Squares(torch.utils.data.Dataset):
        def __len__(self):
            return 10

        def __getitem__(self, index):
            asked.append(index)
            return index, index**2

    asked = []
    left, right = split_dataset(Squares(), right_size=3)
    assert (len(left), len(right), asked) == (7, 3, [])
    assert [right[k] for k in range(3)] == [(7, 49), (8, 64), (9, 81)]
    with pytest.raises(ValueError, match="leave preferred_backend out"):
        split_dataset(Squares(), 0.5, preferred_backend="numpy")

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(10))

    with pytest.raises(TypeError, match="Stream lacks one"):
        split_dataset(Stream(), 0.5)
    with pytest.raises(ValueError, match="'tensorflow' is not there"):
        split_dataset(X, 0.5, preferred_backend="tensorflow")
