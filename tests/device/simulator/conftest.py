"""These tests need the simulator; elsewhere ``test_in_simulator`` runs them."""

from numba import config

collect_ignore_glob = [] if config.ENABLE_CUDASIM else ["test_*.py"]
