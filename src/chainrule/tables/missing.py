"""Which texts and numbers mean "no value", and what is done about rows that have none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from chainrule.errors import SettingError, shortened
from chainrule.tables.numbers import Decimal, number, numbers_of
from chainrule.tables.table import Table

MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "-nan", "null", "<na>", "nat"})

BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
"""What Unicode takes for blanks."""

Missing = Literal["fill", "drop", "error"]
POLICIES = ("fill", "drop", "error")

Marks = str | float | Sequence[str | float]
"""Texts and numbers, one or several."""


@dataclass(frozen=True)
class Spelling:
    """How a table's text spells numbers and missing values.

    Attributes
    ----------
    decimal : {".", ","}
        The decimal mark.
    marks : frozenset of str
        Texts that mean "no value", in small letters. One that is a number means it, however it is spelled.

    Examples
    --------
    >>> Spelling().is_missing("N/A"), Spelling.of(("-",), values=("NA",)).is_missing("NA")
    (True, False)
    >>> Spelling.of(("-999",)).is_missing("-999.0")
    True
    """

    decimal: Decimal = "."
    marks: frozenset[str] = MISSING

    @classmethod
    def of(cls, marks: Marks = (), values: Marks = ()) -> Spelling:
        """With further marks, and without those that are values here, such as NA for Namibia."""
        lower = [{without_blanks(text).lower() for text in as_marks(given)} for given in (marks, values)]
        return cls(marks=(MISSING | lower[0]) - lower[1])

    def in_table(self, table: Table) -> Spelling:
        """The same marks, and the decimal mark of this table."""
        return replace(self, decimal=table.decimal)

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """Numbers that mean "no value"."""
        return numbers_of(self.marks, self.decimal)

    @property
    def written_marks(self) -> list[str]:
        """The marks as they are usually written: `na`, `NA`, `Na`, `NaN`."""
        ways = str.lower, str.upper, str.capitalize, lambda mark: mark.replace("nan", "NaN").replace("nat", "NaT")
        return list(dict.fromkeys(way(mark) for mark in sorted(self.marks) for way in ways))

    def is_missing(self, text: str) -> bool:
        """Whether a cell's text means "no value"."""
        if without_blanks(text).lower() in self.marks:
            return True
        return bool(self.numbers) and (number(text, self.decimal) or (None,))[0] in self.numbers


def as_marks(given: Marks) -> tuple[str, ...]:
    """One mark or several as texts.

    Examples
    --------
    >>> as_marks("unknown"), as_marks(["unknown", -999])
    (('unknown',), ('unknown', '-999'))
    """
    several = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    for mark in several:
        if not isinstance(mark, str | int | float):
            raise SettingError(
                f"{shortened(mark)} was given as a mark of missing values; give texts or numbers, such as ['unknown', -999]."
            )
    return tuple(map(str, several))


def checked_policy(missing: Missing) -> Missing:
    """`missing`, when it is one of the policies."""
    if missing not in POLICIES:
        raise SettingError(f"missing values were to be treated by {missing!r}; known: {', '.join(POLICIES)}.")
    return missing


def without_blanks(text: str) -> str:
    r"""The text without blanks around it, as a columnar reader has it: for Python four marks of old terminals are blanks, too.

    Examples
    --------
    >>> without_blanks(" \N{NO-BREAK SPACE}a b\n"), without_blanks("a\x1f")
    ('a b', 'a\x1f')
    """
    return text.strip(BLANKS)
