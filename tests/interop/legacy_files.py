"""``.h5`` files in the layout of tf.keras 2, written by hand with h5py."""

from __future__ import annotations

import json

import h5py
import numpy as np

GLOROT = {"class_name": "GlorotUniform", "config": {"seed": None}}
OLDER = {"class_name": "VarianceScaling", "config": {"distribution": "normal", "seed": None, "dtype": "float32"}}
F, H = 3, 2


def entry(kind, name, **config):
    return {"class_name": kind, "config": {"name": name, "trainable": True, "dtype": "float32", **config}}


def recurrent(kind, name, **options):
    config = {
        "return_sequences": False, "return_state": False, "go_backwards": False, "stateful": False, "unroll": False,
        "units": H, "activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True,
        "kernel_initializer": GLOROT, "kernel_regularizer": None, "dropout": 0.0, "recurrent_dropout": 0.0,
        "implementation": 2,
    }  # fmt: skip
    return entry(kind, name, **(config | options))


def dense(name, units=1, **options):
    return entry("Dense", name, units=units, activation="linear", use_bias=True, kernel_initializer=GLOROT, **options)


def write(path, layers, config=None, version="2.15.0", **attributes):
    """``layers``: name -> arrays by name."""
    with h5py.File(path, "w") as file:
        root = file
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
            root = file.create_group("model_weights")
        file.attrs["keras_version"] = version.encode()
        for name, value in attributes.items():
            file.attrs[name] = value
        root.attrs["layer_names"] = [name.encode() for name in layers]
        root.attrs["backend"], root.attrs["keras_version"] = b"tensorflow", version.encode()
        for name, arrays in layers.items():
            group = root.create_group(name)
            group.attrs["weight_names"] = [key.encode() for key in arrays]
            for key, array in arrays.items():
                group[key] = array


def drawn(*shapes, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=shape).astype("float32") for shape in shapes]


def arrays_of(name, kernel, recurrent_kernel, bias, cell):
    parts = {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}
    return {f"{name}/{cell}/{part}:0": array for part, array in parts.items()}


def gru_file(path, bias, with_input=True, **options):
    kernel, recurrent_kernel, _ = weights = drawn((F, 3 * H), (H, 3 * H), bias)
    W, b = drawn((H, 1), (1,), seed=1)
    shape = {"batch_input_shape": [None, 4, F]}
    layers = [recurrent("GRU", "gru", **options, **({} if with_input else shape)), dense("dense")]
    if with_input:
        layers.insert(0, {"class_name": "InputLayer", "config": {"name": "input_1", "dtype": "float32", **shape}})
    config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}
    layers = {"gru": arrays_of("gru", *weights, "gru_cell"), "dense": {"dense/kernel:0": W, "dense/bias:0": b}}
    write(path, layers, config)
    return [kernel, recurrent_kernel, weights[2], W, b]
