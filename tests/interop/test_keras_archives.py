"""``.keras`` archives, weights and JSON go from here to Keras and back: the same bits, the same outputs."""

import json
import warnings
import zipfile

import numpy as np
import pytest

import rnn_ref
from rnn_ref.interop import BrokenFile, WrongWeights
from rnn_ref.models import load_model, model_from_json

from ..keras_on_numpy import keras
from ..layers.test_keras_configs import classes, made
from .keras_models import build, data, filled, mixed, mixed_data, random_models

pytestmark = pytest.mark.usefixtures("on_numpy")


def same_bits(one, other):
    values = one.get_weights(), other.get_weights()
    assert [v.shape for v in values[0]] == [v.shape for v in values[1]]
    assert all(a.tobytes() == b.astype(a.dtype).tobytes() for a, b in zip(*values))


def flat(outputs):
    return [np.asarray(y) for y in outputs] if isinstance(outputs, (list, tuple)) else [np.asarray(outputs)]


def same_outputs(one, other, x, tolerance=1e-6):
    for a, b in zip(flat(one(x)), flat(other(x)), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1, np.abs(b).max()))


def test_there_and_back(tmp_path):
    x, y = mixed_data()
    ours = filled(mixed(rnn_ref))
    ours.compile("adam", "mse", metrics=["mae"])
    ours.fit(x, y, epochs=2, verbose=0)
    ours.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    same_bits(ours, theirs)
    same_outputs(theirs, ours, x)
    assert theirs.loss == "mse"
    theirs.save(tmp_path / "theirs.keras")
    again = load_model(tmp_path / "theirs.keras")
    same_bits(ours, again)
    same_outputs(again, ours, x)
    for now, before in zip(again.optimizer.variables, ours.optimizer.variables, strict=True):
        np.testing.assert_array_equal(now.astype("float32"), before.astype("float32"))
    assert again.evaluate(x, y, verbose=0, return_dict=True).keys() == {"loss", "mae"}


