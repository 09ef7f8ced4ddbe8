"""Plain arrays as they were when a trace read them, whatever is done to them later.

Numerical code uses its buffers again: what an operation was given may hold other numbers by the time the derivative needs
them. Small arrays are copied when they are read. Large ones are watched: if they were changed, that is an error.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from chainrule.errors import InPlaceError

COPIED = 2**20
"""Bytes up to which an array is copied. Copying this much takes as long as one operation on it."""


class Keeper:
    """What a trace has read of plain arrays."""

    __slots__ = ("_watched",)

    def __init__(self) -> None:
        self._watched: dict[int, tuple[Any, int, str]] = {}

    def keep(self, array: Any, reader: str) -> Any:
        """The array, to be read later as it is now; `reader` is what it was read by."""
        if array.nbytes <= COPIED:
            return array.copy()
        known = self._watched.get(id(array))
        if known is None:
            self._watched[id(array)] = array, _fingerprint(array), reader
        elif _fingerprint(array) != known[1]:
            _refuse(array, known[2])
        return array

    def check(self) -> None:
        """Make sure that the arrays that were not copied are as they were.

        Raises
        ------
        InPlaceError
            Naming the one that is not.
        """
        for array, fingerprint, reader in self._watched.values():
            if _fingerprint(array) != fingerprint:
                _refuse(array, reader)


def _fingerprint(array: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data.cast("B") if array.size else b"")


def _refuse(array: Any, reader: str) -> None:
    raise InPlaceError(
        f"an array of shape {array.shape} and dtype {array.dtype} was changed after {reader} had read it, and the derivative needs "
        "its old numbers. Give every use an array of its own: b = b + 1 instead of b += 1, or x * buffer.copy()."
    )
