"""``.keras`` archives: config.json (the model), metadata.json (who wrote it), model.weights.h5."""

from __future__ import annotations

import datetime
import io
import json
import zipfile

from rnn_ref.custom_objects import UnknownObject
from rnn_ref.interop.archives import read_members
from rnn_ref.interop.errors import BrokenFile, FileError, reading
from rnn_ref.interop.hdf5 import Stored, opened
from rnn_ref.interop.keras import optimizer_state, store
from rnn_ref.interop.keras.limits import check_description
from rnn_ref.interop.optional import need
from rnn_ref.layers.first_values import drawn_by_nobody
from rnn_ref.models.describing import describe_model, model_from, to_json
from rnn_ref.models.skipping import skipping
from rnn_ref.version import __version__
from rnn_ref.writing import replacing

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LIMITS = {CONFIG: 1 << 23, METADATA: 1 << 20, WEIGHTS: 1 << 50}
SLACK = 100_000  # numbers, so that misfits are found later, where they can be reported better
KERAS = "3.15.1"  # the version of the format


def save(model, path, *, include_optimizer: bool = True) -> None:
    """Write a model; the file appears complete, or not at all."""
    content = to_bytes(model, include_optimizer=include_optimizer)
    with replacing(path) as file:
        file.write(content)


def to_bytes(model, *, include_optimizer: bool = True) -> bytes:
    """The archive of a model."""
    if not model.built:
        raise ValueError(f"{model.name}: it is not built, so that it has no weights yet. Call it on data first.")
    config = to_json(describe_model(model), model.name)
    date = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": KERAS, "rnn_ref_version": __version__, "date_saved": date}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr(METADATA, json.dumps(metadata))
        zipped.writestr(CONFIG, config)
        zipped.writestr(WEIGHTS, weights_to_bytes(model, include_optimizer=include_optimizer))
    return archive.getvalue()


def weights_to_bytes(model, *, include_optimizer: bool) -> bytes:
    """The HDF5 file with all weights and, if the model is compiled, the optimizer's state."""
    h5py = need("h5py", "writing Keras's files")
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        store.write(model, file)
        if include_optimizer:
            optimizer_state.write(model, file)
    return content.getvalue()


def load(path, *, compile: bool = True, skip_unknown: bool = False):
    """The model in an archive.

    Raises
    ------
    FileError
        If the file is damaged, unsafe, or its parts do not fit together.
    UnknownObject
        If it has a layer of an unknown class.
    """
    members = read_members(path, LIMITS)
    for name in (CONFIG, WEIGHTS):
        if name not in members:
            raise BrokenFile(f"{path}: is no model of Keras 3: it has no {name}.")
    described = parsed(members[CONFIG], f"{path}: {CONFIG}")
    with opened(members[WEIGHTS], f"{path}: {WEIGHTS}") as stored:
        model = made(described, stored, str(path), compile=compile, skip_unknown=skip_unknown)
        store.read(model, stored, skip_more=skip_unknown)
        if compile and model.compiled:
            optimizer_state.read(model, stored)
    return model


def parsed(text: bytes | str, where: str) -> dict:
    """A description from JSON, checked against limits."""
    with reading(where):
        described = json.loads(text)
        if not isinstance(described, dict):
            raise BrokenFile(f"{where}: is no description of a model.")
        check_description(described, where)
    return described


def made(described: dict, stored: Stored, where: str, *, compile: bool, skip_unknown: bool):
    """The model of a description, with zeros for weights, and hardly more of them than the file has."""
    try:
        with skipping(skip_unknown), drawn_by_nobody(stored.sizes() + SLACK):
            return model_from(described, compile=compile)
    except (FileError, UnknownObject, NotImplementedError):
        raise
    except Exception as error:
        raise BrokenFile(f"{where}: its description makes no model: {error or type(error).__name__}") from error
