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

    __slots__ = ("watched",)

    def __init__(self) -> None:
        self.watched: dict[int, tuple[Any, int, str]] = {}

    def keep(self, array: Any, reader: str) -> Any:
        """The array, to be read later as it is now; `reader` is what it was read by."""
        if array.nbytes <= COPIED:
            return array.copy()
        known = self.watched.get(id(array))
        if known is None:
            self.watched[id(array)] = array, _fingerprint(array), reader
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
        for array, fingerprint, reader in self.watched.values():
            if _fingerprint(array) != fingerprint:
                _refuse(array, reader)


BLOCK = 1024
"""Words of 8 bytes that make up a row of a fingerprint."""


def _fingerprint(array: Any) -> int:
    """A number that is another one when elements have changed or moved.

    The array is laid out in rows, and the sums of rows and of columns as integers go into it, which are read about as fast
    as memory is; a checksum of all bytes takes ten times as long. It is blind to changes that leave all these sums alone.
    """
    content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    whole = len(content) // (8 * BLOCK) * 8 * BLOCK
    rows = content[:whole].view(np.uint64).reshape(-1, BLOCK)
    found = zlib.crc32(rows.sum(axis=0).data, zlib.crc32(rows.sum(axis=1).data))
    return zlib.crc32(content[whole:].data, found)


def _refuse(array: Any, reader: str) -> None:
    raise InPlaceError(
        f"an array of shape {array.shape} and dtype {array.dtype} was changed after {reader} had read it, and the derivative needs "
        "its old numbers. Give every use an array of its own: b = b + 1 instead of b += 1, or x * buffer.copy()."
    )
