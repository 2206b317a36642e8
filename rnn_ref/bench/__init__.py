"""The benchmark: rnn_ref beside what users would pick instead. Run with ``rnn-ref bench cpu``."""
