"""Models on a GPU: the numbers are the CPU's, a batch goes there in one transfer, and the loss comes back in one."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import constraints, layers, regularizers
from rnn_ref.training import losses, metrics, optimizers

from . import standin

B, T, F, V = 12, 5, 3, 7
DRAWN = np.random.default_rng(3)
X = DRAWN.normal(size=(B, T, F)).astype("float32")
TOKENS = DRAWN.integers(0, V, size=(B, T))
LABELS = DRAWN.integers(0, 4, size=B)
NUMBERS = DRAWN.normal(size=(B, 2)).astype("float32")
SEQUENCES = DRAWN.normal(size=(B, T, 2)).astype("float32")


def sequential(*parts):
    return rnn_ref.Sequential(list(parts))


def classifier():
    return sequential(
        layers.Embedding(V, 4, mask_zero=True), layers.Bidirectional(layers.GRU(3)), layers.Dense(4, "softmax")
    )


def regression():
    return sequential(
        layers.Masking(), layers.LSTM(4, return_sequences=True), layers.SimpleRNN(3), layers.Dense(2, "tanh")
    )


def dropping():
    return sequential(
        layers.LSTM(4, dropout=0.3, recurrent_dropout=0.3, return_sequences=True),
        layers.Dropout(0.3),
        layers.GaussianNoise(0.1),
        layers.TimeDistributed(layers.Dense(2)),
    )


def penalized():
    return sequential(
        layers.LSTM(
            4,
            kernel_regularizer="l1_l2",
            recurrent_regularizer=regularizers.OrthogonalRegularizer(),
            activity_regularizer="l2",
        ),
        layers.Dense(2, kernel_constraint=constraints.MaxNorm(0.1), bias_constraint="non_neg"),
    )


def seq2seq():
    encoder_inputs, decoder_inputs = rnn_ref.Input((T, F)), rnn_ref.Input((T, F))
    _, *states = layers.LSTM(4, return_state=True)(encoder_inputs)
    decoded = layers.LSTM(4, return_sequences=True)(decoder_inputs, initial_state=states)
    attended = layers.Attention()([decoded, layers.Dense(4)(encoder_inputs)])
    return rnn_ref.Model([encoder_inputs, decoder_inputs], layers.Dense(2)(layers.Concatenate()([decoded, attended])))


class Subclassed(rnn_ref.Model):
    def __init__(self):
        super().__init__()
        self.read, self.out = layers.GRU(4), layers.Dense(2)

    def call(self, x):
        return self.out(self.read(x))


class OwnCell(layers.Layer):
    """A cell whose backward is left to autograd, which knows NumPy only."""

    state_size = 2

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 2), name="kernel")

    def call(self, inputs, states):
        h = inputs @ self.kernel + 0.5 * states[0]
        return h, [h]


MODELS = {
    "classifier": (classifier, TOKENS, LABELS, "sparse_categorical_crossentropy", ["accuracy", "crossentropy"]),
    "regression": (regression, X, NUMBERS, "mse", ["mae", metrics.RootMeanSquaredError]),
    "dropping": (dropping, X, SEQUENCES, "huber", []),
    "penalized": (penalized, X, NUMBERS, "mse", []),
    "seq2seq": (seq2seq, [X, X[:, ::-1]], SEQUENCES, "mse", ["mae"]),
    "binary": (
        lambda: sequential(layers.GRU(3), layers.Dense(1, "sigmoid")),
        X,
        LABELS % 2,
        "binary_crossentropy",
        ["accuracy", metrics.AUC, metrics.Precision, metrics.Recall],
    ),
    "subclassed": (Subclassed, X, NUMBERS, "log_cosh", []),
    "own cell": (lambda: sequential(layers.RNN(OwnCell()), layers.Dense(2)), X, NUMBERS, "mse", []),
}


def make(name, optimizer="adam"):
    rnn_ref.utils.set_random_seed(0)
    layers.layer.reset_names()
    build, x, y, loss, named = MODELS[name]
    model = build()
    model.compile(optimizer, loss, metrics=[m(name=m.__name__) if isinstance(m, type) else m for m in named])
    return model, x, y


def everything(name):
    """What a model gives, from its first batch to its last."""
    model, x, y = make(name)
    first = model.train_on_batch(x, y)
    weight = np.linspace(0.5, 1.5, B)
    history = model.fit(x, y, batch_size=5, epochs=2, verbose=0, validation_data=(x, y), sample_weight=weight)
    evaluated = model.evaluate(x, y, verbose=0, return_dict=True)
    predicted = model.predict(x, batch_size=7, verbose=0)
    loss, gradients = model.gradients(x, y)
    found = [first, history.history, evaluated, predicted, model.predict_on_batch(x), model(x), loss, gradients]
    assert all(isinstance(a, np.ndarray) for a in [predicted, model.predict_on_batch(x), *gradients.values()])
    assert isinstance(loss, float)
    assert isinstance(first if isinstance(first, float) else first[0], float)
    return [*found, model.test_on_batch(x, y), model.get_weights(), model.optimizer.get_state()]


@pytest.mark.parametrize("name", MODELS)
def test_everything_a_model_does(name, gpu_there, same):
    on_cpu = everything(name)
    with rnn_ref.device("cuda"):
        same(everything(name), on_cpu, 2e-5)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("own cell", "dropping")])
def test_one_transfer_in_and_one_out_for_each_step(name, gpu):
    model, x, y = make(name, rnn_ref.optimizers.Adam(clipnorm=0.5))
    model.train_on_batch(x, y)  # weights and the state of the optimizer move
    gpu.counts.clear()
    model.fit(x, y, batch_size=B // 2, epochs=3, verbose=0, shuffle=True, sample_weight=np.ones(B))
    assert gpu.counts == {"in": 6, "out": 6}
    gpu.counts.clear()
    model.evaluate(x, y, batch_size=B // 2, verbose=0)
    assert gpu.counts == {"in": 2, "out": 2}
    gpu.counts.clear()
    model.predict(x, batch_size=B // 2, verbose=0)
    assert gpu.counts["in"] == 2
    assert gpu.counts["out"] <= 4  # the outputs, and with an Embedding whether all tokens were right


def test_dropout_masks_are_all_that_goes_along_with_a_batch(gpu):
    model, x, y = make("dropping")
    model.train_on_batch(x, y)
    gpu.counts.clear()
    model.train_on_batch(x, y)
    assert gpu.counts == {"in": 1 + 4, "out": 1}  # of the LSTM's inputs and states, of Dropout, and GaussianNoise


ALL_OPTIMIZERS = [
    optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipvalue=0.01),
    optimizers.SGD(0.1, global_clipnorm=0.1),
    optimizers.RMSprop(momentum=0.5, centered=True, clipnorm=0.1),
    optimizers.Adam(amsgrad=True),
    optimizers.AdamW(),
    optimizers.Adagrad(),
    optimizers.Adadelta(),
    optimizers.Nadam(),
    optimizers.Adamax(),
    optimizers.Lion(),
    optimizers.Lamb(),
    optimizers.Ftrl(0.1),
    optimizers.Adafactor(0.1),
]


@pytest.mark.parametrize("optimizer", ALL_OPTIMIZERS, ids=lambda o: type(o).__name__)
def test_optimizers(optimizer, gpu_there, same):
    def run():
        model, x, y = make("regression", type(optimizer).from_config(optimizer.get_config()))
        for _ in range(3):
            model.train_on_batch(x, y)
        return model.get_weights(), model.optimizer.get_state()

    on_cpu = run()
    with rnn_ref.device("cuda"):
        same(run(), on_cpu, 2e-5)


def test_every_optimizer_is_tested():
    assert {type(o) for o in ALL_OPTIMIZERS} == set(optimizers._CLASSES)


def test_a_gradient_that_is_not_finite_shows(gpu):
    model, x, y = make("regression", rnn_ref.optimizers.SGD(clipnorm=1.0))
    with pytest.warns(RuntimeWarning):
        model.train_on_batch(np.where(x > 1, np.nan, x), y)
    assert any(np.isnan(w).any() for w in model.get_weights())


PROBABILITIES = np.array([[0.2, 0.8], [0.6, 0.4], [0.9, 0.1]], "float32")
TARGETS = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], "float32")


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("kind", losses.CLASS_OF.values(), ids=lambda c: c.__name__)
def test_losses(kind, reduction, gpu_there, same):
    y, predicted, axis = TARGETS, PROBABILITIES, {}
    if kind in (losses.SparseCategoricalCrossentropy, losses.CategoricalGeneralizedCrossEntropy):
        y = np.array([1, 0, 1])
    elif kind is losses.CTC:  # a class a step, of three
        y, predicted = np.array([[1], [2], [1]]), DRAWN.normal(size=(3, 2, 3)).astype("float32")
    elif kind in (losses.Dice, losses.Tversky):  # one number a batch unless told otherwise
        axis = {"axis": -1}

    def run(array, **options):
        loss = kind(reduction=reduction, **axis)
        value, gradient = loss.value_and_gradient(array(y), array(predicted), **options)
        return [float(value), gradient, float(loss(array(y), array(predicted), **options))]

    mask, weight = np.array([True, False, True]), np.array([0.5, 1.0, 2.0])
    for options in ({}, {"mask": mask}, {"sample_weight": weight}, {"sample_weight": weight, "mask": mask}):
        on_cpu = run(np.asarray, **options)
        with rnn_ref.device("cuda"):
            for array in (np.asarray, standin.module.asarray):
                found = run(array, **options)
                assert isinstance(found[1], standin.Array)
                same(found, on_cpu)


def every_metric():
    special = {
        metrics.MeanMetricWrapper: lambda: metrics.MeanMetricWrapper(losses.mean_squared_error),
        metrics.TopKCategoricalAccuracy: lambda: metrics.TopKCategoricalAccuracy(1),
        metrics.SparseTopKCategoricalAccuracy: lambda: metrics.SparseTopKCategoricalAccuracy(1),
        metrics.PrecisionAtRecall: lambda: metrics.PrecisionAtRecall(0.5),
        metrics.RecallAtPrecision: lambda: metrics.RecallAtPrecision(0.5),
        metrics.SensitivityAtSpecificity: lambda: metrics.SensitivityAtSpecificity(0.5),
        metrics.SpecificityAtSensitivity: lambda: metrics.SpecificityAtSensitivity(0.5),
        metrics.IoU: lambda: metrics.IoU(2, [0, 1], sparse_y_true=False, sparse_y_pred=False),
        metrics.MeanIoU: lambda: metrics.MeanIoU(2, sparse_y_true=False, sparse_y_pred=False),
        metrics.OneHotIoU: lambda: metrics.OneHotIoU(2, [0, 1]),
        metrics.OneHotMeanIoU: lambda: metrics.OneHotMeanIoU(2),
    }
    for kind in metrics._CLASSES:
        yield pytest.param(special.get(kind, kind), id=kind.__name__)
    yield pytest.param(lambda: metrics.AUC(curve="PR", multi_label=True), id="AUC of labels")
    yield pytest.param(lambda: metrics.Precision(top_k=1, class_id=1), id="Precision of the first")
    yield pytest.param(lambda: metrics.Recall([0.3, 0.7]), id="Recall at two thresholds")


@pytest.mark.parametrize("make_metric", list(every_metric()))
def test_metrics(make_metric, gpu_there, same):
    def run(array):
        metric = make_metric()
        if isinstance(metric, metrics.Sum) or type(metric) is metrics.Mean:
            metric.update_state(array(PROBABILITIES), sample_weight=array(np.array([1.0, 2.0, 0.5])))
            return [metric.result(), [np.asarray(v) for v in metric.variables]]
        sparse = "Sparse" in type(metric).__name__ or isinstance(metric, metrics.Perplexity)
        y, weight = np.array([1, 0, 1]) if sparse else TARGETS, np.array([1.0, 2.0, 0.5])
        if isinstance(metric, metrics.BinaryIoU):  # it weighs every number
            weight = np.repeat(weight, 2).reshape(3, 2)
        metric.update_state(array(y), array(PROBABILITIES))
        metric.update_state(array(y), array(PROBABILITIES), sample_weight=array(weight))
        return [metric.result(), [np.asarray(v) for v in metric.variables]]

    on_cpu = run(np.asarray)
    with rnn_ref.device("cuda"):
        same(run(np.asarray), on_cpu)
        same(run(standin.module.asarray), on_cpu)


def test_stateful_layers_go_on_from_where_they_were(gpu_there, same):
    def run():
        rnn_ref.utils.set_random_seed(0)
        model = sequential(rnn_ref.Input(batch_shape=(B, T, F)), layers.LSTM(4, stateful=True), layers.Dense(2))
        return [model(X), model(X), model.reset_states(), model(X)]

    on_cpu = run()
    assert not np.allclose(on_cpu[0], on_cpu[1])
    with rnn_ref.device("cuda"):
        same(run(), on_cpu)


def test_a_model_goes_from_device_to_device(gpu_there, same):
    """Weights, the optimizer's state and the states of stateful layers follow."""

    def run(*devices):
        rnn_ref.utils.set_random_seed(0)
        model = sequential(rnn_ref.Input(batch_shape=(B, T, F)), layers.GRU(4, stateful=True), layers.Dense(2))
        model.compile("adam", "mse")
        trained = []
        for name in devices:
            with rnn_ref.device(name):
                trained.append(model.train_on_batch(X, NUMBERS))
        return [trained, model.get_weights(), model.optimizer.get_state()]

    same(run("cuda", "cpu", "cuda", "cpu"), run("cpu", "cpu", "cpu", "cpu"), 2e-5)


