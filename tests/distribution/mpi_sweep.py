"""A sweep over ranks: ``mpiexec -n 3 python -m mpi4py.futures -m tests.distribution.mpi_sweep``; prints its rows."""

import json

import rnn_ref

from . import trainings

if __name__ == "__main__":
    from mpi4py.futures import MPIPoolExecutor

    with MPIPoolExecutor() as executor:
        grid = {"rate": [1.0, 2.0], "kind": ["SimpleRNN", "LSTM"]}
        print(json.dumps(rnn_ref.sweep(trainings.drawn, grid, (0, 7), executor, progress=False).rows))
