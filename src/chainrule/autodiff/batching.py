"""`vmap`: a function of one sample, applied to a batch of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import signature
from typing import Any

import numpy as np

from chainrule.autodiff.arguments import owned
from chainrule.errors import SettingError, ShapeError, shortened
from chainrule.ops.operation import shape_of
from chainrule.tracing import trees
from chainrule.tracing.apply import Traced, as_operand, refreshed, separate, traced
from chainrule.tracing.traces.batch import Batch, BatchValue

Axes = Any
"""An axis for all arrays below, `None` for arrays that all members share, or a container of axes."""


def vmap(function: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """A function that applies `function` to every member of a batch at once, y[i] = f(x[i]).

    Parameters
    ----------
    function : callable
        Plain NumPy code for one member; derivatives inside are allowed, and other calls of `vmap`.
    in_axes : int, None, a sequence of them, or a dict by name
        Which axis of the arguments is the batch, `None` for arguments that all members share. A sequence has an entry
        for every positional argument; a dict has entries by the names of arguments, positional or by keyword, and those
        it leaves out have the batch first. An entry may itself be nested as its argument is.
    out_axes : int, None, or nested as the result
        Where the batch is to be in the results; `None` for results that are the same for all members.

    Returns
    -------
    callable
        Called like `function`, with arrays that have the batch as one more axis; keyword arguments have it first, unless
        `in_axes` is a dict that says otherwise.

    Raises
    ------
    ShapeError
        When an array lacks its axis, or batches have different sizes.
    TracingError
        When the function's course depends on a member's numbers (`if x > 0`).

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.vmap(np.dot, in_axes=(0, None))(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([3.0, 4.0]))
    array([3., 4.])

    The gradient of every sample's loss:

    >>> def loss(w, x, y):
    ...     return (x @ w - y) ** 2
    >>> w, X, y = np.array([1.0, 2.0]), np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1.0])
    >>> cr.vmap(cr.grad(loss), in_axes=(None, 0, 0))(w, X, y)
    array([[2., 0.],
           [4., 4.]])

    The same by name, with the parameters in a dict of which only the offset differs from sample to sample:

    >>> def loss(p, x, y, scale):
    ...     return scale * (x @ p["w"] + p["b"] - y) ** 2
    >>> p = {"w": w, "b": np.array([0.0, 1.0])}
    >>> cr.vmap(loss, in_axes={"p": {"w": None, "b": 0}, "scale": None})(p, X, y, scale=0.5)
    array([0.5, 4.5])

    What `np.vectorize` is used for, functions of single numbers, and of every pair of numbers:

    >>> def f(a, b):
    ...     return np.where(a > b, a - b, 0.0)
    >>> cr.vmap(f)(np.array([1.0, 5.0]), np.array([2.0, 3.0]))
    array([0., 2.])
    >>> cr.vmap(cr.vmap(f, in_axes=(None, 0)), in_axes=(0, None))(np.array([1.0, 5.0]), np.array([2.0, 3.0, 4.0]))
    array([[0., 0., 0.],
           [3., 2., 1.]])
    """

    SettingError.unless_callable("vmap", function)

    @wraps(function)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = trees.flatten((args, kwargs))
        positional, by_name = structure.children
        given, named = _of_arguments(function, in_axes, args, kwargs)
        pairs = [*zip(given, positional.children, strict=True), *((named[k], s) for k, s in _entries(by_name))]
        axes = [a for axis, own in pairs for a in _spread(axis, own, "in_axes")]
        arrays = [x if axis is None else as_operand(x) for x, axis in zip(leaves, axes, strict=True)]
        size = _size(arrays, axes)
        with Batch(size) as batch:
            inner = [
                x if axis is None else batch.member(moved(x, axis, 0)) for x, axis in zip(arrays, axes, strict=True)
            ]
            own_args, own_kwargs = trees.unflatten(structure, inner)
            outputs, outer = trees.flatten(refreshed(function(*own_args, **own_kwargs)))
            places = _spread(out_axes, outer, "out_axes")
            results = [_result(batch, x, axis) for x, axis in zip(outputs, places, strict=True)]
        return trees.unflatten(outer, owned(results, arrays))

    return mapped


def _entries(structure: trees.Structure) -> Iterable[tuple[Any, trees.Structure]]:
    return zip(structure.keys, structure.children, strict=True)


def _of_arguments(
    function: Callable[..., Any], in_axes: Axes, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The entries of `in_axes` for positional arguments, and for those by keyword."""
    if not isinstance(in_axes, dict):
        given = list(in_axes) if isinstance(in_axes, tuple | list) else [in_axes] * len(args)
        if len(given) != len(args):
            raise SettingError(
                f"vmap was given in_axes with {len(given)} entries, and the function {len(args)} positional arguments; "
                "give one entry for each."
            )
        return given, dict.fromkeys(kwargs, 0)
    try:
        parameters = list(signature(function).parameters.values())
    except (TypeError, ValueError):
        raise SettingError(
            f"vmap was given in_axes by name, and {getattr(function, '__name__', 'this function')} does not say the names of its "
            "arguments. Give a sequence with an entry for every positional argument."
        ) from None
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL]
    known = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD} | kwargs.keys()
    unknown = [key for key in in_axes if key not in known]
    if unknown:
        raise SettingError(
            f"vmap was given in_axes with {shortened(unknown[0])}, which is no argument of the function. Give names among "
            f"{', '.join(sorted(known))}; for places inside of an argument nest them: in_axes={{'{next(iter(sorted(known)), 'x')}': "
            f"{shortened(in_axes)}}}."
        )
    places = (names + rest * len(args))[: len(args)]
    given = [in_axes.get(name, 0) for name in places]
    return given + [0] * (len(args) - len(given)), {name: in_axes.get(name, 0) for name in kwargs}


