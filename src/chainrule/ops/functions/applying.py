"""Functions that apply one of the user's to the lines of an array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.functions.function import array, function, ndim, one_axis, shape, wholes
from chainrule.ops.functions.joining import stack
from chainrule.ops.functions.shaping import cut_along, expand_dims, moveaxis, reshape
from chainrule.ops.operation import example


@function(
    example(lambda line: np.cumsum(line) * line[0], 1, (2, 3)),
    example(lambda line, p: np.sum(line**p), 0, (2, 3), 2),
)
def apply_along_axis(m: Any, func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """What a function gives for every line along an axis, put in the line's place."""
    arr = array(arr)
    place = one_axis(axis, ndim(arr))
    moved = moveaxis(m, arr, place, -1)
    outside, n = tuple(moved.shape[:-1]), moved.shape[-1]
    count = int(np.prod(outside))
    if not count:
        raise ShapeError(
            f"apply_along_axis was given shape {shape(arr)}, which has no lines along axis {axis}; give at least one."
        )
    rows = reshape(m, moved, (count, n))
    results = [array(func1d(reshape(m, cut_along(m, rows, 0, i, i + 1), (n,)), *args, **kwargs)) for i in range(count)]
    found = reshape(m, stack(m, results), (*outside, *shape(results[0])))
    inside = ndim(results[0])
    return moveaxis(m, found, tuple(range(len(outside), len(outside) + inside)), tuple(range(place, place + inside)))


@function(example(lambda x, axis: x.sum(axis), (3, 4), [0, 1]), example(np.max, (2, 3), 0))
def apply_over_axes(m: Any, func: Callable[..., Any], a: Any, axes: int | Sequence[int]) -> Any:
    """A function applied along one axis after the other; where it drops an axis, one of length 1 takes its place."""
    result = array(a)
    n = ndim(result)
    for given in wholes(axes, "axes"):
        axis = one_axis(given, n)
        new = func(result, axis)
        if ndim(new) == n - 1:
            new = expand_dims(m, array(new), axis)
        if ndim(new) != n:
            raise ShapeError(
                f"apply_over_axes: the function made shape {shape(new)} of {shape(result)}; it can only drop its axis or keep it."
            )
        result = new
    return result
