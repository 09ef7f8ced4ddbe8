"""`scipy.interpolate`, differentiable: piecewise polynomials, by the places asked for and the values given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy import splines
from chainrule.scipy.closures import plain
from chainrule.scipy.grids import RegularGridInterpolator, interpn
from chainrule.scipy.polynomials import PPoly, at, beside
from chainrule.scipy.splines import make_interp_spline
from chainrule.scipy.standing import as_array, is_traced, names_of, not_by, numbers, one_of
from chainrule.tracing.scope import of_library
from scipy import interpolate


class _Piecewise(PPoly):
    """A polynomial between every two knots: SciPy's object, or with traced values its coefficients."""

    own: ClassVar[Callable[..., Any]]
    takes: ClassVar[dict[str, tuple[Any, ...]]] = {}
    """What of SciPy's arguments is understood beside traced values; `()` where it is anything."""

    @of_library("interpolate")
    def __init__(self, x: Any, y: Any, *given: Any, **options: Any) -> None:
        name = type(self).__name__
        x, y = without_buffers(x), without_buffers(y)
        knots = not_by(x, "x", f"scipy.interpolate.{name}", "the values and the places asked for")
        if not is_traced(y):
            self._hold_own(type(self).own(knots, y, *given, **options))
            return
        options |= dict(zip(self.takes, given, strict=False))
        for key, value in options.items():
            known = self.takes.get(key, (None,))
            if len(given) > len(self.takes) or (known and not any(value is x or value == x for x in known)):
                raise UnsupportedError(
                    f"scipy.interpolate.{name} of traced values was given {key}={value!r}; it takes "
                    + ", ".join(f"{k} of {', '.join(map(repr, known)) or 'any'}" for k, known in self.takes.items())
                    + "."
                )
        y = numbers(as_array(y))
        axis = int(options.pop("axis", 0)) % len(y.shape)
        extrapolate = options.pop("extrapolate", None)
        coefficients = self._coefficients(knots, np.moveaxis(y, axis, 0), **options)
        self._hold(None, knots, coefficients, True if extrapolate is None else extrapolate, axis)

    def _coefficients(self, knots: Any, y: Any, **options: Any) -> Any:
        raise NotImplementedError


def _of_spline(knots: Any, y: Any, bc_type: Any = "not-a-knot") -> Any:
    """The coefficients, linear in the values, and in what is said of the ends, which is plain numbers."""
    if isinstance(bc_type, str):
        return np.tensordot(interpolate.CubicSpline(knots, np.eye(len(knots)), 0, bc_type).c, y, axes=1)
    count = len(knots)
    none = tuple(end if isinstance(end, str) else (end[0], np.zeros(count)) for end in bc_type)
    of_ends = interpolate.CubicSpline(knots, np.zeros(tuple(y.shape)), 0, bc_type).c
    return np.tensordot(interpolate.CubicSpline(knots, np.eye(count), 0, none).c, y, axes=1) + of_ends


def _of_lines(knots: Any, y: Any) -> Any:
    return np.stack([np.diff(y, axis=0) / beside(np.diff(knots), y), y[:-1]])


class CubicSpline(_Piecewise):
    """SciPy's `CubicSpline`, differentiable by its values and by where it is asked.

    The coefficients are linear in the values: SciPy's of unit values, times these.
    """

    own = interpolate.CubicSpline
    takes: ClassVar[dict[str, tuple[Any, ...]]] = {
        "axis": (), "bc_type": (), "extrapolate": (None, True, False, "periodic"),
    }  # fmt: skip

    def _coefficients(self, knots: Any, y: Any, **options: Any) -> Any:
        if isinstance(options.get("bc_type"), str):
            one_of(
                options["bc_type"],
                ("not-a-knot", "natural", "clamped"),
                "bc_type",
                "scipy.interpolate.CubicSpline of traced values",
            )
        return _of_spline(knots, y, **options)


def _by_slopes(knots: Any, y: Any, slopes: Any) -> Any:
    """The cubics with these values and slopes at the knots."""
    h = beside(np.diff(knots), y)
    secant = np.diff(y, axis=0) / h
    first, second = slopes[:-1], slopes[1:]
    excess = (first + second - 2.0 * secant) / h
    return np.stack([excess / h, (secant - first) / h - excess, first, y[:-1]])