def go_round(c, folder):
    """Keras to here to Keras, and here to Keras to here, as files and as configurations."""
    theirs = build(keras, c)
    ours = build(rnn_ref, c)
    values = [np.random.default_rng(c.seed).normal(size=w.shape, scale=0.5) for w in ours.get_weights()]
    ours.set_weights(values)
    theirs.set_weights(values)
    x = data(c, np.random.default_rng(c.seed))
    x = x if len(x) > 1 else x[0]
    theirs.save(folder / "theirs.keras")
    read = load_model(folder / "theirs.keras")
    same_bits(theirs, read)
    same_outputs(read, ours, x, 0)  # the very same model
    read.save(folder / "round.keras")
    back = keras.models.load_model(folder / "round.keras")
    same_bits(theirs, back)
    expected = flat(theirs(x))  # once, as those that are stateful go on from there
    for model, tolerance in ((back, 1e-6), (build_again(ours), 2e-5)):  # by which the two libraries themselves differ
        for a, b in zip(flat(model(x)), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    ours.save(folder / "ours.keras")
    same_bits(keras.models.load_model(folder / "ours.keras"), ours)
    same_bits(load_model(folder / "ours.keras"), ours)
    theirs_of = keras.Model.from_config(json.loads(json.dumps(ours.get_config())))
    ours_of = rnn_ref.Model.from_config(json.loads(json.dumps(theirs.get_config())))
    assert [w.shape for w in ours_of.weights] == [tuple(w.shape) for w in theirs_of.weights]


def build_again(model):
    again = rnn_ref.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    return again


@pytest.mark.parametrize("c", random_models(0, 2), ids=str)
def test_random_models_go_round(c, tmp_path):
    go_round(c, tmp_path)


@pytest.mark.long(minutes=2)
def test_300_random_models_go_round(tmp_path, monkeypatch):
    # Each file is read by a process of its own first, which takes most of the time; these files are honest.
    monkeypatch.setattr("rnn_ref.interop.hdf5._probe", lambda file, where: None)
    wrong = {}
    for c in random_models(1000, 300):
        try:
            go_round(c, tmp_path)
        except Exception as error:
            wrong[str(c)] = repr(error)[-400:]
    assert not wrong


OPTIMIZERS = sorted(
    name
    for name, kind in vars(rnn_ref.optimizers).items()
    if isinstance(kind, type) and issubclass(kind, rnn_ref.Optimizer) and kind is not rnn_ref.Optimizer
)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_go_on_where_they_stood(name, tmp_path):
    drawn = np.random.default_rng(1)
    x, y = drawn.normal(size=(8, 3)), drawn.normal(size=(8, 2))
    ours = rnn_ref.Sequential([rnn_ref.Input((3,)), rnn_ref.layers.Dense(2)])
    ours.compile(getattr(rnn_ref.optimizers, name)(learning_rate=0.01), rnn_ref.losses.Huber(0.5))
    for _ in range(2):
        ours.train_on_batch(x, y)
    ours.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = keras.models.load_model(tmp_path / "m.keras")
    held = [np.asarray(v) for v in theirs.optimizer.variables]
    assert len(held) == len(ours.optimizer.variables)
    for a, b in zip(held, ours.optimizer.variables):
        np.testing.assert_array_equal(a, b.astype(a.dtype))
    assert again.train_on_batch(x, y) == ours.train_on_batch(x, y)
    same_bits(again, ours)
    theirs.save(tmp_path / "theirs.keras")
    third = load_model(tmp_path / "theirs.keras")
    for a, b in zip(third.optimizer.variables, held):
        np.testing.assert_array_equal(a.astype(b.dtype), b)


def test_json():
    ours = mixed(rnn_ref)
    ours.compile(
        rnn_ref.optimizers.SGD(rnn_ref.optimizers.schedules.CosineDecay(0.1, 10)),
        rnn_ref.losses.mean_squared_error,
        metrics=["mae", rnn_ref.metrics.RootMeanSquaredError(name="r")],
    )
    theirs = keras.models.model_from_json(ours.to_json(indent=1))
    again = model_from_json(theirs.to_json())
    assert json.dumps(again.get_config()["output_layers"]) == json.dumps(ours.get_config()["output_layers"])
    for one, other in zip(again.layers, ours.layers, strict=True):
        found = [json.loads(json.dumps(layer.get_config())) for layer in (one, other)]
        for config in found:
            config.pop("attention_axes", None)  # Keras writes them out once the layer is built
        assert found[0] == found[1]
    assert again.optimizer.get_config()["learning_rate"]["config"]["initial_learning_rate"] == 0.1
    assert again._settings[2][1].name == "r"
    with pytest.raises(ValueError, match=r"expected the text that model.to_json\(\) returns"):
        model_from_json("{")
    with pytest.raises(ValueError, match="is of the layer Dense, not of a model"):
        model_from_json(json.dumps(rnn_ref.layers.serialize(rnn_ref.layers.Dense(1))))


@pytest.mark.parametrize("ending", [".weights.h5", ".safetensors", ".keras"])
def test_weights_alone(ending, tmp_path):
    ours, path = filled(mixed(rnn_ref)), tmp_path / f"w{ending}"
    (ours.save if ending == ".keras" else ours.save_weights)(path)
    again = mixed(rnn_ref)
    again.load_weights(path)
    same_bits(again, ours)
    smaller = rnn_ref.Sequential([rnn_ref.Input((4, 3)), rnn_ref.layers.LSTM(2), rnn_ref.layers.Dense(2)])
    before = smaller.get_weights()
    with pytest.raises(WrongWeights, match=r"its weights are not those of sequential.*Nothing was changed"):
        smaller.load_weights(path)
    assert all(map(np.array_equal, before, smaller.get_weights()))
    with pytest.warns(UserWarning, match="The others are taken"):
        smaller.load_weights(path, skip_mismatch=True)
    if ending == ".weights.h5":
        theirs = mixed(keras)
        theirs.load_weights(path)
        same_bits(theirs, ours)
        theirs.save_weights(tmp_path / "theirs.weights.h5")
        third = mixed(rnn_ref)
        third.load_weights(tmp_path / "theirs.weights.h5")
        same_bits(third, ours)
    with pytest.raises(ValueError, match=r"by_name=True is for an .h5 of tf.keras 2"):
        again.load_weights(path, by_name=True)


class Both(rnn_ref.Model):
    """Layers in attributes, lists and dicts."""

    def __init__(self, units=2, **options):
        super().__init__(**options)
        self.units = units
        self.b = [rnn_ref.layers.Dense(units), rnn_ref.layers.Dense(3)]
        self.a = rnn_ref.layers.LSTM(2)
        self._c = rnn_ref.layers.Dense(1)
        self.d = {"x": [rnn_ref.layers.Dense(2)]}

    def get_config(self):
        return {"units": self.units}

    def call(self, x):
        return self._c(self.d["x"][0](self.b[1](self.b[0](self.a(x)))))


def test_subclasses_are_found_among_custom_objects(tmp_path):
    x = np.ones((1, 3, 2), "float32")
    ours = Both(4)
    ours(x)
    filled(ours).save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"unknown layer 'Both': pass custom_objects=\{'Both'"):
        load_model(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras", custom_objects={"Both": Both})
    same_bits(again, ours)
    with rnn_ref.saving.custom_object_scope({"Both": Both}):
        same_outputs(load_model(tmp_path / "m.keras"), ours, x, 0)


def test_a_subclass_lies_in_the_file_where_keras_puts_it(tmp_path):
    class Theirs(keras.Model):
        def __init__(self):
            super().__init__()
            self.b = [keras.layers.Dense(4), keras.layers.Dense(3)]
            self.a = keras.layers.LSTM(2)
            self._c = keras.layers.Dense(1)
            self.d = {"x": [keras.layers.Dense(2)]}

        def call(self, x):
            return self._c(self.d["x"][0](self.b[1](self.b[0](self.a(x)))))

    x = np.ones((1, 3, 2), "float32")
    ours, theirs = Both(4), Theirs()
    same_shape = [ours(x), theirs(x)]
    assert len(same_shape) == 2
    theirs.save_weights(tmp_path / "w.weights.h5")
    ours.load_weights(tmp_path / "w.weights.h5")
    same_outputs(ours, theirs, x)


def test_own_functions_and_lambdas_are_asked_for(tmp_path):
    def half(x):
        return x / 2

    model = rnn_ref.Sequential(
        [
            rnn_ref.Input((3,)),
            rnn_ref.layers.Lambda(half, name="named"),
            rnn_ref.layers.Lambda(lambda x: x + 1, name="nameless"),
            rnn_ref.layers.Dense(1),
        ]
    )

    def loss(y_true, y_pred):
        return (y_true - y_pred) ** 2

    model.compile("sgd", loss)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="unknown function 'half'"):
        load_model(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"code of a Python lambda.*custom_objects=\{'nameless'"):
        load_model(tmp_path / "m.keras", {"half": half})
    given = {"half": half, "nameless": lambda x: x + 1}
    with pytest.raises(ValueError, match="Unknown loss 'loss'"):
        load_model(tmp_path / "m.keras", given)
    with pytest.raises(NotImplementedError, match="code in a file is never run"):
        load_model(tmp_path / "m.keras", given, safe_mode=False)
    x = np.ones((2, 3), "float32")
    same_outputs(load_model(tmp_path / "m.keras", given, compile=False), model, x, 0)
    assert load_model(tmp_path / "m.keras", given | {"loss": loss})._settings[0] is loss


