"""B-splines, and splines through values, by the places asked for, the coefficients and the values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy.polynomials import PPoly, at, beside
from chainrule.scipy.standing import as_array, is_traced, not_by, numbers
from chainrule.tracing.scope import of_library
from scipy import interpolate

BY = "the values, the coefficients and the places asked for"


def _stretches(t: Any, k: int) -> tuple[Any, Any]:
    """The knots between which a spline is asked, and the coefficients there of the polynomials of unit splines."""
    count = len(t) - k - 1
    unit = interpolate.BSpline(t, np.eye(count), k)
    left = np.array([t[i] for i in range(k, count) if t[i] < t[i + 1]])
    coefficients = np.stack([unit(left, nu=power) / math.factorial(power) for power in range(k, -1, -1)])
    return np.append(left, t[count]), coefficients


class BSpline:
    """SciPy's `BSpline`, differentiable by its coefficients and by where it is asked."""

    def __init__(self, t: Any, c: Any, k: int, extrapolate: Any = True, axis: int = 0) -> None:
        t, c = without_buffers(t), without_buffers(c)
        self.t, self.k = not_by(t, "t", "scipy.interpolate.BSpline", BY).astype(float), int(k)
        if not is_traced(c):
            self._of(interpolate.BSpline(t, c, k, extrapolate, axis))
            return
        c = numbers(as_array(c))
        self._own, self.extrapolate, self.axis = None, extrapolate, axis % len(c.shape)
        self.c = np.moveaxis(c, axis, 0)  # where SciPy keeps it

    def _of(self, own: Any) -> Any:
        self.t, self.c, self.k, self.extrapolate, self.axis, self._own = (
            own.t,
            own.c,
            own.k,
            own.extrapolate,
            own.axis,
            own,
        )
        return self

    def _polynomials(self) -> PPoly:
        knots, unit = _stretches(self.t, self.k)
        c = numbers(self.c)[: len(self.t) - self.k - 1]
        return PPoly.between(knots, np.tensordot(unit, c, axes=1), self.extrapolate, self.axis)

    @of_library("interpolate.BSpline")
    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The spline, or its derivative of order `nu`, at places."""
        if self._own is not None and not is_traced(without_buffers(x)):
            return self._own(x, nu, extrapolate)
        return self._polynomials()(x, nu, extrapolate)

    def derivative(self, nu: int = 1) -> Any:
        """The spline that is the derivative of an order."""
        if self._own is None:
            return self._polynomials().derivative(nu)
        return _wrapped(self._own.derivative(nu))

    def antiderivative(self, nu: int = 1) -> Any:
        """The spline whose derivative of an order this is."""
        if self._own is None:
            return self._polynomials().antiderivative(nu)
        return _wrapped(self._own.antiderivative(nu))

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        """The integral from one place to another."""
        if self._own is not None and not is_traced((a, b)):
            return self._own.integrate(a, b, extrapolate)
        return self._polynomials().integrate(a, b, extrapolate)

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__.get("_own")
        if name.startswith("__"):
            raise AttributeError(name)
        if own is None:
            raise UnsupportedError(
                f"BSpline.{name} has no derivative by the traced coefficients; its call, derivative, antiderivative and integrate "
                "have."
            )
        return getattr(own, name)


def _wrapped(own: Any) -> Any:
    """SciPy's spline, asked at traced places too."""
    return BSpline.__new__(BSpline)._of(own)


BSpline.basis_element = interpolate.BSpline.basis_element  # type: ignore[attr-defined]
BSpline.design_matrix = interpolate.BSpline.design_matrix  # type: ignore[attr-defined]
BSpline.construct_fast = interpolate.BSpline.construct_fast  # type: ignore[attr-defined]


def make_interp_spline(
    x: Any, y: Any, k: int = 3, t: Any = None, bc_type: Any = None, axis: int = 0, check_finite: bool = True
) -> Any:
    """The spline through values, whose coefficients are linear in these."""
    x, y = without_buffers(x), without_buffers(y)
    if not is_traced((x, y, t)):
        return _wrapped(interpolate.make_interp_spline(x, y, k, t, bc_type, axis, check_finite))
    what = "scipy.interpolate.make_interp_spline"
    places = not_by(x, "x", what, BY)
    if not (bc_type is None or bc_type in ("not-a-knot", "natural", "clamped")):
        raise UnsupportedError(
            f"{what} of traced values was given bc_type={bc_type!r}; it takes None, 'not-a-knot', 'natural' and 'clamped'."
        )
    unit = interpolate.make_interp_spline(places, np.eye(len(places)), k, t, bc_type)
    y = np.moveaxis(numbers(as_array(y)), axis, 0)
    c = np.tensordot(unit.c, y, axes=1)
    return BSpline(unit.t, np.moveaxis(c, 0, axis) if axis else c, k, True, axis % len(y.shape))


def _parts(own: Any) -> tuple[Any, Any, int]:
    """All knots, the coefficients and the degree of one of FITPACK's splines, which tells the knots without their repetitions."""
    knots, c = own.get_knots(), own.get_coeffs()
    k = len(c) - len(knots) + 1
    return np.concatenate([np.full(k, knots[0]), knots, np.full(k, knots[-1])]), c, k


