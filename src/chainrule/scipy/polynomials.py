"""Polynomials between knots: differentiable by their coefficients, by the places asked for and by limits of integrals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy.closures import plain
from chainrule.scipy.standing import as_array, is_traced, not_by, numbers
from chainrule.tracing.scope import of_library
from scipy import interpolate


def beside(x: Any, y: Any) -> Any:
    """Numbers for places, of as many axes as the values there have."""
    return np.reshape(x, (*x.shape, *(1,) * (len(y.shape) - len(x.shape))))


def at(knots: Any, coefficients: Any, x: Any, nu: int = 0) -> Any:
    """The derivative of order `nu` of polynomials between knots; coefficients of the highest power first."""
    place = np.clip(np.searchsorted(knots, plain(x, "scipy.interpolate"), "right") - 1, 0, len(knots) - 2)
    total = np.zeros((*x.shape, *coefficients.shape[2:]), coefficients.dtype)
    away, last = beside(x - knots[place], total), coefficients.shape[0] - 1
    for power in range(last, nu - 1, -1):
        total = total * away + math.perm(power, nu) * coefficients[last - power][place]
    return total


class PPoly:
    """SciPy's `PPoly`, differentiable by coefficients, by where it is asked, and by the limits of its integrals.

    `_own` is SciPy's object, as long as nothing in it is traced.
    """

    x: Any
    c: Any
    extrapolate: Any
    axis: int
    _own: Any

    from_spline = staticmethod(interpolate.PPoly.from_spline)
    from_bernstein_basis = staticmethod(interpolate.PPoly.from_bernstein_basis)

    def __init__(self, c: Any, x: Any, extrapolate: Any = None, axis: int = 0) -> None:
        c, name = without_buffers(c), "scipy.interpolate.PPoly"
        knots = not_by(without_buffers(x), "x", name, "the coefficients and the places asked for")
        if is_traced(c):
            c = numbers(as_array(c))
            axis %= len(c.shape) - 1
            c = np.moveaxis(c, (axis, axis + 1), (0, 1))  # where SciPy keeps them
            self._hold(None, knots, c, True if extrapolate is None else extrapolate, axis)
        else:
            self._hold_own(interpolate.PPoly(c, knots, extrapolate, axis))

    @classmethod
    def between(cls, knots: Any, coefficients: Any, extrapolate: Any = True, axis: int = 0) -> PPoly:
        """With traced coefficients of shape (powers, stretches, …), whatever the axis of the places."""
        found = PPoly.__new__(PPoly)
        found._hold(None, knots, coefficients, extrapolate, axis)
        return found

    def _hold(self, own: Any, x: Any, c: Any, extrapolate: Any, axis: int = 0) -> None:
        self._own, self.x, self.c, self.extrapolate, self.axis = own, x, c, extrapolate, axis

    def _hold_own(self, own: Any) -> None:
        self._hold(own, own.x, own.c, own.extrapolate, own.axis)

    @of_library("interpolate.PPoly")
    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The polynomials, or their derivative of order `nu`, at places."""
        x = without_buffers(x)
        if self._own is not None and not is_traced(x):
            return self._own(x, nu, extrapolate)
        wanted = self.extrapolate if extrapolate is None else extrapolate
        x = numbers(as_array(x))
        first, last = self.x[0], self.x[-1]
        if wanted == "periodic":
            x = x - (last - first) * np.floor((plain(x, "scipy.interpolate") - first) / (last - first))
        total = at(self.x, self.c, x, nu)
        if not wanted:
            total = np.where(beside(np.logical_and(x >= first, x <= last), total), total, np.nan)
        places = tuple(range(len(x.shape)))
        return np.moveaxis(total, places, tuple(self.axis + i for i in places)) if self.axis else total

    @of_library("interpolate.PPoly")
    def derivative(self, nu: int = 1) -> PPoly:
        """The polynomials of the derivative of order `nu`; of a negative order, of the antiderivative."""
        if nu < 0:
            return self.antiderivative(-nu)
        found = PPoly.__new__(PPoly)
        if self._own is not None:
            found._hold_own(self._own.derivative(nu))
            return found
        last = self.c.shape[0] - 1
        kept = [math.perm(power, nu) * self.c[last - power] for power in range(last, nu - 1, -1)]
        found._hold(None, self.x, np.stack(kept or [np.zeros(self.c.shape[1:])]), self.extrapolate, self.axis)
        return found

    @of_library("interpolate.PPoly")
    def antiderivative(self, nu: int = 1) -> PPoly:
        """The polynomials of the antiderivative of order `nu`, each 0 at the first knot."""
        if nu <= 0:
            return self.derivative(-nu)
        found = PPoly.__new__(PPoly)
        if self._own is not None:
            found._hold_own(self._own.antiderivative(nu))
            return found
        c, widths = self.c, np.diff(self.x)
        for _ in range(nu):
            size = c.shape[0]
            c = np.stack([*(c[i] / (size - i) for i in range(size)), np.zeros(c.shape[1:])])
            pieces = sum(c[i] * beside(widths ** (size - i), c[i]) for i in range(size))
            before = np.concatenate([np.zeros((1, *c.shape[2:])), np.cumsum(pieces[:-1], axis=0)])
            c = np.concatenate([c[:-1], before[None]])
        found._hold(None, self.x, c, self.extrapolate, self.axis)
        return found

    @of_library("interpolate.PPoly")
    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        """The integral from `a` to `b`."""
        a, b = without_buffers(a), without_buffers(b)
        if self._own is not None and not is_traced(a) and not is_traced(b):
            return self._own.integrate(a, b, extrapolate)
        if (self.extrapolate if extrapolate is None else extrapolate) == "periodic":
            raise UnsupportedError(
                f"{type(self).__name__}.integrate has no derivative with periodic extrapolation; give limits inside of one period, "
                "as np.mod has them."
            )
        whole = self.antiderivative()
        return whole(b, 0, extrapolate) - whole(a, 0, extrapolate)

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__.get("_own")
        if name.startswith("__"):  # Python asks every object for some of these
            raise AttributeError(name)
        if own is None:
            raise UnsupportedError(
                f"{type(self).__name__}.{name} has no derivative by the traced values. Its call, derivative, antiderivative "
                "and integrate have; a root is found by chainrule.scipy.optimize.brentq of its call."
            )
        return getattr(own, name)
