"""Models: layers put together, and their training."""

from rnn_ref.models.sequential import Sequential

__all__ = ["Sequential"]
