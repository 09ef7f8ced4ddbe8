"""Numbers and names as they stand in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from chainrule.explanation.rendering.numerals import numeral

SHOWN = 8
"""Names that a sentence lists; of more the first ones."""


def told(x: float, digits: int = 3) -> str:
    """A number in a sentence."""
    return numeral(x, digits).replace("-", "−")


def one_part(share: float) -> str:
    """A share as `1/96`, or as `0.4` and `38` where it is not small."""
    return f"1/{told(1 / share)}" if 0 < share < 0.3 else told(share)


def listed(names: Iterable[str]) -> str:
    """Names in a sentence; of many the first."""
    given = list(names)
    if len(given) > SHOWN + 1:
        return f"{', '.join(given[:SHOWN])} and {len(given) - SHOWN:,} more"
    return " and ".join([", ".join(given[:-1])] * (len(given) > 1) + given[-1:])


def rounded(x: float) -> float:
    """One digit, as settings are written."""
    return float(f"{x:.1g}")
