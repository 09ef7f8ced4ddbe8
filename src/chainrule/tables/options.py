"""Messages that name options, spelled for Python or for the command line."""

from __future__ import annotations

import re
import shlex

from chainrule.errors import DataError

LISTS = frozenset({"drop", "categorical", "missing_mark"})
"""Options that take several values: a list in Python, repeated on the command line."""

_OPTION = re.compile(r"‹(\w+)=([^›]*)›")


class TableError(DataError):
    """A table that cannot be learned from as it stands.

    Options in its message are written `‹missing=drop›`; `str(error)` spells them as Python arguments, `spell` as asked.

    Fails: `prepare(read("people.csv"), target="income")` when ages are missing.
    Works: `prepare(read("people.csv"), target="income", missing="median")`.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return spell(self.message)


def option(name: str, value: str) -> str:
    """An option inside a message, to be spelled later."""
    return f"‹{name}={value.replace('›', '')}›"


def spell(message: str, command_line: bool = False) -> str:
    """`message` with its options as Python arguments, or as one types them on the command line.

    Examples
    --------
    >>> print(spell("leave it out: ‹drop=last name›"))
    leave it out: drop=["last name"]
    >>> print(spell("leave it out: ‹drop=last name›", command_line=True))
    leave it out: --drop 'last name'
    """

    def spelled(match: re.Match[str]) -> str:
        name, value = match.groups()
        if command_line:
            dashed = name.replace("_", "-")
            if name == "header":
                return f"--no-{dashed}"
            return f"--{dashed} {shlex.quote(value)}"
        if name == "header":
            return "header=False"
        return f'{name}=["{value}"]' if name in LISTS else f'{name}="{value}"'

    return _OPTION.sub(spelled, message)


def quoted(values: list[str], most: int = 4) -> str:
    """Some values for a message: `'a', 'b', 'c', 'd', …`, each cut to 30 characters."""
    shown = [repr(value if len(value) <= 30 else value[:29] + "…") for value in values[:most]]
    return ", ".join(shown) + (", …" if len(values) > most else "")


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 row`, `2 rows`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
