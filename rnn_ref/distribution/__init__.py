"""Training on many processes, and many trainings, on engines that others keep well: MPI, Dask, pools of processes.

- :func:`sweep` runs one training at every point of a grid with many seeds, on any executor.
- :class:`DataParallel` trains one model on all ranks that ``mpiexec`` started: each has its share of every batch.
"""

from rnn_ref.distribution.data_parallel import DataParallel, distribution, set_distribution
from rnn_ref.distribution.ranks import RankFailed
from rnn_ref.distribution.sweep import sweep
from rnn_ref.distribution.sweep_result import Sweep
from rnn_ref.names import missing

__getattr__ = missing("distribution")

__all__ = ["DataParallel", "RankFailed", "Sweep", "distribution", "set_distribution", "sweep"]
