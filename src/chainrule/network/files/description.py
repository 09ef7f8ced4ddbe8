"""The description of a network in JSON, as model files hold it: how much it may say, and its digest.

Loading looks at these bounds before it makes anything, and saving, so that what is saved can be loaded.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

BYTES, VALUES, DEPTH = 2**24, 2_000_000, 100
"""The most of a description: its bytes, the values in it, and how deeply they are nested."""


def parsed(text: str) -> Any:
    """What a description says.

    Raises
    ------
    ValueError, RecursionError
        When it is no JSON, has one name twice or numbers that are not finite, or goes beyond the bounds.
    """
    if len(text) > BYTES or _values_in(text) > VALUES:
        raise ValueError(f"its description has more than {BYTES} characters or {VALUES} values")
    found = json.loads(text, object_pairs_hook=_object, parse_float=_finite, parse_constant=_finite)
    if re.search(r"\\u[dD][89a-fA-F]", text) and not _can_be_written(found):
        raise ValueError("its description has half a character, which cannot be written")
    if _is_deep(found):
        raise ValueError(f"its description is nested more than {DEPTH} deep")
    return found


def _values_in(text: str) -> int:
    """About how many values a text has; an object counts for more, as it takes more room."""
    return text.count(",") + text.count("[") + 3 * text.count("{")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("its description has the same name twice")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"its description has the number {short(text)}, which is not finite")
    return value


def _can_be_written(found: Any) -> bool:
    """Whether all text is Unicode: JSON can say halves of pairs of characters that no encoding has."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_deep(x: Any) -> bool:
    level = [x]
    for _ in range(DEPTH):
        level = [
            value
            for each in level
            if isinstance(each, dict | list)
            for value in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def short(x: Any) -> str:
    """A value of a file, as messages show it: not at any length, and without what a terminal would take for a command."""
    return plain(repr(x), 40)


def plain(text: str, most: int) -> str:
    """A text for a message, with no more than so many characters, all of which can be printed."""
    shown = "".join(c if c.isprintable() else "�" for c in text[: most + 1])
    return shown if len(text) <= most else f"{shown[:most]}…"


def digest_of(description: str, arrays: Mapping[str, Any]) -> str:
    """A fingerprint of the description and of names, types and numbers."""
    import hashlib  # loads OpenSSL, which is only worth its time when a file is read or written

    digest = hashlib.sha256(description.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), order="C", copy=False).data)
    return digest.hexdigest()
