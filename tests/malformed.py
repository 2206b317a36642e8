"""Well-formed calls of everything public, one a name."""

import functools
import inspect

import numpy as np

import rnn_ref
from rnn_ref import layers, losses, metrics, optimizers, preprocessing, seq2seq, utils

X = np.linspace(-1, 1, 24, dtype="float32").reshape(2, 4, 3)
ROWS, CODES = X[:, 0], np.array([[1, 2, 0, 0], [2, 1, 1, 0]])
Y = np.array([[0.0], [1.0]], "float32")
ONE_HOT, P = np.eye(3, dtype="float32")[:2], np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3]], "float32")
LABELS, MASK = np.array([0, 2]), np.array([[1, 1, 1, 0], [1, 1, 0, 0]], bool)

# What a layer is made with, beside defaults, and what it is called on.
MADE_WITH = {
    "LSTM": {"units": 2}, "GRU": {"units": 2}, "SimpleRNN": {"units": 2}, "Dense": {"units": 2},
    "Activation": {"activation": "relu"}, "AveragePooling1D": {"pool_size": 2}, "MaxPooling1D": {"pool_size": 2},
    "Bidirectional": {"layer": lambda: layers.LSTM(2)}, "TimeDistributed": {"layer": lambda: layers.Dense(2)},
    "RNN": {"cell": lambda: layers.GRUCell(2)}, "Conv1D": {"filters": 2, "kernel_size": 2},
    "Dot": {"axes": 2}, "Dropout": {"rate": 0.5}, "SpatialDropout1D": {"rate": 0.5}, "GaussianNoise": {"stddev": 0.1},
    "Embedding": {"input_dim": 4, "output_dim": 2}, "GroupNormalization": {"groups": 3}, "Permute": {"dims": (2, 1)},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 2}, "RepeatVector": {"n": 2}, "Reshape": {"target_shape": (12,)},
    "Lambda": {"function": lambda: np.abs},
    "LSTMCell": {"units": 2}, "GRUCell": {"units": 2}, "SimpleRNNCell": {"units": 2},
    "StackedRNNCells": {"cells": lambda: [layers.GRUCell(2)]},
}  # fmt: skip
CALLED_ON = {
    "Embedding": CODES, "RepeatVector": ROWS, "Attention": [X, X], "AdditiveAttention": [X, X], "Dot": [X, X],
    **{name: [X, X] for name in ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")},
    **dict.fromkeys(("LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"), ROWS),
}  # fmt: skip
MASKED = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "BatchNormalization", "GlobalAveragePooling1D")
LOSS_DATA = dict.fromkeys(("SparseCategoricalCrossentropy", "SparseCategoricalAccuracy", "Perplexity",
                           "SparseTopKCategoricalAccuracy", "CategoricalGeneralizedCrossEntropy"), LABELS)  # fmt: skip
METRIC_MADE_WITH = {
    "PrecisionAtRecall": {"recall": 0.5}, "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5}, "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "IoU": {"num_classes": 3, "target_class_ids": [0, 1]}, "OneHotIoU": {"num_classes": 3, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 3}, "OneHotMeanIoU": {"num_classes": 3},
    "TopKCategoricalAccuracy": {"k": 2}, "SparseTopKCategoricalAccuracy": {"k": 2},
}  # fmt: skip
SCHEDULES = {
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
    "PiecewiseConstantDecay": {"boundaries": [2, 4], "values": [0.3, 0.2, 0.1]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 10},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 10},
}
# Bases to be subclassed, and what is not called on data of a user.
NOT_CALLED = {
    "layers": {"Layer", "Wrapper", "AbstractRNNCell", "RNNCell", "CustomCell", "InputLayer", "Input", "deserialize",
               "serialize", "rnn", "standardize_args", "generate_dropout_mask", "add", "average", "concatenate", "dot",
               "maximum", "minimum", "multiply", "subtract"},
    "losses": {"Loss", "CTC", "ctc", "deserialize", "get", "resolve", "serialize"},
    "metrics": {"Metric", "fold_mask", "MeanMetricWrapper", "Mean", "Sum", "deserialize", "get", "resolve",
                "serialize"},
    "optimizers": {"Optimizer", "deserialize", "get", "serialize"},
    "schedules": {"LearningRateSchedule", "deserialize", "serialize"},
}  # fmt: skip


