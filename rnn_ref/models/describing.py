"""A whole model as a dictionary of plain values, or as JSON, in Keras 3's form; and back."""

from __future__ import annotations

import json
from typing import Any

from rnn_ref.guard import explained
from rnn_ref.layers.sharing import while_reading, while_writing
from rnn_ref.layers.wrapper import describe, layer_from
from rnn_ref.models import compile_config
from rnn_ref.models.model import Model


def describe_model(model: Model) -> dict:
    """Class, configuration, input shape and what ``compile`` was given."""
    with while_writing():
        described = describe(model)
    if model.built and getattr(model, "input_shape", None) is not None:
        described["build_config"] = {"input_shape": model.input_shape}
    compiled = compile_config.write(model)
    return described | ({"compile_config": compiled} if compiled else {})


def model_from(described: dict, custom_objects: dict | None = None, *, compile: bool = True) -> Model:
    """The model described by :func:`describe_model` or by Keras, with new layers and new weights.

    Raises
    ------
    ValueError
        If this does not describe a model, or names a class that is neither in the package nor in ``custom_objects``.
    """
    if not isinstance(described, dict) or not isinstance(described.get("config"), (dict, list)):
        found = sorted(described) if isinstance(described, dict) else type(described).__name__
        raise ValueError(f"a model is described by a dict with class_name and config; got {found}.")
    with while_reading():
        model = layer_from(described, custom_objects)
    if not isinstance(model, Model):
        raise ValueError(
            f"the description is of the layer {described['class_name']}, not of a model; read it with "
            "layers.deserialize."
        )
    shape = (described.get("build_config") or {}).get("input_shape")
    if not model.built and shape is not None:
        model.build(_as_tuples(shape))
    if compile and described.get("compile_config"):
        model.compile(**compile_config.read(described["compile_config"], custom_objects))
    return model


def _as_tuples(shape: Any):
    """Shapes as tuples again, where JSON made lists of them."""
    if isinstance(shape, dict):
        return {key: _as_tuples(inner) for key, inner in shape.items()}
    if isinstance(shape, list) and any(isinstance(inner, (list, dict)) for inner in shape):
        return [_as_tuples(inner) for inner in shape]
    return tuple(shape) if isinstance(shape, list) else shape


def to_json(described: dict, name: str, **options) -> str:
    """A description as JSON.

    Raises
    ------
    TypeError
        If it holds something that JSON cannot, such as the function of a ``Lambda``.
    """
    try:
        return json.dumps(described, **({"default": _plain} | options))
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name}: its configuration cannot be written as JSON ({error}). Let get_config of your classes return "
            "numbers, strings, None, and lists and dicts of them."
        ) from None


def _plain(value):
    """NumPy numbers and arrays as plain ones."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} of type {type(value).__name__}")


@explained
def model_from_json(json_string: str, custom_objects: dict | None = None) -> Model:
    """The model described by ``model.to_json()``, here or in Keras 3, with new layers and new weights.

    Parameters
    ----------
    json_string : str
    custom_objects : dict of str to class or function, optional
        Classes that are not the package's own, by name.

    Returns
    -------
    Model
        Compiled if the original was.

    References
    ----------
    https://keras.io/api/models/model_saving_apis/model_config_serialization/

    Examples
    --------
    >>> import rnn_ref
    >>> model = rnn_ref.Sequential([rnn_ref.Input((10, 5)), rnn_ref.layers.LSTM(64), rnn_ref.layers.Dense(1)])
    >>> rnn_ref.models.model_from_json(model.to_json()).count_params()
    17985
    """
    try:
        described = json.loads(json_string)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"model_from_json: expected the text that model.to_json() returns; {error}.") from None
    return model_from(described, custom_objects)
