"""Places along an axis: a number, a letter that stands for every place, or a number plus multiples of letters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Letter:
    """An index that stands for every place along an axis of this length."""

    name: str
    size: int

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Shifted:
    """A number plus multiples of letters, as slices and joined axes make them: 3 − j, 2i + j, (j − 1)/2."""

    number: Fraction
    multiples: tuple[tuple[Letter, Fraction], ...]

    def __str__(self) -> str:
        bottom = math.lcm(self.number.denominator, *(step.denominator for _, step in self.multiples))
        terms = [(step * bottom, x.name) for x, step in self.multiples if step > 0]
        terms += [(self.number * bottom, "")] if self.number else []
        terms += [(step * bottom, x.name) for x, step in self.multiples if step < 0]
        text = ""
        for step, name in terms:
            sign = ("−" if step < 0 else "") if not text else " − " if step < 0 else " + "
            text += sign + ("" if abs(step) == 1 and name else str(abs(step))) + name
        return text if bottom == 1 else f"({text})/{bottom}" if len(terms) > 1 else f"{text}/{bottom}"


Entry = int | Letter | Shifted
Index = tuple[Entry, ...]


def combined(terms: Iterable[tuple[int | Fraction, Entry]], number: int | Fraction = 0) -> Entry:
    """The number plus the places, each times its factor."""
    total, steps = Fraction(number), dict[Letter, Fraction]()
    for factor, entry in terms:
        own, multiples = taken_apart(entry)
        total += factor * own
        for letter, step in multiples:
            steps[letter] = steps.get(letter, Fraction(0)) + factor * step
    multiples = tuple((letter, step) for letter, step in steps.items() if step)
    if not multiples and total.denominator == 1:
        return int(total)
    return multiples[0][0] if not total and len(multiples) == 1 and multiples[0][1] == 1 else Shifted(total, multiples)


def taken_apart(entry: Entry) -> tuple[Fraction, tuple[tuple[Letter, Fraction], ...]]:
    """A place as a number and multiples of letters."""
    if isinstance(entry, Shifted):
        return entry.number, entry.multiples
    return (Fraction(0), ((entry, Fraction(1)),)) if isinstance(entry, Letter) else (Fraction(int(entry)), ())


def letters_in(index: Iterable[Entry]) -> tuple[Letter, ...]:
    """The letters of places, each as often as it occurs."""
    return tuple(letter for entry in index for letter, _ in taken_apart(entry)[1])


def with_places(entry: Entry, places: Mapping[Letter, Entry]) -> Entry:
    """A place with others put in for its letters."""
    if isinstance(entry, Letter):
        return places.get(entry, entry)
    if isinstance(entry, Shifted):
        return combined([(step, places.get(letter, letter)) for letter, step in entry.multiples], entry.number)
    return entry


def bounds(entry: Entry) -> tuple[Fraction, Fraction]:
    """The least and the greatest number that a place may be."""
    number, multiples = taken_apart(entry)
    ends = [sorted((Fraction(0), step * (letter.size - 1))) for letter, step in multiples]
    return number + sum(low for low, _ in ends), number + sum(high for _, high in ends)


def number_at(entry: Entry, places: Mapping[Letter, Any], size: int) -> Any:
    """The number, or array of numbers, that a place is; one that an axis of this size lacks, which only stands where a
    condition leaves it out, becomes one that it has."""
    if isinstance(entry, Letter):
        return places[entry] if entry.size <= size else np.clip(places[entry], 0, size - 1)
    if not isinstance(entry, Shifted):
        return entry
    number, multiples = taken_apart(entry)
    total = sum((float(step) * np.asarray(places[letter]) for letter, step in multiples), start=float(number))
    return np.clip(np.rint(total), 0, size - 1).astype(np.intp)


def joined(index: Sequence[Entry], sizes: Sequence[int]) -> Entry:
    """Places along axes of these sizes as one along the axis that they are joined to."""
    return combined(zip(_strides(sizes), index, strict=True))


def regrouped(index: Sequence[Entry], sizes: Sequence[int], wanted: Sequence[int]) -> tuple[Entry, ...] | None:
    """Places along axes of these sizes as places along the same elements' axes of other sizes; `None` if no multiples of
    letters say that, as of one letter along an axis that is split."""
    rest = joined(index, sizes)
    found: list[Entry] = []
    for stride in _strides(wanted):
        number, multiples = taken_apart(rest)
        whole = [(letter, step / stride) for letter, step in multiples if (step / stride).denominator == 1]
        entry = combined([(step, letter) for letter, step in whole], number // stride)
        rest = combined([(1, rest), (-stride, entry)])
        low, high = bounds(rest)
        if low < 0 or high >= stride:
            return None
        found.append(entry)
    return tuple(found)


def _strides(sizes: Sequence[int]) -> list[int]:
    return [math.prod(sizes[i + 1 :]) for i in range(len(sizes))]
