"""SciPy's distributions with derivatives: by the argument, the shapes, location and scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy.laws.laws import Law
from chainrule.scipy.standing import answered, in_double, is_traced
from chainrule.tracing.apply import Traced, opened, traced


def _inside(law: Law, z: Any, low: Any, high: Any) -> Any:
    inside = np.logical_and(z > low, z < high) if law.open else np.logical_and(z >= low, z <= high)
    inside = np.logical_and(inside, np.abs(z) < math.inf)
    return np.logical_and(inside, np.floor(z) == z) if law.discrete else inside


def _log_density(law: Law, x: Any, shapes: Any, loc: Any, scale: Any) -> Any:
    z = (x - loc) / scale
    inside = _inside(law, z, *law.support(*shapes))
    value = law.log_density(traced, np.where(inside, z, law.inside(*shapes)), *shapes)
    outside = np.where(z == z, -math.inf, math.nan)
    return np.where(inside, value if law.discrete else value - np.log(scale), outside)


def _share(law: Law, rule: Callable[..., Any], given: tuple[Any, ...], ends: tuple[float, float]) -> Any:
    """A rule inside of the support, and its limits outside."""
    x, shapes, loc, scale = given
    z = (x - loc) / scale
    z = np.floor(z) if law.discrete else z
    low, high = law.support(*shapes)
    below, above = (z < low, z >= high) if law.discrete else (z <= low, z >= high)
    inside = np.logical_not(np.logical_or(below, above))
    value = rule(traced, np.where(inside, z, law.inside(*shapes)), *shapes)
    return np.where(inside, value, np.where(below, ends[0], ends[1]))


def _of_smaller(smaller: Any, other: Any) -> Any:
    """The logarithm of a share, from whichever of it and the rest has more digits."""
    small = smaller < 0.5
    return np.where(small, traced.log_of_share(np.where(small, smaller, 0.5)), np.log1p(-np.where(small, 0.5, other)))


def _both(law: Law) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The rules of the shares below and above."""
    assert law.below is not None
    assert law.above is not None
    return law.below, law.above


def _below(law: Law, *given: Any) -> Any:
    return _share(law, _both(law)[0], given, (0.0, 1.0))


def _above(law: Law, *given: Any) -> Any:
    return _share(law, _both(law)[1], given, (1.0, 0.0))


def _log_below(law: Law, *given: Any) -> Any:
    below, above = _both(law)
    rule = law.log_below or (lambda m, *z: _of_smaller(below(m, *z), above(m, *z)))
    return _share(law, rule, given, (-math.inf, 0.0))


def _log_above(law: Law, *given: Any) -> Any:
    below, above = _both(law)
    rule = law.log_above or (lambda m, *z: _of_smaller(above(m, *z), below(m, *z)))
    return _share(law, rule, given, (0.0, -math.inf))


def _quantile_by(law: Law, rule: Callable[..., Any], given: tuple[Any, ...], upper: bool) -> Any:
    q, shapes, loc, scale = given
    inside = np.logical_and(q > 0.0, q < 1.0)
    low, high = law.support(*shapes)
    first, last = (high, low) if upper else (low, high)
    ends = np.where(q == 0.0, first, np.where(q == 1.0, last, math.nan))
    value = rule(traced, np.where(inside, q, 0.5), *shapes)
    return loc + scale * np.where(inside, value, ends)


def _quantile(law: Law, *given: Any) -> Any:
    assert law.quantile is not None
    return _quantile_by(law, law.quantile, given, upper=False)


def _upper_quantile(law: Law, *given: Any) -> Any:
    assert law.upper_quantile is not None
    return _quantile_by(law, law.upper_quantile, given, upper=True)


CONTINUOUS: dict[str, Callable[..., Any]] = {
    "logpdf": _log_density,
    "pdf": lambda law, *given: np.exp(_log_density(law, *given)),
}
DISCRETE: dict[str, Callable[..., Any]] = {
    "logpmf": _log_density,
    "pmf": lambda law, *given: np.exp(_log_density(law, *given)),
}
SHARES: dict[str, Callable[..., Any]] = {"cdf": _below, "sf": _above, "logcdf": _log_below, "logsf": _log_above}
QUANTILES: dict[str, Callable[..., Any]] = {"ppf": _quantile, "isf": _upper_quantile}


