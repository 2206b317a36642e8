"""Arrays that stay on disk, or with Dask: the same training as from memory, in little of it."""

import threading
import time

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers
from rnn_ref.models import data
from rnn_ref.models.data import stored, stored_batches

x = np.random.default_rng(0).standard_normal((103, 4, 3)).astype("float32")
y = x[:, 0, :1]


def as_mapped(array, folder):
    np.save(folder / "x.npy", array)
    return np.load(folder / "x.npy", mmap_mode="r")


def as_hdf5(array, folder):
    h5py = pytest.importorskip("h5py")
    return h5py.File(folder / "x.h5", "w").create_dataset("x", data=array, chunks=(10, 4, 3))


def as_zarr(array, folder):
    zarr = pytest.importorskip("zarr")
    return zarr.create_array(folder / "x.zarr", data=array, chunks=(10, 4, 3))


def as_dask(array, folder):
    return pytest.importorskip("dask.array").from_array(array, chunks=(10, 2, 3))


KINDS = [as_mapped, as_hdf5, as_zarr, as_dask]


def model():
    rnn_ref.utils.set_random_seed(3)
    made = rnn_ref.Sequential([rnn_ref.Input((4, 3)), layers.SimpleRNN(4), layers.Dense(1)])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


@pytest.fixture
def small_blocks(monkeypatch):
    """A block of 20 samples."""
    for module in (stored, stored_batches):
        monkeypatch.setattr(module, "BLOCK", 2 * 20 * x[0].nbytes)


def batches_of(given, targets=None, **options):
    return list(data.source(given, targets, model=model(), **options))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", KINDS)
def test_batches_in_order_are_those_from_memory(kind, tmp_path):
    for batch, expected in zip(
        batches_of(kind(x, tmp_path), y, batch_size=8), batches_of(x, y, batch_size=8), strict=True
    ):
        for part, its in zip(batch, expected):
            for array, each in zip(part, its):
                assert (array is None) == (each is None)
                np.testing.assert_array_equal(array, each)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", KINDS)
def test_training_testing_and_predicting_are_those_from_memory(kind, tmp_path):
    ours, expected = model(), model()
    given = kind(x, tmp_path)
    found = ours.fit(given, y, epochs=2, batch_size=8, shuffle=False, validation_split=0.2, verbose=0)
    wanted = expected.fit(x, y, epochs=2, batch_size=8, shuffle=False, validation_split=0.2, verbose=0)
    assert found.history == wanted.history
    assert ours.evaluate(given, y, verbose=0) == expected.evaluate(x, y, verbose=0)
    np.testing.assert_array_equal(ours.predict(given, verbose=0), expected.predict(x, verbose=0))


def test_what_fits_into_a_block_is_shuffled_as_from_memory(tmp_path):
    ours = model()
    ours.fit(as_mapped(x, tmp_path), y, epochs=2, verbose=0)
    expected = model()
    expected.fit(x, y, epochs=2, verbose=0)
    np.testing.assert_array_equal(ours.get_weights()[0], expected.get_weights()[0])


@pytest.mark.usefixtures("small_blocks")
def test_shuffling_takes_every_sample_once_in_another_order_each_time(tmp_path):
    numbers = np.arange(103, dtype="float32").reshape(-1, 1, 1) * np.ones((1, 4, 3), "float32")
    source = data.source(as_mapped(numbers, tmp_path), numbers[:, 0, :1], model=model(), batch_size=8, shuffle=True)
    first, second = ([(b[0][0][:, 0, 0], b[1][0][:, 0]) for b in source] for _ in range(2))
    for one in (first, second):
        assert [len(rows) for rows, _ in one] == [8] * 12 + [7]
        order = np.concatenate([rows for rows, _ in one])
        np.testing.assert_array_equal(np.sort(order), np.arange(103))
        np.testing.assert_array_equal(order, np.concatenate([targets for _, targets in one]))
        blocks = order // 20
        assert (np.diff(blocks) != 0).sum() == 5  # a block is gone through before the next
        assert (np.diff(order) != 1).sum() > 80
    assert any((a != b).any() for (a, _), (b, _) in zip(first, second))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_the_order_does_not_depend_on_the_timing(shuffle, tmp_path, monkeypatch):
    def orders(delay):
        rnn_ref.utils.set_random_seed(5)
        found = []
        for batch in data.source(as_mapped(x, tmp_path), model=fixed, batch_size=8, shuffle=shuffle):
            time.sleep(delay)
            found.append(batch[0][0])
            rnn_ref.random.generator().random()  # as dropout does between batches
        return np.concatenate(found)

    fixed = model()
    quick = orders(0.0)
    np.testing.assert_array_equal(quick, orders(0.003))
    slow = stored.Mapped.rows
    monkeypatch.setattr(stored.Mapped, "rows", lambda self, *range_: (time.sleep(0.01), slow(self, *range_))[1])
    np.testing.assert_array_equal(quick, orders(0.0))
    np.testing.assert_array_equal(np.sort(quick.ravel()), np.sort(x.ravel()))


