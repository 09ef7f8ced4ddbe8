"""`implicit`: solutions of equations, differentiable by what the equations are about, however they were found."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from chainrule.autodiff.custom import custom_derivative
from chainrule.autodiff.transforms import jvp
from chainrule.errors import DerivativeLostError, DifferentiationError, MatrixError, SettingError, ShapeError
from chainrule.tracing.apply import Traced, as_operand, numbers_inside, opened, separate


def implicit(
    solve: Callable[..., Any], condition: Callable[..., Any], *, tolerance: float | None = None
) -> Callable[..., Any]:
    """The solution of an equation, differentiable by what the equation is about: condition(x, *args) = 0 where x = solve(*args).

    ∂x/∂a = −(∂c/∂x)⁻¹ ∂c/∂a, the implicit function theorem, however the solution was found.

    Parameters
    ----------
    solve : callable
        Gives the solution, an array, for plain arguments; by any library.
    condition : callable
        Plain NumPy code of the solution and the arguments, of nothing else, that gives an array of the solution's shape, 0 at the
        solution.
    tolerance : float, optional
        How far Newton's next step, (∂c/∂x)⁻¹·c, may move every number of the solution, relative to it, where a derivative is
        taken. By default by dtype, 6e-6 for float64 and 5e-3 for float32. A condition that is as near to 0 as that, compared
        with the terms it is the sum of, is 0 as well. Numbers near 0 may move by as much relative to the largest, or by less than
        that (1.5e-8 by default, 3e-4 for float32), if ∂c/∂x is there what it is here.

    Returns
    -------
    callable
        Called like `solve`.

    Raises
    ------
    DifferentiationError
        Where a derivative is taken and the solution does not solve its condition: the solver stopped too early. In a Program or a
        batch no numbers are known, and nothing is looked at.
    ShapeError
        When the condition gives another shape than the solution's.
    DerivativeLostError
        When the condition uses traced values besides its arguments.
    MatrixError
        When ∂c/∂x has no inverse: the solution is a multiple one, and has no derivative.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> def newton(a):
    ...     x = 1.0
    ...     for _ in range(30):
    ...         x = x - (x * x - a) / (2 * x)
    ...     return x
    >>> root = cr.implicit(newton, lambda x, a: x * x - a)
    >>> cr.grad(root)(4.0).round(6)
    np.float64(0.25)

    References
    ----------
    Blondel et al., "Efficient and modular implicit differentiation", 2022.
    """
    SettingError.unless_callable("implicit", solve, "cr.implicit(solve, condition)(x)")
    SettingError.unless_callable("implicit", condition, "cr.implicit(solve, condition)(x)")

    def rule(tangents: Any, x: Any, *args: Any) -> Any:
        moved = jvp(lambda *own: condition(x, *own), args, tangents)[1]
        if tuple(moved.shape) != tuple(x.shape):
            raise ShapeError(
                f"the condition of an implicit function gave an array of shape {tuple(moved.shape)} for a solution of shape "
                f"{tuple(x.shape)}; give one equation for every number of the solution."
            )
        matrix = _slopes(condition, x, args)
        try:
            change = np.linalg.solve(matrix, np.reshape(moved, -1))
            _make_sure_it_solves(condition, matrix, x, args, tolerance)
        except np.linalg.LinAlgError as error:
            raise MatrixError(
                "the condition of an implicit function has a derivative by the solution without inverse there: the solution is a "
                "multiple one, or one of many, and has no derivative. Give a condition that holds nowhere near it."
            ) from error
        return -np.reshape(change, x.shape)

    differentiable = custom_derivative(rule)(solve)

    @wraps(solve)
    def solution(*args: Any) -> Any:
        found = differentiable(*args)
        if (
            opened
            and not any(isinstance(as_operand(x), Traced) for x in (found, *args))
            and isinstance(condition(separate(found), *map(separate, args)), Traced)
        ):
            raise DerivativeLostError(
                "the condition of an implicit function uses traced values besides its arguments, whose derivatives it would lose. "
                "Give them as arguments, of the solver too."
            )
        return found

    return solution


def _slopes(condition: Callable[..., Any], x: Any, args: Any) -> Any:
    """∂c/∂x as a matrix."""
    size = int(np.prod(np.shape(x), dtype=int))
    units = np.eye(size).reshape(size, *np.shape(x))
    columns = [jvp(lambda own: condition(own, *args), (x,), (unit[()],))[1] for unit in units]
    return np.stack([np.reshape(column, size) for column in columns], axis=1)


def _make_sure_it_solves(
    condition: Callable[..., Any], matrix: Any, x: Any, args: tuple[Any, ...], tolerance: float | None
) -> None:
    """Refuse what is no solution: its derivatives would be those of another equation, or of none."""
    numbers = [numbers_inside(value) for value in (x, *args)]
    slopes = numbers_inside(matrix)
    if any(n is None or n.shape != np.shape(v) for n, v in zip(numbers, (x, *args), strict=True)):
        return
    if slopes is None or slopes.shape != np.shape(matrix) or not slopes.size:
        return
    own, others = numbers[0][()], [n[()] for n in numbers[1:]]
    eps = float(np.finfo(np.result_type(own, np.float16)).eps)
    allowed, small = (eps ** (1 / 3), eps**0.5) if tolerance is None else (tolerance, tolerance)
    value = np.ravel(numbers_inside(condition(own, *others)))
    step = np.linalg.solve(slopes, value)
    most = np.max(np.abs(own))
    if not np.all(np.isfinite(value)):
        raise _no_solution(value, step, most, allowed)
    if np.all(np.abs(step) <= allowed * np.abs(np.ravel(own))):
        return
    terms = np.abs(slopes @ np.ravel(own))
    for i, a in enumerate(others):
        if a.dtype.kind in "fc":
            along = jvp(lambda a, i=i: condition(own, *others[:i], a, *others[i + 1 :]), (a,), (a,))[1]
            terms = np.maximum(terms, np.abs(np.ravel(along)))
    if np.all(np.abs(value) <= allowed * terms):
        return
    if np.max(np.abs(step)) <= max(small, allowed * most):
        there = _slopes(condition, own - np.reshape(step, np.shape(own)), others)
        if np.max(np.abs(np.linalg.solve(slopes, there - slopes))) <= allowed:
            return
    raise _no_solution(value, step, most, allowed)


def _no_solution(value: Any, step: Any, most: Any, allowed: float) -> DifferentiationError:
    return DifferentiationError(
        "the function given to implicit gave what does not solve its condition: that is "
        f"{np.max(np.abs(value)):.3g} there, not 0, and Newton's next step would move the solution by {np.max(np.abs(step)):.3g}, "
        f"where its largest number is {most:.3g}. Its derivative would be wrong. Solve to smaller errors or by more iterations; "
        f"what is exact enough can be given to implicit, now tolerance={allowed:.1g}."
    )
