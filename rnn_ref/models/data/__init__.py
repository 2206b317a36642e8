"""What ``fit``, ``evaluate`` and ``predict`` accept as data, and how it is turned into batches.

=========================================  =============================================================================
``x`` is                                   and then
=========================================  =============================================================================
an array: NumPy, CuPy, JAX, torch tensor,  ``y`` and ``sample_weight`` are arrays too. Cut into ``batch_size``
whatever has ``__array__``, SciPy sparse   samples (32; or all in ``steps_per_epoch`` batches), shuffled before
                                           each pass (``shuffle="batch"``: within each batch only)
an array that NumPy maps from a file, of   the same, but read in blocks, ahead of time in a thread: a block (64 MB)
h5py or Zarr, or of Dask                   and two batches are all that is in memory. Shuffled in blocks: the blocks
                                           come in random order, and so do the samples within each
a pandas frame or series                   as an array ``(rows, columns)``; a series has one column. If the model has
                                           several inputs: the columns with their names
a list, tuple or dict of these             one for each input, in order or by name; ``y`` likewise for outputs
a ``utils.PyDataset``, or anything with    ``x[k]`` is batch ``k``; shuffled as whole batches. ``on_epoch_begin`` and
``__len__`` and ``__getitem__``            ``on_epoch_end`` are called if they exist
a ``torch.utils.data.DataLoader``          a batch is a list ``[x, y]``
any other iterable that can be restarted   iterated once in each epoch
a generator, or another iterator           each epoch continues where the one before ended
=========================================  =============================================================================

A batch is ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``; ``x`` alone may also be an array or a dict. All sources
but generators may yield lists instead of tuples.

- With ``steps_per_epoch`` an epoch has this many batches, and the next one continues from there. If a source ends
  earlier, so does the epoch, with a warning. The next epoch starts again from the beginning; a generator has no next.
- A generator without ``steps_per_epoch`` is read to its end. If there are more epochs, its batches are kept in memory
  and used again. Batches that a generator yields for validation are kept too, so that every validation is the same.
- A source that yields no batch at all is an error.
- ``validation_data`` is ``(x, y)`` or ``(x, y, sample_weight)``, a list of these, or any of the sources above.
- ``class_weight`` works with arrays, datasets and iterables that can be restarted, but not with sample weights.

Not accepted, because their meaning is ambiguous: lists of Python numbers, strings, arrays of objects, masked arrays.
"""

from rnn_ref.models.data.batch import look_for_nan, one_batch
from rnn_ref.models.data.epochs import Epochs
from rnn_ref.models.data.packing import pack_x_y_sample_weight, unpack_x_y_sample_weight
from rnn_ref.models.data.py_dataset import PyDataset
from rnn_ref.models.data.sources import source

__all__ = [
    "Epochs",
    "PyDataset",
    "look_for_nan",
    "one_batch",
    "pack_x_y_sample_weight",
    "source",
    "unpack_x_y_sample_weight",
]
