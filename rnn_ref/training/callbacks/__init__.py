"""Callbacks: what happens around training besides training (https://keras.io/api/callbacks/)."""

from .averages import SwapEMAWeights
from .base import Callback, CallbackList
from .history import History
from .monitor import EarlyStopping, ReduceLROnPlateau
from .progress import ProgbarLogger
from .simple import CSVLogger, LambdaCallback, LearningRateScheduler, TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TerminateOnNaN",
]
