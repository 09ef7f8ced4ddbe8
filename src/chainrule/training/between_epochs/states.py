"""The state of a callback: plain values, each copied as it is now and of a type that comes back from a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import SettingError, shortened

PLAIN = {type(None), bool, int, float, str}
"""Types of values that never change, which a file has as they are."""

DTYPES = {np.dtype(kind) for kind in ["?", "b", "B", "h", "H", "i", "I", "q", "Q", "e", "f", "d"]}
"""The kinds of number that arrays may have."""

NUMBERS = {dtype.name: dtype.type for dtype in DTYPES}
"""NumPy's own numbers, by their names."""

UNCHANGING = PLAIN | set(NUMBERS.values())


@dataclass(frozen=True)
class Unkept:
    """Stands for a state that no file can hold, and says why."""

    reason: str


def state_of(callback: Any) -> Any:
    """A copy of what a callback's `state_dict()` gives now; `None` of one that has none.

    Examples
    --------
    >>> class Counting:
    ...     def state_dict(self):
    ...         return {"seen": [1, np.float32(0.5)]}
    >>> state_of(Counting()), state_of(print)
    ({'seen': [1, np.float32(0.5)]}, None)
    >>> Counting.state_dict = lambda self: {"seen": {1, 2}}
    >>> print(state_of(Counting()).reason)
    the callback Counting has a state that no checkpoint can hold: {1, 2} is of type set; give numbers, texts, arrays of numbers, \
and dicts, lists and tuples of them from its state_dict().
    """
    asked = getattr(callback, "state_dict", None)
    if not callable(asked):
        return None
    try:
        return plain_copy(asked())
    except SettingError as error:
        why = str(error)
    except RecursionError:
        why = "it is nested without an end; give lists and dicts that are not within themselves."
    return Unkept(f"the callback {name_of(callback)} has a state that no checkpoint can hold: {why}")


def plain_copy(x: Any) -> Any:
    """A copy of plain values, all of it the caller's own; raises SettingError for anything else."""
    kind: Any = type(x)
    if kind in UNCHANGING:
        return x
    if kind is np.ndarray and x.dtype in DTYPES and x.dtype.isnative:
        return x.copy()
    if kind is list or kind is tuple:
        return kind([plain_copy(item) for item in x])
    if kind is dict:
        return {plain_copy(key): plain_copy(item) for key, item in x.items()}
    of = f"an array of {x.dtype}" if kind is np.ndarray else f"of type {kind.__name__}"
    raise SettingError(
        f"{shortened(x)} is {of}; give numbers, texts, arrays of numbers, and dicts, lists and tuples of them from its state_dict()."
    )


def name_of(callback: Any) -> str:
    """What a callback is called: a function by its name, anything else by its class."""
    return str(getattr(callback, "__name__", type(callback).__name__))
