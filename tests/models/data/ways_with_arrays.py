"""Arrays, alone and in lists and dicts, with weights and steps."""

import numpy as np
import pytest

from tests.models.data.ways import PAIR, STEPS, B, F, N, W, X, Y, evaluate, fit, predict, way


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
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

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