class CubicHermiteSpline(_Piecewise):
    """SciPy's `CubicHermiteSpline`, differentiable by its values, its slopes and by where it is asked."""

    own = interpolate.CubicHermiteSpline

    def __init__(self, x: Any, y: Any, dydx: Any, axis: int = 0, extrapolate: Any = None) -> None:
        x, y, dydx = without_buffers(x), without_buffers(y), without_buffers(dydx)
        knots = not_by(
            x, "x", "scipy.interpolate.CubicHermiteSpline", "the values, the slopes and the places asked for"
        )
        if not is_traced((y, dydx)):
            self._hold_own(interpolate.CubicHermiteSpline(knots, y, dydx, axis, extrapolate))
            return
        y, slopes = (np.moveaxis(numbers(as_array(z)), axis, 0) for z in (y, dydx))
        known = True if extrapolate is None else extrapolate
        self._hold(None, knots, _by_slopes(knots, y, slopes), known, axis % len(y.shape))


class PchipInterpolator(_Piecewise):
    """SciPy's `PchipInterpolator`, monotone where the values are (Fritsch and Butland 1984)."""

    own = interpolate.PchipInterpolator
    takes: ClassVar[dict[str, tuple[Any, ...]]] = {"axis": (), "extrapolate": (None, True, False)}

    def _coefficients(self, knots: Any, y: Any, **options: Any) -> Any:
        h = beside(np.diff(knots), y)
        secant = np.diff(y, axis=0) / h
        if len(knots) == 2:
            return _by_slopes(knots, y, np.concatenate([secant, secant]))
        before, after = secant[:-1], secant[1:]
        same = before * after > 0.0
        w1, w2 = 2.0 * h[1:] + h[:-1], h[1:] + 2.0 * h[:-1]
        inverse = w1 / np.where(same, before, 1.0) + w2 / np.where(same, after, 1.0)
        inner = np.where(same, (w1 + w2) / np.where(same, inverse, 1.0), 0.0)
        first = self._end(h[:1], h[1:2], secant[:1], secant[1:2])
        last = self._end(h[-1:], h[-2:-1], secant[-1:], secant[-2:-1])
        return _by_slopes(knots, y, np.concatenate([first, inner, last]))

    @staticmethod
    def _end(h0: Any, h1: Any, near: Any, next_one: Any) -> Any:
        """The slope at an end, by three points, as far as it keeps the shape."""
        slope = ((2.0 * h0 + h1) * near - h0 * next_one) / (h0 + h1)
        steep = np.logical_and(np.sign(near) != np.sign(next_one), np.abs(slope) > 3.0 * np.abs(near))
        return np.where(np.sign(slope) != np.sign(near), 0.0, np.where(steep, 3.0 * near, slope))


class Akima1DInterpolator(_Piecewise):
    """SciPy's `Akima1DInterpolator` (Akima 1970)."""

    own = interpolate.Akima1DInterpolator
    takes: ClassVar[dict[str, tuple[Any, ...]]] = {
        "axis": (),
        "method": ("akima",),
        "extrapolate": (None, True, False),
    }

    def __init__(self, x: Any, y: Any, axis: int = 0, *, method: Any = "akima", extrapolate: Any = None) -> None:
        super().__init__(x, y, axis, **({} if method == "akima" else {"method": method}), extrapolate=extrapolate)
        if self._own is None:
            self.extrapolate = bool(extrapolate)

    def _coefficients(self, knots: Any, y: Any, **options: Any) -> Any:
        h = beside(np.diff(knots), y)
        inner = np.diff(y, axis=0) / h
        if len(knots) == 2:
            return _by_slopes(knots, y, np.concatenate([inner, inner]))
        left = 2.0 * inner[:1] - inner[1:2]
        right = 2.0 * inner[-1:] - inner[-2:-1]
        m = np.concatenate([2.0 * left - inner[:1], left, inner, right, 2.0 * right - inner[-1:]])
        change = np.abs(np.diff(m, axis=0))
        before, after = change[:-2], change[2:]
        whole = before + after
        curved = whole > 1e-9 * np.max(plain(whole, "Akima1DInterpolator"), initial=0.0)
        weighed = (after * m[1:-2] + before * m[2:-1]) / np.where(curved, whole, 1.0)
        return _by_slopes(knots, y, np.where(curved, weighed, 0.5 * (m[3:] + m[:-3])))


