"""Messages that name options, spelled for Python or for the command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Sequence

from chainrule.errors import DataError

LISTS = frozenset({"missing_mark", "value_mark"})
"""Options that take several values: a list in Python, repeated on the command line."""

READING = frozenset({"separator", "header", "decimal", "encoding"})
"""Options that say how a file is written: in Python arguments of `as_table`, whose table is then given in place of the file."""

MAPS = frozenset({"columns"})
"""Options that give columns a kind, `‹columns=zip=category›`: a dict in Python, `--column zip=category` for each one typed."""

AMOUNTS = {"seconds": ("time", "s")}
"""Options that take a number in Python; how they are called when typed, and the unit."""

_OPTION = re.compile(r"‹(\w+)=([^›]*)›")
_OPTIONS = re.compile(r"(?:‹\w+=[^›]*›)+")


class TableError(DataError):
    """A table that cannot be learned from as it stands.

    Options in its message are written `‹missing=drop›`; `str(error)` spells them as Python arguments, `spell` as asked.

    Fails: `Preparation.learn(as_table("people.csv"), "income", missing="error")` when ages are missing.
    Works: `Preparation.learn(as_table("people.csv"), "income")`.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return spell(self.message)


def option(name: str, value: str) -> str:
    """An option inside a message, to be spelled later; several written together are spelled as one line."""
    return f"‹{name}={value.replace('›', '')}›"


def columns_option(names: Iterable[str], kind: str) -> str:
    """The option that makes these columns be of a kind."""
    return "".join(option("columns", f"{name}={kind}") for name in names)


def spell(message: str, command_line: bool = False) -> str:
    """`message` with its options as Python arguments, or as one types them on the command line.

    Examples
    --------
    >>> message = "leave them out: ‹columns=last name=drop›‹columns=id=drop›‹missing=drop›"
    >>> print(spell(message))
    leave them out: columns={"last name": "drop", "id": "drop"}, missing="drop"
    >>> print(spell(message, command_line=True))
    leave them out: --drop 'last name' --drop id --missing drop
    >>> print(spell("if that is wrong, ‹decimal=,›"))
    if that is wrong, chainrule.tables.as_table(data, decimal=",")
    >>> spell("more: ‹seconds=3›"), spell("more: ‹seconds=3›", command_line=True)
    ('more: seconds=3', 'more: --time 3s')
    """

    def spelled(run: re.Match[str]) -> str:
        found: dict[str, list[str]] = {}
        for name, value in _OPTION.findall(run.group()):
            found.setdefault(name, []).append(value)
        if command_line:
            return " ".join(_typed(name, value) for name, values in found.items() for value in values)
        reading = [_argument(name, found.pop(name)) for name in tuple(found) if name in READING]
        arguments = [_argument(name, values) for name, values in found.items()]
        return ", ".join([f"chainrule.tables.as_table(data, {', '.join(reading)})"] * bool(reading) + arguments)

    return _OPTIONS.sub(spelled, message)


def _typed(name: str, value: str) -> str:
    if name in MAPS:
        column, _, kind = value.rpartition("=")
        return f"--drop {shlex.quote(column)}" if kind == "drop" else f"--column {shlex.quote(value)}"
    if name in AMOUNTS:
        typed, unit = AMOUNTS[name]
        return f"--{typed} {value}{unit}"
    dashed = name.replace("_", "-")
    return f"--no-{dashed}" if name == "header" else f"--{dashed} {shlex.quote(value)}"


def _argument(name: str, values: Sequence[str]) -> str:
    if name == "header":
        return "header=False"
    if name in MAPS:
        pairs = (value.rpartition("=") for value in values)
        return f"{name}={{" + ", ".join(f'"{column}": "{kind}"' for column, _, kind in pairs) + "}"
    if name in AMOUNTS:
        return f"{name}={values[-1]}"
    if name in LISTS:
        return f"{name}=[" + ", ".join(f'"{value}"' for value in values) + "]"
    return f'{name}="{values[-1]}"'


def quoted(values: Iterable[object], most: int = 4) -> str:
    """Some values for a message: `'a', 'b', 'c', 'd', …`, each cut to 30 characters."""
    texts = list(map(str, values))
    shown = [repr(text if len(text) <= 30 else text[:29] + "…") for text in texts[:most]]
    return ", ".join(shown) + (", …" if len(texts) > most else "")


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun: `1 row`, `2 rows`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def unread(name: str, holds: str, texts: Collection[str], rows: int) -> str:
    """What is said of cells that are not what their column holds.

    Examples
    --------
    >>> unread("age", "numbers", ["old", "?!"], 3)
    "column 'age' holds numbers; 'old', '?!' in 3 rows count as missing"
    """
    verb = "counts" if len(texts) == 1 else "count"
    return f"column {name!r} holds {holds}; {quoted(texts)} in {counted(rows, 'row')} {verb} as missing"


def named(columns: Sequence[str], most: int = 6) -> str:
    """Columns for a message: `column 'a'`, `columns 'a', 'b'`, `300 columns: 'a', 'b', …`."""
    if len(columns) > most:
        return f"{len(columns):,} columns: {quoted(columns, most)}"
    return ("column " if len(columns) == 1 else "columns ") + quoted(columns, most)
