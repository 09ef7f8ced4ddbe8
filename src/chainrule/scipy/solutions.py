"""Solutions that SciPy found, as functions of what their equations hold: two of Newton's steps, with traced numbers.

At the solution they move next to nothing, and the numbers stay SciPy's; as each doubles the order up to which derivatives are right,
those of the result are exact up to the third.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.autodiff import jacobian
from chainrule.errors import UnsupportedError, shortened
from chainrule.scipy.closures import close, plain, with_value
from chainrule.tracing.loops.stepwise import is_stepwise
from scipy import optimize

KEPT = {"x", "fun", "cost", "root", "active_mask"}
"""What of a result has its derivatives, or needs none; counts, texts and truth values too."""


def solution(condition: Callable[[Any], Any], x: Any, what: str, free: Any = None) -> Any:
    """The x near `x` where the condition is 0, of all numbers or those that are `free`, with its derivatives.

    Raises
    ------
    UnsupportedError
        Where Newton's method goes elsewhere, or does not converge as it does at a simple solution.
    """
    slopes, size = [], int(np.prod(np.shape(x), dtype=int))
    places = np.arange(size) if free is None else np.flatnonzero(free)
    found, values = x, []
    for _ in range(2):
        value, matrix = np.reshape(condition(x), size), np.reshape(jacobian(condition)(x), (size, size))
        matrix = matrix[np.ix_(places, places)]
        slopes.append(plain(matrix, what))
        values.append(value[places])
        x = _after_step(x, matrix, values[-1], places)
    if not close(plain(x, what), plain(found, what), 1e-3 * (1.0 + np.abs(plain(found, what)))):
        raise UnsupportedError(
            f"{what} gave {shortened(plain(found, what))}, from where Newton's method goes on to {shortened(plain(x, what))}: it is "
            "no solution, or lies on a bound, and has no derivative. Use a smaller tol, another start, or no bounds."
        )
    if np.any(
        np.abs(np.linalg.solve(*slopes) - np.eye(len(places))) > 0.25
    ):  # it shrinks towards a root of higher order
        raise UnsupportedError(
            f"{what} gave {shortened(plain(found, what))}, where the equation's own slope is 0, so that the solution has no "
            "derivative: a root or a minimum of higher order. Write the function so that it crosses 0, or curves."
        )
    if is_stepwise(x):  # one step with plain slopes is the implicit function theorem, to be read
        return _after_step(found, slopes[0], values[0], places)
    return with_value(plain(found, what), x, what)


def _after_step(x: Any, slopes: Any, value: Any, places: Any) -> Any:
    """x after one of Newton's steps, in the numbers at these places."""
    step, size = np.linalg.solve(slopes, value), int(np.prod(np.shape(x), dtype=int))
    if len(places) < size:
        step = np.eye(size)[:, places] @ step
    return x - np.reshape(step, np.shape(x))


class Differentiated(optimize.OptimizeResult):  # type: ignore[misc]  # SciPy has no types
    """SciPy's result, but for numbers that depend on what is traced and have no derivative here; asking for these is an error."""

    lost: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> Any:
        if name in self.lost:
            raise UnsupportedError(
                f"{name!r} of this result has no derivative by what is traced; {', '.join(sorted(KEPT & self.keys()))} have. "
                f"Compute {name} of the solution, with grad or jacobian."
            )
        return super().__getitem__(name)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def differentiated(result: Any, **known: Any) -> Differentiated:
    """A result of SciPy's with these of its entries traced."""
    changed = Differentiated(result)
    changed.update({name: x for name, x in known.items() if name in changed})
    lost = frozenset(
        name
        for name, x in result.items()
        if name not in KEPT and not isinstance(x, bool | int | str | np.integer | np.bool_)
    )
    object.__setattr__(changed, "lost", lost)  # a result's attributes are its entries
    return changed
