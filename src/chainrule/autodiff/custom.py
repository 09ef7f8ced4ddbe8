"""Derivatives of one's own: a function with a rule, one that is computed again, one that solves an equation."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from chainrule.autodiff.arguments import as_leaf
from chainrule.autodiff.batching import vmap
from chainrule.autodiff.transforms import jvp, vjp
from chainrule.errors import (
    DerivativeLostError,
    DifferentiationError,
    InPlaceError,
    SettingError,
    ShapeError,
    shortened,
)
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.operation import ArrayType
from chainrule.tracing import trees
from chainrule.tracing.apply import Traced, apply, as_operand, numbers_inside, opened, plain_array, separate


def custom_derivative(rule: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: the function's derivative is what the rule says, in both modes.

    ẏ = rule(ẋ, y, x), linear in ẋ. The reverse rule is its transpose, which is found by differentiating it.

    Parameters
    ----------
    rule : callable
        `rule(tangents, value, *args)`: the tangent of the function's result, given a tuple with one for every argument, the
        result, and the arguments; written in NumPy, so that it has derivatives itself. It is called on the way back: what it
        reads besides its arguments must be plain, and stay as it is until then.

    Returns
    -------
    callable
        Takes a function of arrays that gives one array, computed by any library; it is only given plain numbers.

    Raises
    ------
    ShapeError
        When the rule gives another shape than the function.
    DifferentiationError
        When the rule is not linear in the tangents.

    Examples
    --------
    >>> import math, numpy as np, chainrule as cr
    >>> @cr.custom_derivative(lambda tangents, y, x: tangents[0] * np.cos(x))
    ... def sine(x):
    ...     return math.sin(x)
    >>> cr.grad(sine)(0.0), cr.grad(cr.grad(sine))(1.0).round(4)
    (np.float64(1.0), np.float64(-0.8415))
    >>> cr.check_grads(sine, (0.7,), order=2)
    """
    SettingError.unless_callable("custom_derivative", rule)

    return lambda function: _differentiable(function, rule, proven=False)


def _differentiable(function: Callable[..., Any], rule: Callable[..., Any], proven: bool) -> Callable[..., Any]:
    """The function with this rule, which is known to be linear or is tried when it is first used."""
    operation = _operation(function, rule, proven)

    @wraps(function)
    def differentiable(*args: Any) -> Any:
        given = [as_operand(x) for x in args] if opened else args
        if any(isinstance(x, Traced) for x in given):
            return apply(operation, *given)
        return function(*map(separate, args))

    return differentiable


def _operation(function: Callable[..., Any], rule: Callable[..., Any], proven: bool) -> Custom:
    """An operation with the function's value."""
    base = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', 'function')}"
    tried = [proven]

    def value(*args: Any) -> Any:
        return plain_array(function(*map(separate, args)), f"what {base} gives")[()]

    def forward(m: Any, tangents: Any, y: Any, *args: Any) -> Any:
        given = tuple(
            np.zeros(np.shape(x), getattr(x, "dtype", float))[()] if t is None else t
            for t, x in zip(tangents, args, strict=True)
        )
        if not tried[0]:
            tried[0] = _is_linear(base, lambda factor: ruled(_units(args, factor), y, args))
        return ruled(given, y, args)

    def ruled(given: Any, y: Any, args: Any) -> Any:
        result = as_leaf(rule(tuple(map(separate, given)), separate(y), *map(separate, args)))
        if tuple(result.shape) != tuple(y.shape):
            raise ShapeError(
                f"the rule of {base} gave a tangent of shape {tuple(result.shape)} for a value of shape {tuple(y.shape)}; it must "
                "have the value's shape."
            )
        return result

    def reverse(m: Any, cotangent: Any, y: Any, *args: Any) -> list[Any]:
        real = [i for i, x in enumerate(args) if getattr(x, "dtype", np.dtype(type(x))).kind in "fc"]
        zeros = [np.zeros(np.shape(args[i]), getattr(args[i], "dtype", float)) for i in real]

        def moved(*tangents: Any) -> Any:
            of_place = dict(zip(real, tangents, strict=True))
            return forward(m, [of_place.get(i) for i in range(len(args))], y, *args)

        unmoved, pullback = vjp(moved, *zeros)
        numbers = numbers_inside(unmoved)
        if numbers is not None and np.any(np.isfinite(numbers) & (numbers != 0)):
            raise _not_linear(base, f"{shortened(numbers)} for tangents of zero")
        found = dict(zip(real, pullback(cotangent), strict=True))
        return [found.get(i) for i in range(len(args))]

    def kind(*args: Any) -> ArrayType:
        example = np.asarray(value(*(np.ones(x.shape, x.dtype) if isinstance(x, ArrayType) else x for x in args)))
        return ArrayType(example.shape, example.dtype)

    def batched(m: Any, size: int, own: Any, *args: Any) -> Any:
        members = [[x[i] if mine else x for x, mine in zip(args, own, strict=True)] for i in range(size)]
        if not members:
            one = kind(*(np.empty(x.shape[1:], x.dtype) if mine else x for x, mine in zip(args, own, strict=True)))
            return np.zeros((0, *one.shape), one.dtype)
        return np.stack([apply(operation, *member) for member in members])

    shown = base.split(".")[-1].strip("<>")
    operation = Custom(
        base, listed=False, value=value, type=kind, forward=forward, reverse=reverse, batched=batched,
        latex=rf"\operatorname{{{{{shown}}}}}",
    )  # fmt: skip
    return operation