def test_arrays_of_the_gpu_are_taken_where_they_are(gpu, same):
    model, x, y = make("regression")
    x_there, y_there = standin.module.asarray(x), standin.module.asarray(y)
    same(model.predict(x_there, verbose=0), model.predict(x, verbose=0))
    assert isinstance(model(x_there), standin.Array)
    assert isinstance(model(x), np.ndarray)
    model.fit(x_there, y_there, batch_size=4, verbose=0)
    gpu.counts.clear()
    model.fit(x_there, y_there, batch_size=4, verbose=0, shuffle=False)
    assert gpu.counts["in"] == 0


def test_arrays_of_the_gpu_are_brought_to_the_cpu(gpu_there, same):
    model, x, y = make("regression")
    x_there, y_there = standin.module.asarray(x), standin.module.asarray(y)
    same(model.predict(x_there, verbose=0), model.predict(x, verbose=0))
    same(model.evaluate(x_there, y_there, verbose=0), model.evaluate(x, y, verbose=0))
    assert isinstance(layers.Dense(2)(x_there), np.ndarray)


class Cubed(losses.Loss):
    def call(self, y_true, y_pred):
        return np.mean(np.abs(y_pred - y_true) ** 3, axis=-1)

    def gradient(self, y_true, y_pred):
        return np.where(y_pred > y_true, 3, -3) * np.square(y_pred - y_true) / y_pred.shape[-1]


