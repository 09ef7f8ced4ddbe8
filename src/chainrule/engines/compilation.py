"""One lock for all that makes machine code, which a copy of the process finds open.

LLVM and the Python around it are in the middle of something while one thread compiles. A fork at that moment would give
the child that something, and locks that nobody there will ever open. So whoever compiles holds this lock, and a fork waits
for it: until nobody compiles, a fifth of a second or so. Nothing is lost by it, since LLVM is only ever asked by one thread
at a time, and Python runs one.
"""

from __future__ import annotations

import os
from _thread import RLock  # `threading` itself would be imported for nothing else
from contextlib import ExitStack
from typing import Any

lock = RLock()

locks: list[Any] = [lock]
"""What a fork waits for, in the order in which they are taken."""

_taken = ExitStack()


def _take() -> None:
    for each in locks:
        _taken.enter_context(each)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take, after_in_parent=_taken.close, after_in_child=_taken.close)
