"""NumPy's functions while a trace is open: given lists of traced values, as in `np.sum([a, b])`, they take these as arrays."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.errors import DerivativeLostError
from chainrule.numpy.buffer import without_buffers
from chainrule.tracing.apply import opened
from chainrule.tracing.lists import taking_lists


class TakingLists:
    """One of NumPy's functions, which finds traced values in lists where NumPy would make plain numbers of them."""

    __slots__ = ("__wrapped__",)

    def __init__(self, own: Any) -> None:
        self.__wrapped__ = own

    def __call__(self, *args: Any, **options: Any) -> Any:
        """NumPy's result; where a list would be made an array of plain numbers, that of the list as an array of traced ones."""
        try:
            return self.__wrapped__(*args, **options)
        except DerivativeLostError as lost:
            lost.answered = True
            return taking_lists(self.__wrapped__, without_buffers(args), without_buffers(options))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__wrapped__, name)
        return TakingLists(found) if isinstance(self.__wrapped__, np.ufunc) and callable(found) else found

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


KINDS = (type(np.sum), np.ufunc)
"""The types of NumPy's functions of arrays."""

_wrapped = cache(TakingLists)


def found(module: ModuleType, name: str) -> Any:
    """What a module of NumPy's has by a name; its own object where no trace is open."""
    own = getattr(module, name)
    return _wrapped(own) if opened and isinstance(own, KINDS) else own
