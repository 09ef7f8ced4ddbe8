"""Where each axis of a result comes from: links between the axes of an operation's inputs and those of its result.

Every kind of operation says for each input how its axes go on, as a tuple of links. An axis of the result that no link
of an input leads to is new to that input: it is repeated along it. An axis of length 1 may be left out.

Rows that are independent, views in machine code, the loops that move elements, the axis that holds the samples and the
elements that a formula speaks of are all read off these links.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Shape = tuple[int, ...]


class _Axes:
    """What all links have: the same kind with the same axes is the same link.

    Written once here, and their `__init__` by hand: a dataclass takes up to half a millisecond of the import.
    """

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, vars(self).values()))})"


class Kept(_Axes):
    """The input's axis `source` is the result's axis `target`, place by place."""

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target = source, target


class Picked(_Axes):
    """Place p of the result's axis is place `start + step·p` of the input's: a slice. Without `target` there is one place,
    and its axis is gone: an index."""

    def __init__(self, source: int, target: int | None, start: int, step: int) -> None:
        self.source, self.target, self.start, self.step = source, target, start, step


class Put(_Axes):
    """Place p of the input's axis is place `start + step·p` of the result's, which has others as well. Without `source` the
    input has no such axis, and is put at place `start`."""

    def __init__(self, source: int | None, target: int, start: int, step: int) -> None:
        self.source, self.target, self.start, self.step = source, target, start, step


class Regrouped(_Axes):
    """The input's axes `sources`, read in row-major order, are the result's axes `targets`: joined, or split."""

    def __init__(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> None:
        self.sources, self.targets = sources, targets


class Taken(_Axes):
    """Places along the input's axis `source` are those that input number `index` gives, whose axes are `targets`."""

    def __init__(self, source: int, targets: tuple[int, ...], index: int) -> None:
        self.source, self.targets, self.index = source, targets, index


class Scattered(_Axes):
    """The input's axes `sources` go to the places along `target` that input number `index` gives, and add up there."""

    def __init__(self, sources: tuple[int, ...], target: int, index: int) -> None:
        self.sources, self.target, self.index = sources, target, index


class Mixed(_Axes):
    """Elements along `source` are combined: the axis is gone, or `target` has in each place what came of several."""

    def __init__(self, source: int, target: int | None = None) -> None:
        self.source, self.target = source, target


Link = Kept | Picked | Put | Regrouped | Taken | Scattered | Mixed
Links = tuple[Link, ...]


def broadcasting(shape: Shape, result: Shape) -> Links:
    """The links of an input that broadcasts to the result: its axes are the last ones."""
    missing = len(result) - len(shape)
    return tuple(Kept(i, i + missing) for i, n in enumerate(shape) if n == result[i + missing])


def reducing(ndim: int, axis: Sequence[int], keepdims: bool) -> Links:
    """The links of an input some of whose axes are combined into one number each."""
    links: list[Link] = []
    for i in range(ndim):
        target = i if keepdims else i - sum(k < i for k in axis)
        links.append(Kept(i, target) if i not in axis else Mixed(i, i if keepdims else None))
    return tuple(links)


def mixing(ndim: int, axis: int) -> Links:
    """The links of an input whose elements along one axis are combined, without the shape being changed."""
    return tuple(Mixed(i, i) if i == axis else Kept(i, i) for i in range(ndim))


def slicing(
    shape: Shape,
    start: Sequence[int | None],
    stop: Sequence[int | None],
    step: Sequence[int],
    drop: Sequence[int] = (),
    *,
    into: bool = False,
) -> Links:
    """The links of a slice of an array of this shape, or of an array that is put `into` the slice of such an array.

    The slice is without the axes `drop`, where it has one place.
    """
    links: list[Link] = []
    for i, (n, a, b, c) in enumerate(zip(shape, start, stop, step, strict=True)):
        piece = range(*slice(a, b, c).indices(n))
        own = i - sum(k < i for k in drop)
        if i in drop:
            links.append(Put(None, i, piece.start, 1) if into else Picked(i, None, piece.start, 1))
        elif piece == range(n):
            links.append(Kept(own, i) if into else Kept(i, own))
        elif into:
            links.append(Put(own, i, piece.start, piece.step))
        else:
            links.append(Picked(i, own, piece.start, piece.step))
    return tuple(links)


def regrouping(old: Shape, new: Shape) -> Links:
    """The links of a reshape: axes that stay, and the smallest groups of those that are joined and split."""
    if 0 in old:
        return (Regrouped(tuple(range(len(old))), tuple(range(len(new)))),)
    links: list[Link] = []
    i = j = 0
    while i < len(old) or j < len(new):
        a, b = old[i] if i < len(old) else 1, new[j] if j < len(new) else 1
        if a == b and i < len(old) and j < len(new):
            links.append(Kept(i, j))
            i, j = i + 1, j + 1
        elif a == 1 and i < len(old):
            i += 1
        elif b == 1 and j < len(new):
            j += 1
        else:
            sources, targets = [i], [j]
            while (left := math.prod(old[k] for k in sources)) != (right := math.prod(new[k] for k in targets)):
                if left < right:
                    sources.append(sources[-1] + 1)
                else:
                    targets.append(targets[-1] + 1)
            links.append(Regrouped(tuple(sources), tuple(targets)))
            i, j = sources[-1] + 1, targets[-1] + 1
    return tuple(links)


def changes_nothing(links: Links, shape: Shape, result: Shape) -> bool:
    """Whether every element stays where it is."""
    return shape == result and links == tuple(Kept(i, i) for i in range(len(shape)))


def only_repeats(links: Links, shape: Shape, result: Shape) -> bool:
    """Whether broadcasting by itself would do the same."""
    return len(shape) <= len(result) and links == broadcasting(shape, result)
