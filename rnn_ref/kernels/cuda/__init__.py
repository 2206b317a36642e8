"""Kernels for CUDA GPUs. The same functions as :mod:`rnn_ref.kernels.cpu`, on CuPy arrays; NumPy's in the simulator.

``lstm``, ``gru``, ``simple_rnn``    one launch per time step, one thread per sample and unit: to be read
``persistent``                       one launch per sequence: to be used, wherever ``choice`` finds that it can be
``sequence``                         products over all time steps at once: inputs, weight gradients
"""
