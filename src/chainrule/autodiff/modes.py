"""The two modes of differentiation and what they may be called."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.errors import SettingError, shortened

MODES = ("forward", "reverse")
SHORT = {"fwd": "forward", "rev": "reverse"}
"""Names that other libraries have for them."""


def as_mode(owner: str, given: object, known: Sequence[str] = MODES) -> str:
    """The mode's full name, or an error that says what `owner` was given."""
    name = SHORT.get(given, given) if isinstance(given, str) else given
    if not isinstance(name, str) or name not in known:
        raise SettingError(f"{owner} was given mode={shortened(given)}; use {' or '.join(map(repr, known))}.")
    return name
