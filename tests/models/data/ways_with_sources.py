"""Sources of batches, and single arguments."""

import itertools

from tests.models.data.ways import (
    LABELS,
    F,
    W,
    X,
    Y,
    batches,
    dataset,
    endless,
    evaluate,
    fit,
    iter_nothing,
    loader,
    predict,
    way,
)


@way
def generator(k, make):
    return fit(make("one"), batches(X, Y))


@way
def generator_over_two_epochs(k, make):
    return fit(make("one"), batches(X, Y, size=6), epochs=2)


@way
def generator_with_weights(k, make):
    return fit(make("one"), batches(X, Y, W))


@way
def generator_with_steps(k, make):
    return fit(make("one"), endless(X, Y), steps_per_epoch=2, epochs=4)


@way
def generator_runs_out(k, make):
    return fit(make("one"), batches(X, Y), steps_per_epoch=5)


@way
def generator_of_dicts(k, make):
    return fit(make("pair"), (({"a": x, "b": f}, {"p": y, "q": y}) for x, f, y in batches(X, F, Y)))


@way
def generator_of_lists_of_inputs(k, make):
    return fit(make("pair"), (([x, f], [y, y]) for x, f, y in batches(X, F, Y)))


@way
def evaluate_a_generator(k, make):
    return evaluate(make("one"), batches(X, Y))


@way
def evaluate_an_endless_generator(k, make):
    return evaluate(make("one"), endless(X, Y), steps=5)


@way
def predict_a_generator(k, make):
    return predict(make("one"), batches(X))


@way
def predict_a_generator_of_pairs(k, make):
    return predict(make("one"), batches(X, Y))


@way
def predict_an_endless_generator(k, make):
    return predict(make("one"), endless(X), steps=2)


@way
def empty_generator(k, make):
    return fit(make("one"), iter_nothing())


@way
def predict_an_empty_generator(k, make):
    return predict(make("one"), iter_nothing())


@way
def generator_of_lists(k, make):
    return fit(make("one"), ([x, y] for x, y in batches(X, Y)))


@way
def generator_and_targets(k, make):
    return fit(make("one"), batches(X), Y)


@way
def generator_without_targets(k, make):
    return fit(make("one"), batches(X))


@way
def generator_of_unequal_batches(k, make):
    return fit(make("one"), ((X[:4], Y[:3]) for _ in range(2)))


@way
def generator_function(k, make):
    return fit(make("one"), lambda: batches(X, Y))


@way
def pydataset(k, make):
    return fit(make("one"), dataset(k, X, Y), epochs=2)


@way
def pydataset_of_lists(k, make):
    return fit(make("one"), dataset(k, X, Y, as_list=True))


@way
def pydataset_with_workers(k, make):
    return evaluate(make("one"), dataset(k, X, Y, workers=2, max_queue_size=2))


@way
def pydataset_with_steps(k, make):
    return fit(make("one"), dataset(k, X, Y), steps_per_epoch=2, epochs=4)


@way
def pydataset_in_predict(k, make):
    return predict(make("one"), dataset(k, X))


@way
def pydataset_with_targets(k, make):
    return evaluate(make("one"), dataset(k, X), Y)


@way
def pydataset_without_end(k, make):
    class Endless(k.utils.PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return X[index % 3 :: 3], Y[index % 3 :: 3]

    return fit(make("one"), Endless(), steps_per_epoch=2, epochs=2)


@way
def pydataset_of_nothing(k, make):
    class Nothing(k.utils.PyDataset):
        def __len__(self):
            return 0

        def __getitem__(self, index):
            raise IndexError(index)

    return evaluate(make("one"), Nothing())


@way
def pydataset_of_four(k, make):
    return fit(make("one"), dataset(k, X, Y, W, W))


@way
def pydataset_of_dicts(k, make):
    class Dicts(k.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return {"a": X[index::2], "b": F[index::2]}

    return predict(make("pair"), Dicts())


@way
def dataloader(k, make):
    return fit(make("one"), loader(X, Y), epochs=2)


@way
def dataloader_with_weights(k, make):
    return fit(make("one"), loader(X, Y, W, size=5))


@way
def dataloader_in_predict(k, make):
    return predict(make("one"), loader(X))


@way
def dataloader_and_targets(k, make):
    return fit(make("one"), loader(X), Y)


@way
def dataloader_with_steps(k, make):
    return fit(make("one"), loader(X, Y), steps_per_epoch=2, epochs=4)


@way
def dataloader_with_class_weights(k, make):
    return fit(make("classes"), loader(X, LABELS), class_weight={0: 2.0})


@way
def epochs_as_text(k, make):
    return fit(make("one"), X, Y, epochs="3")


@way
def half_an_epoch(k, make):
    return fit(make("one"), X, Y, epochs=2.5)


@way
def no_epochs(k, make):
    return fit(make("one"), X, Y, epochs=0)


@way
def initial_epoch(k, make):
    return fit(make("one"), X, Y, epochs=4, initial_epoch=2)


@way
def initial_epoch_after_the_last(k, make):
    return fit(make("one"), X, Y, epochs=2, initial_epoch=3)


@way
def validation_freq_of_zero(k, make):
    return fit(make("one"), X, Y, validation_data=(X, Y), validation_freq=0)


@way
def class_weight_as_a_list(k, make):
    return fit(make("classes"), X, LABELS, class_weight=[1, 2, 3])


@way
def an_iterator_of_a_zip(k, make):
    return fit(make("one"), itertools.islice(zip([X], [Y]), 1))