class UnivariateSpline:
    """SciPy's `UnivariateSpline`, differentiable by where it is asked, and where it goes through all values by these."""

    own: Callable[..., Any] = interpolate.UnivariateSpline

    def __init__(self, x: Any, y: Any, *given: Any, **options: Any) -> None:
        name = type(self).__name__
        what = f"scipy.interpolate.{name}"
        places, y = not_by(without_buffers(x), "x", what, BY), without_buffers(y)
        self._own: Any = None
        if not is_traced(y):
            self._of(type(self).own(places, y, *given, **options))
            return
        if name == "UnivariateSpline" and (options.get("s", given[3] if len(given) > 3 else None) != 0):
            raise UnsupportedError(
                f"{what} of traced values takes s=0 only: where it smooths, its knots depend on the values. Give s=0, or take "
                "make_interp_spline; for smoothing, fit the coefficients of a BSpline by least squares."
            )
        y = numbers(as_array(y))
        units = [type(self).own(places, unit, *given, **options) for unit in np.eye(len(places))]
        self._t, _, self._k = _parts(units[0])
        self._ext = units[0].ext
        self._c = np.stack([unit.get_coeffs() for unit in units], axis=1) @ y

    def _of(self, own: Any) -> Any:
        self._own, self._ext, (self._t, self._c, self._k) = own, own.ext, _parts(own)
        return self

    @of_library("interpolate.UnivariateSpline")
    def __call__(self, x: Any, nu: int = 0, ext: Any = None) -> Any:
        """The spline, or its derivative of order `nu`, at places."""
        x = without_buffers(x)
        if self._own is not None and not is_traced(x):
            return self._own(x, nu, ext)
        return evaluated(x, self._t, self._c, self._k, nu, self._ext if ext is None else ext)

    def integral(self, a: Any, b: Any) -> Any:
        """The integral from one place to another."""
        if self._own is not None and not is_traced((a, b)):
            return self._own.integral(a, b)
        return BSpline(self._t, self._c, self._k).integrate(a, b)

    def derivative(self, n: int = 1) -> Any:
        """The spline that is the derivative of an order."""
        if self._own is None:
            return BSpline(self._t, self._c, self._k).derivative(n)
        return UnivariateSpline.__new__(UnivariateSpline)._of(self._own.derivative(n))

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__.get("_own")
        if name.startswith("__"):
            raise AttributeError(name)
        if own is None:
            raise UnsupportedError(
                f"{type(self).__name__}.{name} has no derivative by the traced values; its call and integral have."
            )
        return getattr(own, name)


class InterpolatedUnivariateSpline(UnivariateSpline):
    """SciPy's `InterpolatedUnivariateSpline`, differentiable by its values and by where it is asked."""

    own = interpolate.InterpolatedUnivariateSpline


_NAMES = ("extrapolate", "zeros", "raise", "const")
BEYOND: dict[Any, str] = {**dict(enumerate(_NAMES)), **dict(zip(_NAMES, _NAMES, strict=True))}
"""What FITPACK's splines do beyond their ends, by number and by name."""


def evaluated(x: Any, t: Any, c: Any, k: int, nu: int, ext: Any) -> Any:
    """A spline of FITPACK's at places."""
    knots, unit = _stretches(np.asarray(t, float), int(k))
    coefficients = np.tensordot(unit, numbers(c)[: unit.shape[2]], axes=1)
    x = numbers(as_array(x))
    kind = BEYOND[ext]
    inside = np.logical_and(x >= knots[0], x <= knots[-1])
    if kind == "raise" and not np.all(inside):
        raise ValueError(f"A value in x is outside of the spline's interval, {knots[0]} to {knots[-1]}.")
    if kind == "const":
        x = np.where(x < knots[0], knots[0], np.where(x > knots[-1], knots[-1], x))
    total = at(knots, coefficients, x, nu)
    return np.where(beside(inside, total), total, 0.0) if kind == "zeros" else total


def splev(x: Any, tck: Any, der: int = 0, ext: int = 0) -> Any:
    """A spline of FITPACK's, or its derivative, at places."""
    x = without_buffers(x)
    t, c, k = (without_buffers(part) for part in tck) if isinstance(tck, list | tuple) else (tck.t, tck.c, tck.k)
    if not is_traced((x, c)):
        return interpolate.splev(x, tck._own if isinstance(tck, BSpline) else tck, der, ext)
    if isinstance(c, list | tuple) and len(np.shape(as_array(c))) > 1:  # a curve in several dimensions
        return [evaluated(x, t, one, k, der, ext) for one in c]
    return evaluated(x, t, as_array(c), k, der, ext)


FUNCTIONS: dict[str, Any] = {
    x.__name__: x for x in (BSpline, make_interp_spline, UnivariateSpline, InterpolatedUnivariateSpline, splev)
}
"""What has derivatives here, by name."""
