"""Callbacks: what happens around training besides training (https://keras.io/api/callbacks/)."""

from rnn_ref.names import missing

from .averages import SwapEMAWeights
from .backup import BackupAndRestore
from .base import Callback, CallbackList
from .checkpoint import ModelCheckpoint
from .history import History
from .monitor import EarlyStopping, ReduceLROnPlateau
from .progress import ProgbarLogger
from .simple import CSVLogger, LambdaCallback, LearningRateScheduler, TerminateOnNaN

__getattr__ = missing("callbacks")

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TerminateOnNaN",
]
