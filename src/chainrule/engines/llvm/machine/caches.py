"""How large a core's own caches for data are, as the system says it; where it says nothing, what hardly any CPU has less of."""

from __future__ import annotations

import ctypes
import re
import sys
from pathlib import Path

FIRST, SECOND = 2**15, 2**18
"""Bytes where nothing is said."""


def sizes(root: str = "/") -> tuple[int, int]:
    """Bytes of the first and of the second cache: of CPUs that differ the smallest, whichever of them a thread runs on."""
    found = _by_sysctl() if sys.platform == "darwin" else _by_files(Path(root))
    first, second = (min(found.get(level, ()), default=usual) for level, usual in ((1, FIRST), (2, SECOND)))
    return first, max(first, second)


def _by_files(root: Path) -> dict[int, list[int]]:
    """Linux: a folder for every cache of every CPU."""
    found: dict[int, list[int]] = {}
    for folder in (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cache/index[0-9]*"):
        try:
            level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
            number, unit = re.fullmatch(r"(\d+)([KM]?)", size).groups()  # type: ignore[union-attr]
        except (OSError, ValueError, AttributeError):
            continue
        if kind != "Instruction" and level.isdigit() and int(number):
            found.setdefault(int(level), []).append(int(number) * {"": 1, "K": 2**10, "M": 2**20}[unit])
    return found


def _by_sysctl() -> dict[int, list[int]]:
    """macOS: a number for every kind of core."""
    system = ctypes.CDLL(None)
    found: dict[int, list[int]] = {}
    for level, name in ((1, "l1dcachesize"), (2, "l2cachesize")):
        for group in ("hw.", "hw.perflevel0.", "hw.perflevel1."):
            size, room = ctypes.c_uint64(), ctypes.c_size_t(8)
            failed = system.sysctlbyname(f"{group}{name}".encode(), ctypes.byref(size), ctypes.byref(room), None, 0)
            if not failed and size.value:
                found.setdefault(level, []).append(size.value)
    return found
