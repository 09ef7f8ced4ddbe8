"""Values that are written to: all names of a value see it, views write through and are written through, as with NumPy's arrays.

A traced value is a handle on numbers that never change. To write to it is to give the handle other numbers. A view remembers what it
is a view of: when it is written to, so is that; when that was written to, it is taken anew before it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from chainrule.errors import InPlaceError, ShapeError
from chainrule.ops.functions.writing import written
from chainrule.tracing.apply import Traced, as_operand, become, separate, traced
from chainrule.tracing.refusals import unsure_of
from chainrule.tracing.views import note_array, note_doubtful

repeated: ContextVar[int] = ContextVar("repeated", default=0)
"""The level of the innermost trace around that records what is then carried out again and again."""


def write(value: Any, new: Any) -> None:
    """Give a value other numbers, and what it is a view of."""
    if not value.trace.writable:
        raise InPlaceError(
            "a value of a graph is what it was computed as, and cannot be written to. Write x = x + y instead of x += y, and put "
            "pieces together with np.where, np.stack or np.concatenate."
        )
    if value.unsure:
        raise unsure_of(value)
    if value.trace.level < repeated.get():
        raise InPlaceError(
            f"the function given to scan or loop was about to write into a value of shape {tuple(value.shape)} that was made "
            "outside of it. It is run once for all steps, and so would the writing be: carry the value along in the state."
        )
    if new.trace is not value.trace:
        raise InPlaceError(
            f"a value of a derivative inside was about to be written into one of shape {tuple(value.shape)} that was made outside of "
            "it, where it has no meaning later. Make the array within the inner function, or return the value from there."
        )
    become(value, new)
    source = value.source
    if source is not None:
        base, op, attributes, _ = source
        if op.write_back is None:
            raise InPlaceError(
                f"writing to what {op.name} gave: several elements of it are one number in memory. Write x = x.copy() before."
            )
        write(base, op.write_back(traced, base, value, **attributes))
        value.source = base, op, attributes, base.version


def set_item(value: Any, key: Any, new: Any) -> None:
    """`x[key] = new`."""
    if not value.shape and not value.is_array:
        raise InPlaceError(
            "x[…] = y on a single number, which is not written to. Write x = y, or to the array it was picked from."
        )
    write(value, written(traced, value, as_key(key), as_operand(new)))


def view_without_axes(value: Any, base: Any) -> Any:
    """A value as what NumPy gives without axes: a view of an array, and of a number another one."""
    return note_array(separate(value), base) if base.shape or base.is_array else value


def element(array: Any, picked: Any, key: Any) -> Any:
    """What NumPy picks without axes: a number, or an array, where `...` is in the key."""
    if picked is array:
        picked = separate(array)
        picked.is_array = False
    for item in key if type(key) is tuple else (key,):
        if item is Ellipsis:
            if not array.shape:
                return note_array(picked, array if array.is_array else None)
            if picked.source is None:
                note_doubtful(picked, array)
                note_array(picked)
    return picked


def as_key(key: Any) -> Any:
    """A key in a form that functions take."""
    return (
        tuple(map(as_key, key))
        if isinstance(key, tuple)
        else key.traced_value()
        if hasattr(key, "traced_value")
        else key
    )


def in_place(operator: Callable[[Any, Any], Any], sign: str) -> Callable[[Any, Any], Any]:
    """The operator that changes its left operand, made from the one that gives a new value."""

    def change(self: Any, other: Any) -> Any:
        new = operator(self, other)
        if not isinstance(self, Traced) or not (self.shape or self.is_array):
            return new  # numbers never change, in NumPy neither: the name stands for another one from now on
        if tuple(new.shape) != tuple(self.shape):
            raise ShapeError(f"x {sign}= y with x of shape {tuple(self.shape)} would give shape {tuple(new.shape)}.")
        if new.dtype != self.dtype:
            if not np.can_cast(new.dtype, self.dtype, "same_kind"):
                raise InPlaceError(f"x {sign}= y would turn {self.dtype} into {new.dtype}; write x = x {sign} y.")
            new = traced.astype(new, dtype=self.dtype)
        write(self, new)
        return self

    return change
