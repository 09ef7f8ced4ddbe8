"""`scipy.interpolate`, differentiable: piecewise polynomials, by the places asked for and the values given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy.closures import plain
from chainrule.scipy.grids import RegularGridInterpolator, interpn
from chainrule.scipy.polynomials import PPoly, at, beside
from chainrule.scipy.standing import is_traced, names_of, not_by, numbers
from scipy import interpolate


class _Piecewise(PPoly):
    """A polynomial between every two knots: SciPy's object, or with traced values its coefficients."""

    own: ClassVar[Callable[..., Any]]
    takes: ClassVar[dict[str, tuple[Any, ...]]] = {}
    """What of SciPy's arguments is understood beside traced values."""

    def __init__(self, x: Any, y: Any, *given: Any, **options: Any) -> None:
        name = type(self).__name__
        x, y = without_buffers(x), without_buffers(y)
        knots = not_by(x, "x", f"scipy.interpolate.{name}", "the values and the places asked for")
        if not is_traced(y):
            self._hold_own(type(self).own(knots, y, *given, **options))
            return
        options |= dict(zip(self.takes, given, strict=False))
        for key, value in options.items():
            if len(given) > len(self.takes) or not any(
                value is known or value == known for known in self.takes.get(key, ())
            ):
                raise UnsupportedError(
                    f"scipy.interpolate.{name} of traced values was given {key}={value!r}; it takes "
                    + ", ".join(f"{k} of {', '.join(map(repr, known))}" for k, known in self.takes.items())
                    + "."
                )
        chosen = {k: v for k, v in options.items() if k not in ("axis", "extrapolate")}
        coefficients = self._coefficients(knots, numbers(y), **chosen)
        self._hold(None, knots, coefficients, options.get("extrapolate") is not False)

    def _coefficients(self, knots: Any, y: Any, **options: Any) -> Any:
        raise NotImplementedError


def _of_spline(knots: Any, y: Any, **options: Any) -> Any:
    return np.tensordot(interpolate.CubicSpline(knots, np.eye(len(knots)), 0, **options).c, y, axes=1)


def _of_lines(knots: Any, y: Any) -> Any:
    return np.stack([np.diff(y, axis=0) / beside(np.diff(knots), y), y[:-1]])


class CubicSpline(_Piecewise):
    """SciPy's `CubicSpline`, differentiable by its values and by where it is asked.

    The coefficients are linear in the values: SciPy's of unit values, times these.
    """

    own = interpolate.CubicSpline
    takes: ClassVar[dict[str, tuple[Any, ...]]] = {
        "axis": (0,), "bc_type": ("not-a-knot", "natural", "clamped"), "extrapolate": (None, True, False),
    }  # fmt: skip

    def _coefficients(self, knots: Any, y: Any, **options: Any) -> Any:
        return _of_spline(knots, y, **options)


def _by_slopes(knots: Any, y: Any, slopes: Any) -> Any:
    """The cubics with these values and slopes at the knots."""
    h = beside(np.diff(knots), y)
    secant = np.diff(y, axis=0) / h
    first, second = slopes[:-1], slopes[1:]
    excess = (first + second - 2.0 * secant) / h
    return np.stack([excess / h, (secant - first) / h - excess, first, y[:-1]])


class PchipInterpolator(_Piecewise):
    """SciPy's `PchipInterpolator`, monotone where the values are (Fritsch and Butland 1984)."""

    own = interpolate.PchipInterpolator
    takes: ClassVar[dict[str, tuple[Any, ...]]] = {"axis": (0,), "extrapolate": (None, True, False)}

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
        "axis": (0,),
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


class interp1d:  # noqa: N801  SciPy's name
    """SciPy's `interp1d`, differentiable by its values and by where it is asked, for `kind` "linear" and "cubic"."""

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

    def __call__(self, x: Any) -> Any:
        """The interpolant at places."""
        x = without_buffers(x)
        if self._own is not None and not is_traced(x) and not is_traced(self.fill_value):
            return self._own(x)
        if self.kind not in ("linear", "cubic", 1, 3) or (
            isinstance(self.fill_value, str) and self.fill_value != "extrapolate"
        ):
            raise UnsupportedError(
                f"scipy.interpolate.interp1d of traced values was given kind={self.kind!r}; it takes 'linear' and 'cubic'."
            )
        y = np.moveaxis(self.y, self.axis, 0)
        x = numbers(x)
        coefficients = _of_lines(self.x, y) if self.kind in ("linear", 1) else _of_spline(self.x, y)
        total = at(self.x, coefficients, x)
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


FUNCTIONS: dict[str, Any] = {
    x.__name__: x for x in (PPoly, CubicSpline, PchipInterpolator, Akima1DInterpolator, interp1d)
}
"""What has derivatives here, by name."""


def pchip_interpolate(xi: Any, yi: Any, x: Any, der: int = 0, axis: int = 0) -> Any:
    """Values or slopes of the `PchipInterpolator`."""
    return PchipInterpolator(xi, yi, axis)(x, der)


FUNCTIONS |= {
    "pchip_interpolate": pchip_interpolate,
    "RegularGridInterpolator": RegularGridInterpolator,
    "interpn": interpn,
}


def __getattr__(name: str) -> object:
    return getattr(interpolate, name)


def __dir__() -> list[str]:
    return names_of(interpolate, FUNCTIONS)
