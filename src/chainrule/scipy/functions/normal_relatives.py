"""Shares and quantiles of distributions made of the normal one: skewed, with an exponential part, the length of a vector (Rice's).

Their derivatives have closed forms (Azzalini 1985; Owen 1956; of Marcum's function DLMF 8.16); quantiles are their inverses.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule.ops.kinds.elementwise import POSITIVE, REAL, Domain, Elementwise
from chainrule.scipy.functions.declaring import of_scipy
from chainrule.scipy.functions.error_functions import LOG_ROOT_TWO_PI

LOG_2 = math.log(2.0)
SHARE = Domain(0.0, 1.0)
Rule = Callable[[Any, Any, Any], Any]


def skew_normal_log(m: Any, z: Any, a: Any) -> Any:
    """The logarithm of the density 2·φ(z)·Φ(az)."""
    return LOG_2 - LOG_ROOT_TWO_PI - 0.5 * m.square(z) + m.log_ndtr(a * z)


def exponential_normal_log(m: Any, z: Any, K: Any) -> Any:
    """The logarithm of the density, with erfcx where 1/K² would cancel."""
    away = 1.0 / K - z
    left = away > 0.0
    near = -0.5 * m.square(z) + m.log(0.5 * m.erfcx(m.where(left, away, 0.0) * math.sqrt(0.5)))
    far = (0.5 / K - z) / K + m.log_ndtr(m.where(left, 0.0, -away))
    return m.where(left, near, far) - m.log(K)


def rice_log(m: Any, z: Any, b: Any) -> Any:
    """The logarithm of the density z·e^(−(z² + b²)/2)·I₀(bz)."""
    return m.log(z) - 0.5 * m.square(z - b) + m.log_i0e(b * z)


def _skew_by_shape(m: Any, z: Any, a: Any) -> Any:
    whole = 1.0 + m.square(a)
    return -m.exp(-0.5 * m.square(z) * whole) / (math.pi * whole)


def _exponential_by_shape(m: Any, z: Any, K: Any) -> Any:
    """With E = K·f, the part of the share that is missing at the normal's: F = Φ − E, ∂E/∂K = (z − 1/K)·E/K² + φ(z)/K²."""
    density = m.exp(exponential_normal_log(m, z, K))
    return -((z - 1.0 / K) * density / K + m.normal_density(z) / m.square(K))


def _rice_by_shape(m: Any, z: Any, b: Any) -> Any:
    return -z * m.exp(-0.5 * m.square(z - b)) * m.i1e(b * z)


def _of_stats(name: str, method: str) -> Callable[..., Any]:
    def value(*args: Any) -> Any:
        from scipy import stats  # takes half a second

        kind = np.result_type(*args)
        args = np.broadcast_arrays(*args)  # some of SciPy's forget to, where one is a single number
        return getattr(getattr(stats, name), method)(*args).astype(kind if kind.kind == "f" else float)[()]

    return value


class _Law(NamedTuple):
    """One of SciPy's distributions of one shape: its name there and here, the density's logarithm, ∂F/∂shape, the domains."""

    name: str
    called: str
    log: Rule
    by_shape: Rule
    domains: tuple[Domain, Domain]

    def slope(self, m: Any, z: Any, shape: Any) -> Any:
        """The density."""
        return m.exp(self.log(m, z, shape))

    def share(self, method: str, sign: float, side: str) -> Elementwise:
        """The share below or above, as an operation."""
        return of_scipy(
            f"{self.called}_{method}",
            _of_stats(self.name, method),
            (
                lambda m, y, z, shape: sign * self.slope(m, z, shape),
                lambda m, y, z, shape: sign * self.by_shape(m, z, shape),
            ),
            self.domains,
            doc=f"The share {side} z of scipy.stats.{self.name}.",
        )

    def quantile(self, method: str, sign: float, side: str) -> Elementwise:
        """Where the share below or above is q, as an operation."""
        return of_scipy(
            f"{self.called}_{method}",
            _of_stats(self.name, method),
            (
                lambda m, y, q, shape: sign / self.slope(m, y, shape),
                lambda m, y, q, shape: -self.by_shape(m, y, shape) / self.slope(m, y, shape),
            ),
            (SHARE, self.domains[1]),
            doc=f"The z with the share q {side} it, of scipy.stats.{self.name}.",
        )


_SKEW = _Law("skewnorm", "skew_normal", skew_normal_log, _skew_by_shape, (REAL, REAL))
_EXPONENTIAL = _Law(  # whose quantiles do not always converge in SciPy
    "exponnorm", "exponential_normal", exponential_normal_log, _exponential_by_shape, (REAL, POSITIVE)
)
_RICE = _Law("rice", "rice", rice_log, _rice_by_shape, (POSITIVE, POSITIVE))
skew_normal_cdf, exponential_normal_cdf, rice_cdf = (
    law.share("cdf", 1.0, "below") for law in (_SKEW, _EXPONENTIAL, _RICE)
)
skew_normal_sf, exponential_normal_sf, rice_sf = (
    law.share("sf", -1.0, "above") for law in (_SKEW, _EXPONENTIAL, _RICE)
)
skew_normal_ppf, rice_ppf = (law.quantile("ppf", 1.0, "below") for law in (_SKEW, _RICE))
skew_normal_isf, rice_isf = (law.quantile("isf", -1.0, "above") for law in (_SKEW, _RICE))
