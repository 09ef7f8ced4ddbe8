"""`scipy.optimize`, differentiable: roots and minima by what their functions hold, by the implicit function theorem.

The function's own parameters may be traced values in `args` or in what the function closes over.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from chainrule.autodiff import grad
from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy.closures import Stripped, plain
from chainrule.scipy.fitting import curve_fit, stationary_squares
from chainrule.scipy.solutions import differentiated, solution
from chainrule.scipy.standing import as_array, is_traced, names_of
from chainrule.tracing.apply import lasting, opened
from chainrule.tracing.scope import of_library
from scipy import optimize

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""What has derivatives here, by name."""

Condition = Callable[[Callable[..., Any], dict[str, Any]], Callable[..., Any]]


def _zero(function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    return lambda *given: as_array(function(*given))


def _fixed(function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    return lambda x, *args: as_array(function(x, *args)) - x


def _stationary(function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    return grad(lambda x, *args: np.reshape(as_array(_value(function, options)(x, *args)), ()))


def _value(function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    """The function of which `jac=True` says that it gives its gradient too."""
    return (lambda *given: function(*given)[0]) if options.get("jac") is True else function


def _bounds(bounds: Any, size: int) -> tuple[Any, Any]:
    """Lower and upper ends, one for every number."""
    if isinstance(bounds, optimize.Bounds):
        return np.broadcast_to(bounds.lb, size), np.broadcast_to(bounds.ub, size)
    pairs = [(-np.inf if low is None else low, np.inf if high is None else high) for low, high in bounds]
    return as_array([low for low, _ in pairs]), as_array([high for _, high in pairs])


def _within(x: Any, bounds: Any, what: str) -> tuple[Any, Any]:
    """The solution with the numbers on a bound being that bound, and which are free."""
    low, high = _bounds(bounds, np.size(x))
    room = 1e-9 * (1.0 + np.abs(x))
    at_low, at_high = x <= plain(low, what) + room, x >= plain(high, what) - room
    return np.where(at_low, low, np.where(at_high, high, x)), ~(at_low | at_high)


def _standing(name: str, condition: Condition) -> None:
    """Stand for SciPy's function."""
    own = getattr(optimize, name)
    what, signature = f"scipy.optimize.{name}", inspect.signature(own)

    @of_library(f"optimize.{name}")
    @wraps(own)
    def function(*given: Any, **named: Any) -> Any:
        if not opened and not lasting:
            return own(*given, **named)
        bound = signature.bind(*without_buffers(given), **without_buffers(named)).arguments
        options = (
            {**bound.pop("options", {})} if "options" not in signature.parameters or name == "minimize_scalar" else {}
        )
        options = {**bound, **({"options": options} if options else {})}
        f = options.pop(next(iter(signature.parameters)))
        args, keywords = options.pop("args", ()), options.pop("kwargs", None) or {}
        args = tuple(args) if isinstance(args, list | tuple) else (args,)
        call = (lambda *x: f(*x, **keywords)) if keywords else f
        inner = Stripped(call, what)
        settings = {
            key: Stripped(x, what) if callable(x) else plain(x, what) for key, x in options.items() if key != "bounds"
        }
        bounds = options.get("bounds")
        if bounds is not None:
            settings["bounds"] = plain(bounds, what)
        result = own(inner, **settings, args=plain(args, what))
        if not inner.met_traced and not any(map(is_traced, (*args, *keywords.values(), bounds))):
            return result
        asked = [key for key in ("full_output", "retall") if name in OLDER and options.get(key)]
        if asked:
            raise UnsupportedError(
                f"{what} of traced values takes no {asked[0]}: what else it gives has no derivative. Use minimize or least_squares."
            )
        if options.get("constraints"):
            raise UnsupportedError(
                f"{what} with constraints has no derivative by what is traced: the solution may lie on one. Write the constraint "
                "into the function (x = np.exp(z) for positive x, a penalty), or solve the conditions with root."
            )
        full = isinstance(result, tuple)
        found = result[0] if full else result
        x, free = np.asarray(getattr(found, "x", getattr(found, "root", found)), float)[()], None
        if bounds is not None and name == "minimize":
            x, free = _within(x, bounds, what)
        own_condition = condition(call, options)
        x = solution(lambda x: own_condition(x, *args), x, what, free)
        if not isinstance(found, dict):
            rest = result[1:] if full else ()
            changed = tuple(differentiated(r, root=x) if isinstance(r, dict) else r for r in rest)
            return (x, *changed) if full else x
        known = {"x": x, "root": x}
        if "fun" in found:
            known["fun"] = as_array(_value(call, options)(x, *args))
        if "cost" in found:
            known["cost"] = stationary_squares(call, options, summed=True)(x, *args)
        return differentiated(found, **known)

    FUNCTIONS[name] = function


OLDER = {
    **dict.fromkeys(
        ("fmin", "fmin_powell", "fmin_cg", "fmin_bfgs", "fmin_ncg", "fminbound", "brent", "golden"), _stationary
    ),
    "leastsq": stationary_squares,
}
"""What SciPy has under newer names as well: minima, which alone are given."""

for _name in ("root", "fsolve", "newton", "root_scalar", "brentq", "brenth", "bisect", "ridder", "toms748"):
    _standing(_name, _zero)
_standing("fixed_point", _fixed)
_standing("minimize", _stationary)
_standing("minimize_scalar", _stationary)
_standing("least_squares", stationary_squares)
for _name, _condition in OLDER.items():
    _standing(_name, _condition)
FUNCTIONS["curve_fit"] = curve_fit
globals().update(FUNCTIONS)


def __getattr__(name: str) -> object:
    return getattr(optimize, name)


def __dir__() -> list[str]:
    return names_of(optimize, FUNCTIONS)
