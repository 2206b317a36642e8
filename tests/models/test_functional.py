"""Functional models: against Keras with the same weights, and their own structure."""

import numpy as np
import pytest

import rnn_ref
from rnn_ref import Input, Model, Sequential, layers, regularizers

from ..keras_that_trains import keras

pytestmark = pytest.mark.usefixtures("that_trains")


def arrays(*shapes, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=shape).astype("float32") for shape in shapes]


# -- models, made alike by both libraries ---------------------------------------------------------------


def seq2seq(module):
    source, target = module.Input((5, 3), name="source"), module.Input((4, 2), name="target")
    _, h, c = module.layers.LSTM(6, return_state=True, name="encoder")(source)
    y = module.layers.LSTM(6, return_sequences=True, name="decoder")(target, initial_state=[h, c])
    return module.Model([source, target], module.layers.Dense(2, "softmax", name="words")(y))


def two_in_two_out(module):
    a, b = module.Input((5, 3), name="a"), module.Input((4,), name="b")
    h = module.layers.GRU(4, name="reader", activity_regularizer="l2")(a)
    merged = module.layers.Concatenate(name="both")([h, module.layers.Dense(3, "tanh", name="look")(b)])
    return module.Model([a, b], [module.layers.Dense(1, name="price")(merged), module.layers.Dense(2, name="size")(h)])


def shared(module):
    a, b = module.Input((5, 3), name="a"), module.Input((4, 3), name="b")
    reader = module.layers.GRU(4, name="reader", kernel_regularizer="l2")
    both = module.layers.Subtract(name="difference")([reader(a), reader(b)])
    return module.Model([a, b], module.layers.Dense(1, name="out")(both))


def nested(module):
    x = module.Input((5, 3), name="inner_x")
    y, h, c = module.layers.LSTM(4, return_sequences=True, return_state=True, name="inner_lstm")(x)
    inner = module.Model(x, [y, h, c], name="inner")
    chain = module.Sequential([module.layers.Dense(3, "tanh", name="chain_dense")], name="chain")
    outer = module.Input((5, 3), name="outer_x")
    y, h, c = inner(chain(outer))
    z = module.layers.LSTM(4, name="top")(y, initial_state=[h, c])
    return module.Model(outer, module.layers.Dense(1, name="out")(z))


def masked(module):
    x = module.Input((6, 3), name="x")
    y = module.layers.LSTM(4, return_sequences=True, name="reader")(module.layers.Masking(0.0, name="skip")(x))
    return module.Model(x, module.layers.Dense(2, name="out")(y))


def embedded(module):
    words = module.Input((6,), dtype="int32", name="words")
    x = module.layers.Embedding(7, 4, mask_zero=True, name="vectors")(words)
    return module.Model(words, module.layers.Dense(1, "sigmoid", name="out")(module.layers.GRU(3, name="reader")(x)))


CASES = {
    "seq2seq": (seq2seq, [(8, 5, 3), (8, 4, 2)], [(8, 4, 2)], {"loss": "categorical_crossentropy"}),
    "two_in_two_out": (
        two_in_two_out,
        [(8, 5, 3), (8, 4)],
        [(8, 1), (8, 2)],
        {"loss": {"price": "mse", "size": "mae"}, "loss_weights": {"price": 2.0, "size": 0.3}},
    ),
    "shared": (shared, [(8, 5, 3), (8, 4, 3)], [(8, 1)], {"loss": "mse"}),
    "nested": (nested, [(8, 5, 3)], [(8, 1)], {"loss": "mse"}),
    "masked": (masked, [(8, 6, 3)], [(8, 6, 2)], {"loss": "mse"}),
    "embedded": (embedded, [(8, 6)], [(8, 1)], {"loss": "binary_crossentropy"}),
}


def make(name):
    build, x_shapes, y_shapes, options = CASES[name]
    x, y = arrays(*x_shapes), arrays(*y_shapes, seed=1)
    if name == "masked":
        x[0][:4, 4:] = 0
        x[0][5, :2] = 0
    if name == "embedded":
        x = [np.random.default_rng(3).integers(0, 7, (8, 6))]
        x[0][:3, 4:] = 0
        y = [(y[0] > 0).astype("float32")]
    if name == "seq2seq":
        y = [np.eye(2, dtype="float32")[(y[0][..., 0] > 0).astype(int)]]
    return build, x, y, options


