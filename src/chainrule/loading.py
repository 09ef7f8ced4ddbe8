"""Modules that are loaded when they are first needed; a copy of the process that is made meanwhile waits for them.

A fork while another thread imports would leave the child half of a module, and locks that nobody there will ever open.
"""

from __future__ import annotations

import os
import time
from _thread import allocate_lock, get_ident  # `threading` itself would be imported for nothing else
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

_door = allocate_lock()
_inside: list[int] = []
"""The threads that are loading, each as often as it is at it. They wait for each other only as imports do."""


@contextmanager
def _no_fork() -> Iterator[None]:
    me = get_ident()
    with _door:
        _inside.append(me)
    try:
        yield
    finally:
        _inside.remove(me)


def load(name: str) -> ModuleType:
    """The module of this name, imported by now."""
    with _no_fork():
        return import_module(name)


LONGEST = 30.0
"""Seconds that a copy waits: no module takes so long, and one that never ends must not keep the process."""


def _shut() -> None:
    """Wait until no other thread loads, and let none begin."""
    me, end = get_ident(), time.monotonic() + LONGEST
    while True:
        _door.acquire()
        if all(thread == me for thread in _inside) or time.monotonic() > end:
            return
        _door.release()
        time.sleep(0.001)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_shut, after_in_parent=_door.release, after_in_child=_door.release)
