"""Polynomials between knots, by the places asked for and by their coefficients; their slopes and integrals."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy.closures import plain
from chainrule.scipy.standing import as_array, numbers


def beside(x: Any, y: Any) -> Any:
    """Numbers for places, of as many axes as the values there have."""
    return np.reshape(x, (*x.shape, *(1,) * (len(y.shape) - len(x.shape))))


def at(knots: Any, coefficients: Any, x: Any, nu: int = 0) -> Any:
    """The derivative of order `nu` of polynomials between knots; coefficients of the highest power first."""
    place = np.clip(np.searchsorted(knots, plain(x, "scipy.interpolate"), "right") - 1, 0, len(knots) - 2)
    total = np.zeros((*x.shape, *coefficients.shape[2:]), coefficients.dtype)
    away, last = beside(x - knots[place], total), coefficients.shape[0] - 1
    for power in range(last, nu - 1, -1):
        factor = float(np.prod([power - i for i in range(nu)]))
        total = total * away + factor * coefficients[last - power][place]
    return total


class Polynomials:
    """What SciPy's `PPoly` is, with traced coefficients or at traced places.

    `coefficients` has shape (powers, stretches, …), the highest power first; the places' axes stand at `axis` of the result.
    """

    def __init__(self, knots: Any, coefficients: Any, extrapolate: Any = True, axis: int = 0) -> None:
        self.x, self.c, self.extrapolate, self.axis = knots, coefficients, extrapolate, axis

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The polynomial, or its derivative of order `nu`, at places; NaN beyond the knots where it does not go on there."""
        wanted = self.extrapolate if extrapolate is None else extrapolate
        x = numbers(as_array(without_buffers(x)))
        first, last = self.x[0], self.x[-1]
        if wanted == "periodic":
            x = x - (last - first) * np.floor((plain(x, "scipy.interpolate") - first) / (last - first))
        total = at(self.x, self.c, x, nu)
        if not wanted:
            total = np.where(beside(np.logical_and(x >= first, x <= last), total), total, np.nan)
        places = tuple(range(len(x.shape)))
        return np.moveaxis(total, places, tuple(self.axis + i for i in places)) if self.axis else total

    def derivative(self, nu: int = 1) -> Polynomials:
        """The polynomials that are the derivative of an order."""
        c = self.c
        for _ in range(nu):
            powers = np.arange(c.shape[0] - 1, 0, -1.0)
            c = c[:-1] * np.reshape(powers, (-1,) + (1,) * (len(c.shape) - 1)) if c.shape[0] > 1 else 0.0 * c
        return Polynomials(self.x, c, self.extrapolate, self.axis) if nu >= 0 else self.antiderivative(-nu)

    def antiderivative(self, nu: int = 1) -> Polynomials:
        """The polynomials whose derivative of an order these are, 0 at the first knot."""
        c = self.c
        for _ in range(nu):
            powers = np.arange(c.shape[0], 0, -1.0)
            c = c / np.reshape(powers, (-1,) + (1,) * (len(c.shape) - 1))
            width = np.diff(self.x)
            over = sum(c[i] * beside(width ** (c.shape[0] - i), c[i]) for i in range(c.shape[0]))
            begin = np.concatenate([0.0 * over[:1], np.cumsum(over, axis=0)[:-1]])
            c = np.concatenate([c, np.reshape(begin, (1, *begin.shape))])
        return Polynomials(self.x, c, self.extrapolate, self.axis) if nu >= 0 else self.derivative(-nu)

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        """The integral from one place to another."""
        if (self.extrapolate if extrapolate is None else extrapolate) == "periodic":
            raise UnsupportedError(
                "the integral of a periodic interpolant has no derivative here; give bounds inside of one period."
            )
        whole = self.antiderivative()
        return whole(b, 0, extrapolate) - whole(a, 0, extrapolate)
