"""Lengths of axes that go with the number of rows, read off two Programs that were traced for different numbers of them."""

from __future__ import annotations

from typing import NamedTuple


class NotWrittenError(Exception):
    """Why something cannot be written for any number of rows; `written` tells it with the operation's name."""


class Rows(NamedTuple):
    """A length that is so many times the number of rows."""

    times: int = 1


Length = int | Rows
Shape = tuple[Length, ...]


def common(one: tuple[int, ...], other: tuple[int, ...], rows: tuple[int, int]) -> Shape:
    """The shape of an array that has these two for so many rows each.

    Raises
    ------
    NotWrittenError
        When a length neither stays nor grows with the rows.
    """
    if len(one) != len(other):
        raise NotWrittenError(f"an array has shape {one} for {rows[0]} rows and {other} for {rows[1]}")
    return tuple([_length(a, b, rows) for a, b in zip(one, other, strict=True)])


def _length(a: int, b: int, rows: tuple[int, int]) -> Length:
    if a == b:
        return a
    if a * rows[1] != b * rows[0] or a % rows[0]:
        raise NotWrittenError(
            f"an axis has {a} places for {rows[0]} rows and {b} for {rows[1]}; only lengths that stay or are a multiple of the "
            "number of rows can be written for any number"
        )
    return Rows(a // rows[0])


def together(*shapes: Shape) -> Shape:
    """The shape that arrays of these broadcast to."""
    ndim = max(map(len, shapes), default=0)
    found: list[Length] = [1] * ndim
    for shape in shapes:
        for place, length in enumerate(shape, ndim - len(shape)):
            if length != 1:
                found[place] = length
    return tuple(found)


def count(lengths: Shape) -> Length:
    """How many elements there are along several axes."""
    number, times, many = 1, 1, 0
    for length in lengths:
        if isinstance(length, Rows):
            many, times = many + 1, times * length.times
        else:
            number *= length
    if many > 1:
        raise NotWrittenError(
            "an array has the rows along two of its axes, which are to be one; that cannot be written"
        )
    return Rows(number * times) if many else number