class TowardsOne(regularizers.Regularizer):
    def __call__(self, x):
        return float(np.sum((x - 1) ** 2))

    def gradient(self, x):
        return 2 * (x - 1)


class Plain(optimizers.Optimizer):
    def __init__(self):
        super().__init__(0.1)

    def update_step(self, gradient, value, learning_rate, slots, work):
        np.multiply(gradient, learning_rate, out=work)
        value -= work


class Largest(metrics.Metric):
    def __init__(self):
        super().__init__(name="largest")
        self.seen = self.add_variable((), name="seen")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.seen.assign_add(np.max(np.abs(y_pred - y_true)))

    def result(self):
        return float(self.seen)


def test_what_users_write_with_numpy_runs_on_a_gpu(gpu_there, same):
    """NumPy's functions hand over to CuPy's where they get its arrays."""

    def run():
        rnn_ref.utils.set_random_seed(0)
        model = sequential(
            layers.LSTM(3, kernel_regularizer=TowardsOne(), recurrent_constraint=lambda w: np.minimum(w, 0.1)),
            layers.Dense(2),
        )
        model.compile(Plain(), Cubed(), metrics=[Largest(), lambda y_true, y_pred: np.mean(np.sign(y_pred), axis=-1)])
        history = model.fit(X, NUMBERS, epochs=2, verbose=0).history
        return [list(history.values()), model.get_weights()]

    on_cpu = run()
    with rnn_ref.device("cuda"):
        same(run(), on_cpu, 1e-5)


