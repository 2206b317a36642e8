"""Ways to hand data to ``fit``, ``evaluate`` and ``predict``: each a function of a module (ours or Keras) and a maker.

``make(kind)`` gives a compiled model with the same weights in both; what a way returns is compared.
"""

import itertools

import numpy as np

WAYS = {}
N, B = 12, 4
_rng = np.random.default_rng(3)
X = _rng.normal(size=(N, 4, 3)).astype("float32")
Y = X.sum((1, 2))[:, None].astype("float32")
F = _rng.normal(size=(N, 3)).astype("float32")
W = np.linspace(0.5, 2.0, N).astype("float32")
LABELS = (np.arange(N) % 3)[:, None]
STEPS = _rng.integers(0, 3, size=(N, 4))
PAIR = {"a": X, "b": F}


def model(k, kind):
    """Small models that both compile at once; the data is what matters."""
    if kind == "pair":
        a, b = k.Input((4, 3), name="a"), k.Input((3,), name="b")
        joined = k.layers.Concatenate()([k.layers.GlobalAveragePooling1D()(a), b])
        m = k.Model([a, b], [k.layers.Dense(1, name="p")(joined), k.layers.Dense(1, name="q")(joined)])
        loss = ["mse", "mse"]
    else:
        start = {"features": (3,), "column": (4, 1)}.get(kind, (4, 3))
        last = {"classes": 3, "steps": 3}.get(kind, 1)
        row = [k.Input(start)]
        if kind not in ("steps", "features"):
            row.append(k.layers.GlobalAveragePooling1D())
        m = k.Sequential([*row, k.layers.Dense(last, activation="softmax" if last == 3 else None)])
        loss = "sparse_categorical_crossentropy" if last == 3 else "mse"
    m.compile(k.optimizers.SGD(0.1), loss)
    return m


def way(function):
    WAYS[function.__name__] = function
    return function


def fit(m, *data, **options):
    return m.fit(*data, **({"verbose": 0, "shuffle": False} | options)).history


def evaluate(m, *data, **options):
    return m.evaluate(*data, **({"verbose": 0} | options))


def predict(m, *data, **options):
    return m.predict(*data, **({"verbose": 0} | options))


def batches(*arrays, size=B):
    for start in range(0, N, size):
        yield tuple(array[start : start + size] for array in arrays)


def endless(*arrays):
    while True:
        yield from batches(*arrays)


def dataset(k, *arrays, as_list=False, **options):
    class Data(k.utils.PyDataset):
        def __len__(self):
            return N // B

        def __getitem__(self, index):
            batch = tuple(array[B * index : B * (index + 1)] for array in arrays)
            return list(batch) if as_list else batch

    return Data(**options)


def loader(*arrays, size=B):
    import torch

    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*map(torch.as_tensor, arrays)), batch_size=size)


# -- arrays ------------------------------------------------------------------------------------------------------------


@way
def arrays(k, make):
    return fit(make("one"), X, Y, batch_size=5, epochs=2)


@way
def arrays_in_lists(k, make):
    return fit(make("one"), [X], [Y])


@way
def arrays_in_tuples(k, make):
    return fit(make("one"), (X,), (Y,))


@way
def float64(k, make):
    return fit(make("one"), X.astype("float64"), Y.astype("float64"))


@way
def integers(k, make):
    return fit(make("one"), (10 * X).astype("int64"), (10 * Y).astype("int32"))


@way
def booleans(k, make):
    return fit(make("one"), X > 0, Y > 0)


@way
def half_precision(k, make):
    return predict(make("one"), X.astype("float16"))


@way
def targets_without_an_axis(k, make):
    return fit(make("one"), X, Y[:, 0])


@way
def inputs_without_the_feature_axis(k, make):
    return predict(make("column"), X[:, :, 0])


@way
def inputs_without_the_feature_axis_fit(k, make):
    return fit(make("column"), X[:, :, 0], Y)


@way
def inputs_with_an_axis_too_many(k, make):
    return predict(make("features"), F[..., None])


@way
def another_number_of_steps(k, make):
    return predict(make("one"), np.concatenate([X, X], axis=1))


@way
def too_few_axes(k, make):
    return predict(make("one"), F)


@way
def sample_weights(k, make):
    return fit(make("one"), X, Y, sample_weight=W)


@way
def sample_weights_in_a_column(k, make):
    return fit(make("one"), X, Y, sample_weight=W[:, None])


