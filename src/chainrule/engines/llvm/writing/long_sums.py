"""Long sums: a running total kept as several numbers, the first of them the total and each other one what rounding lost of the last.

NumPy adds up in pairs, so that errors grow with the logarithm of how many numbers there are. Here vectors are added one after the
other, and what the additions lose is added up beside them (Kahan, Babuška, Neumaier; cascaded by Klein 2006). An addition waits
for the one before, so that the rest costs little time.
"""

from __future__ import annotations

from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.mathematics.steps import two_sum

LONG, VERY_LONG = 256, 2**13
"""Vectors added one after the other from which a total has a second number; additions to it from which it has a third."""

LONG_IN_BLOCKS = 64
"""The same of vectors that are added in blocks, which costs less."""

PIECE = 32
"""Rows whose vectors are added up by themselves first, where totals are carried from row to row."""

BLOCK = 8
"""Vectors that are added up by themselves first, where that is easily done: then the rest is done once for all of them."""


def losses(count: int, block: int = 1) -> int:
    """How many numbers make up a total of so many vectors, added in blocks."""
    return 1 if count <= (LONG if block == 1 else LONG_IN_BLOCKS) else 2 + (count // block > VERY_LONG)


def with_losses(totals: list[Vector], value: Vector) -> list[Vector]:
    """A total with one more vector."""
    *upper, last = totals
    results = []
    for total in upper:
        found, value = two_sum(total, value)
        results.append(found)
    return [*results, last + value]


def settled(totals: list[Vector]) -> Vector:
    """A total as one vector. Beside an infinity, what was lost is no number."""
    *upper, result = totals
    for total in reversed(upper):
        result = result.mathematics.call("where", result == result, total + result, total)
    return result