def alone(entries):
    return entries[0] if len(entries) == 1 else entries


@pytest.mark.parametrize("name", CASES)
def test_outputs_losses_and_training_follow_keras(name):
    build, x, y, options = make(name)
    theirs, ours = build(keras), build(rnn_ref)
    assert [l.name for l in ours.layers] == [l.name for l in theirs.layers]
    assert ours.output_names == theirs.output_names
    ours.set_weights(theirs.get_weights())
    for a, b in zip(ours(x) if len(y) > 1 else [ours(x)], theirs(x) if len(y) > 1 else [theirs(x)]):
        np.testing.assert_allclose(a, keras.ops.convert_to_numpy(b), rtol=1e-5, atol=1e-6)
    histories = []
    for model, module in ((ours, rnn_ref), (theirs, keras)):
        model.compile(module.optimizers.SGD(0.1), **options)
        history = model.fit(alone(x), alone(y), batch_size=4, epochs=3, shuffle=False, verbose=0)
        histories.append(history.history)
    assert set(histories[0]) == set(histories[1])
    for key, values in histories[1].items():
        np.testing.assert_allclose(histories[0][key], values, rtol=2e-4, err_msg=key)
    for weight, mine, other in zip(ours.weights, ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=2e-5, err_msg=weight.path)
    scores = [np.ravel(model.evaluate(alone(x), alone(y), verbose=0))[0] for model in (ours, theirs)]
    np.testing.assert_allclose(*scores, rtol=2e-4)
    mine, other = (model.predict(alone(x), verbose=0) for model in (ours, theirs))
    for a, b in zip(mine, other) if len(y) > 1 else [(mine, other)]:
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in CASES if name != "embedded"])
def test_gradients_are_right(name):
    build, x, *_ = make(name)
    errors = rnn_ref.check_gradients(build(rnn_ref), [a[:3] for a in x] if len(x) > 1 else x[0][:3], samples=12)
    if name == "masked":
        del errors["inputs"]  # a difference would take the entry out of the mask
    assert max(errors.values()) < 1e-6, errors


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name):
    import json

    build, x, *_ = make(name)
    model = build(rnn_ref)
    config = json.loads(json.dumps(model.get_config()))
    copy = Model.from_config(config) if name == "seq2seq" else type(model).from_config(config)
    assert [l.name for l in copy.layers] == [l.name for l in model.layers]
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(rnn_ref_outputs(model, x), rnn_ref_outputs(copy, x))


def rnn_ref_outputs(model, x):
    outputs = model(alone(x))
    return np.concatenate([np.ravel(o) for o in (outputs if isinstance(outputs, list) else [outputs])])


def test_a_config_of_keras_gives_the_same_graph():
    """Layers, calls and tensors are named as in Keras 3's files."""
    theirs, ours = seq2seq(keras).get_config(), seq2seq(rnn_ref).get_config()

    def history(value):
        if isinstance(value, dict):
            return value["config"]["keras_history"] if "config" in value else {k: history(v) for k, v in value.items()}
        return [history(v) for v in value] if isinstance(value, (list, tuple)) else value

    def calls(config):
        return [
            [(history(call["args"]), history(call["kwargs"].get("initial_state"))) for call in entry["inbound_nodes"]]
            for entry in config["layers"]
        ]

    assert calls(ours) == calls(theirs)
    assert ours["input_layers"] == theirs["input_layers"]


# -- structure ------------------------------------------------------------------------------------------


def test_dicts_go_in_and_out():
    a, b = Input((4, 2), name="a"), Input((3,), name="b")
    h = layers.GRU(3)(a)
    model = Model({"left": a, "right": b}, {"sum": layers.Add()([h, b]), "score": layers.Dense(1)(h)})
    x, y = arrays((5, 4, 2), (5, 3))
    expected = model({"left": x, "right": y})
    assert set(expected) == {"sum", "score"}
    by_name = model({"a": x, "b": y})
    np.testing.assert_array_equal(by_name["sum"], expected["sum"])
    assert model.output_names == ["score", "sum"]  # sorted, as in Keras
    model.compile("sgd", loss={"sum": "mse", "score": "mae"})
    targets = {"score": np.ones((5, 1)), "sum": np.ones((5, 3))}
    weight = {"score": np.arange(5.0), "sum": np.ones(5)}
    history = model.fit({"a": x, "b": y}, targets, sample_weight=weight, epochs=2, verbose=0).history
    assert set(history) == {"loss", "sum_loss", "score_loss"}
    assert model.predict({"left": x, "right": y}, verbose=0)["score"].shape == (5, 1)
    with pytest.raises(ValueError, match=r"expected \['a', 'b'\]"):
        model({"a": x, "c": y})
    with pytest.raises(ValueError, match="expected 2"):
        model([x])