def test_wrong_tokens_and_labels_are_errors_here_too(gpu):
    model, x, y = make("classifier")
    with pytest.raises(ValueError, match=r"token 7 at index \(0, 0\) is not in this embedding"):
        model.train_on_batch(np.full_like(x, V), y)
    with pytest.raises(ValueError, match=r"token 7 at index \(0, 0\)"):
        model.predict(np.full_like(x, V), verbose=0)
    with pytest.raises(ValueError, match=r"classes from 0 to 3.*from 9 to 9"):
        model.train_on_batch(x, np.full_like(y, 9))
    model.train_on_batch(x, y)  # and what was wrong is forgotten


def test_the_way_back_must_be_on_the_device_of_the_way_there(gpu_there):
    model, x, _ = make("regression")
    with rnn_ref.device("cuda"):
        y, tape = model.forward(x)
    with pytest.raises(ValueError, match="'cuda', and what it left is there"):
        model.backward(tape, y)


def test_full_memory_says_what_to_do(gpu, monkeypatch):
    model, x, y = make("regression")
    model.train_on_batch(x, y)

    def full(*_, **__):
        raise MemoryError("Out of memory allocating 1,000,000 bytes")

    for name in ("forward", "backward"):
        with monkeypatch.context() as patch:
            patch.setattr(model.layers[1].cell.kernels, name, full)
            with pytest.raises(MemoryError) as caught:
                model.train_on_batch(x, y)
        (note,) = caught.value.__notes__
        assert "smaller batch_size" in note
        assert "lstm" in note
