"""Positions: whole numbers, known now or sums of numbers that the running code finds, and addresses at such positions.

A loop's index that is used in ten addresses is multiplied and added where the loop begins, not ten times where the
addresses are used: every partial sum is written once, behind the last number it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chainrule.engines.llvm import ir

i8, i64 = ir.IntType(8), ir.IntType(64)


@dataclass(frozen=True, eq=False)
class Found:
    """A whole number that the running code finds; later ones may need earlier ones, which is their order."""

    value: Any
    order: int


@dataclass(frozen=True)
class Sum:
    """A known number and Σ found · stride, in the order in which they are found."""

    known: int
    terms: tuple[tuple[Found, int], ...]


Index = int | Sum
"""A position along an axis: known now, or while the code runs."""


class Positions:
    """The positions of one function that is being written."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder
        self._found = 0
        self._sums: dict[Any, Any] = {}
        self._places: dict[tuple[Any, Any, int], Any] = {}

    def found(self, value: Any) -> Sum:
        """A position that an IR value holds, an i64."""
        self._found += 1
        return Sum(0, ((Found(value, self._found), 1),))

    def sum(self, *terms: tuple[Index, int]) -> Index:
        """Σ index · stride."""
        known, strides = 0, dict[Found, int]()
        for index, stride in terms:
            if isinstance(index, int):
                known += index * stride
                continue
            known += index.known * stride
            for found, own in index.terms:
                strides[found] = strides.get(found, 0) + own * stride
        left = sorted(((f, s) for f, s in strides.items() if s), key=lambda term: term[0].order)
        return Sum(known, tuple(left)) if left else known

    def value(self, index: Index) -> Any:
        """The number as an IR value."""
        if isinstance(index, int):
            return i64(index)
        total = self._partial(None, index.terms)
        return self._builder.add(total, i64(index.known)) if index.known else total

    def pointer(self, base: Any, index: Index) -> Any:
        """The address so many bytes from one that is known since the function's first block."""
        if isinstance(index, int):
            return self._place(base, index) if index else base
        moved = self._partial(base, index.terms)
        return self._moved(moved, i64(index.known)) if index.known else moved

    def _place(self, base: Any, known: int) -> Any:
        """The same, written once in every block."""
        key = (self._builder.block, base, known)
        if key not in self._places:
            self._places[key] = self._moved(base, i64(known))
        return self._places[key]

    def _moved(self, base: Any, offset: Any) -> Any:
        return self._builder.gep(base, [offset], source_etype=i8)

    def _partial(self, base: Any, terms: tuple[tuple[Found, int], ...]) -> Any:
        """base + Σ found · stride."""
        if not terms:
            return base
        key = (base, terms)
        if key not in self._sums:
            *before, (found, stride) = terms
            start = self._partial(base, tuple(before))
            builder, here = self._builder, self._builder.block
            builder.position_after(found.value)
            step = found.value if stride == 1 else builder.mul(found.value, i64(stride))
            if base is not None:
                step = self._moved(start if start is base else self._settled(start), step)
            elif start is not None:
                step = builder.add(start, step)
            builder.position_at_end(here)
            self._sums[key] = step
        return self._sums[key]

    def _settled(self, address: Any) -> Any:
        """An address whose making LLVM does not look into: trying all ways to make it took a third of compiling."""
        return self._builder.freeze(address)