@functools.cache
def model():
    new = rnn_ref.Sequential([rnn_ref.Input((4, 3)), layers.LSTM(2, name="lstm"), layers.Dense(1)])
    new.compile("sgd", "mse", metrics=["mae"])
    return new


@functools.cache
def seen(what):
    return {
        "trace": lambda: rnn_ref.trace(model(), X),
        "flow": lambda: rnn_ref.gradient_flow(model(), X, Y),
        "jacobians": lambda: rnn_ref.state_jacobians(model(), X),
        "saturation": lambda: rnn_ref.saturation(model(), X),
        "weights": lambda: rnn_ref.weight_report(model()),
        "tokenizer": lambda: _tokenizer(),
    }[what]()


def _tokenizer():
    new = preprocessing.text.Tokenizer(num_words=9)
    new.fit_on_texts(["a b c", "b c d"])
    return new


def names_of(module) -> list[str]:
    """Public classes and functions, each under its first name."""
    found = {}
    for name in getattr(module, "__all__", dir(module)):
        entry = getattr(module, name)
        if (
            callable(entry)
            and not name.startswith("_")
            and getattr(entry, "__module__", "").startswith(module.__name__[:7])
        ):
            found.setdefault(entry, name)
    return list(found.values())


def defaults(function) -> dict:
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and parameter.default is not parameter.empty
    }


def calls() -> dict:
    """By name: a function, and its arguments, as values or as functions that make them."""
    found = {}

    def add(name, function, /, **arguments):
        found[name] = function, arguments

    for name in names_of(layers):
        if name in NOT_CALLED["layers"]:
            continue
        cls, made_with, x = getattr(layers, name), MADE_WITH.get(name, {}), CALLED_ON.get(name, X)
        more = {"mask": MASK} if name in MASKED else {"value": X} if name == "MultiHeadAttention" else {}
        add(f"layers.{name}", _make_and_call(cls, x, **more), **defaults(cls) | made_with)
        add(f"layers.{name}()", _call_layer(cls, made_with), x=x, **more)
    for kind in ("initializers", "regularizers", "constraints"):
        module = getattr(rnn_ref, kind)
        base = getattr(module, kind[:-1].capitalize())
        for cls in dict.fromkeys(c for c in vars(module).values() if inspect.isclass(c) and issubclass(c, base)):
            if cls is base or cls.__name__.startswith("_") or cls.__name__ == "RandomInitializer":
                continue
            made_with = {"FromArray": {"value": ROWS}, "Constant": {"value": [0.5] * 3}, "MaxNorm": {"max_value": 2.0}}
            made_with = made_with.get(cls.__name__, {})
            on = {"shape": (2, 3)} if kind == "initializers" else {"x" if kind == "regularizers" else "w": ROWS}
            add(f"{kind}.{cls.__name__}", _make_and_call(cls, *on.values()), **defaults(cls.__init__) | made_with)
            add(f"{kind}.{cls.__name__}()", _call_made(cls, made_with), **on)
    for kind, module in (("losses", losses), ("metrics", metrics)):
        for name in names_of(module):
            if name in NOT_CALLED[kind]:
                continue
            entry, made_with = getattr(module, name), METRIC_MADE_WITH.get(name, {})
            camel = "".join(map(str.capitalize, name.split("_"))) if name.islower() else name
            y = LABELS if camel in LOSS_DATA else ONE_HOT
            p = P
            if name in ("MeanIoU", "IoU"):
                y, p = LABELS, LABELS
            if inspect.isclass(entry):
                add(f"{kind}.{name}", _make_and_call(entry, y, p), **defaults(entry) | made_with)
                weights = {} if name in ("Dice", "Tversky", "BinaryIoU") else {"sample_weight": np.ones(2)}
                add(f"{kind}.{name}()", _call_made(entry, made_with), y_true=y, y_pred=p, **weights)
            else:
                more = {"k": 2} if "k" in defaults(entry) else {"q": 0.5} if "generalized" in name else {}
                add(f"{kind}.{name}", entry, **defaults(entry) | {"y_true": y, "y_pred": p} | more)
    for name in names_of(optimizers):
        if name not in NOT_CALLED["optimizers"]:
            cls = getattr(optimizers, name)
            add(f"optimizers.{name}", _one_step(cls), **defaults(cls))
    for name, made_with in SCHEDULES.items():
        cls = getattr(optimizers.schedules, name)
        add(f"schedules.{name}", _make_and_call(cls, 3), **defaults(cls) | made_with)
    for name in ("relu", "softmax", "elu", "gelu", "leaky_relu", "tanh", "sigmoid", "glu", "celu", "hard_shrink"):
        function = getattr(rnn_ref.activations, name)
        add(f"activations.{name}", function, **defaults(function) | {"x": X[..., :2]})
    _add_functions(add)
    return found


