"""Text cells read as numbers, with decimal points or decimal commas."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.table import Cells

Decimal = Literal[".", ","]

_GROUPS = r"\d{1,3}(?:[ \u00a0\u202f'%s]\d{3})+"
_PATTERNS = {
    decimal: re.compile(rf"[+-]?\s?(?:{_GROUPS % re.escape(group)}|\d+)?(?:{re.escape(decimal)}\d*)?(?:[eE][+-]?\d+)?")
    for decimal, group in ((".", ","), (",", "."))
}


def numbers(cells: Cells, missing: NDArray[np.bool_], decimal: Decimal = ".") -> NDArray[np.float64]:
    """The cells as numbers; infinite where a cell is none, NaN where it is missing.

    Blanks, apostrophes and the other mark may group the digits before the decimal mark by three.

    Examples
    --------
    >>> import numpy as np
    >>> cells = np.array(["1.5", "12 000", "", "1,234.5", "many"], dtype=object)
    >>> numbers(cells, cells == "")
    array([1.5000e+00, 1.2000e+04,        nan, 1.2345e+03,        inf])
    """
    values = np.full(len(cells), np.nan)
    present = cells[~missing]
    if decimal == ".":
        try:
            if "_" in "".join(present):  # Python reads 1_000 as a number; a file means a name by it
                raise ValueError
            values[~missing] = present.astype(np.float64)
        except ValueError:
            pass
        else:
            values[~np.isfinite(values) & ~missing] = np.inf
            return values
    values[~missing] = [_number(cell, decimal) for cell in present]
    return values


def decimal_from_json(given: object) -> Decimal:
    """The decimal mark that a model file names."""
    if given == ".":
        return "."
    if given == ",":
        return ","
    raise ValueError(f"{given!r} as a decimal mark")


def decimal_mark(cells: Cells, missing: NDArray[np.bool_], separator: str = ",") -> Decimal:
    """The decimal mark under which most cells are numbers.

    Where both marks serve, as for `1,234`, it is the comma in files with semicolons between cells, the point in others.
    """
    present = set(cells[~missing])
    if not any("," in cell or "." in cell for cell in present):
        return "."
    first, second = (",", ".") if separator == ";" and any("," in cell for cell in present) else (".", ",")
    best = max((first, second), key=lambda mark: sum(np.isfinite(_number(cell, mark)) for cell in present))
    return "," if best == "," else "."


def _number(cell: str, decimal: str) -> float:
    """One cell as a number, or infinity."""
    text = cell.replace("\u2212", "-")
    if not _PATTERNS[decimal].fullmatch(text) or not any(character.isdigit() for character in text):
        return np.inf
    group = "," if decimal == "." else "."
    plain = re.sub(r"[\s']", "", text).replace(group, "").replace(decimal, ".")
    try:
        return float(plain)
    except ValueError:
        return np.inf
