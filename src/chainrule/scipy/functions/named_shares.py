"""Shares of distributions by every argument: those that SciPy knows by older names, and the generalised normal's."""

from __future__ import annotations

from functools import wraps
from typing import Any

import numpy as np

from chainrule.ops.kinds.elementwise import POSITIVE, REAL, Partial
from chainrule.scipy.functions.declaring import of_scipy
from chainrule.scipy.functions.incomplete_functions import SHARE, gamma_density
from scipy import special


def _negative(*partials: Partial) -> tuple[Partial, ...]:
    """The partial derivatives of the other share."""

    def of_other(rule: Any) -> Partial:
        return wraps(rule)(lambda *given: -rule(*given))

    return tuple(map(of_other, partials))


# --- χ² with v degrees of freedom, gamma with rate a and shape b

_CHI = (
    lambda m, y, v, x: 0.5 * m.gammainc_slope(0.5 * v, 0.5 * x, order=1),
    lambda m, y, v, x: 0.5 * gamma_density(m, 0.5 * v, 0.5 * x),
)
_GAMMA = (
    lambda m, y, a, b, x: x * gamma_density(m, b, a * x),
    lambda m, y, a, b, x: m.gammainc_slope(b, a * x, order=1),
    lambda m, y, a, b, x: a * gamma_density(m, b, a * x),
)
chdtr = of_scipy("chdtr", special.chdtr, _CHI, (POSITIVE, POSITIVE), doc="The share below x of the χ² distribution.")
chdtrc = of_scipy(
    "chdtrc", special.chdtrc, _negative(*_CHI), (POSITIVE, POSITIVE), doc="The share above x of the χ² distribution."
)
gdtr = of_scipy(
    "gdtr", special.gdtr, _GAMMA, (POSITIVE, POSITIVE, POSITIVE), doc="The share below x of the gamma distribution."
)
gdtrc = of_scipy(
    "gdtrc",
    special.gdtrc,
    _negative(*_GAMMA),
    (POSITIVE, POSITIVE, POSITIVE),
    doc="The share above x of the gamma distribution.",
)


# --- F with n and d degrees of freedom


def f_log_density(m: Any, x: Any, n: Any, d: Any) -> Any:
    """The logarithm of the density, whose terms stay small where n·x/d does."""
    ratio = n * x / d
    return (
        0.5 * n * m.log(n / d) + m.xlogy(0.5 * n - 1.0, x) - 0.5 * (n + d) * m.log1p(ratio) - m.betaln(0.5 * n, 0.5 * d)
    )


def _by_shapes(m: Any, n: Any, d: Any, x: Any, of: int) -> Any:
    """The derivative by a shape of the incomplete beta function of nx/(nx + d), by the smaller of that and the rest."""
    above, order = n * x, (1 - of, of)
    whole, left = above + d, above < d
    below = m.betainc_slope(0.5 * n, 0.5 * d, m.where(left, above / whole, 0.5), order=order)
    beyond = -m.betainc_slope(0.5 * d, 0.5 * n, m.where(left, 0.5, d / whole), order=order[::-1])
    return m.where(left, below, beyond)


def _density(m: Any, n: Any, d: Any, x: Any) -> Any:
    return m.exp(f_log_density(m, x, n, d))


def _by_first(m: Any, y: Any, n: Any, d: Any, x: Any) -> Any:
    return 0.5 * _by_shapes(m, n, d, x, 0) + x * _density(m, n, d, x) / n


def _by_second(m: Any, y: Any, n: Any, d: Any, x: Any) -> Any:
    return 0.5 * _by_shapes(m, n, d, x, 1) - x * _density(m, n, d, x) / d


_F = (_by_first, _by_second, lambda m, y, n, d, x: _density(m, n, d, x))
fdtr = of_scipy(
    "fdtr", special.fdtr, _F, (POSITIVE, POSITIVE, POSITIVE), doc="The share below x of the F distribution."
)
fdtrc = of_scipy(
    "fdtrc",
    special.fdtrc,
    _negative(*_F),
    (POSITIVE, POSITIVE, POSITIVE),
    doc="The share above x of the F distribution.",
)


# --- the generalised normal distribution, e^(−|z|^β) times a constant: smooth at 0, where |z|^β may not be


def general_normal_log(m: Any, z: Any, beta: Any) -> Any:
    """The logarithm of its density."""
    return m.log(0.5 * beta) - m.gammaln(1.0 / beta) - m.abs_power(z, beta)


def _general_share(z: Any, beta: Any) -> Any:
    size = np.abs(z) ** beta
    return np.where(z < 0.0, 0.5 * special.gammaincc(1.0 / beta, size), 0.5 + 0.5 * special.gammainc(1.0 / beta, size))[
        ()
    ]


def _general_quantile(q: Any, beta: Any) -> Any:
    left = q < 0.5
    size = special.gammainccinv(1.0 / beta, 2.0 * np.where(left, q, 1.0 - q)) ** (1.0 / beta)
    return np.where(left, -size, size)[()]


def _general_slope(m: Any, z: Any, beta: Any) -> Any:
    return m.exp(general_normal_log(m, z, beta))


def _general_by_shape(m: Any, z: Any, beta: Any) -> Any:
    """By β; at 0 the first term of its series."""
    zero, inverse = z == 0.0, 1.0 / beta
    apart = m.where(zero, 1.0, z)
    size = m.abs_power(apart, beta)
    by_shape = -m.sign(apart) * m.gammainc_slope(inverse, size, order=1) / m.square(beta)
    beside = apart * m.log(m.absolute(apart)) * m.exp(-size - m.gammaln(inverse))
    top = 0.5 * beta * m.exp(-m.gammaln(inverse)) * inverse * (1.0 + m.digamma(inverse) * inverse)
    return m.where(zero, m.where(zero, z, 0.0) * top, 0.5 * (by_shape + beside))


general_normal_share = of_scipy(
    "general_normal_share",
    _general_share,
    (lambda m, y, z, beta: _general_slope(m, z, beta), lambda m, y, z, beta: _general_by_shape(m, z, beta)),
    (REAL, POSITIVE),
    doc="The share below z of the generalised normal distribution with the exponent β.",
)
general_normal_quantile = of_scipy(
    "general_normal_quantile",
    _general_quantile,
    (
        lambda m, y, q, beta: 1.0 / _general_slope(m, y, beta),
        lambda m, y, q, beta: -_general_by_shape(m, y, beta) / _general_slope(m, y, beta),
    ),
    (SHARE, POSITIVE),
    doc="The inverse of that share.",
)
