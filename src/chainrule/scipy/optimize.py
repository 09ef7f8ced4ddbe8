"""`scipy.optimize`, differentiable: roots and minima by what their functions hold, by the implicit function theorem.

SciPy finds the solution x; then two steps of Newton's method are taken with traced numbers. At the solution they move nothing, and
as each doubles the order up to which derivatives are right, those of the result are exact up to the third. The function's own
parameters may be traced values in `args` or in what the function closes over.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from chainrule.autodiff import grad, jacobian
from chainrule.errors import UnsupportedError, shortened
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy.closures import Stripped, close, plain
from chainrule.scipy.standing import is_traced, names_of
from chainrule.tracing.apply import opened
from scipy import optimize

STEPS = 2
FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""What has derivatives here, by name."""

Condition = Callable[[Callable[..., Any]], Callable[..., Any]]


def _newton(condition: Callable[[Any], Any], x: Any) -> Any:
    """The solution with its derivatives."""
    for _ in range(STEPS):
        value, matrix = condition(x), jacobian(condition)(x)
        size = int(np.prod(np.shape(x), dtype=int))
        step = np.linalg.solve(np.reshape(matrix, (size, size)), np.reshape(value, size))
        x = x - np.reshape(step, np.shape(x))
    return x


def _zero(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: _as_array(function(*given))


def _fixed(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *args: _as_array(function(x, *args)) - x


def _stationary(function: Callable[..., Any]) -> Callable[..., Any]:
    return grad(lambda x, *args: np.reshape(_as_array(function(x, *args)), ()))


def _stationary_squares(function: Callable[..., Any]) -> Callable[..., Any]:
    return grad(lambda x, *args: 0.5 * np.sum(_as_array(function(x, *args)) ** 2))


def _as_array(x: Any) -> Any:
    return np.stack(list(x)) if isinstance(x, list | tuple) else x


def _with_args(args: Any) -> tuple[Any, ...]:
    return tuple(args) if isinstance(args, list | tuple) else (args,)


def _standing(name: str, condition: Condition, places: int, refused: tuple[str, ...] = ()) -> None:
    """Stand for SciPy's function; `places` is the position of `args` among its arguments."""
    own = getattr(optimize, name)
    what = f"scipy.optimize.{name}"

    @wraps(own)
    def function(f: Callable[..., Any], *given: Any, **options: Any) -> Any:
        if not opened:
            return own(f, *given, **options)
        given, options = without_buffers(given), without_buffers(options)
        if len(given) > places:
            given, options = (*given[:places], *given[places + 1 :]), {**options, "args": given[places]}
            if len(given) > places:
                raise UnsupportedError(f"{what} takes what follows `args` by name where something is traced.")
        args = _with_args(options.pop("args", ()))
        starts = tuple(plain(x, what) for x in given)
        options = {key: Stripped(x, what) if callable(x) else plain(x, what) for key, x in options.items()}
        inner = Stripped(f, what)
        result = own(inner, *starts, args=plain(args, what), **options)
        full = isinstance(result, tuple)
        found = result[0] if full else result
        x = np.asarray(getattr(found, "x", getattr(found, "root", found)), float)[()]
        if not inner.met_traced and not any(map(is_traced, args)):
            return result
        if used := [option for option in refused if options.get(option) is not None and options[option] != ()]:
            raise UnsupportedError(
                f"{what} with {used[0]} has no derivative by what is traced: the solution may lie on a bound. Leave out {used[0]}, "
                "or write the bound into the function (x = np.exp(z) for positive x)."
            )
        own_condition = condition(f)
        solution = _newton(lambda x: own_condition(x, *args), x)
        if not close(plain(solution, what), x, 1e-3 * (1.0 + np.abs(x))):
            raise UnsupportedError(
                f"{what} gave {shortened(x)}, from where Newton's method goes on to {shortened(plain(solution, what))}: it is no "
                "solution, or lies on a bound, and has no derivative. Use a smaller tol, another start, or no bounds."
            )
        if isinstance(found, dict):  # SciPy's OptimizeResult and RootResults
            found = type(found)(found) if type(found) is optimize.OptimizeResult else found
            found["root" if "root" in found else "x"] = solution
            if "fun" in found:
                found["fun"] = f(solution, *args)
        else:
            found = solution
        return (found, *result[1:]) if full else found

    FUNCTIONS[name] = function


_standing("root", _zero, 1)
_standing("fsolve", _zero, 1)
_standing("newton", _zero, 2)
_standing("root_scalar", _zero, 0)
_standing("fixed_point", _fixed, 1)
_standing("minimize", _stationary, 1, ("bounds", "constraints"))
_standing("minimize_scalar", _stationary, 2, ("bounds",))
_standing("least_squares", _stationary_squares, 99, ("bounds",))
for _name in ("brentq", "brenth", "bisect", "ridder", "toms748"):
    _standing(_name, _zero, 2)
globals().update(FUNCTIONS)


def __getattr__(name: str) -> object:
    return getattr(optimize, name)


def __dir__() -> list[str]:
    return names_of(optimize, FUNCTIONS)
