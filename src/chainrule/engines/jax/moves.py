"""Elements moved along axes, as the links of an operation say: slices, transpositions, reshapes, pads; gathers by indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from chainrule.ops.axes import Kept, Links, Picked, Put, Regrouped, Scattered, Shape, Taken


def moved(links: Sequence[Links], arrays: Sequence[Any], shape: Shape) -> tuple[Any, list[Any]]:
    """The result of this shape, and truth values that hold where an index is outside.

    `arrays` are the inputs as JAX has them; of those that are indices, plain arrays where they are known.
    """
    doubts: list[Any] = []
    movers = [i for i in range(len(arrays)) if not _is_index(i, links)]
    parts = [_part(links[i], arrays[i], arrays, shape, doubts) for i in movers]
    puts = [[link for link in links[i] if isinstance(link, Put)] for i in movers]
    if len(parts) == 1:
        return _padded(parts[0], puts[0], shape), doubts
    if _side_by_side(parts, puts):
        return lax.concatenate(parts, puts[0][0].target), doubts
    result = jnp.zeros(shape, parts[0].dtype)
    for part, own in zip(parts, puts, strict=True):
        key = [slice(None)] * len(shape)
        for put in own:
            key[put.target] = _slice(put.start, put.step, part.shape[put.target])
        result = result.at[tuple(key)].set(part)
    return result, doubts


def _is_index(i: int, links: Sequence[Links]) -> bool:
    return any(isinstance(link, Taken | Scattered) and link.index == i for own in links for link in own)


def _slice(start: int, step: int, count: int) -> slice:
    stop = start + step * count
    return slice(start, stop if stop >= 0 else None, step)


def _part(links: Links, x: Any, arrays: Sequence[Any], shape: Shape, doubts: list[Any]) -> Any:
    """One input, with all axes of the result, those long as itself where it is put among others."""
    order: list[Any] = [None] * x.ndim  # where every axis goes: None where it has length 1 and goes nowhere
    for link in links:
        if isinstance(link, Picked):
            x = _picked(x, link, 1 if link.target is None else shape[link.target])
            order[link.source] = link.target
        elif isinstance(link, Kept | Put) and link.source is not None:
            order[link.source] = link.target
        elif isinstance(link, Regrouped):
            for k, source in enumerate(link.sources):
                order[source] = link.targets[0] + k / (len(link.sources) + 1)
    for link in links:
        if isinstance(link, Taken):
            indices = arrays[link.index]
            x = _taken(x, indices, link.source, doubts)
            order[link.source : link.source + 1] = link.targets
        elif isinstance(link, Scattered):
            x = _scattered(x, arrays[link.index], link.sources, shape[link.target], doubts)
            order = [link.target, *(to for i, to in enumerate(order) if i not in link.sources)]
    x = lax.squeeze(x, [i for i, to in enumerate(order) if to is None])
    order = [to for to in order if to is not None]
    x = lax.transpose(x, sorted(range(len(order)), key=order.__getitem__))
    lengths = dict(zip(sorted(order), x.shape, strict=True))
    for link in links:
        if isinstance(link, Regrouped):
            lengths = {to: n for to, n in lengths.items() if int(to) not in link.targets}
            lengths |= {to: shape[to] for to in link.targets}
    targets = sorted(lengths)
    x = lax.reshape(x, [lengths[to] for to in targets])
    own = list(shape)
    for link in links:
        if isinstance(link, Put):
            own[link.target] = 1 if link.source is None else lengths[link.target]
    return x if list(x.shape) == own else lax.broadcast_in_dim(x, own, targets)


def _picked(x: Any, link: Picked, count: int) -> Any:
    """A slice along one axis."""
    first, last = link.start, link.start + link.step * (count - 1)
    if not count:
        return lax.slice_in_dim(x, 0, 0, axis=link.source)
    if last < first:
        return lax.rev(lax.slice_in_dim(x, last, first + 1, -link.step, link.source), [link.source])
    return lax.slice_in_dim(x, first, last + 1, max(link.step, 1), link.source)


def _taken(x: Any, indices: Any, axis: int, doubts: list[Any]) -> Any:
    """The places that indices give: a slice where they are known and follow each other."""
    n = x.shape[axis]
    if isinstance(indices, np.ndarray) and indices.ndim == 1 and indices.size:
        first, step = int(indices[0]), int(indices[1] - indices[0]) if indices.size > 1 else 1
        if (
            step
            and (indices == first + step * np.arange(indices.size)).all()
            and 0 <= first < n
            and 0 <= indices[-1] < n
        ):
            return _picked(x, Picked(axis, axis, first, step), indices.size)
    _doubt(indices, n, doubts)
    return (
        jnp.take(x, indices, axis=axis, mode="clip")
        if n
        else jnp.zeros((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)
    )


def _scattered(x: Any, indices: Any, sources: tuple[int, ...], length: int, doubts: list[Any]) -> Any:
    """Slices added up at the places that indices give, along a first axis."""
    _doubt(indices, length, doubts)
    order = [*sources, *(i for i in range(x.ndim) if i not in sources)]
    rest = [x.shape[i] for i in order[len(sources) :]]
    return jnp.zeros((length, *rest), x.dtype).at[indices].add(lax.transpose(x, order), mode="drop")


def _doubt(indices: Any, length: int, doubts: list[Any]) -> None:
    outside = (indices < 0) | (indices >= length)
    if not isinstance(indices, np.ndarray) or outside.any():
        doubts.append(jnp.any(outside))


def _padded(x: Any, puts: Sequence[Put], shape: Shape) -> Any:
    """One input among zeros."""
    if not puts:
        return x
    if not x.size:
        return jnp.zeros(shape, x.dtype)
    config = [(0, 0, 0)] * len(shape)
    for put in puts:
        n, first, step = x.shape[put.target], put.start, put.step
        if step < 0:
            x, first, step = lax.rev(x, [put.target]), first + step * (n - 1), -step
        last = first + step * (n - 1)
        config[put.target] = (first, shape[put.target] - last - 1, max(step, 1) - 1)
    return lax.pad(x, jnp.zeros((), x.dtype), config)


def _side_by_side(parts: Sequence[Any], puts: Sequence[Sequence[Put]]) -> bool:
    """Whether all inputs lie one after the other along one axis."""
    end = 0
    for part, own in zip(parts, puts, strict=True):
        if len(own) != 1 or own[0].target != puts[0][0].target or own[0].start != end or own[0].step != 1:
            return False
        end += part.shape[own[0].target]
    return True
