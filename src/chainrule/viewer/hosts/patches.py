"""Patches: what is other in one JSON value than in another, by JSON pointers (RFC 6901)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def patch(before: Any, after: Any) -> dict[str, Any]:
    """Where values are others, with the new ones. Lists of another length and objects of other names are replaced whole.

    >>> patch({"loss": 0.5, "rows": [0, 3]}, {"loss": 0.25, "rows": [0, 5]})
    {'/loss': 0.25, '/rows/1': 5}
    """
    return dict(_changes("", before, after))


def _changes(pointer: str, before: Any, after: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for name in after:
            yield from _changes(f"{pointer}/{_escaped(name)}", before[name], after[name])
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _changes(f"{pointer}/{i}", one, other)
    elif type(before) is not type(after) or before != after:
        yield pointer, after


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
