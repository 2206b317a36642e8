import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_ref import preprocessing
from rnn_ref.preprocessing.timeseries import timeseries_dataset_from_array


def test_stride_and_rate():
    # With 99 steps the next window would begin at 81 and end at 99, one too far.
    dataset = timeseries_dataset_from_array(np.arange(99), None, sequence_length=10, sequence_stride=3, sampling_rate=2)
    (x,) = dataset
    assert len(dataset) == 1
    assert x.shape == (27, 10)
    assert x[0].tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
    assert x[1].tolist() == [3, 5, 7, 9, 11, 13, 15, 17, 19, 21]
    assert x[-1].tolist() == [78, 80, 82, 84, 86, 88, 90, 92, 94, 96]


def test_the_next_step_as_target():
    data = np.arange(100, dtype="float32")
    x, y = next(iter(timeseries_dataset_from_array(data[:-10], data[10:], sequence_length=10)))
    assert x.dtype == y.dtype == np.float32
    assert x.shape == (81, 10)
    np.testing.assert_array_equal(x[:, -1] + 1, y)
    # With the whole series, windows without a target are left out.
    x, y = next(iter(timeseries_dataset_from_array(data, data[10:], sequence_length=10)))
    np.testing.assert_array_equal(x[:, -1] + 1, y)
    assert y[-1] == 99


def test_windows_side_by_side():
    x, y = np.arange(100), np.arange(100) * 2
    inputs, targets = (
        timeseries_dataset_from_array(series, None, sequence_length=20, sequence_stride=20) for series in (x, y)
    )
    for batch_x, batch_y in zip(inputs, targets):
        assert batch_x.shape == (5, 20)
        assert batch_x[1].tolist() == list(range(20, 40))
        np.testing.assert_array_equal(batch_y, batch_x * 2)


def test_batches():
    data = np.arange(20).reshape(10, 2)
    dataset = timeseries_dataset_from_array(data, data, sequence_length=3, batch_size=3)
    shapes = [(x.shape, y.shape) for x, y in dataset]
    assert shapes == [((3, 3, 2), (3, 2)), ((3, 3, 2), (3, 2)), ((2, 3, 2), (2, 2))]
    assert len(dataset) == 3
    singles = timeseries_dataset_from_array(data, data, sequence_length=3, batch_size=None)
    assert len(singles) == len(list(singles)) == 8
    x, y = list(singles)[1]
    assert x.tolist() == data[1:4].tolist()
    assert y.tolist() == [2, 3]


def test_a_batch_is_a_copy():
    data = np.arange(5)
    for x in timeseries_dataset_from_array(data, None, sequence_length=2):
        x[:] = -1
    assert data.tolist() == [0, 1, 2, 3, 4]


def test_start_and_end():
    data = np.arange(10)
    options = {"sequence_length": 3, "start_index": 2, "end_index": 8, "sequence_stride": 2}
    ((x, y),) = timeseries_dataset_from_array(data, data * 10, **options)
    assert x.tolist() == [[2, 3, 4], [4, 5, 6]]
    assert y.tolist() == [20, 40]
    ((x, y),) = timeseries_dataset_from_array(data, data[:4] * 10, **options)
    assert y.tolist() == [20]


@given(st.integers(2, 20), st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.integers(1, 5))
def test_the_windows_are_those_that_fit(steps, length, stride, rate, batch_size):
    stride, rate = min(stride, steps - 1), min(rate, steps - 1)
    dataset = timeseries_dataset_from_array(np.arange(steps), None, length, stride, rate, batch_size)
    windows = [window for batch in dataset for window in batch.tolist()]
    everywhere = [[start + i * rate for i in range(length)] for start in range(0, steps, stride)]
    assert windows == [window for window in everywhere if window[-1] < steps]
    assert len(dataset) == len(list(dataset)) == -(-len(windows) // batch_size)


def test_shuffling():
    data = np.arange(50)

    def orders(**options):
        dataset = timeseries_dataset_from_array(data, data, 2, batch_size=7, shuffle=True, **options)
        for _ in range(2):
            pairs = [(x, y) for x, y in dataset]
            for x, y in pairs:
                np.testing.assert_array_equal(x[:, 0], y)
            yield np.concatenate([y for _, y in pairs]).tolist()

    first, second = orders(seed=1)
    assert first != second  # a new order each time, but of the same windows
    assert sorted(first) == sorted(second) == list(range(49))
    assert [first, second] == list(orders(seed=1)) == list(orders(seed=np.random.default_rng(1)))
    assert first != next(orders(seed=2))


def test_a_short_series_has_no_windows():
    dataset = preprocessing.timeseries_dataset_from_array([1, 2, 3], None, sequence_length=4)
    assert len(dataset) == len(list(dataset)) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sequence_length": 0}, "sequence_length should be an integer, at least 1; got 0"),
        ({"sequence_length": 2.0}, "an integer. Received: sequence_length=2.0"),
        ({"sequence_stride": 0}, "at least 1 and less than the number of steps, 10; got 0"),
        ({"sampling_rate": 10}, "sampling_rate .* 10; got 10"),
        ({"batch_size": 0}, "batch_size"),
        ({"start_index": -1}, "start_index should be an integer, at least 0"),
        ({"start_index": 10}, "start_index"),
        ({"end_index": 10}, "end_index .* less than the number of steps, 10; got 10"),
        ({"start_index": 4, "end_index": 4}, "end_index should be an integer, at least 5"),
        ({"data": 3.0}, "axis of time"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        timeseries_dataset_from_array(**{"data": np.arange(10), "targets": None, "sequence_length": 2} | options)


@pytest.mark.parametrize("format", ["tf", "grain", "csv"])
def test_other_formats_are_refused(format):
    with pytest.raises(ValueError, match="Leave it out"):
        timeseries_dataset_from_array(np.arange(5), None, 2, format=format)
