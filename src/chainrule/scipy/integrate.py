"""`scipy.integrate`, differentiable: integrals by bounds and integrand, differential equations through their steps.

SciPy finds the numbers and how finely to divide; the same division is gone through once more with traced values, for the derivatives,
and must give the same numbers. The steps of a differential equation are one loop (`scan`), of which the values after every step are
kept and nothing else; so derivatives of any order and mode need no adjoint equation, whose solution would have errors of its own.
Parameters may be traced in `args` or in what the function closes over.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.autodiff import scan
from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy.closures import Stripped, close, plain, plainly, with_value
from chainrule.scipy.samples import RULES, trapezoid, weighed
from chainrule.scipy.standing import as_array, is_traced, names_of
from chainrule.tracing.apply import lasting, opened
from chainrule.tracing.scope import of_library
from scipy import integrate

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""What has derivatives here, by name."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(21)


def _standing(derived: Callable[..., Any]) -> Callable[..., Any]:
    own = getattr(integrate, derived.__name__)
    derived = of_library(f"integrate.{derived.__name__}")(derived)

    @wraps(own)
    def function(*given: Any, **options: Any) -> Any:
        return (
            derived(*without_buffers(given), **without_buffers(options))
            if opened or lasting
            else own(*given, **options)
        )

    FUNCTIONS[derived.__name__] = function
    return derived


def _disagree(what: str, found: Any, expected: Any) -> UnsupportedError:
    return UnsupportedError(
        f"{what} found {expected}, and with traced values, by the same division, {found}: too far apart for derivatives to be "
        "trusted. The integrand may be singular, or the equation stiff: divide at the singularity, or ask for smaller errors "
        "(epsabs, rtol, atol)."
    )


@_standing
def quad(func: Any, a: Any, b: Any, args: Any = (), full_output: Any = 0, **options: Any) -> Any:
    """∫ func from a to b; its derivatives are f(b), −f(a) and ∫ ∂f (Leibniz)."""
    what = "scipy.integrate.quad"
    args = tuple(args) if isinstance(args, list | tuple) else (args,)
    low, high = plain(a, what), plain(b, what)
    inner = Stripped(func, what)
    found = integrate.quad(inner, low, high, plain(args, what), full_output=1, **options)
    value, error, details = found[:3]
    result = (value, error, *found[2:]) if full_output else (value, error)
    if not any(map(is_traced, (a, b, *args))) and not inner.met_traced:
        return result
    if options.get("weight") is not None or options.get("complex_func"):
        raise UnsupportedError(
            f"{what} of traced values takes no weight and no complex_func; write the weight into the integrand."
        )

    def f(x: Any) -> Any:
        return func(x, *args)

    count = details["last"]
    pieces = list(zip(details["alist"][:count], details["blist"][:count], strict=True))
    total: Any = 0.0
    nodes = list(zip(_NODES, _WEIGHTS, strict=True))
    for share, weight in (
        (0.5 * (u + v) + 0.5 * (v - u) * x, 0.5 * abs(v - u) * w) for u, v in pieces for x, w in nodes
    ):
        if math.isinf(low) or math.isinf(high):  # x = bound ± (1 − t)/t, as in QUADPACK
            away, slope = (1.0 - share) / share, weight / share**2
            if math.isinf(low) and math.isinf(high):
                term = (f(away) + f(-away)) * (slope if high > low else -slope)
            elif math.isinf(high):
                term = f(a + away) * slope if high > 0 else -f(a - away) * slope
            else:
                term = f(b - away) * slope if low < 0 else -f(b + away) * slope
        else:
            part = (share - low) / (high - low) if high != low else 0.5
            term = (
                f(a + (b - a) * part) * ((b - a) * (weight / abs(high - low)))
                if high != low
                else f(a) * (b - a) * weight
            )
        total = total + term
    if high == low:
        total = f(a) * (b - a)
    if not close(plain(total, what), value, 1e-6 * abs(value) + 10.0 * max(error, 1e-12)):
        raise _disagree(what, plain(total, what), value)
    return (with_value(value, total, what), *result[1:])


def _limit(bound: Any, args: tuple[Any, ...]) -> Any:
    return bound(*args) if callable(bound) else bound


@_standing
def dblquad(
    func: Any, a: Any, b: Any, gfun: Any, hfun: Any, args: Any = (), epsabs: float = 1.49e-08, epsrel: float = 1.49e-08
) -> Any:
    """∫ ∫ func(y, x) dy dx, y from gfun(x) to hfun(x): an integral of integrals."""
    return nquad(
        func,
        [lambda x, *_: (_limit(gfun, (x,)), _limit(hfun, (x,))), (a, b)],
        args,
        {"epsabs": epsabs, "epsrel": epsrel},
    )


@_standing
def tplquad(
    func: Any, a: Any, b: Any, gfun: Any, hfun: Any, qfun: Any, rfun: Any, args: Any = (), epsabs: float = 1.49e-08,
    epsrel: float = 1.49e-08,
) -> Any:  # fmt: skip
    """∫ ∫ ∫ func(z, y, x) dz dy dx, y from gfun(x) to hfun(x), z from qfun(x, y) to rfun(x, y)."""
    ranges = [
        lambda y, x, *_: (_limit(qfun, (x, y)), _limit(rfun, (x, y))), lambda x, *_: (_limit(gfun, (x,)), _limit(hfun, (x,))), (a, b),
    ]  # fmt: skip
    return nquad(func, ranges, args, {"epsabs": epsabs, "epsrel": epsrel})


@_standing
def nquad(func: Any, ranges: Any, args: Any = (), opts: Any = None, full_output: bool = False) -> Any:
    """The integral over several numbers, the first of `func` innermost."""
    what = "scipy.integrate.nquad"
    args = tuple(args) if isinstance(args, list | tuple) else (args,)
    if full_output or callable(opts) or isinstance(opts, list | tuple):
        raise UnsupportedError(
            f"{what} of traced values takes one dictionary of opts, for all integrals, and no full_output."
        )
    errors = [0.0]

    def integral(depth: int, outer: tuple[Any, ...]) -> Any:
        if depth < 0:
            return func(*outer, *args)
        low, high = _limit(ranges[depth], (*outer, *args))
        value, error = quad(lambda x: integral(depth - 1, (x, *outer)), low, high, **(opts or {}))
        errors[0] = max(errors[0], error)
        return value

    return integral(len(ranges) - 1, ()), errors[0]


for _name in RULES:
    _standing(weighed(_name))
_standing(trapezoid)

_C = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0)
_A = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
)
_B = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)
"""Dormand and Prince 1980, order 5."""


def _step(f: Callable[..., Any], y: Any, start: Any, h: Any) -> Any:
    """The value after one step."""
    slopes: list[Any] = []
    for c, row in zip(_C, _A, strict=True):
        inner = y + h * sum(factor * slope for factor, slope in zip(row, slopes, strict=True)) if slopes else y
        slopes.append(as_array(f(start + c * h, inner)))
    return y + h * sum(factor * slope for factor, slope in zip(_B, slopes, strict=True) if factor)


def _path(f: Callable[..., Any], y: Any, times: Any) -> Any:
    """The values at all times, one step from each to the next; shape (times, size).

    The steps are one loop, which keeps nothing but the values, where f can be recorded once for all of them; where its course
    depends on numbers, they are taken one by one, and everything is kept.
    """
    starts, steps = times[:-1], times[1:] - times[:-1]

    def step(y: Any, row: Any) -> tuple[Any, Any]:
        new = _step(f, y, *row)
        return new, new

    try:
        values = scan(step, y, (starts, steps))[1]
    except Exception:  # whatever it is, it will be said of the steps themselves, if they cannot be taken either
        path = [y]
        for start, h in zip(starts, steps, strict=True):
            path.append(_step(f, path[-1], start, h))
        return np.stack(path)
    return np.concatenate([np.reshape(y, (1, *np.shape(y))), values])


def _through_the_steps(
    what: str, f: Callable[..., Any], y0: Any, grid: Any, wanted: Any, expected: Any, scale: float, moved: Any = None
) -> Any:
    """The values at the times wanted, differentiated through steps between all times of the grid; shape (times, size).

    `moved` gives the traced times that plain ones are.
    """
    y0 = as_array(y0)
    times = np.union1d(grid, wanted)
    times = times if wanted[-1] >= wanted[0] else times[::-1]
    fine = np.concatenate([*(np.linspace(u, v, 3)[:-1] for u, v in pairwise(times)), times[-1:]])
    with np.errstate(over="ignore", invalid="ignore"):  # steps too long for a stiff equation, which are refused below
        values = _path(f, y0, fine if moved is None else moved(fine))
    place = {t: i for i, t in enumerate(fine.tolist())}
    result = values[[place[t] for t in wanted.tolist()]]
    if not close(plain(result, what), expected, scale * (1.0 + np.abs(expected))):
        raise _disagree(what, plain(result, what)[-1], expected[-1])
    return with_value(expected, result, what)


def _between(times: Any, traced_times: Any) -> Callable[[Any], Any]:
    """What plain times are among traced ones: as far from the one before to the one after."""
    order = 1.0 if times[-1] >= times[0] else -1.0

    def moved(time: Any) -> Any:
        if len(times) == 1:
            return traced_times[np.zeros(len(time), int)]
        i = np.clip(np.searchsorted(order * times, order * time, "right") - 1, 0, len(times) - 2)
        share = (time - times[i]) / (times[i + 1] - times[i])
        return traced_times[i] + share * (traced_times[i + 1] - traced_times[i])

    return moved


@_standing
def odeint(
    func: Any, y0: Any, t: Any, args: Any = (), tfirst: bool = False, rtol: Any = None, atol: Any = None, **options: Any
) -> Any:
    """The solution of y′ = func(y, t) at the times t."""
    what = "scipy.integrate.odeint"
    args = tuple(args) if isinstance(args, list | tuple) else (args,)

    def f(t: Any, y: Any) -> Any:
        return func(t, y, *args) if tfirst else func(y, t, *args)

    start, times = np.atleast_1d(plain(as_array(y0), what)), np.asarray(plain(t, what), float)
    inner = plainly(f, what, times[0], start)
    result = integrate.odeint(inner, start, times, tfirst=True, rtol=rtol, atol=atol, **options)
    if not any(map(is_traced, (y0, t, *args))) and not inner.met_traced:
        return result
    if options.get("full_output"):
        raise UnsupportedError(f"{what} of traced values takes no full_output.")
    smooth = integrate.solve_ivp(
        lambda t, y: np.asarray(inner(t, y), float), (times[0], times[-1]), start, rtol=1e-8, atol=1e-10
    )
    y0 = y0 if len(np.shape(as_array(y0))) else np.reshape(y0, 1)
    moved = _between(times, as_array(t)) if is_traced(t) else None
    return _through_the_steps(what, f, y0, smooth.t, times, result, 1e-5, moved)


@_standing
def solve_ivp(
    fun: Any, t_span: Any, y0: Any, method: Any = "RK45", t_eval: Any = None, dense_output: bool = False, events: Any = None,
    vectorized: bool = False, args: Any = None, **options: Any,
) -> Any:  # fmt: skip
    """The solution of y′ = fun(t, y) from one time to another.

    Where `fun` jumps as y passes a bound, the time of that depends on what is differentiated by, and this part of the derivative
    is not seen: end at the bound, and begin again. Jumps at given times are.
    """
    what = "scipy.integrate.solve_ivp"
    args = () if args is None else tuple(args)

    def f(t: Any, y: Any) -> Any:
        return fun(t, y, *args)

    start, span = np.atleast_1d(plain(as_array(y0), what)), plain(tuple(t_span), what)
    asked = None if t_eval is None else np.atleast_1d(as_array(t_eval))
    at = None if asked is None else np.asarray(plain(asked, what), float)
    given: dict[str, Any] = {key: Stripped(x, what) if callable(x) else plain(x, what) for key, x in options.items()}
    inner = Stripped(f, what) if vectorized else plainly(f, what, np.float64(span[0]), start)

    def ode(t: Any, y: Any) -> Any:  # SciPy reads the signature of what it is given
        return inner(t, y)

    result = integrate.solve_ivp(ode, span, start, method, at, dense_output, events, vectorized, **given)
    if not any(map(is_traced, (y0, tuple(t_span), asked, *args))) and not inner.met_traced:
        return result
    if events is not None or dense_output:
        raise UnsupportedError(
            f"{what} of traced values takes no events and no dense_output. For an event, take the time of it as the end: a root of "
            "y(T), by optimize.brentq; for values at other times, give them as t_eval."
        )
    moved = _between(np.asarray(span, float), as_array(list(t_span))) if is_traced(tuple(t_span)) else None
    steps = result.t if t_eval is None else integrate.solve_ivp(ode, span, start, method, **given).t
    scale = 1e3 * max(float(np.max(given.get("rtol", 1e-3))), float(np.max(given.get("atol", 1e-6))), 1e-12)
    values = _through_the_steps(what, f, y0, steps, np.asarray(result.t), result.y.T, min(scale, 1e-1), moved)
    times = result.t if moved is None else moved(result.t)
    if asked is not None and is_traced((asked, times)):  # from where steps have led, on by no time at all
        steps_on = zip(times, values, asked, strict=True)
        values = np.stack([_step(f, y, start, own - start) for start, y, own in steps_on])
        times = asked
    result.t, result.y = times, values.T
    return result


globals().update(FUNCTIONS)


def __getattr__(name: str) -> object:
    return getattr(integrate, name)


def __dir__() -> list[str]:
    return names_of(integrate, FUNCTIONS)
