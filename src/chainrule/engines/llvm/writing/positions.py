"""Positions: whole numbers, known now, told, or sums of numbers that the running code finds, and addresses at such positions.

A loop's index that is used in ten addresses is multiplied and added where the loop begins, not ten times where the
addresses are used: every partial sum is written once, behind the last number it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.writing.sizes import Size, known

i8, i64 = ir.IntType(8), ir.IntType(64)


@dataclass(frozen=True, eq=False)
class Found:
    """A whole number that the running code finds; later ones may need earlier ones, which is their order."""

    value: Any
    order: int


@dataclass(frozen=True)
class Sum:
    """A known number and Σ found · stride, in the order in which they are found."""

    known: int | Size
    terms: tuple[tuple[Found, int | Size], ...]


Index = int | Size | Sum
"""A position along an axis: known now, or when the code is called, or while it runs."""


class Positions:
    """The positions of one function that is being written; `told` gives the numbers that it is told."""

    def __init__(self, builder: Any, told: Callable[[int], Any]) -> None:
        self._builder, self._told = builder, told
        self._found = 0
        self._numbers: dict[str, Any] = {}
        self._sums: dict[Any, Any] = {}
        self._places: dict[tuple[Any, Any, Any], Any] = {}

    def found(self, value: Any) -> Sum:
        """A position that an IR value holds, an i64."""
        self._found += 1
        return Sum(0, ((Found(value, self._found), 1),))

    def sum(self, *terms: tuple[Index, int | Size]) -> Index:
        """Σ index · stride."""
        known, strides = 0, dict[Found, Any]()
        for index, stride in terms:
            if not isinstance(index, Sum):
                known += index * stride
                continue
            known += index.known * stride
            for found, own in index.terms:
                strides[found] = strides.get(found, 0) + own * stride
        left = sorted(((f, s) for f, s in strides.items() if _is_there(s)), key=lambda term: term[0].order)
        return Sum(known, tuple(left)) if left else known

    def value(self, index: Index) -> Any:
        """The number as an IR value."""
        if not isinstance(index, Sum):
            return self._number(index)
        total = self._partial(None, index.terms)
        return self._builder.add(total, self._number(index.known)) if _is_there(index.known) else total

    def pointer(self, base: Any, index: Index) -> Any:
        """The address so many bytes from one that is known since the function's first block."""
        if not isinstance(index, Sum):
            return self._place(base, index) if _is_there(index) else base
        moved = self._partial(base, index.terms)
        return self._moved(moved, self._number(index.known)) if _is_there(index.known) else moved

    def _number(self, number: int | Size) -> Any:
        """A number that is known, or told: then it is read in the function's first block."""
        if not isinstance(number, Size):
            return i64(number)
        if number.text not in self._numbers:
            self._numbers[number.text] = self._told(number.of.told(number))
        return self._numbers[number.text]

    def _place(self, base: Any, offset: int | Size) -> Any:
        """The same, written once in every block."""
        key = (self._builder.block, base, known(offset))
        if key not in self._places:
            self._places[key] = self._moved(base, self._number(offset))
        return self._places[key]

    def _moved(self, base: Any, offset: Any) -> Any:
        return self._builder.gep(base, [offset], source_etype=i8)

    def _partial(self, base: Any, terms: tuple[tuple[Found, int | Size], ...]) -> Any:
        """base + Σ found · stride."""
        if not terms:
            return base
        key = (base, tuple([(found, known(stride)) for found, stride in terms]))
        if key not in self._sums:
            *before, (found, stride) = terms
            start = self._partial(base, tuple(before))
            builder, here, factor = self._builder, self._builder.block, self._number(stride)
            builder.position_after(found.value)
            step = found.value if _is_one(stride) else builder.mul(found.value, factor)
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


def _is_there(number: int | Size) -> bool:
    """Whether something is to be added; of what is told it need not be known."""
    return isinstance(number, Size) or number != 0


def _is_one(number: int | Size) -> bool:
    return not isinstance(number, Size) and number == 1
