"""How text files are written, as far as it is told: what is not told is found by looking."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.errors import SettingError

if TYPE_CHECKING:
    from chainrule.tables.numbers import Decimal


@dataclass(frozen=True)
class TextFormat:
    """What is told of how text files are written.

    Attributes
    ----------
    separator : str, optional
        The character between cells, or its name; found by looking when not given.
    header : bool
        Whether the first row holds the names of the columns.
    decimal : {".", ","}, optional
        The decimal mark of all numbers; found by looking when not given.
    encoding : str, optional
        What the bytes mean, as Python names it, such as "utf-16-le" or "cp850"; found by looking when not given.

    Raises
    ------
    SettingError
        When the decimal mark or the encoding is none.

    Examples
    --------
    >>> TextFormat(encoding="Latin-1").encoding
    'iso8859-1'
    """

    separator: str | None = None
    header: bool = True
    decimal: Decimal | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise SettingError(f"read was given decimal={self.decimal!r}; it must be '.' or ','.")
        if self.encoding is not None:
            object.__setattr__(self, "encoding", known_encoding(self.encoding))


def known_encoding(name: str) -> str:
    """The encoding of text with this name, as Python spells it."""
    try:
        found = codecs.lookup(name)
        "".encode(found.name)  # some codecs, such as base64, are from bytes to bytes
    except LookupError:
        raise SettingError(
            f"there is no encoding of text named {name!r}; use one that Python knows, such as utf-8, utf-16, latin-1, cp1252 "
            "(Windows, Western Europe), cp1251 (Cyrillic), mac-roman, shift-jis, gb18030."
        ) from None
    return found.name