def _add_functions(add) -> None:
    def whole(name, function, /, **arguments):
        add(name, function, **defaults(function) | arguments)

    whole("pad_sequences", utils.pad_sequences, sequences=[[1, 2], [3]])
    whole("stateful_batches", preprocessing.sequence.stateful_batches, data=[1, 2, 3, 4, 5], batch_size=2, length=2)
    whole("to_categorical", utils.to_categorical, x=LABELS)
    whole("normalize", utils.normalize, x=ROWS)
    whole("split_dataset", utils.split_dataset, dataset=X, left_size=1)
    whole("timeseries", utils.timeseries_dataset_from_array, data=np.arange(9.0), targets=None, sequence_length=3)
    whole("adding_problem", rnn_ref.datasets.adding_problem, samples=2, length=8)
    whole("copy_memory", rnn_ref.datasets.copy_memory, samples=2, delay=4)
    whole("windows", rnn_ref.datasets.windows, series=np.arange(9.0), length=3)
    whole("Tokenizer", preprocessing.text.Tokenizer)
    add("texts_to_sequences", lambda texts: seen("tokenizer").texts_to_sequences(texts), texts=["a b"])
    add(
        "texts_to_matrix",
        lambda texts, mode: seen("tokenizer").texts_to_matrix(texts, mode),
        texts=["a b"],
        mode="count",
    )
    whole("text_to_word_sequence", preprocessing.text.text_to_word_sequence, input_text="a b")
    whole("sample", seq2seq.sample, logits=P, seed=0)
    whole("token_probabilities", seq2seq.token_probabilities, logits=P)
    whole("bleu", seq2seq.bleu, candidates=[["a", "b"]], references=[[["a", "b"]]])
    whole("ctc_decode", seq2seq.ctc_decode, inputs=np.tile(P, (2, 2, 1)), sequence_lengths=[4, 3])
    whole("entity_f1", seq2seq.entity_f1, y_true=[["B-A", "O"]], y_pred=[["B-A", "O"]])
    step = lambda tokens, states: (np.zeros((len(tokens), 3)), states)  # noqa: E731
    whole("greedy_search", seq2seq.greedy_search, step=lambda: step, states=None, start_token=[0], max_length=3)
    whole("sample_search", seq2seq.sample_search, step=lambda: step, states=None, start_token=[0], max_length=3)
    whole("trace", rnn_ref.trace, model=model, x=X)
    whole("gradient_flow", rnn_ref.gradient_flow, model=model, x=X, y=Y)
    whole("saturation", rnn_ref.saturation, model=model, x=X)
    whole("state_jacobians", rnn_ref.state_jacobians, model=model, x=X)
    whole("explain_step", rnn_ref.explain_step, model=model, x=X, t=1, unit=0)
    whole("weight_report", rnn_ref.weight_report, model=model)
    whole("derive_parameters", rnn_ref.derive_parameters, layer=lambda: model().layers[0])
    add("decay", lambda stop, distances: seen("jacobians").decay(stop, distances), stop=3, distances=[1, 2])
    add("product", lambda start, stop: seen("jacobians").product(start, stop), start=0, stop=3)
    add("contribution", lambda weight: seen("flow")["lstm"].contribution(weight), weight="kernel")
    add("closed", lambda gate, share: seen("saturation")["lstm"].closed(gate, share), gate="forget", share=0.9)
    for name, given in {
        "predict": {"x": X, "batch_size": 2}, "evaluate": {"x": X, "y": Y, "sample_weight": np.ones(2)},
        "fit": {"x": X, "y": Y, "epochs": 1, "validation_split": 0.5, "shuffle": False, "class_weight": None},
        "train_on_batch": {"x": X, "y": Y}, "test_on_batch": {"x": X, "y": Y}, "predict_on_batch": {"x": X},
        "get_layer": {"index": 0}, "compute_output_shape": {"input_shape": (2, 4, 3)},
    }.items():  # fmt: skip
        quiet = {"verbose": 0} if name in ("predict", "evaluate", "fit") else {}
        add(f"model.{name}", functools.partial(lambda name, **a: getattr(model(), name)(**a), name), **given | quiet)
    add("model()", lambda **a: model()(**a), x=X, training=False)
    add(
        "set_weights",
        lambda weights: _fresh(layers.Dense(2)).set_weights(weights),
        weights=[np.ones((3, 2)), np.ones(2)],
    )
    add(
        "compile",
        lambda **a: _sequential().compile(**a),
        optimizer="sgd",
        loss="mse",
        metrics=["mae"],
        loss_weights=None,
    )
    add("Input", layers.Input, shape=(4, 3), batch_size=2, dtype="float32", name="x")
    sources = {
        "trace": "gates unit unrolled trajectories cell_diagram", "flow": "gradient_flow contributions",
        "jacobians": "jacobians eigenvalues", "saturation": "saturation", "weights": "weights",
    }  # fmt: skip
    for name, source in [(name, source) for source, names in sources.items() for name in names.split()]:
        whole(f"plot.{name}", _picture(getattr(rnn_ref.plot, name), source), what=functools.partial(seen, source))


