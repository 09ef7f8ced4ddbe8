"""Which values are views of others, and whether these were written to since."""

from __future__ import annotations

import itertools
from operator import attrgetter
from typing import Any

import numpy as np

from chainrule.ops.functions.function import ArrayFunction
from chainrule.ops.operation import REGISTRY, Operation

Source = tuple[Any, Operation, dict[str, Any], int]
"""What a value is a view of: that value, the operation that takes the view, its attributes, and the version it was taken of."""

written_to: list[bool] = []
"""Not empty once anything was written to in this process; before, no view can be out of date."""


class Past:
    """What is remembered of a value besides its numbers."""

    __slots__ = ("is_array", "source", "unsure", "version")

    def __init__(self) -> None:
        self.source: Source | None = None  # what it is a view of
        self.unsure = False  # whether it may be a view or a copy
        self.version = 0  # another one whenever it was written to
        self.is_array = False  # whether it is an array though it has no axes: unlike numbers it can be written to


NO_PAST = Past()
"""That of most values, and so one for all of them."""


def remembered(name: str) -> property:
    """A part of a value's past, as its own attribute."""

    def remember(value: Any, new: Any) -> None:
        if value.past is NO_PAST:
            value.past = Past()
        setattr(value.past, name, new)

    return property(attrgetter(f"past.{name}"), remember)


def note_view(result: Any, base: Any, op: Operation, attributes: dict[str, Any]) -> None:
    """Remember of a result that it is a view, if it is one."""
    if not result.shape or not (base.shape or base.is_array):
        return  # NumPy's numbers are no views, and what is made of one has memory of its own
    if op.needs_contiguous and _merges(tuple(base.shape), tuple(result.shape)):
        after, before = (getattr(x, "inner", None) for x in (result, base))
        if not isinstance(before, np.ndarray) or not isinstance(after, np.ndarray):
            result.unsure = True  # it depends on how the numbers will lie in memory
        elif not np.may_share_memory(before, after):
            return  # NumPy made a copy
    result.source = base, op, attributes, base.version


ARRAYS = frozenset({
    "where", "select", "copy", "roll", "pad", "block", "tensordot", "linalg.tensorsolve", "cov", "fftn", "ifftn", "i0",
    "real_if_close", "zeros_like", "ones_like", "empty_like", "full_like",
})  # fmt: skip
"""Functions whose results without axes are arrays in NumPy, and can be written to; those of others are numbers."""
VIEWS = frozenset({"reshape", "squeeze", "transpose", "swapaxes", "moveaxis"})
"""Functions that give views without axes of arrays."""


def note_array(result: Any, base: Any = None) -> Any:
    """Remember of a result without axes that it is an array, and what it is a view of."""
    if hasattr(type(result), "is_number") and not result.shape:
        result.is_array = True
        if base is not None:
            result.source = base, REGISTRY["reshape"], {"shape": ()}, base.version
    return result


def note_doubtful(result: Any, base: Any) -> None:
    """Remember of a result that NumPy's would be a view, which this is not: once its base is written to it is not used any more."""
    if result is not base and hasattr(type(result), "is_number"):
        result.source, result.unsure = (base, REGISTRY["slice"], {}, base.version), True


def _merges(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether axes become one, which is a view only if they lie in memory one after the other."""
    old, new = [n for n in before if n != 1], [n for n in after if n != 1]
    place = 0
    for n in old:
        length = 1
        while length < n and place < len(new):
            length *= new[place]
            place += 1
        if length != n:
            return True
    return False


def gives_a_view(function: ArrayFunction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether NumPy's function would give the memory of its first argument, so that changing one changes the other."""
    if not function.numpy or any(hasattr(type(x), "is_number") for x in (*args[1:], *kwargs.values())):
        return False
    long = sorted({n for n in args[0].shape if n > 64})
    short = dict(zip(long, itertools.count(65)))  # an array with shorter axes tells as much
    plain = np.empty(_with(short, tuple(args[0].shape)), args[0].dtype)
    options = {name: _with(short, x) for name, x in kwargs.items()}
    try:
        return np.may_share_memory(function.numpy[0](plain, *(_with(short, x) for x in args[1:]), **options), plain)
    except (TypeError, ValueError):  # some versions of NumPy have no meaning for it
        return False


def _with(lengths: dict[int, int], x: Any) -> Any:
    """An argument with other lengths of axes."""
    if type(x) in (tuple, list):
        return type(x)(_with(lengths, item) for item in x)
    return lengths.get(x, x) if type(x) is int else x
