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
    typer.Option(help="What stands between cells; found by looking when not given.", metavar="CHARACTER"),
]
