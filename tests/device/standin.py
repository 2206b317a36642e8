"""A stand-in for CuPy without a GPU: stricter than CuPy, and it counts what goes in and out.

``Array`` is no NumPy array. It refuses to meet one (other than numbers), to become one without being asked, and to do
what CuPy's arrays and functions do not (``FUNCTIONS`` and ``METHODS``; a test holds them against the real CuPy where
it is installed). What it computes is NumPy's.
"""

from __future__ import annotations

from collections import Counter
from types import ModuleType, SimpleNamespace

import numpy as np

# Of the module.
FUNCTIONS = """
abs absolute add all any arange argmax argmin argsort argwhere array ascontiguousarray asarray asnumpy bincount
broadcast_to clip concatenate copyto count_nonzero cumsum diag divide dot einsum empty empty_like equal exp
expand_dims expm1 eye fill_diagonal flip floor full full_like greater greater_equal heaviside isfinite isnan less
less_equal log log1p logaddexp logical_and logical_not logical_or matmul max maximum mean min minimum moveaxis
multiply nan_to_num ndim negative not_equal ones ones_like power put_along_axis repeat reshape searchsorted shape sign
split sqrt square squeeze stack std subtract sum swapaxes take_along_axis tanh transpose tri var vdot where zeros
zeros_like
""".split()  # noqa: SIM905 - a list of lines is longer

# Of arrays.
METHODS = """
all any argmax argmin argsort astype copy cumsum fill max mean min ravel repeat reshape squeeze sum swapaxes take
tolist transpose view
""".split()  # noqa: SIM905 - a list of lines is longer
ATTRIBUTES = ["dtype", "flags", "itemsize", "nbytes", "ndim", "shape", "size", "strides"]


class Array:
    """An array "on the GPU"."""

    __array_priority__ = 100

    def __init__(self, host: np.ndarray):
        assert type(host) is np.ndarray
        self._host = host

    def __getattr__(self, name):
        if name in ATTRIBUTES:
            return getattr(self._host, name)
        if name in METHODS:
            if name == "tolist":
                counts["out"] += 1
            return lambda *arguments, **options: _run(getattr(self._host, name), arguments, options)
        raise AttributeError(f"the stand-in for CuPy has no ndarray.{name}")

    @property
    def T(self):
        return Array(self._host.T)

    def get(self):
        return module.asnumpy(self)

    # -- reading: waits for the GPU --

    def item(self):
        counts["out"] += 1
        return self._host.item()

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __index__(self):
        return self._host.__index__() if counts.update(out=1) is None else 0

    def __bool__(self):
        counts["out"] += 1
        return bool(self._host)

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    def __len__(self):
        return len(self._host)

    def __iter__(self):
        return (self[k] for k in range(len(self)))

    __hash__ = None

    # -- indexing --

    def __getitem__(self, index):
        index = _index(index)
        whole = index if isinstance(index, tuple) else (index,)
        if all(isinstance(k, (int, np.integer)) for k in whole):
            index = (*whole, ...)  # a single number is an array of no axes, and a view
        return _wrapped(self._host[index])

    def __setitem__(self, index, value):
        self._host[_index(index)] = _plain(value)

    # -- NumPy's functions called on it, as CuPy takes them: ufuncs by their name, functions by theirs --

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if method != "__call__" or ufunc.signature is not None:
            return NotImplemented
        if out is not None:
            (options["out"],) = out
        return getattr(module, ufunc.__name__)(*inputs, **options)

    def __array_function__(self, function, types, arguments, options):
        return getattr(module, function.__name__)(*arguments, **options)

    def __repr__(self):
        return f"standin.Array({self._host!r})"


def _operator(name: str):
    def operate(self, other=None):
        arguments = () if other is None else (_plain(other),)
        found = getattr(self._host, name)(*arguments)
        return found if found is NotImplemented else _wrapped(found)

    return operate


def _in_place(name: str):
    def operate(self, other):
        getattr(self._host, name)(_plain(other))
        return self

    return operate


for _name in ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"]:
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(Array, f"__r{_name}__", _operator(f"__r{_name}__"))
    setattr(Array, f"__i{_name}__", _in_place(f"__i{_name}__"))
for _name in ["lt", "le", "gt", "ge", "eq", "ne", "neg", "invert", "abs"]:
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))


def _plain(value):
    """The NumPy array inside; arrays of NumPy itself are refused."""
    if isinstance(value, Array):
        return value._host
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(entry) for entry in value)
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}: a NumPy array of shape {value.shape} met one of the GPU")
    return value


def _index(index):
    if isinstance(index, tuple):
        return tuple(_index(entry) for entry in index)
    return _plain(index)


def _wrapped(found):
    """Results of computations are arrays of the GPU, single numbers too."""
    if isinstance(found, (np.ndarray, np.generic)):
        return Array(np.asarray(found))
    if isinstance(found, (list, tuple)):
        return type(found)(_wrapped(entry) for entry in found)
    return found


def _run(function, arguments, options):
    found = function(*_plain(arguments), **{name: _plain(value) for name, value in options.items()})
    return _wrapped(found)


counts: Counter = Counter()  # "in", "out": transfers, and reads of single numbers


class Cuda:
    """``cupy.cuda``; cuBLAS is loaded when it is asked for."""

    cublas = property(lambda self: "a library")


class Module(ModuleType):
    """What ``import cupy`` gives."""

    ndarray = Array

    def __init__(self):
        super().__init__("cupy")
        runtime = SimpleNamespace(
            driverGetVersion=lambda: 13000, getDeviceCount=lambda: 1, CUDARuntimeError=RuntimeError
        )
        self.cuda = Cuda()
        self.cuda.runtime = runtime
        self.cuda.Device = lambda: SimpleNamespace(compute_capability="90")

    def asarray(self, x, dtype=None):
        if isinstance(x, Array):
            return Array(np.asarray(x._host, dtype))
        counts["in"] += 1
        host = np.array(x, dtype)
        if host.dtype.kind not in "fiubc":
            raise ValueError(f"Unsupported dtype {host.dtype}")
        return Array(host)

    array = asarray

    def asnumpy(self, x):
        if not isinstance(x, Array):
            return np.asarray(x)
        counts["out"] += 1
        return x._host.copy()

    def __getattr__(self, name):
        if name not in FUNCTIONS:
            raise AttributeError(f"the stand-in for CuPy has no function {name}")
        function = getattr(np, name)
        return lambda *arguments, **options: _run(function, arguments, options)


module = Module()


def on_host(x):
    """The NumPy array inside, not counted: for those who look on."""
    return x._host if isinstance(x, Array) else x
