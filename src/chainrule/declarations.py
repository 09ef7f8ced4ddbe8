"""What modules declare, read off them: their public dataclasses, and the names these go by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import ModuleType
from typing import Any


def declared(*modules: ModuleType) -> dict[str, type]:
    """The public dataclasses that modules declare, by the names of the classes.

    Examples
    --------
    >>> from chainrule.training import schedules
    >>> "Cosine" in declared(schedules), "Schedule" in declared(schedules)  # which is declared in a module of its own
    (True, False)
    """
    return {
        name: kind
        for module in modules
        for name, kind in vars(module).items()
        if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__
        if not name.startswith("_")
    }


def names_of(kind: type) -> tuple[str, ...]:
    """The names by which a class is asked for in text: its own in small letters, or what it says in `known_as`.

    Examples
    --------
    >>> import chainrule as cr
    >>> names_of(cr.BinaryCrossEntropy), names_of(cr.SquaredError)
    (('binary_cross_entropy',), ('squared_error', 'mse'))
    """
    own: tuple[str, ...] | None = vars(kind).get("known_as")  # of this very class: a name is not inherited
    return (
        (re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind.__name__).lower(),)
        if own is None
        else own
    )


def by_name(kinds: Mapping[str, type], base: type = object) -> dict[str, Any]:
    """One of every class that needs no settings, by the first of its names."""
    found: dict[str, Any] = {}
    for kind in _of(kinds, base):
        for name in names_of(kind)[:1]:
            if name in found:
                raise ValueError(f"{kind.__name__} and {type(found[name]).__name__} are both known as {name!r}")
            found[name] = kind()
    return found


def other_names(kinds: Mapping[str, type], base: type = object) -> dict[str, str]:
    """The further names of these classes, each with the first one."""
    return {other: names_of(kind)[0] for kind in _of(kinds, base) for other in names_of(kind)[1:]}


def _of(kinds: Mapping[str, type], base: type) -> Iterator[type]:
    return (kind for kind in kinds.values() if issubclass(kind, base) and not _needed(kind))


def _needed(kind: Any) -> list[str]:
    return [f.name for f in fields(kind) if f.init and f.default is MISSING and f.default_factory is MISSING]


def public(namespace: Mapping[str, Any]) -> Iterable[str]:
    """The names in a module's namespace that are its users': the library's own classes and functions."""
    return [
        name
        for name, value in namespace.items()
        if not name.startswith("_")
        and callable(value)
        and str(getattr(value, "__module__", "")).startswith("chainrule")
    ]
