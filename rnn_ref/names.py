"""Public names of Keras 3.15 that are not here, and of older versions, with what to write instead: one table.

:func:`as_markdown` writes it as names.md, which stands beside this file. A test holds it against Keras: each
public name of the eleven modules is either there or in the table, and none is in both.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable

IMPORT_FROM = dis.opmap["IMPORT_FROM"]

_IMAGES = "is about images; rnn_ref is about sequences. Prepare images with Keras, or with another library, before."
_TWO_D = "is for images and volumes; the layers here are for sequences (B, T, F)."
_PREPROCESSING = "is a preprocessing layer of Keras; prepare the data before fit, {}"
_FILES = "reads files from disk; read them with Python, and give arrays or a generator to fit."
_PRECISION = "is for mixed precision; the precisions here are float32 and float64."
_OTHER = "runs code of another framework; write a layer with call(x) on autograd.numpy arrays."
_SCALE = "is not there; write Lambda(lambda x: {0}, gradient={1}), or do it to the data before fit."

# module -> (names, what to write instead)
GROUPS: dict[str, list[tuple[str, str]]] = {
    "callbacks": [
        ("OrbaxCheckpoint", "writes Orbax's folders; ModelCheckpoint and BackupAndRestore write files."),
        ("RemoteMonitor", "sends events to a server; write LambdaCallback(on_epoch_end=...) that does."),
        ("TensorBoard", "is not there; write CSVLogger(path), or look with rnn_ref.plot.history and rnn_ref.trace."),
    ],
    "distribution": [
        (
            "DeviceMesh LayoutMap ModelParallel TensorLayout distribute_tensor",
            "spreads weights over devices; here every process has the whole model and its share of each batch: "
            "DataParallel().",
        ),
        (
            "get_device_count initialize list_devices",
            "is not needed; mpiexec -n 4 python train.py starts processes, and DataParallel() has their size and rank.",
        ),
    ],
    "initializers": [
        (
            "STFT STFTInitializer stft",
            "is for spectrograms as convolutions; an array or a function can be an initializer.",
        ),
    ],
    "layers": [
        (
            "AdaptiveAveragePooling2D AdaptiveAveragePooling3D AdaptiveMaxPooling2D AdaptiveMaxPooling3D "
            "AveragePooling2D AveragePooling3D AvgPool2D AvgPool3D Conv2D Conv2DTranspose Conv3D Conv3DTranspose "
            "ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution2D Convolution2DTranspose Convolution3D "
            "Convolution3DTranspose Cropping2D Cropping3D DepthwiseConv2D GlobalAveragePooling2D "
            "GlobalAveragePooling3D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool2D GlobalMaxPool3D "
            "GlobalMaxPooling2D GlobalMaxPooling3D MaxPool2D MaxPool3D MaxPooling2D MaxPooling3D SeparableConv2D "
            "SeparableConvolution2D SpatialDropout2D SpatialDropout3D UpSampling2D UpSampling3D ZeroPadding2D "
            "ZeroPadding3D",
            _TWO_D,
        ),
        (
            "AugMix AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization "
            "MaxNumBoundingBoxes MixUp RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter "
            "RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur "
            "RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation "
            "RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom Resizing Solarization",
            _IMAGES,
        ),
        (
            "CategoryEncoding Discretization HashedCrossing Hashing IntegerLookup StringLookup",
            _PREPROCESSING.format("with NumPy, utils.to_categorical or preprocessing.text."),
        ),
        ("TextVectorization", _PREPROCESSING.format("with preprocessing.text.Tokenizer and utils.pad_sequences.")),
        ("Normalization", _PREPROCESSING.format("(x - x.mean(axis=(0, 1))) / x.std(axis=(0, 1)).")),
        ("Pipeline", _PREPROCESSING.format("step by step.")),
        ("MelSpectrogram STFTSpectrogram", _PREPROCESSING.format("with scipy.signal.stft.")),
        ("Rescaling", _SCALE.format("scale * x + offset", "lambda x, y, dy: scale * dy")),
        ("FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper", _OTHER),
        (
            "AdaptiveAveragePooling1D AdaptiveMaxPooling1D",
            "is not there; AveragePooling1D, MaxPooling1D and GlobalAveragePooling1D, GlobalMaxPooling1D are.",
        ),
        (
            "Conv1DTranspose Convolution1DTranspose DepthwiseConv1D SeparableConv1D SeparableConvolution1D",
            "is not there; Conv1D is, and with groups=F it treats every feature by itself.",
        ),
        (
            "Cropping1D",
            "is not there; cut the data before, or write x[:, a:-b] in a Lambda with its gradient.",
        ),
        ("ZeroPadding1D", "is not there; Conv1D and the poolings have padding=..., utils.pad_sequences pads the data."),
        ("UpSampling1D", "is not there; RepeatVector repeats a vector over time."),
        ("AlphaDropout GaussianDropout", "is not there; Dropout, SpatialDropout1D and GaussianNoise are."),
        ("EinsumDense", "is not there; Dense works on the last axis, with Reshape and Permute around it on others."),
        ("ReversibleEmbedding", "is not there; write Embedding, and a layer whose call uses its weight transposed."),
        ("GroupQueryAttention", "is not there; MultiHeadAttention is."),
        (
            "SpectralNormalization",
            "is not there; a kernel_constraint such as UnitNorm bounds a kernel.",
        ),
        ("InputSpec", "is not there; a layer checks its inputs in build(input_shape) or call, and raises."),
    ],
    "losses": [
        (
            "Circle circle",
            "is for learning distances; write a Python function and compile(loss=function).",
        ),
    ],
    "metrics": [
        (
            "binary_focal_crossentropy categorical_focal_crossentropy",
            "stands in rnn_ref.losses under the same name.",
        ),
    ],
    "optimizers": [
        ("LossScaleOptimizer", _PRECISION),
        ("MultiOptimizer OptimizerMap", "is not there; one optimizer updates all weights; freeze by trainable=False."),
        ("Muon", "is not there; SGD(momentum=0.95, nesterov=True), Adam and AdamW are."),
        ("ScheduleFreeAdamW", "is not there; AdamW(use_ema=True), or a learning rate of optimizers.schedules, is."),
        ("legacy", "holds TensorFlow's old optimizers; those here have Keras 3's names and arguments."),
    ],
    "utils": [
        ("array_to_img bounding_boxes img_to_array load_img save_img image_dataset_from_directory", _IMAGES),
        ("audio_dataset_from_directory text_dataset_from_directory", _FILES),
        ("get_file", "downloads data; download with urllib.request.urlretrieve, or use rnn_ref.datasets."),
        ("deserialize_keras_object", "is written layers.deserialize, losses.deserialize, ... by kind."),
        ("serialize_keras_object", "is written layers.serialize, losses.serialize, ... by kind."),
        ("Config", "is a dictionary with attributes; write a dataclass, or types.SimpleNamespace."),
        ("FeatureSpace", _PREPROCESSING.format("column by column, with pandas or NumPy.")),
        (
            "disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled",
            "is not there; verbose=0, 1 or 2 of fit, evaluate and predict says what is shown.",
        ),
        ("get_source_inputs", "is not there; model.inputs are the tensors that a model begins with."),
        ("standardize_dtype", "is not there; str(array.dtype) is the name of a type."),
        (
            "model_to_dot plot_model",
            "draws a graph; model.summary() prints it, plot.unrolled and plot.cell_diagram draw recurrent layers.",
        ),
        ("legacy", "holds what Keras 3 keeps for old files only."),
    ],
}

_CUDNN = (
    "write {0}(...): there is one {0} here, and its kernels take every option. To run on a GPU: "
    "rnn_ref.set_device('cuda')."
)

# Names of older TensorFlow and Keras versions, asked of rnn_ref or rnn_ref.layers.
TODAY = {
    "CuDNNLSTM": _CUDNN.format("LSTM"),
    "CuDNNGRU": _CUDNN.format("GRU"),
    "CudnnLSTM": _CUDNN.format("LSTM"),
    "CudnnGRU": _CUDNN.format("GRU"),
    "dynamic_rnn": "write RNN(cell, return_sequences=True, return_state=True)(x).",
    "static_rnn": "write RNN(cell, return_sequences=True, return_state=True)(x); the sequence is one array (B, T, F).",
    "raw_rnn": "write a cell with call(inputs, states), and run it with RNN(cell).",
    "bidirectional_dynamic_rnn": "write Bidirectional(RNN(cell, return_sequences=True), merge_mode=None)(x).",
    "static_bidirectional_rnn": "write Bidirectional(RNN(cell, return_sequences=True))(x).",
    "BasicLSTMCell": "write LSTMCell(units).",
    "BasicRNNCell": "write SimpleRNNCell(units).",
    "LSTMBlockCell": "write LSTMCell(units).",
    "LSTMBlockFusedCell": "write LSTM(units).",
    "MultiRNNCell": "write StackedRNNCells(cells).",
    "DropoutWrapper": "give the cell dropout=..., recurrent_dropout=...",
    "LSTMStateTuple": "states are a list [h, c].",
    "nn": "for nn.dynamic_rnn write layers.RNN(cell), layers.LSTM or layers.GRU; for its functions, activations.*.",
    "contrib": "contrib.seq2seq is now layers.Attention, Model(inputs, outputs), and seq2seq for decoding; "
    "contrib.rnn is layers.",
    "compat": "models are layers.*, Sequential and Model; sessions and placeholders are gone.",
    "addons": "its BeamSearchDecoder is seq2seq.BeamSearchDecoder.",
}

MODULES = (
    "activations", "callbacks", "constraints", "distribution", "initializers", "layers", "losses", "metrics",
    "optimizers", "regularizers", "utils",
)  # fmt: skip
ABSENT = {
    module: {name: instead for names, instead in GROUPS.get(module, ()) for name in names.split()} for module in MODULES
}


class NotThere(AttributeError, NotImplementedError):
    """A name of Keras that this package does not have."""


class NotThereToImport(ImportError, NotImplementedError):
    """The same, asked for by ``from ... import``."""


def explain(name: str, module: str) -> str:
    """What to tell someone who asks a module (``"layers"``, or ``""`` for rnn_ref itself) for a name it lacks."""
    path = f"rnn_ref.{module}".rstrip(".")
    if name in ABSENT.get(module, ()):
        return f"{path} has no {name}: it {ABSENT[module][name]}"
    if module in ("", "layers") and name in TODAY:
        return f"there is no {name} any more: {TODAY[name]}"
    return f"module {path!r} has no attribute {name!r}"


def missing(module: str) -> Callable:
    """The ``__getattr__`` of a module: says what to write instead of a name that is not there."""

    def __getattr__(name: str):
        text = explain(name, module)
        # ``from module import name`` would hide an AttributeError's text behind one of its own.
        asking = sys._getframe(1)
        imported = asking.f_code.co_code[asking.f_lasti] == IMPORT_FROM
        raise (NotThereToImport if imported else NotThere)(text)

    return __getattr__


def as_markdown() -> str:
    """The table for people."""
    lines = [
        "# Names of Keras 3.15 that rnn_ref does not have",
        "",
        "Every other public name of these modules is there. Made by `as_markdown` in `rnn_ref/names.py`.",
        "",
        "| module | names | each of them |",
        "|---|---|---|",
    ]
    for module in MODULES:
        for names, instead in GROUPS.get(module, ()):
            lines.append(f"| `{module}` | {', '.join(f'`{name}`' for name in names.split())} | {instead} |")
    lines += [
        "",
        "Names of older versions, asked of `rnn_ref` or `rnn_ref.layers`:",
        "",
        "| name | today |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {today} |" for name, today in TODAY.items()]
    return "\n".join(lines) + "\n"