@way
def sample_weights_in_evaluate(k, make):
    return evaluate(make("one"), X, Y, sample_weight=W)


@way
def sample_weights_for_steps(k, make):
    return fit(make("steps"), X, STEPS, sample_weight=np.tile(W[:, None], (1, 4)))


@way
def too_few_sample_weights(k, make):
    return fit(make("one"), X, Y, sample_weight=W[:5])


@way
def a_number_as_sample_weight(k, make):
    return fit(make("one"), X, Y, sample_weight=2.5)


@way
def a_list_as_sample_weight(k, make):
    return fit(make("one"), X, Y, sample_weight=W.tolist())


@way
def two_inputs_two_outputs(k, make):
    return fit(make("pair"), [X, F], [Y, 2 * Y])


@way
def inputs_as_a_tuple(k, make):
    return predict(make("pair"), (X, F))


@way
def inputs_by_name(k, make):
    return predict(make("pair"), PAIR)


@way
def inputs_and_targets_by_name(k, make):
    return fit(make("pair"), {"b": F, "a": X}, {"q": 2 * Y, "p": Y})


@way
def a_name_is_missing(k, make):
    return fit(make("pair"), {"a": X}, [Y, Y])


@way
def an_unknown_name(k, make):
    return predict(make("pair"), {"a": X, "c": F})


@way
def an_input_is_missing(k, make):
    return fit(make("pair"), [X], [Y, Y])


@way
def one_sample_weight_for_two_outputs(k, make):
    return fit(make("pair"), [X, F], [Y, 2 * Y], sample_weight=W)


@way
def a_sample_weight_for_each_output(k, make):
    return fit(make("pair"), [X, F], [Y, 2 * Y], sample_weight=[W, W[::-1].copy()])


@way
def sample_weights_by_name(k, make):
    weights = {"p": W, "q": W[::-1].copy()}
    return fit(make("pair"), PAIR, {"p": Y, "q": 2 * Y}, sample_weight=weights)


@way
def sample_weights_that_match_no_output(k, make):
    return fit(make("pair"), [X, F], [Y, 2 * Y], sample_weight=[W])


@way
def lists_of_numbers(k, make):
    return fit(make("one"), X.tolist(), Y)


@way
def targets_as_a_list_of_numbers(k, make):
    return fit(make("one"), X, [0.0] * N)


@way
def predict_a_list_of_numbers(k, make):
    return predict(make("one"), X.tolist())


@way
def inputs_and_targets_of_different_lengths(k, make):
    return fit(make("one"), X, Y[:7])


@way
def inputs_of_different_lengths(k, make):
    return predict(make("pair"), [X, F[:5]])


@way
def wrong_features(k, make):
    return fit(make("one"), X[..., :2], Y)


@way
def no_samples(k, make):
    return fit(make("one"), X[:0], Y[:0])


@way
def no_targets(k, make):
    return fit(make("one"), X)


@way
def a_number(k, make):
    return predict(make("one"), 3.0)


@way
def text(k, make):
    return fit(make("one"), "data.csv", Y)


@way
def an_array_of_text(k, make):
    return predict(make("features"), np.array([["a", "b", "c"]] * 4))


@way
def nothing_for_targets(k, make):
    return evaluate(make("one"), X, np.array([None] * N))


@way
def jax_arrays(k, make):
    import jax.numpy

    return fit(make("one"), jax.numpy.asarray(X), jax.numpy.asarray(Y))


@way
def torch_tensors(k, make):
    import torch

    return fit(make("one"), torch.as_tensor(X), torch.as_tensor(Y), sample_weight=torch.as_tensor(W))


@way
def frames_and_series(k, make):
    import pandas

    frame = pandas.DataFrame(F, columns=["u", "v", "w"])
    return fit(make("features"), frame, pandas.Series(Y[:, 0]), sample_weight=pandas.Series(W), batch_size=5)


@way
def frames_with_strange_indices(k, make):
    import pandas

    frame = pandas.DataFrame(F, columns=["u", "v", "w"], index=range(50, 50 - N, -1))
    return predict(make("features"), frame, batch_size=5)


@way
def frames_of_text(k, make):
    import pandas

    return predict(make("features"), pandas.DataFrame({"u": ["a"] * N, "v": ["b"] * N, "w": ["c"] * N}))


@way
def sparse_matrices(k, make):
    import scipy.sparse

    return predict(make("features"), scipy.sparse.csr_matrix(F * (F > 0)))


# -- steps -------------------------------------------------------------------------------------------------------------


