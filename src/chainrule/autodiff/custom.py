"""Derivatives of one's own: a function with a rule, and one that is computed again."""

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
from chainrule.tracing.apply import Traced, apply, as_operand, numbers_inside, opened, separate
from chainrule.tracing.loops.stepwise import is_stepwise
from chainrule.tracing.plain import plain_array


def custom_derivative(rule: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: the function's derivative is what the rule says, in both modes.

    ẏ = rule(ẋ, y, x), linear in ẋ. The reverse rule is its transpose, which is found by differentiating it. Whether the rule is
    linear is looked at in the first derivative that is taken with numbers; `check_grads` compares it with the function.

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
        When the rule is not linear in the tangents: it is not zero for tangents of zero, or not −½ times as large for −½ of them.

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

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        SettingError.unless_callable("custom_derivative", function, "cr.custom_derivative(rule)(f)(x)")
        operation = _Ruled(function, rule).operation

        @wraps(function)
        def differentiable(*args: Any) -> Any:
            given = [as_operand(x) for x in args] if opened else args
            return (
                apply(operation, *given)
                if any(isinstance(x, Traced) for x in given)
                else separate(function(*map(separate, args)))
            )

        return differentiable

    return decorate


class _Ruled:
    """A function and its rule, as the operation that declares both."""

    def __init__(self, function: Callable[..., Any], rule: Callable[..., Any]) -> None:
        self._function, self._rule = function, rule
        self._name = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', 'function')}"
        self._is_linear = False  # until it has been looked at
        shown = self._name.split(".")[-1].strip("<>")
        self.operation = Custom(
            self._name, listed=False, value=self.value, type=self.type, forward=self.forward, reverse=self.reverse,
            batched=self.batched, latex=rf"\operatorname{{{{{shown}}}}}",
        )  # fmt: skip

    def value(self, *args: Any) -> Any:
        """The function's value."""
        return plain_array(self._function(*map(separate, args)), f"what {self._name} gives")[()]

    def type(self, *args: Any) -> ArrayType:
        """The type of the value, found at ones."""
        example = np.asarray(self.value(*(np.ones(x.shape, x.dtype) if isinstance(x, ArrayType) else x for x in args)))
        return ArrayType(example.shape, example.dtype)

    def forward(self, m: Any, tangents: Any, y: Any, *args: Any) -> Any:
        """What the rule says of tangents; the first time with numbers it is seen whether it is linear in them."""
        result = self._moved(tangents, y, args)
        numbers = None if self._is_linear else numbers_inside(result)
        if numbers is None or not _is_somewhere(numbers):
            return result  # nothing is known, or all is 0, as it is for no tangents
        other = numbers_inside(self._moved([None if t is None else -0.5 * t for t in tangents], y, args))
        if not _is_near(-2.0 * other, numbers):
            raise self._not_linear(
                f"{shortened(numbers)} for some tangents, and for −½ of these {shortened(other)}, not −½ of that"
            )
        self._is_linear = True
        return result

    def reverse(self, m: Any, cotangent: Any, y: Any, *args: Any) -> list[Any]:
        """The transpose of the rule, found by differentiating it by the tangents."""
        real = [i for i, x in enumerate(args) if getattr(x, "dtype", np.dtype(type(x))).kind in "fc"]
        zeros = [np.zeros(np.shape(args[i]), getattr(args[i], "dtype", float)) for i in real]

        def moved_by(*tangents: Any) -> Any:
            of_place = dict(zip(real, tangents, strict=True))
            return self._moved([of_place.get(i) for i in range(len(args))], y, args)

        unmoved, pullback = vjp(moved_by, *zeros)
        numbers = numbers_inside(unmoved)
        if numbers is not None and _is_somewhere(numbers):
            raise self._not_linear(f"{shortened(numbers)} for tangents of zero")
        if not self._is_linear:
            self.forward(m, [_some_tangents(x) if i in real else None for i, x in enumerate(args)], y, *args)
        found = dict(zip(real, pullback(cotangent), strict=True))
        return [found.get(i) for i in range(len(args))]

    def batched(self, m: Any, size: int, own: Any, *args: Any) -> Any:
        """The operation for every member, one after the other."""
        members = [[x[i] if mine else x for x, mine in zip(args, own, strict=True)] for i in range(size)]
        if not members:
            one = self.type(*(np.empty(x.shape[1:], x.dtype) if mine else x for x, mine in zip(args, own, strict=True)))
            return np.zeros((0, *one.shape), one.dtype)
        return np.stack([apply(self.operation, *member) for member in members])

    def _not_linear(self, given: str) -> DifferentiationError:
        return DifferentiationError(
            f"the rule of {self._name} gives {given}. It must be linear in the tangents: every term has one of them as a factor, as "
            "in lambda tangents, y, x: tangents[0] * np.cos(x)."
        )

    def _moved(self, tangents: Any, y: Any, args: Any) -> Any:
        """The tangent of the value by the rule, which is given zeros for tangents that are not there."""
        given = tuple(
            np.zeros(np.shape(x), getattr(x, "dtype", float))[()] if t is None else t
            for t, x in zip(tangents, args, strict=True)
        )
        result = as_leaf(self._rule(tuple(map(separate, given)), separate(y), *map(separate, args)))
        if tuple(result.shape) != tuple(y.shape):
            raise ShapeError(
                f"the rule of {self._name} gave a tangent of shape {tuple(result.shape)} for a value of shape {tuple(y.shape)}; it "
                "must have the value's shape."
            )
        return result


def _is_somewhere(numbers: Any) -> bool:
    """Whether some of them are finite and not 0."""
    return bool(np.any(np.isfinite(numbers) & (numbers != 0)))


def _some_tangents(x: Any) -> Any:
    """Tangents of no particular direction."""
    size = int(np.prod(np.shape(x), dtype=int))
    return np.cos(np.arange(1.0, size + 1.0)).reshape(np.shape(x)).astype(getattr(x, "dtype", float))[()]


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
        unknown = any(numbers_inside(x) is None or is_stepwise(x) for x in given)
        if unknown or not any(isinstance(x, Traced) for x in given):
            results = function(*trees.unflatten(structure, list(map(separate, leaves))))
            return trees.map_leaves(separate, results)  # a Program plans its memory itself, a graph shows all
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


def _make_sure_of(again: Any, before: Any, args: tuple[Any, ...]) -> None:
    """Refuse what is not the same when it is computed again: from other numbers than before come other derivatives."""
    again, before = map(numbers_inside, (again, before))
    if again is None or before is None or _is_near(again, before, args):  # sums and products may be rounded otherwise
        return
    raise InPlaceError(
        "the function given to checkpoint gave other numbers when it was computed again for the derivative: something that it reads "
        "besides its arguments was changed since, or it draws random numbers. Give all that it depends on as arguments."
    )


def _is_near(found: Any, expected: Any, args: tuple[Any, ...] = ()) -> bool:
    """Whether numbers agree to half of their digits, the largest of them; they have no more than what they are computed of."""
    kinds = [x.dtype for x in (expected, *args) if getattr(x, "dtype", np.dtype(int)).kind in "fc"]
    near, least = max(np.finfo(kind).eps for kind in kinds) ** 0.5, 8.0 * float(np.finfo(expected.dtype).tiny)
    with np.errstate(all="ignore"):
        most = np.max(np.abs(expected), where=np.isfinite(expected), initial=0.0)
        return bool(np.allclose(found, expected, rtol=near, atol=near * most + least, equal_nan=True))


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
        _make_sure_of(again, y, args)
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
