"""Linear maps: the derivative at a point as one, and nested containers as vectors and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.autodiff.arguments import as_leaf, leaves_of, owned, zeros
from chainrule.autodiff.transforms import belongs, of_shape, without
from chainrule.errors import SettingError, ShapeError
from chainrule.tracing import trees
from chainrule.tracing.apply import refreshed, separate
from chainrule.tracing.plain import plain_array
from chainrule.tracing.traces.tape import Tape


def linearize(function: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of `function`, and its derivative there as a linear map: t ↦ J·t.

    Parameters
    ----------
    function : callable
        Plain NumPy code.
    *primals
        Its arguments.

    Returns
    -------
    value, derivative
        `derivative(*tangents)` takes one direction for every argument. The function is run once, however often it is called.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> value, derivative = cr.linearize(np.sin, 0.0)
    >>> derivative(2.0)
    np.float64(2.0)
    """
    SettingError.unless_callable("linearize", function, "cr.linearize(f, x)")
    leaves, structure = leaves_of(primals, tuple(range(len(primals))))
    with Tape() as tape:
        variables = [tape.variable(tape.keep(x, "linearize") if type(x) is np.ndarray else x) for x in leaves]
        places = [x.index for x in variables]
        results, outer = trees.flatten(refreshed(function(*trees.unflatten(structure, variables))))
    values = [as_leaf(without(tape, x)) for x in results]

    def derivative(*tangents: Any) -> Any:
        given = trees.flatten_like(structure, tangents, "the tangents")
        directions = [of_shape(t, x, "a tangent") for t, x in zip(given, leaves, strict=True)]
        mine = [x for x in results if belongs(x, tape)]
        found = iter(tape.push(places, directions, mine))
        moved = [next(found) if belongs(x, tape) else None for x in results]
        return trees.unflatten(outer, owned([zeros(v) if t is None else t for t, v in zip(moved, values, strict=True)]))

    return trees.unflatten(outer, list(map(separate, values))), derivative  # what the tape holds is still needed


def flatten(tree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """A container of arrays as one vector, and the function that puts such a vector back into containers.

    Parameters
    ----------
    tree : array, or nested dict, list or tuple of arrays
        Traced values among them keep their derivatives.

    Returns
    -------
    vector, unflatten
        All numbers one after the other; `unflatten(vector)` gives containers and shapes as in `tree`.

    Raises
    ------
    ShapeError
        When `unflatten` is given another number of numbers.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> vector, unflatten = cr.flatten({"w": np.ones((2, 2)), "b": 3.0})
    >>> vector
    array([1., 1., 1., 1., 3.])
    >>> unflatten(2 * vector)["w"]
    array([[2., 2.],
           [2., 2.]])
    """
    leaves, structure = trees.flatten(tree)
    arrays = [as_leaf(plain_array(x) if isinstance(x, str | bytes) else x) for x in leaves]
    shapes = [tuple(x.shape) for x in arrays]
    ends = np.cumsum([0, *(int(np.prod(shape, dtype=int)) for shape in shapes)])
    vector = np.concatenate([np.reshape(x, -1) for x in arrays]) if arrays else np.zeros(0)

    def unflatten(vector: Any) -> Any:
        given = as_leaf(vector)
        if tuple(given.shape) != (int(ends[-1]),):
            raise ShapeError(
                f"unflatten was given shape {tuple(given.shape)}; give a vector of {int(ends[-1])} numbers."
            )
        parts = [separate(np.reshape(given[a:b], s)) for a, b, s in zip(ends, ends[1:], shapes, strict=False)]
        return trees.unflatten(structure, parts)

    return vector, unflatten
