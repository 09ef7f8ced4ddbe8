"""Elements moved along axes, as the links of an operation say: slices, transpositions, reshapes, pads; gathers by indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.onnx.lengths import Length, NotWrittenError, Rows, Shape
from chainrule.onnx.values import Value
from chainrule.ops.axes import Kept, Links, Picked, Put, Regrouped, Scattered, Taken

BEFORE_ALL = np.iinfo(np.int64).min
"""Where a slice ends that goes backwards up to the first place."""


def moved(links: Sequence[Links], values: Sequence[Value], shape: Shape) -> Value:
    """The result, which broadcasts to this shape; the inputs are as long as they are along every axis."""
    movers = [i for i in range(len(values)) if not _is_index(i, links)]
    parts = [_part(links[i], values[i], values, shape) for i in movers]
    puts = [[link for link in links[i] if isinstance(link, Put)] for i in movers]
    if len(parts) == 1:
        return _among_zeros(parts[0], puts[0], shape)
    whole = [part.expanded(_own(part, own, shape)) for part, own in zip(parts, puts, strict=True)]
    if _side_by_side(whole, puts):
        name = whole[0].graph.node("Concat", *(x.name for x in whole), axis=puts[0][0].target)
        return whole[0].named(name, shape)
    spread = [_among_zeros(x, own, shape) for x, own in zip(whole, puts, strict=True)]
    return sum(spread[1:], start=spread[0])


def _is_index(i: int, links: Sequence[Links]) -> bool:
    return any(isinstance(link, Taken | Scattered) and link.index == i for own in links for link in own)


def _own(part: Value, puts: Sequence[Put], shape: Shape) -> Shape:
    """The shape of a part, which is as long as the result except where it is put among others."""
    own = list(shape)
    for put in puts:
        own[put.target] = part.shape[put.target]
    return tuple(own)


def _part(links: Links, x: Value, values: Sequence[Value], shape: Shape) -> Value:
    """One input with all axes of the result, of length 1 where it has none."""
    order: list[Any] = [None] * x.ndim  # where every axis goes: None where it has length 1 and goes nowhere
    picks = [link for link in links if isinstance(link, Picked)]
    x = _picked(x, picks, shape)
    for link in links:
        if isinstance(link, Picked | Kept | Put) and link.source is not None:
            order[link.source] = link.target
        elif isinstance(link, Regrouped):
            for k, source in enumerate(link.sources):
                order[source] = link.targets[0] + k / (len(link.sources) + 1)
    for link in links:
        if isinstance(link, Taken):
            x = _taken(x, values[link.index], link.source)
            order[link.source : link.source + 1] = link.targets
        elif isinstance(link, Scattered):
            x = _scattered(x, values[link.index], link.sources, shape[link.target])
            order = [link.target, *(to for i, to in enumerate(order) if i not in link.sources)]
    kept = [i for i, to in enumerate(order) if to is not None]
    gone = [i for i, to in enumerate(order) if to is None]
    by_target = sorted(kept, key=order.__getitem__)
    if by_target != kept:
        x, order = x.transposed((*by_target, *gone)), [order[i] for i in by_target]
    lengths: dict[Any, Length] = {to: n for to, n in zip(order, x.shape, strict=False) if to is not None}
    for link in links:
        if isinstance(link, Regrouped):
            lengths = {to: n for to, n in lengths.items() if int(to) not in link.targets}
            lengths |= {to: shape[to] for to in link.targets}
    return x.reshaped(tuple(lengths.get(i, 1) for i in range(len(shape))))


def _picked(x: Value, picks: Sequence[Picked], shape: Shape) -> Value:
    """Slices along several axes, by one node."""
    if not picks:
        return x
    bounds, lengths = [], list(x.shape)
    for link in picks:
        count = 1 if link.target is None else shape[link.target]
        if isinstance(count, Rows):
            raise NotWrittenError(
                "a slice takes as many places as there are rows, beginning at one of them; that is not written"
            )
        end = link.start + link.step * count
        bounds.append((link.start, end if end >= 0 else BEFORE_ALL, link.source, link.step))
        lengths[link.source] = count
    graph = x.graph
    given = [graph.constant(np.array(own, np.int64)) for own in zip(*bounds, strict=True)]
    return x.named(graph.node("Slice", x.name, *given), tuple(lengths))


def _taken(x: Value, indices: Value, axis: int) -> Value:
    """The places that indices give."""
    shape = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return x.named(x.graph.node("Gather", x.name, indices.name, axis=axis), shape)


def _scattered(x: Value, indices: Value, sources: tuple[int, ...], length: Length) -> Value:
    """Slices added up at the places that indices give, along a first axis."""
    x = x.transposed((*sources, *(i for i in range(x.ndim) if i not in sources)))
    shape = (length, *x.shape[len(sources) :])
    zeros = Value(x.graph, x.graph.constant(np.zeros((), x.dtype)), x.dtype, ()).expanded(shape)
    places = indices.reshaped((*indices.shape, 1))
    return x.named(x.graph.node("ScatterND", zeros.name, places.name, x.name, reduction="add"), shape)


def _among_zeros(x: Value, puts: Sequence[Put], shape: Shape) -> Value:
    """One input, zeros in all other places of the axes along which it is put."""
    for put in puts:
        x = _put(x, put, shape[put.target])
    return x


def _put(x: Value, put: Put, length: Length) -> Value:
    count = x.shape[put.target]
    if isinstance(count, Rows) or isinstance(length, Rows):
        raise NotWrittenError("rows are put beside other rows; that is not written")
    contiguous = put.step == 1 or count == 1
    before, after = (put.start, length - put.start - count) if contiguous else (0, 1)
    graph, own = x.graph, np.array([before, after], np.int64)
    shape = (*x.shape[: put.target], before + count + after, *x.shape[put.target + 1 :])
    zero, axis = graph.constant(np.zeros((), x.dtype)), graph.constant(np.array([put.target], np.int64))
    padded = x.named(graph.node("Pad", x.name, graph.constant(own), zero, axis), shape)
    if contiguous:
        return padded
    places = np.full(length, count, np.int64)  # where the zero is that was put at the end
    places[put.start + put.step * np.arange(count)] = np.arange(count)
    return _taken(padded, Value(graph, graph.constant(places), places.dtype, places.shape), put.target)


def _side_by_side(parts: Sequence[Value], puts: Sequence[Sequence[Put]]) -> bool:
    """Whether all inputs lie one after the other along one axis."""
    end = 0
    for part, own in zip(parts, puts, strict=True):
        if len(own) != 1 or own[0].target != puts[0][0].target or own[0].start != end or own[0].step != 1:
            return False
        length = part.shape[own[0].target]
        if isinstance(length, Rows):
            return False
        end += length
    return True