KINDS = {"linear": 1, "slinear": 1, "quadratic": 2, "cubic": 3}
STEPS = ("nearest", "nearest-up", "previous", "next", "zero")
"""The kinds that give one of the values itself."""


class interp1d:  # noqa: N801  SciPy's name
    """SciPy's `interp1d`, differentiable by its values and by where it is asked, for every `kind` up to cubic."""

    def __init__(
        self, x: Any, y: Any, kind: Any = "linear", axis: int = -1, copy: bool = True, bounds_error: Any = None,
        fill_value: Any = np.nan, assume_sorted: bool = False,
    ) -> None:  # fmt: skip
        x, y, fill_value = without_buffers(x), without_buffers(y), without_buffers(fill_value)
        knots = not_by(x, "x", "scipy.interpolate.interp1d", "the values and the places asked for")
        self._own: Any = None
        if not is_traced(y):
            self._own = interpolate.interp1d(
                knots, y, kind, axis, copy, bounds_error, plain(fill_value, "interp1d"), assume_sorted
            )
        self.kind, self.axis, self.fill_value = kind, axis, fill_value
        self.bounds_error = (
            isinstance(fill_value, float) and np.isnan(fill_value) if bounds_error is None else bounds_error
        )
        order = np.argsort(knots, kind="mergesort")
        self.x, self.y = knots[order], np.take(numbers(y), order, axis=axis)

    @of_library("interpolate.interp1d")
    def __call__(self, x: Any) -> Any:
        """The interpolant at places."""
        x = without_buffers(x)
        if self._own is not None and not is_traced(x) and not is_traced(self.fill_value):
            return self._own(x)
        kind = KINDS.get(self.kind, self.kind)
        if kind not in (*STEPS, 1, 2, 3) or (isinstance(self.fill_value, str) and self.fill_value != "extrapolate"):
            raise UnsupportedError(
                f"scipy.interpolate.interp1d of traced values was given kind={self.kind!r}; it takes "
                f"{', '.join(map(repr, (*KINDS, *STEPS)))}."
            )
        y = np.moveaxis(self.y, self.axis, 0)
        x = numbers(as_array(x))
        if kind in STEPS:
            found = interpolate.interp1d(
                self.x, np.arange(len(self.x)), kind, fill_value="extrapolate", assume_sorted=True
            )
            chosen = np.clip(found(plain(x, "scipy.interpolate.interp1d")), 0, len(self.x) - 1).astype(int)
            total = y[chosen] + beside(0.0 * x, y[chosen])
        elif kind == 2:
            total = make_interp_spline(self.x, y, 2)(x)
        else:
            total = at(self.x, _of_lines(self.x, y) if kind == 1 else _of_spline(self.x, y), x)
        if not isinstance(self.fill_value, str):
            below, above = x < self.x[0], x > self.x[-1]
            if self.bounds_error and np.any(np.logical_or(below, above)):
                raise ValueError(
                    f"A value in x_new is outside of the interpolation range, {self.x[0]} to {self.x[-1]}."
                )
            low, high = self.fill_value if isinstance(self.fill_value, tuple) else (self.fill_value, self.fill_value)
            total = np.where(beside(below, total), low, np.where(beside(above, total), high, total))
        axis = self.axis % len(y.shape)
        places = tuple(range(len(x.shape)))
        return np.moveaxis(total, places, tuple(axis + i for i in places)) if axis else total


globals().update(splines.FUNCTIONS)
FUNCTIONS: dict[str, Any] = {
    x.__name__: x for x in (PPoly, CubicSpline, CubicHermiteSpline, PchipInterpolator, Akima1DInterpolator, interp1d)
}
"""What has derivatives here, by name."""


def pchip_interpolate(xi: Any, yi: Any, x: Any, der: int = 0, axis: int = 0) -> Any:
    """Values or slopes of the `PchipInterpolator`."""
    return PchipInterpolator(xi, yi, axis)(x, der)


FUNCTIONS |= splines.FUNCTIONS
FUNCTIONS |= {
    "pchip_interpolate": pchip_interpolate,
    "RegularGridInterpolator": RegularGridInterpolator,
    "interpn": interpn,
}


def __getattr__(name: str) -> object:
    return getattr(interpolate, name)


def __dir__() -> list[str]:
    return names_of(interpolate, FUNCTIONS)