def methods_of(law: Law) -> dict[str, Callable[..., Any]]:
    """What of a distribution has a derivative, by SciPy's name."""
    shares = SHARES if law.below is not None else {}
    quantiles = QUANTILES if law.quantile is not None else {}
    return {**(DISCRETE if law.discrete else CONTINUOUS), **shares, **quantiles}


class Distribution:
    """One of SciPy's distributions: its own object, but for the methods that have derivatives, where something is traced."""

    def __init__(self, own: Any, law: Law) -> None:
        self.own, self.law = own, law
        self._names = [*(own.shapes or "").replace(" ", "").split(","), "loc", *([] if law.discrete else ["scale"])]
        self._names = [name for name in self._names if name]
        self.__doc__ = own.__doc__
        for name, method in methods_of(law).items():
            setattr(self, name, self._differentiable(name, method))

    def __getattr__(self, name: str) -> Any:
        if name == "own":  # not there yet, while it is copied
            raise AttributeError(name)
        found = getattr(self.own, name)
        if name.startswith("_") or not callable(found):
            return found

        @wraps(found)
        def of_numbers(*args: Any, **options: Any) -> Any:
            args, options = without_buffers(args), without_buffers(options)
            if any(map(is_traced, (*args, *options.values()))):
                raise UnsupportedError(
                    f"stats.{self.own.name}.{name} has no derivative here. Use one of those that have: "
                    f"{', '.join(methods_of(self.law))}; or give plain numbers, from outside of what is differentiated."
                )
            return found(*args, **options)

        return of_numbers

    def _differentiable(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """A method of SciPy's, or where something is traced, the one with derivatives."""
        own = getattr(self.own, name)
        place = "q" if name in QUANTILES else "k" if self.law.discrete else "x"

        @wraps(own)
        def call(*args: Any, **options: Any) -> Any:
            if opened:
                args, options = without_buffers(args), without_buffers(options)
            if not any(map(is_traced, args)) and not any(map(is_traced, options.values())):
                return own(*args, **options)
            if not args and place not in options:
                raise UnsupportedError(f"stats.{self.own.name}.{name} was called without {place}; give it first.")
            x, args = (options.pop(place), args) if place in options else (args[0], args[1:])
            given = (in_double(x), *self._parameters(name, args, options))
            return answered(f"scipy.stats.{self.own.name}.{name}", derived, given, {})

        def derived(x: Any, shapes: list[Any], loc: Any, scale: Any) -> Any:
            valid = np.logical_and(self.law.valid(*shapes), scale > 0)
            if not isinstance(valid, Traced) and np.all(valid):
                return method(self.law, x, shapes, loc, scale)
            return np.where(valid, method(self.law, x, shapes, loc, np.where(valid, scale, 1.0)), math.nan)

        return call

    def _parameters(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[list[Any], Any, Any]:
        """The shapes, and location and scale, given by position or by name."""
        given = {"loc": 0.0, "scale": 1.0, **dict(zip(self._names, args, strict=False)), **options}
        missing = [x for x in self._names if x not in given]
        unknown = [x for x in options if x not in self._names]
        if missing or unknown or len(args) > len(self._names):
            raise UnsupportedError(
                f"stats.{self.own.name}.{name} was called with traced values and {len(args)} parameters by position, "
                f"{list(options)} by name; it takes {', '.join(self._names)}."
            )
        shapes = [in_double(given[x]) for x in self._names if x not in ("loc", "scale")]
        return shapes, in_double(given["loc"]), in_double(given["scale"])

    def __call__(self, *args: Any, **options: Any) -> Any:
        """The distribution with these parameters, frozen."""
        if not any(map(is_traced, args)) and not any(map(is_traced, options.values())):
            return Frozen(self, args, options, self.own(*args, **options))
        return Frozen(self, args, options)

    freeze = __call__

    def __repr__(self) -> str:
        return repr(self.own)


class Frozen:
    """A distribution with its parameters, some of them traced, or its argument."""

    def __init__(self, of: Distribution, args: tuple[Any, ...], options: dict[str, Any], own: Any = None) -> None:
        self._of, self._args, self._options, self._own = of, args, options, own

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in methods_of(self._of.law):
            method = getattr(self._of, name)
            return lambda *x, **named: method(*x, *self._args, **named, **self._options)
        if self._own is None:
            raise UnsupportedError(
                f"stats.{self._of.own.name}(…).{name} has no derivative by the traced parameters it was made with. Use one of "
                f"those that have: {', '.join(methods_of(self._of.law))}."
            )
        return getattr(self._own, name)
