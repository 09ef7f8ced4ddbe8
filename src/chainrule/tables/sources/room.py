"""Memory that is free, given back to the system: what allocators keep for later counts as the process's."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""What the C library calls these settings."""

LARGE = 1 << 23
"""Bytes of an array that is given back as soon as it is gone."""


def give_back() -> None:
    """Give the system what the C library keeps for later, where it can: arrays that are gone would count beside those to come."""
    with suppress(AttributeError, OSError, TypeError):  # it is glibc that has this
        ctypes.CDLL(None).malloc_trim(0)


def keep_little() -> None:
    """Have the C library, where it can be told, keep one store for all threads, and no large array that is gone.

    Otherwise threads have stores of their own, in none of which the others' free memory is, and arrays up to 32 MiB are kept
    for the next ones of their size (`tracing/allocation.py`). For a process that is ours as a whole.
    """
    with suppress(AttributeError, OSError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_ARENA_MAX, 1)
        library.mallopt(_MMAP_THRESHOLD, LARGE)
