"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class MissingChoice(StrEnum):
    """What may be done about missing values."""

    error = "error"
    drop = "drop"
    mean = "mean"
    median = "median"


Separator = Annotated[
    str | None,
    typer.Option(
        help="What stands between cells, such as semicolon or tab; found by looking when not given.",
        metavar="CHARACTER",
        rich_help_panel="The table",
    ),
]
