"""Many trainings on engines that others keep well: processes, Dask, whatever has ``concurrent.futures``' interface."""

from rnn_ref.distribution.sweep import sweep
from rnn_ref.distribution.sweep_result import Sweep

__all__ = ["Sweep", "sweep"]
