"""Misspelt arguments are answered with what was meant, and signatures can be read."""

import inspect

import numpy as np
import pytest

import rnn_ref
from rnn_ref import callbacks, constraints, initializers, layers, losses, metrics, optimizers, regularizers
from rnn_ref.preprocessing.text import Tokenizer

MISSPELT = [
    (lambda: layers.LSTM(2, return_sequence=True), "LSTM has no argument 'return_sequence'. Did you mean 'return_seq"),
    (lambda: layers.LSTM(2, recurent_dropout=0.1), "Did you mean 'recurrent_dropout'"),
    (lambda: layers.GRUCell(2, activaton="relu"), "Did you mean 'activation'"),
    (lambda: layers.RNN(layers.GRUCell(2), go_backward=True), "Did you mean 'go_backwards'"),
    (lambda: layers.Dense(2, input_shapes=(3,)), "Did you mean 'input_shape'"),
    (lambda: layers.Dense(unit=2), "Did you mean 'units'"),
    (lambda: layers.Bidirectional(layers.LSTM(2), mergemode="sum"), "Did you mean 'merge_mode'"),
    (lambda: layers.Dropout(0.1, sead=1), "Did you mean 'seed'"),
    (lambda: rnn_ref.Sequential(nam="a"), "name"),
    (lambda: optimizers.SGD(learning_rte=0.1), "SGD has no argument 'learning_rte'. Did you mean 'learning_rate'"),
    (lambda: optimizers.Adam(clip_norm=0.1), "Did you mean 'clipnorm'"),
    (lambda: optimizers.schedules.ExponentialDecay(0.1, decay_step=1, decay_rate=1), "Did you mean 'decay_steps'"),
    (lambda: losses.MeanSquaredError(reductions="sum"), "Did you mean 'reduction'"),
    (lambda: metrics.AUC(num_threshold=2), "Did you mean 'num_thresholds'"),
    (lambda: callbacks.EarlyStopping(patiense=2), "Did you mean 'patience'"),
    (lambda: initializers.RandomNormal(std=1), "RandomNormal has no argument 'std'"),
    (lambda: initializers.GlorotUniform(sed=1), "Did you mean 'seed'"),
    (lambda: regularizers.L1L2(L1=1), "L1L2 has no argument 'L1'"),
    (lambda: constraints.MaxNorm(max_val=1), "Did you mean 'max_value'"),
    (lambda: Tokenizer(num_word=1), "Did you mean 'num_words'"),
]


@pytest.mark.parametrize(("make", "message"), MISSPELT)
def test_a_misspelt_argument_says_what_was_meant(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_so_do_methods_of_models():
    model = rnn_ref.Sequential([rnn_ref.Input((3,)), layers.Dense(1)])
    with pytest.raises(TypeError, match=r"compile\(\) has no argument 'optimiser'. Did you mean 'optimizer'"):
        model.compile(optimiser="sgd")
    model.compile("sgd", "mse")
    x, y = np.ones((4, 3)), np.ones((4, 1))
    with pytest.raises(TypeError, match="Did you mean 'epochs'"):
        model.fit(x, y, epoch=3)
    with pytest.raises(TypeError, match="Did you mean 'batch_size'"):
        model.predict(x, batchsize=3)
    assert "epochs" in inspect.signature(model.fit).parameters


X = np.zeros((2, 3, 2), "float32")


class Scaled(layers.Layer):
    def call(self, x, scale=1):
        return x * scale


class Own(rnn_ref.Model):
    def __init__(self):
        super().__init__()
        self.inner = layers.Dense(2)

    def call(self, x, scale=1):
        return self.inner(x)


CALLS = [
    (lambda x: layers.GRU(2)(x, initial_states=None), "the call of GRU has no argument 'initial_states'. Did you mean"),
    (lambda x: layers.Bidirectional(layers.GRU(2))(x, initial_stat=None), "Did you mean 'initial_state'"),
    (lambda x: layers.TimeDistributed(layers.Dense(2))(x, traning=True), "Did you mean 'training'"),
    (lambda x: layers.Dense(2)(x, maskk=None), "Did you mean 'mask'"),
    (lambda x: layers.Attention()([x, x], return_attention_score=True), "Did you mean 'return_attention_scores'"),
    (lambda x: layers.MultiHeadAttention(1, 2)(x, x, attention_masks=None), "Did you mean 'attention_mask'"),
    (lambda x: Scaled()(x, scal=2), "Did you mean 'scale'"),
    (lambda x: Own()(x, scal=2), "Did you mean 'scale'"),
    (lambda x: rnn_ref.Sequential([layers.Dense(2)])(x, traning=True), "Did you mean 'training'"),
]


@pytest.mark.parametrize(("call", "message"), CALLS)
@pytest.mark.parametrize("x", [X, rnn_ref.Input((3, 2))], ids=["array", "symbolic"])
def test_so_do_calls(call, message, x):
    with pytest.raises(TypeError, match=message):
        call(x)


def test_so_do_calls_of_cells():
    for cell in (layers.LSTMCell(2), layers.StackedRNNCells([layers.GRUCell(2)])):
        with pytest.raises(TypeError, match="Did you mean 'states'"):
            cell(X[0], statess=None)


def test_gradients_in_a_dict_say_what_to_write():
    weights = layers.Dense(2, input_shape=(2,)).trainable_weights
    with pytest.raises(TypeError, match=r"got a dict; pass list\(gradients.values\(\)\)"):
        optimizers.SGD().apply({"kernel": X[0, :2], "bias": X[0, 0]}, weights)
    with pytest.raises(TypeError, match=r"zip\(gradients.values\(\), weights\)"):
        optimizers.SGD().apply_gradients({"kernel": X[0, :2]})


def test_a_users_own_constructor_keeps_its_options():
    class Mine(layers.Layer):
        def __init__(self, **options):
            self.strength = options.pop("strength")
            super().__init__(**options)

    class MyLoss(losses.Loss):
        def __init__(self, **options):
            self.strength = options.pop("strength")
            super().__init__(**options)

    assert Mine(strength=2, name="a").strength == MyLoss(strength=2).strength == 2
    with pytest.raises(TypeError, match=r"Mine has no argument 'nam'. Did you mean 'name'"):
        Mine(strength=1, nam="a")


def functions_and_methods():
    rooms = (
        rnn_ref,
        layers,
        losses,
        metrics,
        optimizers,
        callbacks,
        initializers,
        regularizers,
        rnn_ref.utils,
        rnn_ref.plot,
    )
    for room in rooms:
        for name, found in vars(room).items():
            if name.startswith("_") or not callable(found):
                continue
            yield f"{room.__name__}.{name}", found
            if inspect.isclass(found):
                yield from ((f"{room.__name__}.{name}.{k}", f) for k, f in vars(found).items() if inspect.isfunction(f))


def test_signatures_can_be_read():
    long = {}
    for name, found in functions_and_methods():
        try:
            signature = inspect.signature(found)
        except (TypeError, ValueError):
            continue
        annotations = [p.annotation for p in signature.parameters.values()] + [signature.return_annotation]
        width = max(len(inspect.formatannotation(each)) for each in annotations)
        if width > 120:
            long[name] = width
    assert not long


def test_options_that_are_not_handed_on_are_left_alone():
    assert callbacks.LambdaCallback(on_test_begin=lambda logs: None)
    metrics.MeanMetricWrapper(lambda y, p, strength: y, strength=2)
