"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import typer

TABLE: Any = {"rich_help_panel": "The table"}
WRITTEN: Any = {"rich_help_panel": "The file's format"}


class MissingChoice(StrEnum):
    """What may be done about missing values."""

    fill = "fill"
    drop = "drop"
    error = "error"


class DecimalChoice(StrEnum):
    """The decimal mark of numbers."""

    point = "point"
    comma = "comma"


def mark_of(choice: DecimalChoice | None) -> Literal[".", ","] | None:
    """The mark itself."""
    return None if choice is None else "." if choice is DecimalChoice.point else ","


Separator = Annotated[
    str | None,
    typer.Option(
        help="The separator between cells, such as semicolon or tab. By default detected.",
        metavar="CHARACTER",
        **WRITTEN,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        help="The encoding of a text file, such as latin-1, utf-16 or cp850. By default detected.",
        metavar="NAME",
        **WRITTEN,
    ),
]
Decimal = Annotated[
    DecimalChoice | None,
    typer.Option(
        help="The decimal mark of numbers, point or comma. By default detected.",
        metavar="MARK",
        **WRITTEN,
    ),
]
