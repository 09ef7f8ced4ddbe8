"""What a copy of the process waits for: modules that are being loaded, and machine code that is being made.

While a thread imports, a fork would give the child half of a module; while one compiles, LLVM in the middle of something; and
both times locks that nobody there will ever open. So a fork waits until nobody does either, a fifth of a second or so.
"""

from __future__ import annotations

import os
import time
from _thread import RLock, allocate_lock, get_ident  # `threading` itself would be imported for nothing else
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

compiling = RLock()
"""Held by whoever makes machine code. Nothing is lost by it: LLVM is only ever asked by one thread, and Python runs one."""

locks: list[Any] = [compiling]
"""What a fork waits for, in the order in which they are taken."""

LONGEST = 30.0
"""Seconds that a fork waits for modules: none takes so long, and one that never ends must not keep the process."""

_door = allocate_lock()
_loading: list[int] = []
"""The threads that are loading, each as often as it is at it. They wait for each other only as imports do."""
_taken = ExitStack()


@contextmanager
def _no_fork() -> Iterator[None]:
    me = get_ident()
    with _door:
        _loading.append(me)
    try:
        yield
    finally:
        _loading.remove(me)


def load(name: str) -> ModuleType:
    """The module of this name, imported by now; where it is first needed, a name's module is asked for so."""
    with _no_fork():
        return import_module(name)


def _shut() -> None:
    """Take all locks, when no other thread is loading, and let none begin."""
    me, end = get_ident(), time.monotonic() + LONGEST
    while True:
        known = len(locks)
        for lock in [*locks, _door]:  # the door last: whoever compiles may have to load
            _taken.enter_context(lock)
        if (known == len(locks) and all(thread == me for thread in _loading)) or time.monotonic() > end:
            return
        _taken.close()
        time.sleep(0.001)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_shut, after_in_parent=_taken.close, after_in_child=_taken.close)
