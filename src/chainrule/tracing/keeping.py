"""Plain arrays as they were when a trace read them, whatever is done to them later.

Numerical code uses its buffers again: what an operation was given may hold other numbers by the time the derivative needs
them. Arrays are copied when they are read. Large ones are watched: if they were changed, that is an error.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from chainrule.errors import InPlaceError

SMALL = 2**12
"""Bytes up to which an array is copied without asking whether it was read before, which would take as long."""
COPIED = 2**23
"""Bytes up to which an array is copied. A larger one takes longer to copy, page by page, than to be read twice."""


class Copies:
    """Copies of plain arrays. One that is read again unchanged, as in every step of a loop, is not copied again."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def of(self, array: Any) -> Any:
        """The array as it is now, with its axes in memory as they are, and its bytes in this machine's order."""
        original, copy = self._known.get(id(array), (None, None))
        if original is None or original() is not array or fingerprint(array) != fingerprint(copy):
            copy = array.astype(array.dtype.newbyteorder("="))
            self._known[id(array)] = weakref.ref(array), copy
        return copy


class Keeper:
    """What a trace has read of plain arrays."""

    __slots__ = ("copies", "watched")

    def __init__(self) -> None:
        self.copies = Copies()
        self.watched: dict[int, tuple[Any, int, str]] = {}

    def keep(self, array: Any, reader: str) -> Any:
        """The array, to be read later as it is now; `reader` is what it was read by."""
        if array.nbytes <= COPIED:
            return self.copies.of(array)
        seen = self.watched.get(id(array))
        if seen is None:
            self.watched[id(array)] = array, fingerprint(array), reader
        elif fingerprint(array) != seen[1]:
            _refuse(array, seen[2])
        return array

    def check(self) -> None:
        """Make sure that the arrays that were not copied are as they were.

        Raises
        ------
        InPlaceError
            Naming the one that is not.
        """
        for array, seen, reader in self.watched.values():
            if fingerprint(array) != seen:
                _refuse(array, reader)


def fingerprint(array: Any) -> int:
    """A number that is another one when any bit has changed or moved; read about as fast as memory is."""
    from xxhash import xxh3_64_intdigest  # when it is needed

    return xxh3_64_intdigest(np.ascontiguousarray(array).data)


def _refuse(array: Any, reader: str) -> None:
    raise InPlaceError(
        f"an array of shape {array.shape} and dtype {array.dtype} was changed after {reader} had read it, and the derivative needs "
        "its old numbers. Give every use an array of its own: b = b + 1 instead of b += 1, or x * buffer.copy()."
    )
