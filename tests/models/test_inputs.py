"""Inputs of functional models: nested, optional, too many, too few, and calls on symbolic tensors."""

import warnings

import numpy as np
import pytest

import rnn_ref
from rnn_ref import layers

ONES = np.ones((2, 2), "float32")


def two_inputs(structure):
    a, b = rnn_ref.Input((2,), name="a"), rnn_ref.Input((2,), name="b")
    made = {"a": a, "b": b} if structure is dict else [a, b]
    return rnn_ref.Model(made, {"sum": layers.Add()([a, b]), "second": b})


@pytest.mark.parametrize("structure", [dict, list])
def test_a_model_called_on_a_dict_of_symbolic_tensors(structure):
    y = two_inputs(structure)({"a": rnn_ref.Input((2,)), "b": rnn_ref.Input((2,), batch_size=3)})
    assert {key: tensor.shape for key, tensor in y.items()} == {"sum": (3, 2), "second": (3, 2)}


def test_an_input_that_nothing_reads():
    a, b = rnn_ref.Input((2,), name="a"), rnn_ref.Input((3,), name="b")
    model = rnn_ref.Model({"a": a, "b": b}, a * 2)
    assert model({"a": rnn_ref.Input((2,)), "b": rnn_ref.Input((3,))}).shape == (None, 2)


def test_nested_dicts_of_symbolic_tensors():
    a, b = rnn_ref.Input((1,)), rnn_ref.Input((2,))
    model = rnn_ref.Model({"x": a, "rest": {"y": b}}, {"x": layers.Dense(4)(a), "rest": {"y": layers.Dense(5)(b)}})
    y = model({"x": rnn_ref.Input((1,)), "rest": {"y": rnn_ref.Input((2,))}})
    assert (y["x"].shape, y["rest"]["y"].shape) == ((None, 4), (None, 5))


def test_one_input_takes_one_array():
    a = rnn_ref.Input((2,))
    for model in (rnn_ref.Model(a, layers.Dense(1)(a)), rnn_ref.Sequential([rnn_ref.Input((2,)), layers.Dense(1)])):
        with pytest.raises(ValueError, match="takes one array, got 2 in a list"):
            model([ONES, ONES])


def test_what_a_dict_has_too_much_is_said_once():
    model = two_inputs(dict)
    with pytest.warns(UserWarning, match="got c beside the inputs a, b"):
        y = model({"a": ONES, "b": ONES, "c": ONES})
    np.testing.assert_array_equal(y["sum"], 2 * ONES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model({"a": ONES, "b": ONES, "c": ONES})


class PerhapsAdd(layers.Layer):
    def call(self, x, y=None):
        return x if y is None else x + y

    def compute_output_shape(self, x_shape):
        return x_shape


@pytest.mark.parametrize("structure", [dict, list])
def test_an_optional_input(structure):
    a, b = rnn_ref.Input((2,), name="a"), rnn_ref.Input((2,), name="b", optional=True)
    model = rnn_ref.Model({"a": a, "b": b} if structure is dict else [a, b], PerhapsAdd()(a, b))
    for made in (model, rnn_ref.models.clone_model(model)):
        made._warned_of_list = True
        np.testing.assert_array_equal(made([ONES, None]), ONES)
        np.testing.assert_array_equal(made({"a": ONES, "b": None}), ONES)
        np.testing.assert_array_equal(made({"a": ONES, "b": ONES}), 2 * ONES)
        with pytest.raises(ValueError, match="None for the input 'a', which is not optional"):
            made({"a": None, "b": ONES})


def test_an_input_around_a_tensor():
    a = rnn_ref.Input((2,), batch_size=3)
    assert rnn_ref.Input(tensor=a) is a
    layer = layers.InputLayer(shape=(2,), batch_size=3, dtype="float32", input_tensor=a)
    assert (layer.batch_shape, layer.output) == ((3, 2), a)
    for wrong in ({"shape": (4,)}, {"batch_shape": (2, 4)}, {"batch_size": 5}, {"dtype": "float64"}):
        with pytest.raises(ValueError, match="but input_tensor has"):
            layers.InputLayer(input_tensor=a, **wrong)
    with pytest.raises(ValueError, match="must be a symbolic tensor"):
        rnn_ref.Input(tensor=np.ones((2, 3)))
    with pytest.warns(UserWarning, match="Keras 2's name"):
        assert layers.InputLayer(input_shape=(2, 3)).batch_shape == (None, 2, 3)


def test_a_tuple_of_outputs_comes_back_from_a_config():
    a = rnn_ref.Input((2,))
    model = rnn_ref.Model(a, (layers.Dense(1)(a), layers.Dense(2)(a)))
    assert isinstance(rnn_ref.Model.from_config(model.get_config())(ONES), tuple)


def test_what_a_subclass_adds_to_its_config_comes_back():
    class Own(rnn_ref.Model):
        def __init__(self, *inputs_and_outputs, param=1, **options):
            super().__init__(*inputs_and_outputs, **options)
            self.param = param

        def get_config(self):
            return super().get_config() | {"param": self.param}

    a = rnn_ref.Input((2,))
    model = Own(inputs=a, outputs=layers.Dense(1)(a), param=3)
    assert Own.from_config(model.get_config()).param == 3


def test_an_optional_input_may_be_left_out_of_training():
    class WithOther(rnn_ref.layers.Layer):
        def call(self, a, b=None):
            return a if b is None else a + b

    a, b = rnn_ref.Input((2,), name="a"), rnn_ref.Input((2,), name="b", optional=True)
    y = rnn_ref.layers.Dense(1, kernel_initializer="ones")(WithOther()(a, b=b))
    model = rnn_ref.Model({"a": a, "b": b}, y)
    model.compile(rnn_ref.optimizers.SGD(0.01), "mse")
    x, target = np.ones((5, 2), "float32"), np.zeros((5, 1), "float32")
    assert model.fit({"a": x, "b": None}, target, batch_size=2, verbose=0, validation_split=0.4).history["loss"][0] > 0
    np.testing.assert_array_equal(
        model.predict({"a": x, "b": None}, verbose=0), model.predict({"a": x, "b": 0 * x}, verbose=0)
    )
    model.evaluate(iter([({"a": x, "b": None}, target)]), verbose=0)
    for wrong, message in (({"a": None, "b": x}, "got None for one"), ({"a": None, "b": None}, "got None for one")):
        with pytest.raises(ValueError, match=message):
            model.predict(wrong, verbose=0)
