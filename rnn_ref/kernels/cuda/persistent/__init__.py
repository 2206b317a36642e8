"""Fast kernels: one launch runs all time steps of a sequence, with the recurrent weights kept in registers.

Reading the recurrent kernel anew at every step is what limits a recurrent layer on a GPU (Diamos et al. 2016,
Persistent RNNs; Pöppel et al. 2024, FlashRNN). Here each block of threads keeps the columns of its units in registers
from the first step to the last, so that one step moves no more than the states:

``plan``      how units, samples and sums are shared out over blocks and threads
``product``   the recurrent product of one block
``loop``      the walk over time, forward and back, the same for every cell
``lstm``, ``gru``, ``simple_rnn``    what a cell does with its sums at one time step
"""
