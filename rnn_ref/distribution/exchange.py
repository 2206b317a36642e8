"""What ranks have to tell each other in a step, in one flat buffer that is summed once."""

from __future__ import annotations

import numpy as np

from rnn_ref.distribution.ranks import Ranks


class Exchange:
    """One sum over all ranks for many arrays and numbers.

    Parameters
    ----------
    ranks : Ranks
    """

    def __init__(self, ranks: Ranks):
        self._ranks = ranks
        self._flat = np.empty(0, np.float32)
        self._agreed: set[tuple] = set()

    def sum(self, arrays: list[np.ndarray], dtype) -> list[np.ndarray]:
        """The sums of arrays over all ranks; they are good until the next call.

        Parameters
        ----------
        arrays : list of array of float
            Of the same shapes on every rank.
        dtype : data type
            Of the buffer.
        """
        arrays = [np.asarray(array) for array in arrays]
        shape = tuple(array.shape for array in arrays)
        if shape not in self._agreed:
            self._agree(shape)
        size = sum(array.size for array in arrays)
        if self._flat.size != size or self._flat.dtype != dtype:
            self._flat = np.empty(size, dtype)
        place, views = 0, []
        for array in arrays:
            views.append(self._flat[place : place + array.size].reshape(array.shape))
            views[-1][...] = array
            place += array.size
        self._ranks.sum(self._flat)
        return views

    def _agree(self, shape: tuple) -> None:
        """Sums of other arrays than those before: all must have the same."""
        everyone = self._ranks.to_all(shape)
        for rank, other in enumerate(everyone):
            if other != everyone[0]:
                raise ValueError(
                    f"DataParallel: rank {rank} has {len(other)} arrays to add up in a step (the last of shape "
                    f"{other[-1]}), rank 0 has {len(everyone[0])} (the last of shape {everyone[0][-1]}). Give every "
                    "rank the same model, metrics, and data of the same kind."
                )
        self._agreed.add(shape)
