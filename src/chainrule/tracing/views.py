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

    source: Source | None = None  # what it is a view of
    unsure = False  # whether it may be a view or a copy
    version = 0  # another one whenever it was written to
    is_array = False  # whether it is an array though it has no axes: unlike numbers it can be written to
    is_flat = False  # whether it is x.flat, which is written through, and of which parts are copies


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
    if op.needs_contiguous:
        before, after = getattr(base, "inner", None), getattr(result, "inner", None)
        if isinstance(before, np.ndarray) and isinstance(after, np.ndarray):
            if not np.may_share_memory(before, after):
                return  # NumPy made a copy
        elif _merges(tuple(base.shape), tuple(result.shape)):
            result.unsure = True  # it depends on how the numbers will lie in memory
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


def is_view_of(value: Any, base: Any) -> bool:
    """Whether a value is a view of another one, or a view of a view of it."""
    while value is not base:
        if value.past is NO_PAST or value.source is None:
            return False
        value = value.source[0]
    return True


def note_doubtful(result: Any, base: Any) -> None:
    """Remember of a result that NumPy's would be a view, and this may not be: once its base is written to it is not used."""
    if hasattr(type(result), "is_number") and not is_view_of(result, base):
        result.source, result.unsure = (base, REGISTRY["slice"], {}, base.version), True


def note_flat(result: Any, base: Any) -> Any:
    """Remember of all elements in row-major order that they are `x.flat`."""
    if result.source is None:
        note_doubtful(result, base)  # a copy, where NumPy's would write through
    result.is_flat = True
    return result


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


def gives_a_view(function: ArrayFunction, args: tuple[Any, ...], kwargs: dict[str, Any], place: int = 0) -> bool:
    """Whether NumPy's function would give the memory of its argument at a place, so that changing one changes the other."""
    base, before, after = args[place], args[:place], args[place + 1 :]
    if not function.numpy or any(hasattr(type(x), "is_number") for x in (*before, *after, *kwargs.values())):
        return False
    long = sorted({n for n in base.shape if n > 64})
    short = dict(zip(long, itertools.count(65)))  # an array with shorter axes tells as much
    for lengths in (short, {}) if short else ({},):
        plain = np.empty(_with(lengths, tuple(base.shape)), base.dtype)
        options = {name: _with(lengths, x) for name, x in kwargs.items()}
        try:
            found = function.numpy[0](*before, plain, *(_with(lengths, x) for x in after), **options)
            return bool(np.may_share_memory(found, plain))
        except (
            TypeError,
            ValueError,
        ):  # some versions of NumPy have no meaning for it, or other arguments are of these lengths
            continue
    return False


def note_numpys_view(function: ArrayFunction, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    """Remember of a function's result if NumPy's would be a view of its only array."""
    arrays = [i for i, x in enumerate(args) if hasattr(type(x), "is_number") or type(x) is np.ndarray]
    if (
        len(arrays) == 1
        and hasattr(type(args[arrays[0]]), "is_number")
        and gives_a_view(function, args, kwargs, *arrays)
    ):
        note_doubtful(result, args[arrays[0]])


def _with(lengths: dict[int, int], x: Any) -> Any:
    """An argument with other lengths of axes."""
    if type(x) in (tuple, list):
        return type(x)(_with(lengths, item) for item in x)
    return lengths.get(x, x) if type(x) is int else x
