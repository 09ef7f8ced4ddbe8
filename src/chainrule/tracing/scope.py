"""Scopes: which layer and which part of it the operations being traced belong to; steps of loops."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, NamedTuple, TypeVar

BACKWARD = "backward"
LIBRARY = "scipy."
"""How scopes of functions begin that stand for a library's."""

F = TypeVar("F", bound=Callable[..., Any])

_path: ContextVar[str] = ContextVar("path", default="")


def current_scope() -> str:
    """The path of scopes around this point, such as `"hidden / activation"`."""
    return _path.get()


class Scope:
    """A scope as a context; a class, because a generator takes three times as long to enter and leave."""

    __slots__ = ("_outer", "_path")

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._outer = _path.set(self._path)

    def __exit__(self, *error: object) -> None:
        _path.reset(self._outer)


def scope(name: str) -> Scope:
    """Name the operations inside."""
    outer = _path.get()
    return Scope(f"{outer} / {name}" if outer else name)


def of_library(name: str) -> Callable[[F], F]:
    """A decorator: what the function computes stands for a library's function of this name, such as `"special.gamma"`."""
    path = f"{LIBRARY}{name}"

    def decorate(function: F) -> F:
        @wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            with scope(path):
                return function(*args, **options)

        return call  # type: ignore[return-value]

    return decorate


def move_to(*path: str) -> None:
    """Go on in another scope, by its parts; who calls it moves back."""
    _path.set(" / ".join(filter(None, path)))


def in_library(path: str) -> bool:
    """Whether a path of scopes leads into a function that stands for one of a library's, and not into what a user wrote."""
    return any(part.startswith(LIBRARY) for part in path.split(" / "))


class Step(NamedTuple):
    """Which value of which loop this is, and in which step, counted from 0; states have a name, others are as in the body."""

    loop: int
    value: str
    number: int
    is_state: bool
