"""One lock for all that makes machine code, which a copy of the process finds open.

LLVM and the Python around it are in the middle of something while one thread compiles. A fork at that moment would give
the child that something, and locks that nobody there will ever open. So whoever compiles holds this lock, and a fork waits
for it: until nobody compiles, a fifth of a second or so. Nothing is lost by it, since LLVM is only ever asked by one thread
at a time, and Python runs one.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from threading import RLock
from typing import Any

lock = RLock()

locks: list[Any] = [lock]
"""What a fork waits for, in the order in which they are taken."""

_taken = ExitStack()


def load_compiler() -> None:
    """Import the compiler, which is done where it is first needed; a module half imported would be shut in the child too."""
    with lock:
        import chainrule.engines.llvm.inspection
        import chainrule.engines.llvm.kernel
        import chainrule.engines.llvm.runner  # noqa: F401


def _take() -> None:
    for each in locks:
        _taken.enter_context(each)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take, after_in_parent=_taken.close, after_in_child=_taken.close)
