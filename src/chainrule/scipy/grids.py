"""Interpolation on rectangular grids of any dimension, by the places asked for and the values given."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.numpy.buffer import without_buffers
from chainrule.scipy.closures import plain
from chainrule.scipy.standing import as_array, is_traced, not_by, numbers
from chainrule.tracing.scope import of_library
from scipy import interpolate

WHAT = "scipy.interpolate.RegularGridInterpolator"


def _places(xi: Any, dimensions: int) -> Any:
    """Points along the last axis, given so or as a tuple of coordinates that broadcast."""
    if isinstance(xi, tuple):
        coordinates = [numbers(as_array(x)) for x in xi]
        shape = np.broadcast_shapes(*(tuple(x.shape) for x in coordinates))
        return np.stack([np.broadcast_to(x, shape) for x in coordinates], axis=-1)
    x = numbers(as_array(xi))
    return x if len(x.shape) > 1 else np.reshape(x, (-1, dimensions))


def _between(grid: list[Any], values: Any, x: Any) -> Any:
    """The value between the corners of the cell around every point, a product of straight lines."""
    corners, shares = [], []
    for i, knots in enumerate(grid):
        place = np.clip(np.searchsorted(knots, plain(x[..., i], WHAT), "right") - 1, 0, len(knots) - 2)
        share = (x[..., i] - knots[place]) / (knots[place + 1] - knots[place])
        corners.append((place, place + 1))
        shares.append((1.0 - share, share))
    total: Any = 0.0
    for corner in product((0, 1), repeat=len(grid)):
        found = values[tuple(places[k] for places, k in zip(corners, corner, strict=True))]
        weight: Any = 1.0
        for both, k in zip(shares, corner, strict=True):
            weight = weight * both[k]
        total = total + np.reshape(weight, (*weight.shape, *(1,) * (len(found.shape) - len(weight.shape)))) * found
    return total


class RegularGridInterpolator:
    """SciPy's `RegularGridInterpolator`, differentiable where it is linear."""

    def __init__(
        self, points: Any, values: Any, method: str = "linear", bounds_error: bool = True, fill_value: Any = np.nan,
        **options: Any,
    ) -> None:  # fmt: skip
        values = without_buffers(values)
        self.grid = [not_by(without_buffers(x), "points", WHAT, "the values and the places asked for") for x in points]
        self._own: Any = None
        if not is_traced(values):
            self._own = interpolate.RegularGridInterpolator(points, values, method, bounds_error, fill_value, **options)
        self.values, self.method = numbers(as_array(values)), method
        self.bounds_error, self.fill_value = bounds_error, fill_value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or self._own is None:
            raise AttributeError(name)
        return getattr(self._own, name)

    @of_library("interpolate.RegularGridInterpolator")
    def __call__(self, xi: Any, method: str | None = None, *, nu: Any = None) -> Any:
        """The interpolant at places."""
        xi = without_buffers(xi)
        if self._own is not None and not is_traced(xi):
            return self._own(xi, method, nu=nu)
        if (method or self.method) != "linear" or nu is not None:
            raise UnsupportedError(
                f"{WHAT} of traced values was given method={method or self.method!r}, nu={nu}; it takes method='linear' and no nu. "
                "For slopes use grad or jacobian; for smooth curves along one axis CubicSpline."
            )
        x = _places(xi, len(self.grid))
        seen = plain(x, WHAT)
        outside = np.any([(seen[..., i] < g[0]) | (seen[..., i] > g[-1]) for i, g in enumerate(self.grid)], axis=0)
        if self.bounds_error and np.any(outside):
            raise ValueError(f"One of the requested xi is out of bounds of the grid: {seen[outside][0]}.")
        total = _between(self.grid, self.values, x)
        if self.fill_value is None or not np.any(outside):
            return total
        beside = np.reshape(outside, (*outside.shape, *(1,) * (len(total.shape) - outside.ndim)))
        return np.where(beside, self.fill_value, total)


def interpn(
    points: Any, values: Any, xi: Any, method: str = "linear", bounds_error: bool = True, fill_value: Any = np.nan
) -> Any:
    """Values at places of a `RegularGridInterpolator`."""
    if not any(is_traced(without_buffers(x)) for x in (points, values, xi)):
        return interpolate.interpn(points, values, xi, method, bounds_error, fill_value)
    return RegularGridInterpolator(points, values, method, bounds_error, fill_value)(xi)
