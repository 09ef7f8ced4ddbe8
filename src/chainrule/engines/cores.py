"""How many cores this process may use: those the system lets it run on, and no more than its share of processor time.

A container's share is a quota of its control group: so many microseconds of processor time in each period. Threads that
spin while they wait for each other would use it up by waiting, so a share of two and a half cores is two.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath


def usable() -> int:
    """Cores for threads that are to run at the same time, at least one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = quota()
    return allowed if share is None else max(1, min(allowed, int(share)))


def most(asked: int | None = None) -> int:
    """How many threads may compute together: what was asked for, or else the first number in OMP_NUM_THREADS, or all cores.

    Never more than there are cores to use, whoever asks: threads that wait for each other by spinning would keep those they
    wait for from running.
    """
    if asked is None:
        with suppress(ValueError):
            asked = int(os.environ.get("OMP_NUM_THREADS", "").split(",")[0])
    return min(asked, usable()) if asked is not None and asked > 0 else usable()


@lru_cache(maxsize=8)
def quota(root: str = "/") -> float | None:
    """How many cores' time the control groups of this process get together; `None` if there is no limit."""
    found = [share for folder in _groups(Path(root)) if (share := _share(folder)) is not None]
    return min(found, default=None)


def _groups(root: Path) -> Iterator[Path]:
    """The folders of this process's control group and of all above it, of both versions, as far as they are seen here."""
    try:
        mounts = (root / "proc/self/mountinfo").read_text().splitlines()
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for mount in mounts:
        before, _, after = mount.partition(" - ")
        shown, place = before.split()[3:5]
        kind, _, options = [*after.split(), "", "", ""][:3]
        if kind != "cgroup2" and not (kind == "cgroup" and "cpu" in options.split(",")):
            continue
        for group in groups:
            _, controllers, path = group.split(":", 2)
            if ("cpu" in controllers.split(",")) if kind == "cgroup" else not controllers:
                inner = PurePosixPath(path)
                inner = inner.relative_to(shown) if inner.is_relative_to(shown) else PurePosixPath(path.lstrip("/"))
                yield from (root / place.lstrip("/") / part for part in (inner, *inner.parents))


def _share(folder: Path) -> float | None:
    """What one control group may use, in cores."""
    try:
        if (folder / "cpu.max").exists():
            most, period = (folder / "cpu.max").read_text().split()
        else:
            most, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(most) / int(period) if int(most) > 0 and int(period) > 0 else None
    except (OSError, ValueError):  # "max" among others
        return None
