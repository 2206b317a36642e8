"""Batches by their number, made when they are asked for."""

import threading
import warnings

import numpy as np
import pytest

from rnn_ref import Input, Sequential, callbacks, layers, utils

X = np.arange(24, dtype="float32").reshape(12, 2)


class Data(utils.PyDataset):
    def __init__(self, **options):
        super().__init__(**options)
        self.asked, self.epochs, self.threads = [], [], set()

    def __len__(self):
        return 6

    def __getitem__(self, index):
        self.asked.append(index)
        self.threads.add(threading.get_ident())
        return X[2 * index : 2 * index + 2], X[2 * index : 2 * index + 2, :1]

    def on_epoch_begin(self):
        self.epochs.append("begin")

    def on_epoch_end(self):
        self.epochs.append("end")


def model():
    made = Sequential([Input((2,)), layers.Dense(1, kernel_initializer="ones")])
    made.compile("sgd", "mse")
    return made


def test_epochs_are_announced_once_and_batches_shuffled():
    data = Data()
    model().fit(data, epochs=3, verbose=0)
    assert data.epochs == ["begin", "end"] * 3
    orders = [data.asked[k : k + 6] for k in range(0, 18, 6)]
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert len({tuple(order) for order in orders}) > 1


def test_steps_go_on_where_the_epoch_before_ended():
    data = Data()
    model().fit(data, epochs=3, steps_per_epoch=2, shuffle=False, verbose=0)
    assert data.asked == list(range(6))


def test_an_epoch_is_as_long_as_the_data_are_then():
    class Growing(Data):
        def __len__(self):
            return 1 + len(self.epochs) // 2

    data = Growing()
    model().fit(data, epochs=3, shuffle=False, verbose=0)
    assert data.asked == [0, 0, 1, 0, 1, 2]


def test_workers_keep_the_order():
    data = Data(workers=3, max_queue_size=2)
    np.testing.assert_array_equal(model().predict(data, verbose=0), model().predict(X, verbose=0))
    assert threading.get_ident() not in data.threads
    assert data.asked.count(0) == 1
    plain, ahead = model(), model()
    plain.fit(Data(), shuffle=False, epochs=2, verbose=0)
    ahead.fit(Data(workers=2), shuffle=False, epochs=2, verbose=0)
    np.testing.assert_array_equal(plain.get_weights()[0], ahead.get_weights()[0])


def test_an_error_in_a_worker_arrives():
    class Broken(Data):
        def __getitem__(self, index):
            raise OSError("no such picture")

    for workers in (1, 2):
        with pytest.raises(OSError, match="no such picture") as caught:
            model().predict(Broken(workers=workers), verbose=0)
        assert caught.value.__notes__ == ["batch 0 of Broken"]


def test_no_thread_stays_after_an_early_stop():
    before = threading.active_count()

    def stop(step, logs):
        made.stop_training = step == 1

    made, watch = model(), callbacks.LambdaCallback(on_train_batch_end=stop)
    data = Data(workers=3, max_queue_size=2)
    made.fit(data, verbose=0, callbacks=[watch])
    assert threading.active_count() == before
    assert len(data.asked) <= 2 + 2  # two were used, no more than two wait


def test_a_subclass_need_not_call_init():
    class Plain(utils.Sequence):
        def __init__(self):
            pass

        __len__, __getitem__ = Data.__len__, lambda self, index: (X[index::6],)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model().predict(Plain(), verbose=0).shape == (12, 1)


def test_what_is_missing_is_named():
    class NoLength(utils.PyDataset):
        def __getitem__(self, index):
            return (X,)

    class NoEnd(NoLength):
        num_batches = None

    with pytest.raises(NotImplementedError, match="NoLength has no __len__"):
        model().predict(NoLength(), verbose=0)
    with pytest.raises(ValueError, match="no end"):
        model().predict(NoEnd(), verbose=0)
    assert model().predict(NoEnd(), steps=2, verbose=0).shape == (24, 1)
    with pytest.raises(ValueError, match="workers"):
        Data(workers=-1)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_queue_of_no_length_loses_no_batch(workers):
    data = Data(workers=workers, max_queue_size=0)
    expected = model().predict(Data(), verbose=0)
    np.testing.assert_array_equal(model().predict(data, verbose=0), expected)


def test_one_without_a_length_can_be_gone_through_by_hand():
    class NoLength(utils.PyDataset):
        def __getitem__(self, index):
            return index

    assert [batch for batch, _ in zip(NoLength(), range(4))] == [0, 1, 2, 3]
