"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import typer

TABLE: Any = {"rich_help_panel": "The table"}
WRITTEN: Any = {"rich_help_panel": "How the file is written"}


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
        help="What stands between cells, such as semicolon or tab; found by looking when not given.",
        metavar="CHARACTER",
        **WRITTEN,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        help="What a text file's bytes mean, such as latin-1, utf-16 or cp850; found by looking when not given.",
        metavar="NAME",
        **WRITTEN,
    ),
]
Decimal = Annotated[
    DecimalChoice | None,
    typer.Option(
        help="The decimal mark of the file's numbers, point or comma; found by looking when not given.",
        metavar="MARK",
        **WRITTEN,
    ),
]
