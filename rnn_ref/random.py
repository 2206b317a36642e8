"""The package's source of random numbers: one generator, one seed.

Everything in `rnn_ref` that draws numbers (initializers, dropout, shuffling, synthetic tasks) takes a `seed`
and turns it into a NumPy generator with `make`. A seed of `None` means the generator of this module, which
`set_seed` restarts, so that one call makes a whole program repeatable.

>>> set_seed(0)
>>> first = make(None).integers(100, size=3)
>>> set_seed(0)
>>> bool((make(None).integers(100, size=3) == first).all())
True
"""

import numbers
from typing import Any

import numpy as np

Seed = int | np.random.Generator | None

_generator = np.random.default_rng()

_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def set_seed(seed: int) -> None:
    """Restart the package-wide generator from `seed`, a non-negative integer.

    `rnn_ref.utils.set_random_seed` calls this and also seeds Python's and NumPy's own generators.

    Raises
    ------
    ValueError
        If `seed` is not a non-negative integer.

    Examples
    --------
    >>> set_seed(1)
    >>> round(generator().random(), 3)
    0.512
    """
    global _generator
    _generator = np.random.default_rng(_checked(seed))


def generator() -> np.random.Generator:
    """Return the package-wide generator; until `set_seed` is called, the operating system seeds it.

    Examples
    --------
    >>> generator() is make(None)
    True
    """
    return _generator


def make(seed: Seed = None) -> np.random.Generator:
    """Turn a seed into a generator.

    Parameters
    ----------
    seed : int, numpy.random.Generator or None
        An integer starts a new generator, the same one each time. A generator is returned as it is, so that
        it goes on from where it stands. `None` is the package-wide generator.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    ValueError
        If `seed` is anything else.

    Examples
    --------
    >>> make(7).random() == make(7).random()
    True
    """
    if seed is None:
        return _generator
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(_checked(seed, "a non-negative integer, a numpy.random.Generator or None"))


def to_config(seed: Seed) -> int | dict[str, Any] | None:
    """Describe a seed so that it can be written as JSON; a generator is described by its present state.

    Examples
    --------
    >>> to_config(3)
    3
    >>> ours = np.random.default_rng(3)
    >>> from_config(to_config(ours)).random() == ours.random()
    True
    """
    if isinstance(seed, np.random.Generator):
        return {"class_name": "Generator", "config": _with_lists(seed.bit_generator.state)}
    return None if seed is None else _checked(seed)


def from_config(config: int | dict[str, Any] | None) -> Seed:
    """Read what `to_config` wrote, or the `SeedGenerator` of a Keras file.

    Raises
    ------
    ValueError
        If a dict describes neither.

    Examples
    --------
    >>> keras_seed = {"class_name": "SeedGenerator", "config": {"seed": 3, "name": "seed_generator"}}
    >>> from_config(keras_seed).random() == make(3).random()
    True
    """
    if not isinstance(config, dict):
        return config
    class_name, state = config.get("class_name"), config.get("config", {})
    if class_name == "SeedGenerator":
        return np.random.default_rng(_checked(state.get("seed")))
    if class_name == "Generator" and state.get("bit_generator") in _BIT_GENERATORS:
        bit_generator = getattr(np.random, state["bit_generator"])()
        bit_generator.state = _with_arrays(state)
        return np.random.Generator(bit_generator)
    raise ValueError(
        "the description of a seed should have class_name 'SeedGenerator', or 'Generator' with a "
        f"bit_generator among {', '.join(_BIT_GENERATORS)}; got {config!r}"
    )


def _checked(seed: int, expected: str = "a non-negative integer") -> int:
    if isinstance(seed, numbers.Integral) and seed >= 0:
        return int(seed)
    raise ValueError(f"seed should be {expected}; got {seed!r} of type {type(seed).__name__}")


def _with_lists(state: Any) -> Any:
    """Replace the arrays in a bit generator's state by lists, which JSON can hold."""
    if isinstance(state, dict):
        return {key: _with_lists(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray) else state


def _with_arrays(state: Any) -> Any:
    """Undo `_with_lists`. NumPy casts the unsigned words to the width that each bit generator uses."""
    if isinstance(state, dict):
        return {key: _with_arrays(value) for key, value in state.items()}
    return np.array(state, dtype=np.uint64) if isinstance(state, list) else state