@pytest.mark.usefixtures("small_blocks")
def test_no_more_than_the_next_block_is_read_ahead_in_another_thread(tmp_path, monkeypatch):
    read, threads = [], set()
    rows = stored.Mapped.rows

    def watched(self, first, last):
        read.append((first, last))
        threads.add(threading.current_thread())
        return rows(self, first, last)

    source = data.source(as_mapped(x, tmp_path), model=model(), batch_size=10, shuffle=True)
    monkeypatch.setattr(stored.Mapped, "rows", watched)
    for number, _ in enumerate(source):
        assert len(read) <= number // 2 + 2
        assert max(last - first for first, last in read) <= 20
    assert sorted(read) == [(0, 20), (20, 40), (40, 60), (60, 80), (80, 100), (100, 103)]
    assert threading.main_thread() not in threads


@pytest.mark.usefixtures("small_blocks")
def test_an_error_of_the_thread_is_raised_where_the_batch_was_wanted(tmp_path, monkeypatch):
    source = data.source(as_mapped(x, tmp_path), model=model(), batch_size=8)
    monkeypatch.setattr(stored.Mapped, "rows", lambda *_: (_ for _ in ()).throw(OSError("the disk is gone")))
    with pytest.raises(OSError, match="the disk is gone"):
        list(source)


@pytest.mark.usefixtures("small_blocks")
def test_weights_of_samples_and_classes_belong_to_their_samples(tmp_path):
    classes = (np.arange(103) % 2)[:, None].astype("float32")
    ours = rnn_ref.Sequential([rnn_ref.Input((4, 3)), layers.SimpleRNN(4), layers.Dense(1, "sigmoid")])
    ours.compile("sgd", "binary_crossentropy")
    given = as_mapped(x, tmp_path)
    for _, (targets,), (weights,) in data.source(
        given, classes, model=ours, batch_size=8, shuffle=True, class_weight={0: 1.0, 1: 3.0}
    ):
        np.testing.assert_array_equal(weights, 1 + 2 * targets[:, 0])
    for (rows,), _, (weights,) in data.source(given, classes, x[:, 0, 0], model=ours, batch_size=8, shuffle=True):
        np.testing.assert_array_equal(weights, rows[:, 0, 0])


@pytest.mark.usefixtures("small_blocks")
def test_inputs_by_name(tmp_path):
    a, b = rnn_ref.Input((4, 3), name="a"), rnn_ref.Input((3,), name="b")
    two = rnn_ref.Model([a, b], layers.Dense(1)(layers.Concatenate()([layers.SimpleRNN(2)(a), b])))
    two.compile("sgd", "mse")
    for (first, second), _, _ in data.source({"b": x[:, 0], "a": as_mapped(x, tmp_path)}, y, model=two, shuffle=True):
        np.testing.assert_array_equal(first[:, 0], second)


def test_chunks_that_run_the_wrong_way_are_told_with_better_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "BLOCK", 20 * x[0].nbytes)
    array = pytest.importorskip("dask.array").from_array(x, chunks=(103, 1, 3))
    with pytest.warns(UserWarning, match=r"wrong way.* chunks of the shape \(103, 4, 3\)"):
        batches_of(array, y)
    np.save(tmp_path / "f.npy", np.asfortranarray(x))
    with pytest.warns(UserWarning, match="ascontiguousarray"):
        batches_of(np.load(tmp_path / "f.npy", mmap_mode="r"), y)


def test_a_private_map_keeps_what_was_written_into_it(tmp_path):
    as_mapped(x, tmp_path)
    private = np.load(tmp_path / "x.npy", mmap_mode="c")
    private[...] = 1
    assert all((batch[0][0] == 1).all() for batch in [*batches_of(private), *batches_of(private)])


def test_what_cannot_be_is_refused(tmp_path):
    da = pytest.importorskip("dask.array")
    with pytest.raises(ValueError, match="x has 103"):
        batches_of(as_mapped(x, tmp_path), y[1:])
    with pytest.raises(ValueError, match="dtype complex64"):
        batches_of(as_mapped(x.astype("complex64"), tmp_path))
    unknown = da.from_array(x, chunks=10)
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        batches_of(unknown[unknown[:, 0, 0] > 0])
    with pytest.raises(ValueError, match="empty"):
        batches_of(da.from_array(x[:0], chunks=10))
    with pytest.warns(RuntimeWarning, match="x holds nan"):
        batches_of(as_mapped(np.full_like(x, np.nan), tmp_path))
