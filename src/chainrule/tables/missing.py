"""Which texts mean "no value", and what is done about rows that have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from chainrule.errors import SettingError
from chainrule.tables.numbers import Decimal
from chainrule.tables.table import Table

MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "-nan", "null", "<na>", "nat"})

Missing = Literal["fill", "drop", "error"]
POLICIES = ("fill", "drop", "error")


@dataclass(frozen=True)
class Spelling:
    """How a table's text spells numbers and missing values.

    Attributes
    ----------
    decimal : {".", ","}
        The decimal mark.
    marks : frozenset of str
        Texts that mean "no value", in small letters.

    Examples
    --------
    >>> Spelling().is_missing("N/A"), Spelling.of(("-",), values=("NA",)).is_missing("NA")
    (True, False)
    """

    decimal: Decimal = "."
    marks: frozenset[str] = MISSING

    @classmethod
    def of(cls, marks: Sequence[str] = (), values: Sequence[str] = ()) -> Spelling:
        """With further marks, and without those that are values here, such as NA for Namibia."""
        lower = [{text.strip().lower() for text in texts} for texts in (marks, values)]
        return cls(marks=(MISSING | lower[0]) - lower[1])

    def in_table(self, table: Table) -> Spelling:
        """The same marks, and the decimal mark of this table."""
        return replace(self, decimal=table.decimal)

    @property
    def written_marks(self) -> list[str]:
        """The marks as they are usually written: `na`, `NA`, `Na`, `NaN`."""
        ways = str.lower, str.upper, str.capitalize, lambda mark: mark.replace("nan", "NaN").replace("nat", "NaT")
        return list(dict.fromkeys(way(mark) for mark in sorted(self.marks) for way in ways))

    def is_missing(self, text: str) -> bool:
        """Whether a cell's text means "no value"."""
        return text.strip().lower() in self.marks


def checked_policy(missing: Missing) -> Missing:
    """`missing`, when it is one of the policies."""
    if missing not in POLICIES:
        raise SettingError(f"missing values were to be treated by {missing!r}; known: {', '.join(POLICIES)}.")
    return missing
