"""Polars' threads: a copy of the process has none of them, and would wait for them for ever."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from chainrule.tables.options import TableError

_LIBRARY = "polars"
_TASKS = Path("/proc/self/task")
"""Where Linux lists the threads of a process, with their names."""

_begun: list[bool] = []
_lost: list[bool] = []
"""Whether it had threads when this process was last copied, and when it was made as a copy; each at most one word."""


def refuse_in_a_copy() -> None:
    """Refuse to work on tables where Polars would wait for threads that stayed behind in the process this one is a copy of.

    Raises
    ------
    TableError
        With what to do instead.
    """
    if _lost:
        raise TableError(
            "this process is a copy (a fork) of one that had worked on tables; Polars, which works on them, has no threads in a "
            "copy and would wait for ever. Start new processes instead, by multiprocessing.get_context('spawn') or joblib's 'loky', "
            "or make the copies before the first table is worked on. Single rows, as dicts, are predicted in copies too."
        )


def _has_begun() -> bool:
    """Whether Polars has threads in this process; where nobody tells, whether it is loaded."""
    if _LIBRARY not in sys.modules or not _TASKS.is_dir():
        return _LIBRARY in sys.modules
    for task in _TASKS.iterdir():
        with suppress(OSError):  # a thread that ended meanwhile
            if (task / "comm").read_text().startswith(f"{_LIBRARY}-0"):
                return True
    return False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _begun.__setitem__(slice(None), [True] * _has_begun()),
        after_in_child=lambda: _lost.extend(_begun),
    )
