"""Memory that is free, given back to the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Give the system what the C library keeps for later, where it can: arrays that are gone would count beside those to come."""
    with suppress(AttributeError, OSError, TypeError):  # it is glibc that has this
        ctypes.CDLL(None).malloc_trim(0)
