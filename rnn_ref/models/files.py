"""Models and their weights in files; the formats are in :mod:`rnn_ref.interop`."""

from __future__ import annotations

import os
from pathlib import Path

from rnn_ref.custom_objects import CustomObjectScope
from rnn_ref.guard import explained
from rnn_ref.models.states import StateTree


class Files(StateTree):
    """The methods of a model that write and read files.

    References
    ----------
    https://keras.io/api/models/model_saving_apis/
    """

    name: str

    @explained
    def save(self, filepath, overwrite=True, zipped=True, include_optimizer=True) -> None:
        """Write the model: its layers, weights, arguments of ``compile``, and the optimizer's state.

        Keras 3 opens the file too. It is written completely or not at all: if writing fails, a file that was there
        before is untouched.

        Parameters
        ----------
        filepath : str or path
            Ends in ``.keras``.
        overwrite : bool
            Whether an existing file may be replaced.
        zipped : bool
            Only True.
        include_optimizer : bool
            Whether training can be continued from the file.

        Raises
        ------
        ValueError
            For another file name extension, or a class without a configuration.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import os, tempfile, rnn_ref
        >>> model = rnn_ref.Sequential([rnn_ref.Input((10, 5)), rnn_ref.layers.LSTM(64), rnn_ref.layers.Dense(1)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
        >>> model.save(path)
        >>> rnn_ref.models.load_model(path).count_params()
        17985
        """
        if not zipped:
            raise NotImplementedError(f"{self.name}: zipped=False is not there; a model is one file.")
        path = _path(filepath, (".keras",), overwrite, f"{self.name}.save")
        from rnn_ref.interop.keras import archive

        archive.save(self, path, include_optimizer=include_optimizer)

    @explained
    def save_weights(self, filepath, overwrite=True) -> None:
        """Write the weights only, for ``load_weights`` of a model with the same layers, here or in Keras 3.

        Parameters
        ----------
        filepath : str or path
            Ends in ``.weights.h5``, or in ``.safetensors``.
        overwrite : bool
            Whether an existing file may be replaced.
        """
        path = _path(filepath, (".weights.h5", ".safetensors"), overwrite, f"{self.name}.save_weights")
        from rnn_ref.interop.keras import weights

        weights.save(self, path)

    @explained
    def load_weights(self, filepath, skip_mismatch=False, by_name=False) -> None:
        """Read the weights in a file.

        Parameters
        ----------
        filepath : str or path
            ``.weights.h5``, ``.keras``, ``.safetensors``, or an ``.h5`` of tf.keras 2.
        skip_mismatch : bool
            Leave weights that are missing from the file, or have another shape there, as they are, with a warning.
        by_name : bool
            For an ``.h5`` of tf.keras 2: match layers by name, and leave those that are not in the file as they are.

        Raises
        ------
        rnn_ref.interop.WrongWeights
            If the file does not have the weights of this model. None is changed then.
        rnn_ref.interop.UnsafeFile, rnn_ref.interop.BrokenFile
            If the file is not what it should be. All are ValueErrors.
        """
        from rnn_ref.interop.keras import weights

        weights.load(self, Path(filepath), skip_mismatch=skip_mismatch, by_name=by_name)

    def export(self, filepath, format="tf_saved_model", verbose=None) -> None:
        """Write an ONNX file with ``format="onnx"``; Keras's SavedModel is not supported.

        Parameters
        ----------
        filepath : str or Path
        format : {"onnx"}
        verbose : optional
            Of no effect.

        See Also
        --------
        rnn_ref.interop.onnx.export
        """
        if format not in ("onnx", "tf_saved_model", "openvino", "litert"):
            raise ValueError(f"{self.name}: export knows no format {format!r}; here it is 'onnx'.")
        if format != "onnx":
            raise NotImplementedError(
                f"{self.name}: export of {format!r} is not there; format='onnx' is. model.save('x.keras') writes what "
                "Keras opens and can export."
            )
        from rnn_ref.interop import onnx

        onnx.export(self, filepath)

    def to_json(self, **options) -> str:
        """Layers and arguments of ``compile`` without weights, for ``models.model_from_json`` here or in Keras.

        Parameters
        ----------
        **options
            For ``json.dumps``, such as ``indent=2``.
        """
        from rnn_ref.models import describing

        return describing.to_json(describing.describe_model(self), self.name, **options)


def _path(filepath, endings: tuple[str, ...], overwrite: bool, where: str) -> Path:
    if not isinstance(filepath, (str, os.PathLike)):
        raise ValueError(f"{where}: filepath must be a path, got {filepath!r}.")
    path = Path(filepath)
    if not path.name.endswith(endings):
        raise ValueError(f"{where}: the name of the file must end in {' or '.join(endings)}, got {str(filepath)!r}.")
    if not overwrite and path.exists():
        raise ValueError(f"{where}: {path} is there already, and overwrite=False.")
    return path


@explained
def load_model(filepath, custom_objects=None, compile=True, safe_mode=True, skip_unknown=False):
    """Load the model in a file written by rnn_ref or Keras.

    No code in a file is ever run. Your own classes and functions are looked up in ``custom_objects``. HDF5 is first
    read in a separate process, because a damaged file can hang its library, or crash it.

    Parameters
    ----------
    filepath : str or path
        A ``.keras`` archive, or an ``.h5`` of tf.keras 2.
    custom_objects : dict of str to class or function, optional
        Meanings of names in the file beyond the package's own. The function of a ``Lambda`` that was written as a
        lambda is looked up by the name of the layer.
    compile : bool
        Whether to compile it as it was, and to restore the optimizer's state.
    safe_mode : bool
        Only True.
    skip_unknown : bool
        Replace each layer of an unknown class by one that passes its input on, with a warning.

    Returns
    -------
    Model

    Raises
    ------
    rnn_ref.interop.FileError
        A ValueError: the file is damaged (``BrokenFile``), asks for something that no honest file needs
        (``UnsafeFile``), or its weights do not fit (``WrongWeights``).
    ValueError
        If it contains a layer of an unknown class.

    References
    ----------
    https://keras.io/api/models/model_saving_apis/model_saving_and_loading/
    """
    if not safe_mode:
        raise NotImplementedError(
            "load_model: safe_mode=False is not there: code in a file is never run. Pass the functions and classes as "
            "custom_objects={'name': ...}; that of a lambda by the name of its layer."
        )
    from rnn_ref.interop.keras import archive, legacy

    path = Path(filepath)
    options = {"compile": compile, "skip_unknown": skip_unknown}
    with CustomObjectScope(custom_objects):
        if path.name.endswith((".h5", ".hdf5")):
            return legacy.load(path, **options)
        return archive.load(path, **options)


def save_model(model, filepath, overwrite=True, zipped=True, **options) -> None:
    """``model.save(filepath)``."""
    model.save(filepath, overwrite=overwrite, zipped=zipped, **options)


def save_weights(model, filepath, overwrite=True) -> None:
    """``model.save_weights(filepath)``."""
    model.save_weights(filepath, overwrite=overwrite)


def load_weights(model, filepath, skip_mismatch=False, **options) -> None:
    """``model.load_weights(filepath)``."""
    model.load_weights(filepath, skip_mismatch=skip_mismatch, **options)
