"""Jacobians and Hessians: whole matrices of derivatives, and products with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from chainrule.autodiff.arguments import (
    Argnums,
    as_argnums,
    as_given,
    as_leaf,
    call_with,
    leaves_of,
    owned,
    positions_of,
)
from chainrule.autodiff.batching import moved, vmap
from chainrule.autodiff.modes import MODES, as_mode
from chainrule.autodiff.transforms import grad, jvp, require_one_number, require_pairs, vjp
from chainrule.errors import DifferentiationError, SettingError
from chainrule.tracing import trees
from chainrule.tracing.apply import traced

AT_ONCE = 2**24
"""Numbers that all directions followed at once may take, in inputs and outputs."""


def jacobian(function: Callable[..., Any], argnums: Argnums = 0, mode: str = "auto") -> Callable[..., Any]:
    """A function that gives the matrix of all partial derivatives, J[i, j] = ∂yᵢ/∂xⱼ.

    Parameters
    ----------
    function : callable
        Plain NumPy code; its result may be an array or a nested container of arrays.
    argnums : int or sequence of ints
        The positional arguments to differentiate by.
    mode : {"auto", "reverse", "forward"}
        Reverse mode costs one pass for every output, forward mode one for every input; `auto` takes the cheaper.
        Also "fwd" and "rev".

    Returns
    -------
    callable
        Called like `function`; for every output and argument an array of shape `output.shape + argument.shape`. Complex
        outputs of real arguments, and real outputs of complex ones, have one (see `grad`); complex ones of complex ones none.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.jacobian(lambda x: np.stack([x[0] * x[1], x[0] + x[1]]))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [1., 1.]])
    """
    SettingError.unless_callable("jacobian", function)
    mode = as_mode("jacobian", mode, ("auto", *MODES))
    wanted = as_argnums(argnums)

    @wraps(function)
    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        positions = positions_of(len(args), wanted)
        leaves, structure = leaves_of(args, positions)

        def flat(*new: Any) -> list[Any]:
            result = call_with(function, args, kwargs, positions, trees.unflatten(structure, list(new)))
            found, outer["structure"] = trees.flatten(result)
            return found

        outer: dict[str, trees.Structure] = {}
        inputs = sum(int(np.prod(leaf.shape)) for leaf in leaves)
        if mode == "forward":
            blocks = _columns(flat, leaves)
        else:
            value, pullback = vjp(flat, *leaves)
            outputs = sum(int(np.prod(x.shape)) for x in value)
            forward = mode == "auto" and inputs < outputs
            blocks = _columns(flat, leaves) if forward else _rows(value, pullback, leaves)
        own = iter(owned([x for row in blocks for x in row]))
        rows = [as_given(structure, [next(own) for _ in row], wanted) for row in blocks]
        return trees.unflatten(outer["structure"], rows)

    return jacobian_of


def _rows(value: list[Any], pullback: Callable[..., Any], leaves: list[Any]) -> list[list[Any]]:
    """The rows of all outputs: their unit cotangents pulled back together."""
    _refuse_two_complex(value, leaves)
    numbers = sum(_size(x) for x in (*value, *leaves))
    blocks = []
    for i, output in enumerate(value):

        def row(unit: Any, i: int = i) -> Any:
            return pullback([unit if k == i else np.zeros(x.shape, x.dtype) for k, x in enumerate(value)])

        parts = [_both_parts(vmap(row), units, 1j) for units in _units(output, numbers)]
        blocks.append(
            [_joined([part[j] for part in parts], output.shape, leaf, first=True) for j, leaf in enumerate(leaves)]
        )
    return blocks


def _columns(flat: Callable[..., Any], leaves: list[Any]) -> list[list[Any]]:
    """The columns of all inputs: their unit tangents pushed forward together."""
    value: list[Any] = []
    columns: list[list[list[Any]]] = []
    numbers = sum(_size(x) for x in leaves)
    for j, leaf in enumerate(leaves):

        def column(unit: Any, j: int = j) -> Any:
            tangents = [unit if k == j else np.zeros(x.shape, x.dtype) for k, x in enumerate(leaves)]
            found, tangent = jvp(flat, leaves, tangents)
            _refuse_two_complex(found, leaves)
            value[:] = found
            return tangent

        columns.append([_both_parts(vmap(column), units, -1j) for units in _units(leaf, numbers)])
    if not any(columns):
        value = [as_leaf(x) for x in flat(*leaves)]
    return [
        [_joined([part[i] for part in columns[j]], leaf.shape, output, first=False) for j, leaf in enumerate(leaves)]
        for i, output in enumerate(value)
    ]


def _both_parts(along: Callable[[Any], list[Any]], units: Any, turn: complex) -> list[Any]:
    """The results along units; along complex ones of the units and, turned back, of their multiples with ±i.

    A real f of a complex z has the derivative ∂f/∂(Re z) − i·∂f/∂(Im z), so that df = Re(f′·dz); a complex f of a real x has
    d(Re f)/dx + i·d(Im f)/dx, and cotangents g stand for Re(g·df).
    """
    found = along(units)
    if units.dtype.kind != "c":
        return found
    return [x + turn * y for x, y in zip(found, along(turn.conjugate() * units), strict=True)]


def _refuse_two_complex(outputs: Sequence[Any], inputs: Sequence[Any]) -> None:
    """Of complex numbers by complex numbers there is no one matrix."""
    if any(x.dtype.kind == "c" for x in outputs) and any(x.dtype.kind == "c" for x in inputs):
        raise DifferentiationError(
            "jacobian was given a complex function of complex numbers, whose real and imaginary parts have derivatives of their own. "
            "Ask for one of them: cr.jacobian(lambda z: np.real(f(z))). For dy/dz of a holomorphic function: "
            "cr.jvp(f, (z,), (direction,)); for a Hessian times a direction: cr.hvp."
        )


def _size(x: Any) -> int:
    return int(np.prod(x.shape, dtype=np.int64))


def _units(x: Any, numbers: int) -> list[Any]:
    """The directions of the single numbers of `x`, as many at once as memory allows, where each takes some `numbers`."""
    size, step = _size(x), max(1, AT_ONCE // max(numbers, 1))
    return [
        np.eye(min(step, size - begin), size, begin, dtype=x.dtype).reshape(-1, *x.shape)
        for begin in range(0, size, step)
    ]


def _joined(parts: list[Any], counted: tuple[int, ...], of: Any, *, first: bool) -> Any:
    """Results for single numbers as one array, the axes they were counted by first or last."""
    if not parts:
        return np.zeros(counted + of.shape if first else of.shape + counted, of.dtype)
    whole = parts[0] if len(parts) == 1 else traced.concatenate(*parts, axis=0)
    if first:
        return traced.reshape(whole, shape=counted + of.shape)
    return traced.reshape(moved(whole, 0, -1), shape=of.shape + counted)


def hessian(function: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that gives the matrix of second derivatives, H[i, j] = ∂²f/∂xᵢ∂xⱼ.

    Parameters
    ----------
    function : callable
        Plain NumPy code that gives one real number, or an array of one.
    argnums : int or sequence of ints
        The positional arguments to differentiate by.

    Returns
    -------
    callable
        Called like `function`; an array of shape `argument.shape + argument.shape`, nested where the argument is.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    SettingError.unless_callable("hessian", function)
    wanted = as_argnums(argnums)
    return jacobian(grad(_of_one_number("hessian", function), wanted), wanted, mode="forward")


def _of_one_number(owner: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose results that are not one number are refused in the name of what was called."""

    @wraps(function)
    def one_number(*args: Any, **kwargs: Any) -> Any:
        value = function(*args, **kwargs)
        require_one_number(owner, value, "jacobian of jacobian for the second derivatives of every number")
        return value

    return one_number


def hvp(function: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian times a direction, H·t, at the cost of about two gradients and without making H.

    Parameters
    ----------
    function : callable
        Plain NumPy code that gives one real number, or an array of one.
    primals : sequence
        Its arguments.
    tangents : sequence
        The direction: one entry for every argument, of the same shape.

    Returns
    -------
    array or tuple
        The product, for one argument in its shape; for several a tuple.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> cr.hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 1.0]),))
    array([ 6., 12.])

    References
    ----------
    Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994.
    """
    SettingError.unless_callable("hvp", function, "cr.hvp(f, (x,), (t,))")
    require_pairs("hvp", primals, tangents)
    argnums: Argnums = 0 if len(primals) == 1 else tuple(range(len(primals)))
    return jvp(grad(_of_one_number("hvp", function), argnums), primals, tangents)[1]