def _units(args: Any, factor: float) -> tuple[Any, ...]:
    """Tangents to try a rule with: some numbers for every real argument, times a factor."""
    kinds = [np.dtype(getattr(x, "dtype", type(x))) for x in args]
    return tuple(
        (factor * np.cos(np.arange(np.size(x)) + i).reshape(np.shape(x)) * (kind.kind in "fc")).astype(kind)[()]
        for i, (x, kind) in enumerate(zip(args, kinds, strict=True))
    )


def _is_linear(base: str, rule: Callable[[float], Any]) -> bool:
    """Refuse a rule that does not give twice as much, with the other sign, for −2 times the tangents; whether that is known."""
    with np.errstate(all="ignore"):
        once, other = (numbers_inside(rule(factor)) for factor in (1.0, -2.0))
        if once is None or other is None:
            return False
        near = np.finfo(once.dtype).eps ** 0.5 if once.dtype.kind in "fc" else 1.0
        most = np.max(np.abs(once), where=np.isfinite(once), initial=0.0)
        fair = np.isfinite(once) & np.isfinite(other)
        if np.all(np.abs(other + 2.0 * once)[fair] <= near * most):
            return True
    raise _not_linear(base, f"{shortened(once)} for some tangents, and {shortened(other)} for −2 times these")


def _not_linear(base: str, found: str) -> DifferentiationError:
    """The error about a rule that gives what no derivative does."""
    return DifferentiationError(
        f"the rule of {base} gives {found}. It must be linear in the tangents: every term has one of them as a factor, as in "
        "lambda tangents, y, x: tangents[0] * np.cos(x)."
    )


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, of which reverse mode keeps nothing but the arguments: what is in between is computed once more on the way back.

    Parameters
    ----------
    function : callable
        Plain NumPy code of arrays, or nested containers of them, that depends on its arguments alone and changes nothing else.

    Returns
    -------
    callable
        Called like `function`, with the same derivatives, for less memory and about one more pass.

    Raises
    ------
    DerivativeLostError
        When the function uses traced values besides its arguments.
    InPlaceError
        When it gives other numbers the second time.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> block = cr.checkpoint(lambda x: np.tanh(np.sin(x) * x))
    >>> cr.grad(lambda x: np.sum(block(block(x))))(np.array([0.5])).round(4)
    array([0.3994])

    References
    ----------
    Griewank and Walther, "Evaluating Derivatives", 2nd edition, 2008, chapter 12.
    """
    SettingError.unless_callable("checkpoint", function)

    @wraps(function)
    def checkpointed(*args: Any) -> Any:
        leaves, structure = trees.flatten(args)
        given = [as_operand(x) for x in leaves]
        if not any(isinstance(x, Traced) for x in given) or any(numbers_inside(x) is None for x in given):
            results = function(*trees.unflatten(structure, list(map(separate, leaves))))
            return trees.map_leaves(separate, results)  # a Program plans its memory itself
        nested: dict[str, Any] = {}

        def flat(*arrays: Any) -> Any:
            own = trees.unflatten(structure, list(map(separate, arrays)))
            outputs, nested["structure"] = trees.flatten(function(*own))
            outputs = [as_leaf(x) for x in outputs]
            nested["types"] = [(tuple(x.shape), x.dtype) for x in outputs]
            return np.concatenate([np.reshape(x, -1) for x in outputs])

        packed = apply(_recomputed(flat), *given)
        ends = np.cumsum([0, *(int(np.prod(shape, dtype=int)) for shape, _ in nested["types"])])
        parts = [
            _of_dtype(packed[a:b].reshape(shape), dtype)
            for a, b, (shape, dtype) in zip(ends, ends[1:], nested["types"], strict=False)
        ]
        return trees.unflatten(nested["structure"], parts)

    return checkpointed


def _of_dtype(x: Any, dtype: np.dtype[Any]) -> Any:
    """A part of what was joined to one array, in the dtype it had before."""
    return (np.real(x) if x.dtype.kind == "c" != dtype.kind else x).astype(dtype, copy=False)


def _make_sure_of(again: Any, before: Any) -> None:
    """Refuse what is not the same when it is computed again: from other numbers than before come other derivatives."""
    again, before = map(numbers_inside, (again, before))
    if again is None or before is None:
        return
    near = np.finfo(before.dtype).eps ** 0.5  # products of matrices may be rounded otherwise
    with np.errstate(all="ignore"):
        most = np.max(np.abs(before), where=np.isfinite(before), initial=0.0)
        if np.allclose(again, before, rtol=near, atol=near * most, equal_nan=True):
            return
    raise InPlaceError(
        "the function given to checkpoint gave other numbers when it was computed again for the derivative: something that it reads "
        "besides its arguments was changed since, or it draws random numbers. Give all that it depends on as arguments."
    )


def _recomputed(function: Callable[..., Any]) -> Custom:
    """An operation whose derivatives are the function's own."""

    def value(*args: Any) -> Any:
        found = function(*args)
        if isinstance(found, Traced):
            raise DerivativeLostError(
                "the function given to checkpoint uses traced values besides its arguments, whose derivatives it would lose. "
                "Give them as arguments: cr.checkpoint(f)(x, w)."
            )
        return found

    def forward(m: Any, tangents: Any, y: Any, *args: Any) -> Any:
        given = [np.zeros(x.shape, x.dtype) if t is None else t for t, x in zip(tangents, args, strict=True)]
        return jvp(function, args, tuple(given))[1]

    def reverse(m: Any, cotangent: Any, y: Any, *args: Any) -> list[Any]:
        again, pullback = vjp(function, *args)
        _make_sure_of(again, y)
        return list(pullback(cotangent))

    return Custom(
        "checkpoint",
        listed=False,
        value=value,
        type=lambda *args: ArrayType((), np.dtype(float)),  # a Program never holds it
        forward=forward,
        reverse=reverse,
        batched=lambda m, size, batched, *args: vmap(function, [0 if own else None for own in batched])(*args),
    )


