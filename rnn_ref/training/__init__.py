"""Training: losses, metrics, optimizers with their learning-rate schedules, and callbacks."""
