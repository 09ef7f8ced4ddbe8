"""Integrals of samples, by the samples, by where they are and by how far they lie apart.

They are sums of the samples with weights: SciPy's own where nothing is differentiated by the places, and else written out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import ShapeError
from chainrule.scipy.standing import answered, as_array, is_traced, numbers
from scipy import integrate


def _simpson(y: Any, h: Any) -> Any:
    """Parabolas through every three samples; of an even number the last stretch by Cartwright's correction (2017)."""
    n = y.shape[-1]
    if n == 1:
        return 0.0 * y[..., 0]
    if n == 2:
        return 0.5 * h[..., 0] * (y[..., 0] + y[..., 1])
    last = n - 1 if n % 2 else n - 2
    first, second = h[..., 0:last:2], h[..., 1:last:2]
    both, ratio = first + second, first / second
    middle = y[..., 0 : last - 1 : 2] * (2.0 - 1.0 / ratio) + y[..., 1:last:2] * both**2 / (first * second)
    total = np.sum(both / 6.0 * (middle + y[..., 2 : last + 1 : 2] * (2.0 - ratio)), axis=-1)
    if n % 2:
        return total
    a, b = h[..., -2], h[..., -1]
    total = (
        total
        + y[..., -1] * (2.0 * b**2 + 3.0 * a * b) / (6.0 * (a + b))
        + y[..., -2] * (b**2 + 3.0 * a * b) / (6.0 * a)
    )
    return total - y[..., -3] * b**3 / (6.0 * a * (a + b))


def _first_stretches(y: Any, h: Any) -> Any:
    """The integral over the first of every two stretches beside each other, of the parabola there."""
    first, second = h[..., :-1], h[..., 1:]
    part, skew = first / (first + second), first**2 / ((first + second) * second)
    return first / 6.0 * (y[..., :-2] * (3.0 - part) + y[..., 1:-1] * (3.0 + skew + part) - y[..., 2:] * skew)


def _cumulative_simpson(y: Any, h: Any) -> Any:
    n = y.shape[-1]
    if n < 3:
        return _cumulative_trapezoid(y, h)
    ahead, behind = _first_stretches(y, h), np.flip(_first_stretches(np.flip(y, -1), np.flip(h, -1)), -1)
    stretches = [ahead[..., i] if i % 2 == 0 and i < n - 2 else behind[..., i - 1] for i in range(n - 1)]
    return np.cumsum(np.stack(stretches, axis=-1), axis=-1)


def _cumulative_trapezoid(y: Any, h: Any) -> Any:
    return np.cumsum(0.5 * h * (y[..., 1:] + y[..., :-1]), axis=-1)


def _romberg(y: Any, h: Any) -> Any:
    weights = integrate.romb(np.eye(y.shape[-1]), axis=0)
    return (y @ weights) * h[..., 0]


RULES: dict[str, Callable[[Any, Any], Any]] = {
    "simpson": _simpson,
    "romb": _romberg,
    "cumulative_trapezoid": _cumulative_trapezoid,
    "cumulative_simpson": _cumulative_simpson,
}
"""Of samples along the last axis, and the distances between them."""


def _distances(x: Any, dx: Any, y: Any, axis: int, called: str) -> Any:
    if x is None:
        steps = numbers(as_array(dx))
        if len(steps.shape) == len(y.shape):
            steps = np.moveaxis(steps, axis, -1)
        elif len(steps.shape):
            raise ShapeError(
                f"{called} was given dx of shape {tuple(steps.shape)} and y of shape {tuple(y.shape)}; give one number."
            )
        return np.broadcast_to(steps, (*steps.shape[:-1], y.shape[-1] - 1))
    x = numbers(as_array(x))
    x = np.moveaxis(x, axis, -1) if len(x.shape) == len(y.shape) else x
    if x.shape[-1] != y.shape[-1]:
        raise ShapeError(f"{called} was given {y.shape[-1]} samples and {x.shape[-1]} places; give as many.")
    return np.diff(x, axis=-1)


def _beginning(result: Any, initial: Any, called: str) -> Any:
    """With the value at the first sample, and every other raised by it where SciPy does so."""
    if initial is None:
        return result
    first = np.broadcast_to(numbers(as_array(initial)) * 1.0, (*result.shape[:-1], 1))
    return np.concatenate([first, result + first if called == "cumulative_simpson" else result], axis=-1)


def weighed(name: str) -> Callable[..., Any]:
    """What stands for one of SciPy's sums of samples."""
    own, rule, called = getattr(integrate, name), RULES[name], f"scipy.integrate.{name}"
    signature = inspect.signature(own)

    def derived(*given: Any, **options: Any) -> Any:
        if not any(map(is_traced, (*given, *options.values()))):
            return own(*given, **options)
        return answered(called, summed, given, options)

    def summed(*given: Any, **options: Any) -> Any:
        bound = dict(signature.bind(*given, **options).arguments)
        axis, initial = bound.pop("axis", -1), bound.pop("initial", None)
        y = np.moveaxis(numbers(as_array(bound.pop("y"))), axis, -1)
        if not y.shape[-1]:
            raise ShapeError(f"{called} was given y of shape {tuple(y.shape)}; give samples.")
        if is_traced(list(bound.values())) or len(np.shape(bound.get("x", 0))) > 1 or len(np.shape(bound.get("dx", 0))):
            result = rule(y, _distances(bound.get("x"), bound.get("dx", 1.0), y, axis, called))
        else:
            weights = own(np.eye(y.shape[-1], dtype=np.result_type(y.dtype, np.float32)), axis=0, **bound)
            result = y @ (weights if weights.ndim == 1 else weights.T)
        if name.startswith("cumulative"):
            return np.moveaxis(_beginning(result, initial, name), -1, axis)
        return result

    derived.__name__ = name
    return derived


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of the straight lines through samples."""
    return np.trapezoid(numbers(as_array(y)), None if x is None else numbers(as_array(x)), dx, axis)
