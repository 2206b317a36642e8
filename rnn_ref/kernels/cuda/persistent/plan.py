"""How the work of one time step is shared out over blocks and threads.

A step multiplies states ``a (B, K)`` with weights ``(K, columns)``: forward, K = H states and G*H columns; backward,
K = G*H gradients and H columns. Units are cut into groups and so are samples; a block has one group of each:

    block     ROWS samples, all K numbers of each, the columns of UNITS units
    thread    COLUMNS neighbouring columns, and every SLICES-th of the K terms of their sums

Blocks that share samples need each other's states, so with more than one group of units the whole grid waits for its
slowest block after each step. With one group it does not, and every block runs through the sequence by itself.
"""

from __future__ import annotations

from typing import NamedTuple

COLUMNS = 4  # of a thread: every number read from shared memory is used that often
PARTS = 4  # arrays that hold a thread's weights: the compiler unrolls loops over no more than DEPTHS
DEPTHS = {4: 8, 8: 4}  # by bytes of a number: terms of a sum in one part; 128 of the 255 registers of a thread
TERMS = 32  # of a tile's sums in one part, at most: each is an instruction of an unrolled loop
THREADS = 256  # of a block at most: then a thread may have 255 registers
SHARED_BYTES = 48 * 1024  # of a block, without asking the driver for more


class Plan(NamedTuple):
    """One block's share, and how many blocks there are.

    Attributes
    ----------
    H : int
        Units of the layer.
    units, rows : int
        Units and samples of a block.
    tile : int
        Samples that are multiplied at a time.
    quads, slices : int
        Threads along the columns (COLUMNS each) and along the sums.
    depth : int
        Terms of a sum in each of the PARTS of a thread's weights.
    unit_groups, row_groups : int
        Blocks along the units and along the samples.
    """

    H: int
    units: int
    rows: int
    tile: int
    quads: int
    slices: int
    depth: int
    unit_groups: int
    row_groups: int

    @property
    def K(self) -> int:
        """Terms of a sum, with zeros to fill up."""
        return self.slices * PARTS * self.depth

    @property
    def threads(self) -> int:
        """Of a block: whole warps, enough for the products and for one state each."""
        return 32 * -(-max(self.quads * self.slices, self.tile * self.units) // 32)

    @property
    def blocks(self) -> int:
        return self.unit_groups * self.row_groups

    @property
    def cooperative(self) -> bool:
        """Whether blocks wait for each other."""
        return self.unit_groups > 1


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def share(H: int, K: int, gates: int, unit_groups: int, rows: int, itemsize: int, threads: int) -> Plan | None:
    """The share of one block, if its weights fit into registers and its states into shared memory."""
    units = ceil_div(H, unit_groups)
    unit_groups = ceil_div(H, units)
    quads = ceil_div(gates * units, COLUMNS)
    slices = 1
    while 2 * slices * quads <= threads and slices < ceil_div(K, PARTS):
        slices *= 2
    depth = ceil_div(K, slices * PARTS)
    if slices * quads > threads or depth > DEPTHS[itemsize]:
        return None
    for tile in (8, 4, 2, 1):
        shared = tile * slices * PARTS * depth + tile * COLUMNS * quads * (slices + 1)
        fits = shared * itemsize <= SHARED_BYTES and tile * units <= threads and tile * depth <= TERMS
        if fits and (tile <= rows or tile == 1):
            return Plan(H, units, rows, tile, quads, slices, depth, unit_groups, row_groups=0)
    return None


def plan(
    B: int, H: int, K: int, gates: int, itemsize: int, multiprocessors: int, threads: int | None = None
) -> Plan | None:
    """Share out one step; None if the weights are too many for the registers of the device.

    Parameters
    ----------
    B, H : int
        Batch size and units.
    K : int
        Terms of every sum.
    gates : int
        Columns that belong to one unit.
    itemsize : int
        Bytes of a number, 4 or 8.
    multiprocessors : int
        Of the device; one block runs on each.
    threads : int
        Of a block at most; THREADS when absent.

    Examples
    --------
    >>> plan(B=32, H=64, K=64, gates=4, itemsize=4, multiprocessors=132).blocks  # one sample each, no waiting
    32
    >>> plan(B=64, H=256, K=256, gates=4, itemsize=4, multiprocessors=132)[-2:]
    (16, 8)
    """
    threads = threads or THREADS
    for unit_groups in range(1, min(H, multiprocessors) + 1):
        block = share(H, K, gates, unit_groups, B, itemsize, threads)
        if block is not None:
            break
    else:
        return None
    if unit_groups == 1:
        row_groups = min(B, multiprocessors)
    else:  # whoever waits for others anyway may as well have many of them
        row_groups = max(1, min(ceil_div(B, 8), multiprocessors // block.unit_groups))
        unit_groups = min(H, multiprocessors // row_groups)
    rows = ceil_div(B, row_groups)
    block = share(H, K, gates, unit_groups, rows, itemsize, threads) or block
    return block._replace(rows=rows, row_groups=ceil_div(B, rows))
