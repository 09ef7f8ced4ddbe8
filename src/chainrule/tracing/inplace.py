"""Operators that change a value in place, as `x += y` does: all names of the value see it, as with NumPy's arrays.

A traced value is a handle on numbers that never change. To change the value is to give the handle other numbers, which is right
as long as nothing else reads the same memory; where something may (a view, an argument), it is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import InPlaceError, ShapeError
from chainrule.tracing.apply import Traced, traced


def in_place(operator: Callable[[Any, Any], Any], sign: str) -> Callable[[Any, Any], Any]:
    """The operator that changes its left operand, made from the one that gives a new value."""

    def change(self: Any, other: Any) -> Any:
        new = operator(self, other)
        if not isinstance(self, Traced) or not self.shape:
            return new  # numbers never change, in NumPy neither: the name stands for another one from now on
        if tuple(new.shape) != tuple(self.shape):
            raise ShapeError(f"x {sign}= y with x of shape {tuple(self.shape)} would give shape {tuple(new.shape)}.")
        if new.dtype != self.dtype:
            if not np.can_cast(new.dtype, self.dtype, "same_kind"):
                raise InPlaceError(f"x {sign}= y would turn {self.dtype} into {new.dtype}; write x = x {sign} y.")
            new = traced.astype(new, dtype=self.dtype)
        if getattr(self, "shared", False) or type(new) is not type(self) or new.trace is not self.trace:
            raise InPlaceError(
                f"x {sign}= … on a traced value of shape {tuple(self.shape)} would change memory that something else reads: an "
                f"argument of the function, a view such as x[0] or x.T, or what a view was taken of. Write x = x {sign} …"
            )
        _become(self, new)
        return self

    return change


def _become(value: Any, new: Any) -> None:
    """Give the handle what the other one holds."""
    if value.trace.roots:
        value.trace.roots.pop(id(value), None)
    for kind in type(value).__mro__:
        for name in vars(kind).get("__slots__", ()):
            if name not in ("trace", "shared"):
                setattr(value, name, getattr(new, name))
