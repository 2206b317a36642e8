"""The contenders: how each library does the tasks. The table that names them is :mod:`rnn_ref.bench.peers`.

Each runs in a process of its own (``worker``), which imports nothing of rnn_ref unless rnn_ref is what it measures: the
modules here import NumPy only, and get their library as an argument. A task is a :class:`~.problem.Problem` or a
:class:`~.guide.Guide`; what a module makes of it is a dict of functions without arguments.
"""
