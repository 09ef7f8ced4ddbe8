"""An object made once more, to be changed in part: many trainings of one kind differ in little."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def alike(x: T) -> T:
    """Another object with the same attributes, of a class that keeps them in its `__dict__`; `copy.copy` takes six times as long.

    Examples
    --------
    >>> class Point:
    ...     x, y = 1, 2
    >>> one = Point()
    >>> one.x = 3
    >>> other = alike(one)
    >>> other.y = 4
    >>> (other.x, other.y), one.y
    ((3, 4), 2)
    """
    other = object.__new__(type(x))
    other.__dict__.update(x.__dict__)
    return other