def _picture(draw, source):
    first, *rest = inspect.signature(draw).parameters.values()

    def picture(what, **arguments):
        import matplotlib.pyplot as plt

        if "t" in inspect.signature(draw).parameters:
            arguments.setdefault("t", 1)
        if draw.__name__ == "unit":
            arguments.setdefault("unit", 0)
        try:
            return draw(what, **arguments)
        finally:
            plt.close("all")

    kept = [p for p in rest if p.default is not p.empty and p.name != "ax"]
    picture.__signature__ = inspect.Signature(
        [first.replace(name="what"), *(p.replace(kind=p.KEYWORD_ONLY) for p in kept)]
    )
    return picture


def _make_and_call(cls, *given, **more):
    return lambda **arguments: cls(**arguments)(*given, **more)


def _call_layer(cls, made_with):
    return lambda x, **more: cls(**made(made_with))(x, **more)


def _call_made(cls, made_with):
    return lambda **on: cls(**made(made_with))(*on.values())


def _one_step(cls):
    def step(**arguments):
        layer = _fresh(layers.Dense(2))
        cls(**arguments).apply([np.ones(w.shape, "float32") for w in layer.weights], layer.weights)
        return layer.get_weights()

    return step


def _fresh(layer):
    layer(ROWS)
    return layer


def _sequential():
    return rnn_ref.Sequential([rnn_ref.Input((4, 3)), layers.LSTM(2), layers.Dense(1)])


def made(arguments: dict) -> dict:
    return {name: value() if inspect.isfunction(value) or isinstance(value, functools.partial) or value is model
            else value for name, value in arguments.items()}  # fmt: skip
