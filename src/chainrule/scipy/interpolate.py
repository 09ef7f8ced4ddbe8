"""`scipy.interpolate`, differentiable: cubic splines and linear interpolation, by the places asked for and the values given."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy.closures import plain
from chainrule.scipy.standing import is_traced, names_of, not_by, numbers
from scipy import interpolate


class CubicSpline:
    """SciPy's `CubicSpline`, differentiable by its values and by where it is asked: a polynomial between every two knots.

    The coefficients are linear in the values: SciPy's of unit values, times these.
    """

    def __init__(self, x: Any, y: Any, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: Any = None) -> None:
        x, y = without_buffers(x), without_buffers(y)
        knots = not_by(x, "x", "scipy.interpolate.CubicSpline", "the values and the places asked for")
        if not is_traced(y):
            self._own: Any = interpolate.CubicSpline(knots, y, axis, bc_type, extrapolate)
            self.c = self._own.c
        elif axis != 0 or not isinstance(bc_type, str):
            raise UnsupportedError(
                "scipy.interpolate.CubicSpline of traced values takes axis=0 and a bc_type by name "
                f"('not-a-knot', 'natural', 'clamped'); it was given axis={axis} and bc_type={bc_type!r}."
            )
        elif bc_type == "periodic":
            raise UnsupportedError(
                "scipy.interpolate.CubicSpline of traced values is not periodic. Use another bc_type, with repeated values."
            )
        else:
            self._own = None
            units = interpolate.CubicSpline(knots, np.eye(len(knots)), 0, bc_type).c
            self.c = np.tensordot(units, numbers(y), axes=1)
        self.x = knots

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """The spline, or its derivative of order `nu`, at places."""
        x = without_buffers(x)
        if self._own is not None and not is_traced(x):
            return self._own(x, nu, extrapolate)
        x = numbers(x)
        place = np.clip(np.searchsorted(self.x, plain(x, "CubicSpline"), "right") - 1, 0, len(self.x) - 2)
        away = x - self.x[place]
        away = np.reshape(away, (*x.shape, *(1,) * (len(self.c.shape) - 2)))
        total: Any = 0.0
        for power in range(3, nu - 1, -1):
            factor = float(np.prod([power - i for i in range(nu)]))
            total = total * away + factor * self.c[3 - power][place]
        return total

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__.get("_own")
        if own is None:
            raise UnsupportedError(
                f"CubicSpline.{name} has no derivative by the traced values; the spline's call has, and nu gives its slopes."
            )
        return getattr(own, name)


FUNCTIONS: dict[str, Any] = {"CubicSpline": CubicSpline}
"""What has derivatives here, by name."""


def __getattr__(name: str) -> object:
    return getattr(interpolate, name)


def __dir__() -> list[str]:
    return names_of(interpolate, FUNCTIONS)