def test_cells_written_as_equations_are_saved_as_their_source(tmp_path):
    @rnn_ref.cell(gates=("forget",))
    def leaking(z_f, h_prev, rate=0.5):
        """Words that do not matter."""
        f = sigmoid(z_f)  # noqa: F821 - equations name activations
        h = (1 - rate * f) * h_prev + rate * f
        return h

    mine = leaking

    @rnn_ref.cell(gates=("forget",))
    def leaking(z_f, h_prev, rate=0.5):
        f = sigmoid(z_f)  # noqa: F821
        h = (1 - rate * f) * h_prev + f
        return h

    zoo = rnn_ref.zoo.JANET(2, return_sequences=True, beta=0.5)
    model = rnn_ref.Sequential([rnn_ref.Input((4, 3)), zoo, mine(2, rate=0.25)])
    model.save(tmp_path / "m.keras")
    with pytest.raises(
        ValueError, match=r"unknown layer 'leaking'(.|\n)*if you trust them(.|\n)*rate \* f\n    return h"
    ):
        load_model(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="its equations are not those that were written down"):
        load_model(tmp_path / "m.keras", {"leaking": leaking})
    again = load_model(tmp_path / "m.keras", {"leaking": mine})
    same_outputs(again, model, np.ones((2, 4, 3), "float32"), 0)


def test_what_keras_registered_is_found_by_either_name(tmp_path):
    @keras.saving.register_keras_serializable("archives")
    def thirds(x):
        return x / 3

    keras.Sequential([keras.Input((3,)), keras.layers.Lambda(thirds), keras.layers.Dense(1)]).save(tmp_path / "m.keras")
    for name in ("thirds", "archives>thirds"):
        assert load_model(tmp_path / "m.keras", {name: thirds}).layers[0].function is thirds
    rnn_ref.saving.register_keras_serializable("archives")(thirds)
    try:
        assert load_model(tmp_path / "m.keras").layers[0].function is thirds
    finally:
        del rnn_ref.saving.get_custom_objects()["archives>thirds"]


def test_an_unknown_layer_is_named_and_may_be_left_out(tmp_path):
    layers = keras.layers
    a = keras.Input((4, 3))
    x = layers.LSTM(3, return_sequences=True)(a)
    x = layers.EinsumDense("abc,cd->abd", output_shape=(None, 3))(x)
    theirs = keras.Model(a, layers.Dense(2)(layers.LSTM(2)(x)))
    theirs.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="unknown layer 'EinsumDense'"):
        load_model(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match="'einsum_dense.*' is left out.*unknown layer 'EinsumDense'"):
        ours = load_model(tmp_path / "m.keras", skip_unknown=True)
    rest = [w for layer in theirs.layers if "einsum" not in layer.name for w in layer.get_weights()]
    assert all(map(np.array_equal, ours.get_weights(), rest))
    with pytest.raises(NotImplementedError, match="stands where a layer of the unknown class EinsumDense was"):
        ours.save(tmp_path / "again.keras")