def test_a_list_for_a_dict_of_inputs():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    x, y = arrays((5, 3), (5, 3))
    out = layers.Subtract()([a, b])
    clear, unclear = Model({"a": a, "b": b}, out), Model({"b": b, "a": a}, out)
    with pytest.warns(UserWarning, match="dict of a, b, got a list"):
        np.testing.assert_array_equal(clear([x, y]), x - y)
    for use in (unclear, unclear.predict):  # as in Keras: were these a, b or b, a?
        with pytest.raises(ValueError, match="dict of a, b, got a list"):
            use([x, y])


def test_a_dict_may_have_more_than_a_model_reads():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    x, y = arrays((5, 3), (5, 3))
    out = layers.Subtract()([a, b])
    for model in (Model([a, b], out), Model({"a": a, "b": b}, out)):
        np.testing.assert_array_equal(model.predict({"c": y, "b": y, "a": x}, verbose=0), x - y)


def test_parts_of_a_trained_model():
    x = Input((5, 3))
    y = layers.LSTM(4, name="lstm")(layers.Dense(2, name="first")(x))
    model = Model(x, layers.Dense(1, name="last")(y))
    (data,) = arrays((2, 5, 3))
    inside = Model(model.inputs, model.get_layer("lstm").output)
    np.testing.assert_array_equal(inside(data), model.get_layer("lstm")(np.asarray(model.get_layer("first")(data))))
    assert Model(model.input, [l.output for l in model.layers[1:]])(data)[-1].shape == (2, 1)
    head = Model(model.get_layer("lstm").output, model.output)  # cut where no Input is
    np.testing.assert_array_equal(head(inside(data)), model(data))
    assert head.inputs[0].shape == (None, 4)
    chain = Sequential([Input((5, 3)), layers.GRU(4, name="gru"), layers.Dense(1)])
    part = Model(chain.inputs, chain.get_layer("gru").output)
    np.testing.assert_array_equal(part(data), chain.layers[0](data))


def test_layer_input_and_output_need_one_call():
    layer = layers.Dense(2, name="d")
    with pytest.raises(ValueError, match="never"):
        layer.output  # noqa: B018
    x = Input((3,))
    assert layer(x) is layer.output
    assert layer.input is x
    layer(x)
    with pytest.raises(ValueError, match="2 times"):
        layer.output  # noqa: B018


def test_a_graph_that_is_not_connected_names_the_input():
    a, b = Input((3,), name="here"), Input((3,), name="missing")
    with pytest.raises(ValueError, match="missing"):
        Model(a, layers.Add()([a, b]))
    with pytest.raises(ValueError, match="symbolic"):
        Model(a, np.zeros(3))
    with pytest.raises(ValueError, match="twice"):
        Model([a, a], layers.Dense(1)(a))
    with pytest.raises(ValueError, match="two layers are named 'd'"):
        Model(a, layers.Dense(1, name="d")(layers.Dense(1, name="d")(a)))


def test_wrong_data_are_told_which_input():
    model = seq2seq(rnn_ref)
    with pytest.raises(ValueError, match=r"'source' expects shape \(None, 5, 3\), got \(2, 5, 4\)"):
        model(arrays((2, 5, 4), (2, 4, 2)))
    with pytest.raises(ValueError, match="source, target"):
        model(np.zeros((2, 5, 3), "float32"))


def test_a_recurrent_layer_called_on_a_list_of_input_and_states():
    x, h, c = Input((5, 3)), Input((4,)), Input((4,))
    lstm = layers.LSTM(4)
    states = [layers.Dense(4)(h), layers.Dense(4)(c)]
    by_list, by_name = Model([x, h, c], lstm([x, *states])), Model([x, h, c], lstm(x, initial_state=states))
    data = arrays((2, 5, 3), (2, 4), (2, 4))
    np.testing.assert_array_equal(by_list(data), by_name(data))
    for model in (by_list, by_name):
        errors = rnn_ref.check_gradients(model, data)
        assert len(errors) == 3 + len(model.weights)
        assert max(errors.values()) < 1e-6, errors


