"""NumPy's functions while a trace is open: given lists of traced values, as in `np.sum([a, b])`, they take these as arrays."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.errors import DerivativeLostError
from chainrule.numpy.buffer import without_buffers
from chainrule.tracing.apply import as_operand, holds_traced, opened


def _inner(x: Any) -> Any:
    """A list of arrays, of lists in a list."""
    return [as_operand(item) if holds_traced(item) else item for item in x] if holds_traced(x) else x


def _whole(x: Any) -> Any:
    """An array of a list."""
    return as_operand(x) if holds_traced(x) else x


class TakingLists:
    """One of NumPy's functions, which finds traced values in lists where NumPy would make plain numbers of them."""

    __slots__ = ("__wrapped__",)

    def __init__(self, own: Any) -> None:
        self.__wrapped__ = own

    def __call__(self, *args: Any, **options: Any) -> Any:
        """NumPy's result; where a list would be made an array of plain numbers, that of the list as an array of traced ones."""
        try:
            return self.__wrapped__(*args, **options)
        except DerivativeLostError:
            given, named = without_buffers(args), without_buffers(options)
            if not any(map(holds_traced, (*given, *named.values()))):
                raise
        try:
            return self.__wrapped__(*map(_inner, given), **{key: _inner(x) for key, x in named.items()})
        except DerivativeLostError:
            return self.__wrapped__(*map(_whole, given), **{key: _whole(x) for key, x in named.items()})

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__wrapped__, name)
        return TakingLists(found) if isinstance(self.__wrapped__, np.ufunc) and callable(found) else found

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


KINDS = (type(np.sum), np.ufunc)
"""The types of NumPy's functions of arrays."""

taking_lists = cache(TakingLists)


def found(module: ModuleType, name: str) -> Any:
    """What a module of NumPy's has by a name; its own object where no trace is open."""
    own = getattr(module, name)
    return taking_lists(own) if opened and isinstance(own, KINDS) else own
