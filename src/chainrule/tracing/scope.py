"""Scopes: which layer and which part of it the operations being traced belong to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

BACKWARD = "backward"


class _Current(threading.local):
    path = ""


_current = _Current()


def current_scope() -> str:
    """The path of scopes around this point, such as `"hidden / activation"`."""
    return _current.path


@contextmanager
def scope(name: str, *, backward: bool = False) -> Iterator[None]:
    """Name the operations inside; `backward` marks the derivative of a scope that has ended."""
    outer = _current.path
    if backward:
        _current.path = " / ".join(part for part in (name, BACKWARD) if part)
    else:
        _current.path = f"{outer} / {name}" if outer else name
    try:
        yield
    finally:
        _current.path = outer