def test_operators_are_layers():
    a, b = Input((3,)), Input((3,))
    model = Model([a, b], (a + b) * a - b)
    x, y = arrays((2, 3), (2, 3))
    np.testing.assert_allclose(model([x, y]), (x + y) * x - y, rtol=1e-6)
    assert max(rnn_ref.check_gradients(model, [x, y]).values()) < 1e-6
    with pytest.raises(TypeError, match="use a layer"):
        np.tanh(a)
    with pytest.raises(TypeError, match="Use a layer"):
        np.asarray(a)


def test_activity_penalties_count_in_training_and_evaluation():
    x = Input((4, 3))
    y = layers.GRU(3, return_sequences=True, activity_regularizer=regularizers.L2(0.1))(x)
    model = Model(x, layers.GRU(2, activity_regularizer="l1")(y))
    (data,) = arrays((6, 4, 3))
    target = np.zeros((6, 2), "float32")
    model.compile("sgd", loss="mse")
    hidden, out = Model(x, y)(data), model(data)
    expected = np.mean(out**2) + 0.1 * np.sum(hidden**2) / 6 + 0.01 * np.sum(np.abs(out)) / 6
    np.testing.assert_allclose(model.evaluate(data, target, verbose=0), expected, rtol=1e-5)
    with rnn_ref.inspection.checking.in_float64(model):
        weight = model.layers[1].weights[0]
        _, gradients = model.gradients(data, target)
        losses = []
        for step in (1e-6, -2e-6):
            weight.value[0, 0] += step
            losses.append(model.gradients(data, target)[0])
    numeric = (losses[0] - losses[1]) / 2e-6
    np.testing.assert_allclose(gradients[next(iter(gradients))][0, 0], numeric, rtol=1e-5)


def test_metrics_honour_the_mask():
    build, x, y, _ = make("masked")
    model = build(rnn_ref)
    model.compile("sgd", loss="mse", metrics=["mae"])
    kept = (x[0] != 0).any(axis=-1)
    assert not kept.all()
    error = (model(x[0]) - y[0])[kept]
    scores = model.evaluate(x[0], y[0], verbose=0, return_dict=True)
    np.testing.assert_allclose(scores["mae"], np.abs(error).mean(), rtol=1e-5)


def test_frozen_layers_stay():
    model = nested(rnn_ref)
    model.get_layer("inner").trainable = False
    before = model.get_weights()
    model.compile("sgd", loss="mse")
    model.fit(*arrays((8, 5, 3), (8, 1)), verbose=0)
    changed = {w.path: not np.array_equal(a, w.numpy()) for a, w in zip(before, model.weights)}
    assert changed["out/kernel"]
    assert changed["chain_dense/kernel"]
    assert not any(value for path, value in changed.items() if path.startswith("inner_lstm"))


def test_a_weight_that_two_paths_lead_to_counts_once():
    dense = layers.Dense(3, name="d")
    x = Input((3,))
    inner = Model(x, dense(x), name="inner")
    y = Input((3,))
    model = Model(y, dense(inner(y)))
    assert model.count_params() == 12
    assert max(rnn_ref.check_gradients(model, *arrays((2, 3))).values()) < 1e-6


def test_summary_shows_connections():
    lines = []
    seq2seq(rnn_ref).summary(print_fn=lines.append)
    assert lines[1] == "_" * 98
    assert lines[2] == " Layer (type)                Output Shape                 Param #   Connected to"
    assert lines[4] == " source (InputLayer)         [(None, 5, 3)]               0         []"
    start = next(k for k, line in enumerate(lines) if line.startswith(" encoder"))
    assert lines[start : start + 3] == [  # as TensorFlow breaks lines
        " encoder (LSTM)              [(None, 6),                  240       ['source[0][0]']",
        "                              (None, 6),",
        "                              (None, 6)]",
    ]
    start = next(k for k, line in enumerate(lines) if line.startswith(" decoder"))
    assert [line[68:].strip() for line in lines[start : start + 3]] == [
        "['target[0][0]',",
        "'encoder[0][1]',",
        "'encoder[0][2]']",
    ]
    lines.clear()
    x = Input((4, 2))
    Model(x, layers.GRU(3)(x)).summary(print_fn=lines.append)
    assert lines[1] == "_" * 65