def test_parts_that_are_missing(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
        file.writestr("config.json", "{}")
    with pytest.raises(BrokenFile, match=r"it has no model.weights.h5"):
        load_model(tmp_path / "m.keras")
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nowhere.keras")
    model = rnn_ref.Sequential([rnn_ref.layers.Dense(1)])
    for what in (model.save, model.save_weights):
        with pytest.raises(ValueError, match="the name of the file must end in"):
            what(tmp_path / "m")
    with pytest.raises(ValueError, match="it is not built"):
        model.save(tmp_path / "new.keras")
    model.build((None, 2))
    model.save(tmp_path / "new.keras")
    with pytest.raises(ValueError, match="is there already, and overwrite=False"):
        model.save(tmp_path / "new.keras", overwrite=False)


def test_states_as_a_tree():
    x, y = mixed_data()
    model, other = filled(mixed(rnn_ref)), mixed(rnn_ref)
    for each in (model, other):
        each.compile("adam", "mse")
        each.train_on_batch(x, y)
    renamed = {old.name: new.name for old, new in zip(model.layers, other.layers)}
    tree = model.get_state_tree()
    assert set(tree) == {
        "trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables",
    }  # fmt: skip
    with pytest.raises(ValueError, match="do not fit: missing"):
        other.set_state_tree(tree)
    moved = {kind: {renamed.get(name, name): inner for name, inner in found.items()} for kind, found in tree.items()}
    del moved["trainable_variables"], moved["non_trainable_variables"]
    other.set_state_tree(moved)
    assert all(map(np.array_equal, other.optimizer.variables, model.optimizer.variables))
    before, kept = model.get_weights(), model.get_state_tree()
    model.train_on_batch(x, y)
    assert not all(map(np.array_equal, model.get_weights(), before))
    model.set_state_tree(kept)
    assert all(map(np.array_equal, model.get_weights(), before))
    with pytest.raises(ValueError, match="has the shape"):
        model.set_state_tree({"optimizer_variables": kept["optimizer_variables"] | {"iteration": [1, 2]}})
    with pytest.raises(ValueError, match="got weights"):
        model.set_state_tree({"weights": {}})


MERGING = ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract")
TWO_INPUTS = (*MERGING, "AdditiveAttention", "Attention", "MultiHeadAttention")
NO_LAYERS = ("InputLayer", "StackedRNNCells", "Wrapper", "GRUCell", "LSTMCell", "SimpleRNNCell")


@pytest.mark.parametrize("name", [name for name in classes("layers") if name not in NO_LAYERS])
def test_the_weights_of_every_layer_lie_where_keras_puts_them(name, tmp_path):
    def model(k):
        x = k.Input((4,)) if name in ("Embedding", "RepeatVector") else k.Input((4, 32 if "Group" in name else 3))
        layer = made(k, "layers", name) if name != "Reshape" else k.layers.Reshape((12,), name="x")
        if name in TWO_INPUTS:
            other = k.Input((4, 3))
            inputs = [x, other]
            y = layer(x, other) if name == "MultiHeadAttention" else layer(inputs)
        else:
            inputs, y = x, layer(x)
        return k.Model(inputs, k.layers.Flatten(name="flat")(y))

    ours, theirs = filled(model(rnn_ref)), model(keras)
    ours.save(tmp_path / "m.keras")
    read = keras.models.load_model(tmp_path / "m.keras")
    same_bits(read, ours)
    theirs.set_weights(ours.get_weights())
    theirs.save(tmp_path / "t.keras")
    same_bits(load_model(tmp_path / "t.keras"), ours)


@pytest.mark.parametrize("library", ["h5py", "safetensors", "safetensors.numpy"])
def test_a_library_that_is_missing_names_the_extra(library, tmp_path, monkeypatch):
    model = rnn_ref.Sequential([rnn_ref.Input((3,)), rnn_ref.layers.Dense(1)])
    path = tmp_path / ("m.weights.h5" if library == "h5py" else "m.safetensors")
    model.save_weights(path)
    monkeypatch.setitem(__import__("sys").modules, library, None)
    with pytest.raises(ImportError, match=r"needs \w+: pip install 'rnn-ref\[interop\]'"):
        (model.save_weights if "numpy" in library else model.load_weights)(path)
