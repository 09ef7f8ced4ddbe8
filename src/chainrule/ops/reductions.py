"""Sums, products, extrema and their relatives along axes.

Kinks: where several elements are the extremum, `max` and `min` give each an equal share.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops.kinds.reduction import HALF, SINGLE, Reduction, Uniform
from chainrule.ops.notation import Notation, Textbook
from chainrule.ops.operation import example

_EXAMPLES = (
    example((5,), axis=(0,)),
    example((3, 4), axis=(1,)),
    example((3, 4), axis=(0,), keepdims=True),
    example((2, 3, 4), axis=(0, 2)),
    example((2, 3), axis=(0, 1)),
    example((), axis=()),
)


def _extremum_partial(m: Any, y: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """1 at the extremum, shared equally among ties."""
    chosen = m.indicator(x == y, y)
    if y.dtype != HALF:
        return chosen / m.sum(chosen, axis=axis, keepdims=True)
    count = m.sum(m.astype(chosen, dtype=SINGLE), axis=axis, keepdims=True)  # which may be beyond float16
    return m.astype(chosen / count, dtype=HALF)


def _product_of_others(m: Any, y: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """∏ of all other elements, without division: exact at zeros, in every order."""
    order = [i for i in range(len(x.shape)) if i not in axis] + list(axis)
    moved = m.transpose(x, axes=tuple(order))
    kept = moved.shape[: len(x.shape) - len(axis)]
    flat = m.reshape(moved, shape=(*kept, math.prod(moved.shape[len(kept) :])))
    before = _products_before(m, flat)
    after = _backwards(m, _products_before(m, _backwards(m, flat)))
    return m.transpose(
        m.reshape(before * after, shape=moved.shape), axes=tuple(order.index(i) for i in range(len(order)))
    )


def _backwards(m: Any, x: Any) -> Any:
    """The last axis reversed."""
    whole = (None,) * (len(x.shape) - 1)
    return m.slice(x, start=(*whole, None), stop=(*whole, None), step=(*(1 for _ in whole), -1))


def _products_before(m: Any, x: Any) -> Any:
    """Along the last axis, the product of the elements before each, by doubling distances."""
    products = _shift_in_ones(m, x, 1)
    distance = 1
    while distance < x.shape[-1]:
        products = products * _shift_in_ones(m, products, distance)
        distance *= 2
    return products


def _shift_in_ones(m: Any, x: Any, distance: int) -> Any:
    """The last axis moved up by `distance` places, ones moving in."""
    whole, n = (None,) * (len(x.shape) - 1), x.shape[-1]
    distance = n if distance > n else distance
    ones = np.ones((*x.shape[:-1], distance), x.dtype)
    kept = m.slice(x, start=(*whole, None), stop=(*whole, n - distance), step=(1,) * len(x.shape))
    return m.concatenate(ones, kept, axis=len(x.shape) - 1)


def _logsumexp(m: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """Σ of exponentials relative to the largest, so that none overflows; infinite maxima stay as they are."""
    largest = m.max(x, axis=axis, keepdims=True)
    shift = m.where(m.isfinite(largest), largest, 0.0)
    return m.log(m.sum(m.exp(x - shift), axis=axis, keepdims=True)) + shift


sum = Reduction(
    "sum",
    combine="add",
    partial=Uniform(lambda n: 1),
    latex=r"\sum {0}",
    examples=_EXAMPLES,
    notation=Notation(symbol="Σ", rule="sum rule"),
    complex=True,
    part_by_part=True,
)
mean = Reduction(
    "mean",
    combine="add",
    finish=lambda total, n: total / n,
    partial=Uniform(lambda n: 1.0 / n if n else 0.0),
    needs_elements=True,
    latex=r"\operatorname{{mean}} {0}",
    examples=_EXAMPLES,
    notation=Notation(rule="mean"),
    complex=True,
    part_by_part=True,
)
prod = Reduction(
    "prod", combine="multiply", partial=_product_of_others, latex=r"\prod {0}", examples=_EXAMPLES, complex=True
)
max = Reduction(
    "max",
    combine="maximum",
    partial=_extremum_partial,
    needs_elements=True,
    latex=r"\max {0}",
    examples=_EXAMPLES,
)
min = Reduction(
    "min",
    combine="minimum",
    partial=_extremum_partial,
    needs_elements=True,
    latex=r"\min {0}",
    examples=_EXAMPLES,
)
logsumexp = Reduction(
    "logsumexp",
    value=_logsumexp,
    partial=lambda m, y, x, axis: m.exp(x - y),
    needs_elements=True,
    latex=r"\ln \sum e^{{{0}}}",
    examples=_EXAMPLES,
    textbook=Textbook(partials=(lambda m, y, x, axis: m.exp(x) / m.sum(m.exp(x), axis=axis, keepdims=True),)),
)
any = Reduction("any", combine="logical_or", latex=r"\bigvee {0}", examples=_EXAMPLES, complex=True)
all = Reduction("all", combine="logical_and", latex=r"\bigwedge {0}", examples=_EXAMPLES, complex=True)