def test_traces_and_gradient_flow_go_into_nested_models():
    model = nested(rnn_ref)
    x, y = arrays((2, 5, 3), (2, 1))  # y: targets
    trace = rnn_ref.trace(model, x)
    assert list(trace.recurrent) == ["inner/inner_lstm", "top"]
    assert trace["inner/inner_lstm"].gates["forget"].shape == (2, 5, 4)
    np.testing.assert_array_equal(trace["top"].initial_states["cell"], trace["inner/inner_lstm"].cell[:, -1])
    flow = rnn_ref.gradient_flow(model, x, y)
    assert flow["inner/inner_lstm"].dh.shape == (2, 5, 4)
    both = layers.Bidirectional(layers.GRU(3), name="both")
    chain = Sequential([Input((5, 3)), both, layers.Dense(1)])
    traced = rnn_ref.trace(chain, x)
    assert list(traced.recurrent) == ["both/" + direction.name for direction in both.directions]
    assert [f.dh.shape for f in rnn_ref.gradient_flow(chain, x, y).values()] == [(2, 5, 3)] * 2
    twice = shared(rnn_ref)
    x = arrays((2, 5, 3), (2, 4, 3))
    assert list(rnn_ref.trace(twice, x).recurrent) == ["reader", "reader#2"]
    assert rnn_ref.gradient_flow(twice, x, y)["reader#2"].dh.shape == (2, 4, 4)


def test_both_directions_hand_their_states_to_a_decoder():
    source, target = Input((4, 3)), Input((3, 2))
    _, *states = layers.Bidirectional(layers.GRU(2, return_state=True))(source)
    h = layers.Concatenate()(states)
    y = layers.GRU(4, return_sequences=True)(target, initial_state=h)
    model = Model([source, target], layers.TimeDistributed(layers.Dense(2))(y))
    errors = rnn_ref.check_gradients(model, arrays((2, 4, 3), (2, 3, 2)))
    assert len(errors) == 2 + len(model.weights)
    assert max(errors.values()) < 1e-6, errors


def test_a_mask_can_be_an_input():
    x, steps = Input((5, 3)), Input((5,), dtype="bool")
    model = Model([x, steps], layers.LSTM(4)(x, mask=steps))
    (data,) = arrays((2, 5, 3))
    mask = np.arange(5) < [[3], [5]]
    expected = model.layers[-1](data[:1, :3])
    np.testing.assert_allclose(model([data, mask])[:1], expected, rtol=1e-6)


def test_stateful_layers_begin_anew():
    x = Input(batch_shape=(2, 5, 3))
    model = Model(x, layers.LSTM(4, stateful=True)(x))
    (data,) = arrays((2, 5, 3))
    first = model(data)
    assert not np.array_equal(model(data), first)
    model.reset_states()
    np.testing.assert_array_equal(model(data), first)


def sharing():
    """One Dense in a model and twice in models inside, one of them in a wrapper, and one cell in two layers."""
    shared, cell, x = layers.Dense(3, name="shared"), layers.GRUCell(3), Input((4, 3), name="x")
    each = Sequential([Input((4, 3)), layers.TimeDistributed(shared)], name="each")
    read = layers.RNN(cell, return_sequences=True)(each(x))
    inner = Model(x, shared(read), name="inner")  # on the same Input as the outer model
    return Model(x, layers.RNN(cell)(shared(inner(x))))


@pytest.mark.parametrize("copy", [lambda m: Model.from_config(m.get_config()), rnn_ref.models.clone_model])
def test_a_layer_shared_with_a_model_inside_stays_one(copy):
    model, (x,) = sharing(), arrays((2, 4, 3))
    again = copy(model)
    assert len(again.weights) == len(model.weights) == 5
    assert not set(map(id, again.weights)) & set(map(id, model.weights))
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(x), model(x))
    assert again.get_layer("inner").get_layer("shared") is again.get_layer("shared")
    assert again.get_layer("inner").get_layer("each").layers[0].layer is again.get_layer("shared")