@way
def steps_with_arrays(k, make):
    return fit(make("one"), X, Y, batch_size=B, steps_per_epoch=2, epochs=4)


@way
def steps_decide_the_batch_size(k, make):
    return fit(make("one"), X, Y, steps_per_epoch=5, epochs=2)


@way
def evaluate_some_steps(k, make):
    return evaluate(make("one"), X, Y, batch_size=B, steps=2)


@way
def predict_some_steps(k, make):
    return predict(make("one"), X, batch_size=B, steps=2)


@way
def too_many_steps(k, make):
    return fit(make("one"), X, Y, batch_size=B, steps_per_epoch=7)


@way
def steps_as_text(k, make):
    return fit(make("one"), X, Y, steps_per_epoch="2")


# -- validation --------------------------------------------------------------------------------------------------------


@way
def validation_split(k, make):
    return fit(make("one"), X, Y, sample_weight=W, validation_split=0.25, epochs=2)


@way
def validation_split_of_a_dict(k, make):
    return fit(make("pair"), PAIR, [Y, 2 * Y], validation_split=0.25)


@way
def validation_split_leaves_nothing(k, make):
    return fit(make("one"), X, Y, validation_split=0.99)


@way
def validation_split_of_a_generator(k, make):
    return fit(make("one"), batches(X, Y), validation_split=0.25)


@way
def validation_tuple(k, make):
    return fit(make("one"), X, Y, validation_data=(X, 2 * Y), epochs=2)


@way
def validation_list(k, make):
    return fit(make("one"), X, Y, validation_data=[X, 2 * Y])


@way
def validation_with_weights(k, make):
    return fit(make("one"), X, Y, validation_data=(X, 2 * Y, W), validation_batch_size=5)


@way
def validation_of_four(k, make):
    return fit(make("one"), X, Y, validation_data=(X, Y, W, W))


@way
def validation_by_name(k, make):
    return fit(make("pair"), PAIR, {"p": Y, "q": Y}, validation_data=(PAIR, {"p": Y, "q": Y}))


@way
def validation_steps_with_arrays(k, make):
    return fit(make("one"), X, Y, batch_size=B, validation_data=(X, 2 * Y), validation_steps=2, epochs=2)


@way
def validation_freq(k, make):
    return fit(make("one"), X, Y, validation_data=(X, 2 * Y), validation_freq=2, epochs=5)


@way
def validation_in_listed_epochs(k, make):
    return fit(make("one"), X, Y, validation_data=(X, 2 * Y), validation_freq=[1, 4], epochs=5)


@way
def validation_generator(k, make):
    return fit(make("one"), X, Y, validation_data=batches(X, 2 * Y, size=6), epochs=3)


@way
def validation_by_an_endless_generator(k, make):
    return fit(make("one"), X, Y, validation_data=endless(X, 2 * Y), validation_steps=2, epochs=3)


@way
def validation_dataset(k, make):
    return fit(make("one"), X, Y, validation_data=dataset(k, X, 2 * Y), epochs=2)


@way
def validation_loader(k, make):
    return fit(make("one"), X, Y, validation_data=loader(X, 2 * Y), epochs=2)


# -- class weights -----------------------------------------------------------------------------------------------------


@way
def class_weights(k, make):
    return fit(make("classes"), X, LABELS, class_weight={0: 1.0, 1: 5.0})


@way
def class_weights_with_a_split(k, make):
    return fit(make("classes"), X, LABELS[:, 0], class_weight={0: 1.0, 1: 5.0}, validation_split=0.25)


@way
def class_weights_and_sample_weights(k, make):
    return fit(make("classes"), X, LABELS, class_weight={0: 2.0}, sample_weight=W)


@way
def class_weights_for_two_outputs(k, make):
    return fit(make("pair"), [X, F], [Y, Y], class_weight={0: 2.0})


@way
def class_weights_of_a_dataset(k, make):
    return fit(make("classes"), dataset(k, X, LABELS), class_weight={0: 1.0, 1: 5.0})


@way
def class_weights_of_a_weighted_dataset(k, make):
    return fit(make("classes"), dataset(k, X, LABELS, W), class_weight={0: 1.0, 1: 5.0})


@way
def class_weights_of_a_generator(k, make):
    return fit(make("classes"), batches(X, LABELS), class_weight={0: 1.0, 1: 5.0})


# -- sources of batches ------------------------------------------------------------------------------------------------


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


def iter_nothing():
    yield from ()


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
