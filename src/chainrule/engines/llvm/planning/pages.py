"""Memory for machine code, in the largest pages that the system has.

A CPU remembers where some thousand pages lie. Steps go through megabytes, in many rows at a time, and with pages of 4 KB they wait
for addresses to be looked up; where in the cache such pages come to lie is chance besides, another one in every process.
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from typing import Any

import numpy as np

from chainrule.engines.llvm.planning.buffers import ALIGNMENT

LARGE_PAGE = 2**21
"""Bytes of a large page on x86-64 and most of ARM."""

LARGE = 2**20
"""Bytes from which on large pages are asked for: at most one of them is used in part."""


def zeros(nbytes: int) -> Any:
    """So many bytes, all zero, from the beginning of a line of the cache on."""
    if nbytes >= LARGE and hasattr(mmap, "MADV_HUGEPAGE"):
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS  # a copy of the process gets memory of its own
        memory = mmap.mmap(-1, -(-nbytes // LARGE_PAGE) * LARGE_PAGE + LARGE_PAGE, flags=flags)
        with suppress(OSError):  # a system without large pages: small ones will do
            memory.madvise(mmap.MADV_HUGEPAGE)
        return _from(np.frombuffer(memory, np.uint8), LARGE_PAGE, nbytes)
    return _from(np.zeros(nbytes + ALIGNMENT, np.uint8), ALIGNMENT, nbytes)


def _from(memory: Any, alignment: int, nbytes: int) -> Any:
    begin = -memory.ctypes.data % alignment
    return memory[begin : begin + nbytes]