def _spread(axes: Axes, structure: trees.Structure, what: str) -> list[int | None]:
    """An axis for every leaf of a structure, which `axes` is nested as, down to where it is one for all."""
    if axes is None:
        return [None] * structure.leaves
    if isinstance(axes, int | np.integer):
        return [int(axes)] * structure.leaves
    if structure.kind is None or not isinstance(axes, structure.kind | tuple | list | dict):
        place = "an array" if structure.kind is None else f"a {structure.kind.__name__}"
        nested = "" if structure.kind is None else f", or a {structure.kind.__name__} of them"
        raise SettingError(f"vmap was given {what} with {axes!r} for {place}; give a whole number or None{nested}.")
    keys, values, _ = trees.parts(axes)
    entries = dict(zip(keys if isinstance(axes, dict | structure.kind) else structure.keys, values, strict=False))
    if set(entries) != set(structure.keys) or len(values) != len(structure.keys):
        raise SettingError(
            f"vmap was given {what} with {axes!r} for a {structure.kind.__name__} with {list(structure.keys)}; "
            "give an entry for each."
        )
    return [axis for key, child in _entries(structure) for axis in _spread(entries[key], child, what)]


def _size(arrays: list[Any], axes: list[int | None]) -> int:
    """How many members the batch has."""
    sizes: dict[int, tuple[int, ...]] = {}
    for x, axis in zip(arrays, axes, strict=True):
        if axis is None:
            continue
        shape = shape_of(x)
        if not -len(shape) <= axis < len(shape):
            raise ShapeError(
                f"vmap was to find the batch along axis {axis} of an array of shape {tuple(shape)}, which has no such "
                "axis. Give the arguments with one axis more than the function takes, or in_axes=None for shared ones."
            )
        sizes.setdefault(shape[axis], tuple(shape))
    if not sizes:
        raise SettingError("vmap needs at least one argument that has the batch; in_axes is None for all of them.")
    if len(sizes) > 1:
        shapes = ", ".join(f"{size} in shape {shape}" for size, shape in sizes.items())
        raise ShapeError(f"vmap was given batches of different sizes: {shapes}. All must be equal.")
    return next(iter(sizes))


def moved(x: Any, source: int, target: int) -> Any:
    """An array with one axis in another place, traced or not."""
    n = len(x.shape)
    source, target = source % n, target % n
    if source == target:
        return x
    order = [i for i in range(n) if i != source]
    order.insert(target, source)
    return traced.transpose(x, axes=tuple(order)) if isinstance(x, Traced) else np.transpose(x, order)


def _result(batch: Batch, x: Any, axis: int | None) -> Any:
    """An output with its batch where it is wanted."""
    mine = isinstance(x, BatchValue) and x.trace is batch
    if axis is None:
        if mine:
            raise SettingError(
                "vmap was given out_axes=None for a result that differs from member to member; give the axis where its "
                "batch is to be."
            )
        return separate(x)
    value = x.inner if mine else as_operand(x)
    if not mine:
        value = traced.broadcast_to(value, shape=(batch.size, *shape_of(value)))
    if not -len(value.shape) <= axis < len(value.shape):
        n = len(value.shape)
        raise ShapeError(
            f"vmap was given out_axes with {axis} for a result of shape {tuple(value.shape[1:])} for every member. Give the "
            f"batch a place from {-n} to {n - 1}; 0 is before the others."
        )
    return moved(value, 0, axis)
