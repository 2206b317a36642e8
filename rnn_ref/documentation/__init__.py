"""How the documentation is built by ``rnn-ref docs``, from ``notebooks/site`` and what stands beside the code."""