def implicit(solve: Callable[..., Any], condition: Callable[..., Any]) -> Callable[..., Any]:
    """The solution of an equation, differentiable by what the equation is about: condition(x, *args) = 0 where x = solve(*args).

    ∂x/∂a = −(∂c/∂x)⁻¹ ∂c/∂a, the implicit function theorem, however the solution was found.

    Parameters
    ----------
    solve : callable
        Gives the solution, an array, for plain arguments; by any library.
    condition : callable
        Plain NumPy code of the solution and the arguments, of nothing else, that gives an array of the solution's shape, 0 at the
        solution.

    Returns
    -------
    callable
        Called like `solve`.

    Raises
    ------
    DifferentiationError
        When a derivative is taken where the condition is far from 0.
    MatrixError
        Where ∂c/∂x has no inverse.

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
    SettingError.unless_callable("implicit", solve)
    SettingError.unless_callable("implicit", condition)

    def rule(tangents: Any, x: Any, *args: Any) -> Any:
        size = int(np.prod(x.shape, dtype=int))
        moved = jvp(lambda *own: condition(x, *own), args, tangents)[1]
        if tuple(moved.shape) != tuple(x.shape):
            raise ShapeError(
                f"the condition of an implicit function gave an array of shape {tuple(moved.shape)} for a solution of shape "
                f"{tuple(x.shape)}; give one equation for every number of the solution."
            )
        units = np.eye(size).reshape(size, *x.shape)
        columns = [jvp(lambda own: condition(own, *args), (x,), (unit[()],))[1] for unit in units]
        matrix = np.stack([np.reshape(column, size) for column in columns], axis=1)
        _make_sure_of_solution(x, condition(x, *args), matrix)
        return -np.reshape(np.linalg.solve(matrix, np.reshape(moved, size)), x.shape)

    return _differentiable(solve, rule, proven=True)


def _make_sure_of_solution(x: Any, left: Any, matrix: Any) -> None:
    """Refuse what is no solution: from where Newton's step is a tenth of it. A solution of few digits is one."""
    x, left, matrix = map(numbers_inside, (x, left, matrix))
    if x is None or left is None or matrix is None or not x.size:
        return
    size = matrix.shape[-1]  # members of a batch come first, where there are any
    x, left, matrix = x.reshape(-1, size), left.reshape(-1, size, 1), matrix.reshape(-1, size, size)
    with np.errstate(all="ignore"):
        try:
            steps = np.linalg.solve(matrix, left)[..., 0]
        except np.linalg.LinAlgError:
            return  # which the derivative says better
        far = np.max(np.abs(steps), axis=1) > 0.1 * np.max(np.abs(x), axis=1) + 1e-3
    if far.any():
        k = int(np.argmax(far))
        x, left, steps = (np.broadcast_to(z, (len(far), *z.shape[1:]))[k] for z in (x, left[..., 0], steps))
        raise DifferentiationError(
            f"what solve gave for an implicit function, {shortened(x)}, is no solution: the condition is {shortened(left)} there, "
            f"and Newton's step to where it is 0 is {shortened(-steps)}. Check that condition(solve(*args), *args) is 0."
        )
