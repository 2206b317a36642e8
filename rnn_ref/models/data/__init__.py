"""What may be handed to ``fit``, ``evaluate`` and ``predict``, and how it becomes batches.

=========================================  =============================================================================
``x`` is                                   and then
=========================================  =============================================================================
an array: NumPy, CuPy, JAX, torch tensor,  ``y`` and ``sample_weight`` are arrays too. Cut into ``batch_size``
whatever has ``__array__``, SciPy sparse   samples (32; or all in ``steps_per_epoch`` batches), shuffled before
                                           each pass (``shuffle="batch"``: within each batch only)
an array that NumPy maps from a file, of   the same, but read in blocks, ahead of time in a thread: a block (64 MB)
h5py or Zarr, or of Dask                   and two batches are all that is in memory. Shuffled in blocks: these come
                                           in an order that is drawn, samples are drawn within one
a pandas frame or series                   as an array ``(rows, columns)``; a series has one column. If the model has
                                           several inputs: the columns of their names
a list, tuple or dict of these             one for each input, in order or by name; ``y`` likewise for outputs
a ``utils.PyDataset``, or anything with    ``x[k]`` is batch ``k``; shuffled as whole batches. ``on_epoch_begin`` and
``__len__`` and ``__getitem__``            ``on_epoch_end`` are called if there are any
a ``torch.utils.data.DataLoader``          a batch is a list ``[x, y]``
any other iterable that can begin anew     gone through once in each epoch
a generator, or another iterator           drawn from, in every epoch, where the one before ended
=========================================  =============================================================================

A batch is ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``; ``x`` alone may also be an array or a dict. Everything but
a generator may give lists in place of tuples.

- With ``steps_per_epoch`` an epoch has so many batches, and the next goes on where it ended. If a source ends before,
  the epoch ends too, with a warning. The next epoch begins anew; after a generator there is none.
- A generator without ``steps_per_epoch`` is gone through to its end. If there are more epochs, its batches are kept in
  memory and used again. Those that a generator gives for validation are kept as well: each validation uses the same.
- A source that gives no batch at all is an error.
- ``validation_data`` is ``(x, y)`` or ``(x, y, sample_weight)``, a list of these, or any of the sources above.
- ``class_weight`` works with arrays, datasets and iterables that can begin anew; not beside sample weights.

Not taken, because what is meant is not certain: lists of Python numbers, strings, arrays of objects, masked arrays.
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
