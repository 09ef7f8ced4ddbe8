"""What a view consists of: components, whose methods make the parts that are shown and carry out commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any, TypeVar

from chainrule.explanation.rendering.json_form import exact

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Part:
    """One part of what a view shows: what makes it, and the topics that it has to be made anew for.

    A `slow` one is made after the others, and `panel` says that only while that panel is open. One that is a picture, and prints
    none of its numbers, says how many `digits` of them a saved file has to keep.
    """

    name: str
    make: Callable[[], Any]
    topics: frozenset[str]
    slow: bool
    panel: bool
    digits: int | None = None


def part(
    *topics: str, name: str = "", slow: bool = False, panel: bool = False, digits: int | None = None
) -> Callable[[F], F]:
    """Mark a method as making the part of its name, anew whenever one of these topics was touched."""

    def mark(method: F) -> F:
        method.part = (name or method.__name__, frozenset(topics), slow, panel, digits)  # type: ignore[attr-defined]
        return method

    return mark


def command(method: F) -> F:
    """Mark a method as carrying out the command of its name, whose arguments stand beside `id` and `do` in one object."""
    assert not {"id", "do"} & set(signature(method).parameters), method
    method.command = method.__name__  # type: ignore[attr-defined]
    return method


def plain(value: Any) -> Any:
    """A part or an answer as JSON has it, numbers that are not finite as texts.

    >>> plain({"loss": float("nan"), "rows": (0, 3)})
    {'loss': 'NaN', 'rows': [0, 3]}
    """
    if isinstance(value, dict):
        return {name: plain(x) for name, x in value.items()}
    if isinstance(value, list | tuple):
        return [plain(x) for x in value]
    return exact(value) if isinstance(value, float) else value


class Component:
    """A piece of a view. It changes the subject, or itself, and touches the topics that it changed."""

    def parts(self) -> dict[str, Part]:
        """The parts that its methods make."""
        found = {}
        for method in self._marked("part"):
            name, topics, slow, panel, digits = method.part
            found[name] = Part(name, method, topics, slow, panel, digits)
        return found

    def commands(self) -> dict[str, Callable[..., Any]]:
        """What carries out each command."""
        return {method.command: method for method in self._marked("command")}

    def close(self) -> None:
        """End what it has going on by itself."""

    def _marked(self, mark: str) -> list[Any]:
        names = [name for name, own in vars(type(self)).items() if hasattr(own, mark)]
        return [getattr(self, name) for name in names]
