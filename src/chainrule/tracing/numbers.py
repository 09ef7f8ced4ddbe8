"""Numbers of Python's as traced values: as in NumPy they take the dtype of the arrays that they meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.tracing.apply import COMPLEX, PLAIN, REALS, Traced, traced
from chainrule.tracing.numpy_interface import ArrayInterface

NUMBERS = (bool, int, float, complex)
"""Types of Python's numbers."""


class PythonNumber(np.float64):
    """A number of Python's among the arrays that a function is differentiated by."""


class PythonComplex(np.complex128):
    """A complex number of Python's among them."""


PYTHON_NUMBERS = frozenset({PythonNumber, PythonComplex})

REALS.add(PythonNumber)
COMPLEX.add(PythonComplex)
PLAIN.update(PYTHON_NUMBERS)

NUMBER_OF: dict[type[Traced], type[Number]] = {}
"""What a trace's value is called when it stands for a number, by what it is called otherwise."""


class Number:
    """What a trace's own class of numbers has besides its values.

    What Python's operators make of such numbers alone is one again; NumPy's functions give arrays.
    """

    __slots__ = ()
    is_number = True

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        NUMBER_OF[cls.__mro__[2]] = cls

    def __round__(self: Any, digits: int | None = None) -> Any:
        rounded = self if self.dtype.kind != "f" and not digits else ArrayInterface.__round__(self, digits)
        if digits is not None and self.dtype.kind == "f":
            return as_number(rounded)
        return as_number(traced.astype(rounded, dtype=np.dtype(int))) if isinstance(rounded, Traced) else int(rounded)


def as_number(value: Any) -> Any:
    """A value that an operation has just given, as a number."""
    if type(value) in NUMBER_OF:
        value.__class__ = NUMBER_OF[type(value)]
    return value


def _of_numbers(name: str) -> Callable[..., Any]:
    operator = getattr(ArrayInterface, name)

    def of_numbers(self: Any, *others: Any) -> Any:
        alone = not others or type(others[0]) in NUMBERS or isinstance(others[0], Number)
        if alone and self.dtype.kind == "b":  # Python counts with truth values
            return of_numbers(as_number(traced.astype(self, dtype=np.dtype(int))), *others)
        result = operator(self, *others)
        return as_number(result) if alone else result

    return of_numbers


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    for _method in (f"__{_name}__", f"__r{_name}__"):
        setattr(Number, _method, _of_numbers(_method))
    setattr(Number, f"__i{_name}__", getattr(Number, f"__{_name}__"))
for _method in ("__neg__", "__pos__", "__abs__"):
    setattr(Number, _method, _of_numbers(_method))
