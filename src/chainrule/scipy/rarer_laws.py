"""Laws of extremes, lifetimes and heavy tails; some have a density only, whose shares have no closed form that keeps its digits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.scipy.error_functions import LOG_ROOT_TWO_PI
from chainrule.scipy.laws import Law, cotangent, positive

LOG_2, ROOT_2 = math.log(2.0), math.sqrt(2.0)


def _any_real(*shapes: Any) -> Any:
    """Shapes of either sign."""
    return shapes[0] == shapes[0]


# --- extremes, of either sign of the shape: (1 ± c·z)^(1/c) keeps its digits near c = 0


def _frechet(m: Any, z: Any, c: Any) -> Any:
    """(1 − c·z)^(1/c)."""
    return m.inv_boxcox(-z, c)


def _below_a_bound(c: Any) -> tuple[Any, Any]:
    bound = 1.0 / np.where(c == 0.0, 1.0, c)
    return np.where(c < 0.0, bound, -math.inf), np.where(c > 0.0, bound, math.inf)


def _pareto_end(c: Any) -> tuple[Any, Any]:
    return 0.0, np.where(c < 0.0, -1.0 / np.where(c < 0.0, c, -1.0), math.inf)


# --- with two sides


def _sided(z: Any, left: Any, right: Any) -> Any:
    return np.where(z < 0.0, left, right)


def _power(z: Any, beta: Any) -> Any:
    return np.abs(z) ** beta


def _general_normal_below(m: Any, z: Any, beta: Any) -> Any:
    beyond = 0.5 * m.gammaincc(1.0 / beta, _power(z, beta))
    within = 0.5 + 0.5 * m.gammainc(1.0 / beta, _power(z, beta))
    return _sided(z, beyond, within)


def _general_normal_quantile(m: Any, q: Any, beta: Any) -> Any:
    left = q < 0.5
    size = m.gammainccinv(1.0 / beta, 2.0 * np.where(left, q, 1.0 - q)) ** (1.0 / beta)
    return np.where(left, -size, size)


def _asymmetric_below(m: Any, z: Any, kappa: Any) -> Any:
    whole = kappa + 1.0 / kappa
    return _sided(
        z,
        kappa / whole * np.exp(np.minimum(z, 0.0) / kappa),
        1.0 - np.exp(-kappa * np.maximum(z, 0.0)) / (kappa * whole),
    )


def _log_cosh(z: Any) -> Any:
    size = np.abs(z)
    return size + np.log1p(np.exp(-2.0 * size)) - LOG_2


RARER_LAWS: dict[str, Law] = {
    "genextreme": Law(
        log_density=lambda m, z, c: (1.0 - c) * np.log(_frechet(m, z, c)) - _frechet(m, z, c),
        below=lambda m, z, c: np.exp(-_frechet(m, z, c)),
        above=lambda m, z, c: -np.expm1(-_frechet(m, z, c)),
        log_below=lambda m, z, c: -_frechet(m, z, c),
        quantile=lambda m, q, c: -m.boxcox(-np.log(q), c),
        upper_quantile=lambda m, q, c: -m.boxcox(-np.log1p(-q), c),
        support=_below_a_bound,
        inside=lambda c: 0.0 * c,
        valid=_any_real,
    ),
    "genpareto": Law(
        log_density=lambda m, z, c: -(1.0 + c) * np.log(m.inv_boxcox(z, c)),
        below=lambda m, z, c: -np.expm1(-np.log(m.inv_boxcox(z, c))),
        above=lambda m, z, c: 1.0 / m.inv_boxcox(z, c),
        log_above=lambda m, z, c: -np.log(m.inv_boxcox(z, c)),
        quantile=lambda m, q, c: -m.boxcox1p(-q, -c),
        upper_quantile=lambda m, q, c: -m.boxcox(q, -c),
        support=_pareto_end,
        inside=lambda c: 0.0 * c,
        valid=_any_real,
    ),
    "invweibull": Law(
        log_density=lambda m, z, c: np.log(c) - (c + 1.0) * np.log(z) - z**-c,
        below=lambda m, z, c: np.exp(-(z**-c)),
        above=lambda m, z, c: -np.expm1(-(z**-c)),
        log_below=lambda m, z, c: -(z**-c),
        quantile=lambda m, q, c: (-np.log(q)) ** (-1.0 / c),
        upper_quantile=lambda m, q, c: (-np.log1p(-q)) ** (-1.0 / c),
        support=positive,
        open=True,
    ),
    "gompertz": Law(
        log_density=lambda m, z, c: np.log(c) + z - c * np.expm1(z),
        below=lambda m, z, c: -np.expm1(-c * np.expm1(z)),
        above=lambda m, z, c: np.exp(-c * np.expm1(z)),
        quantile=lambda m, q, c: np.log1p(-np.log1p(-q) / c),
        upper_quantile=lambda m, q, c: np.log1p(-np.log(q) / c),
        support=positive,
    ),
    "johnsonsu": Law(
        log_density=lambda m, z, a, b: (
            np.log(b) - 0.5 * np.log1p(z**2) - 0.5 * (a + b * np.arcsinh(z)) ** 2 - LOG_ROOT_TWO_PI
        ),
        below=lambda m, z, a, b: m.ndtr(a + b * np.arcsinh(z)),
        above=lambda m, z, a, b: m.ndtr(-(a + b * np.arcsinh(z))),
        log_below=lambda m, z, a, b: m.log_ndtr(a + b * np.arcsinh(z)),
        log_above=lambda m, z, a, b: m.log_ndtr(-(a + b * np.arcsinh(z))),
        quantile=lambda m, q, a, b: np.sinh((m.ndtri(q) - a) / b),
        upper_quantile=lambda m, q, a, b: np.sinh((-m.ndtri(q) - a) / b),
        valid=lambda a, b: np.logical_and(a == a, b > 0.0),
    ),
    "gennorm": Law(
        log_density=lambda m, z, beta: np.log(0.5 * beta) - m.gammaln(1.0 / beta) - _power(z, beta),
        below=_general_normal_below,
        above=lambda m, z, beta: _general_normal_below(m, -z, beta),
        quantile=_general_normal_quantile,
        upper_quantile=lambda m, q, beta: -_general_normal_quantile(m, q, beta),
    ),
    "laplace_asymmetric": Law(
        log_density=lambda m, z, kappa: -np.log(kappa + 1.0 / kappa) - np.abs(z) * _sided(z, 1.0 / kappa, kappa),
        below=_asymmetric_below,
        above=lambda m, z, kappa: _asymmetric_below(m, -z, 1.0 / kappa),
    ),
    "hypsecant": Law(
        log_density=lambda m, z: -math.log(math.pi) - _log_cosh(z),
        below=lambda m, z: 2.0 / math.pi * np.arctan(np.exp(z)),
        above=lambda m, z: 2.0 / math.pi * np.arctan(np.exp(-z)),
        quantile=lambda m, q: np.log(np.tan(0.5 * math.pi * q)),
        upper_quantile=lambda m, q: np.log(cotangent(0.5 * q)),
    ),
    "moyal": Law(
        log_density=lambda m, z: -0.5 * (z + np.exp(-z)) - LOG_ROOT_TWO_PI,
        below=lambda m, z: m.erfc(np.exp(-0.5 * z) / ROOT_2),
        above=lambda m, z: m.erf(np.exp(-0.5 * z) / ROOT_2),
        quantile=lambda m, q: -2.0 * np.log(ROOT_2 * m.erfcinv(q)),
        upper_quantile=lambda m, q: -2.0 * np.log(ROOT_2 * m.erfinv(q)),
    ),
    "loggamma": Law(
        log_density=lambda m, z, c: c * z - np.exp(z) - m.gammaln(c),
        below=lambda m, z, c: m.gammainc(c, np.exp(z)),
        above=lambda m, z, c: m.gammaincc(c, np.exp(z)),
        quantile=lambda m, q, c: np.log(m.gammaincinv(c, q)),
        upper_quantile=lambda m, q, c: np.log(m.gammainccinv(c, q)),
    ),
    "halflogistic": Law(
        log_density=lambda m, z: LOG_2 - z - 2.0 * np.log1p(np.exp(-z)),
        below=lambda m, z: np.tanh(0.5 * z),
        above=lambda m, z: 2.0 * m.sigmoid(-z),
        quantile=lambda m, q: 2.0 * np.arctanh(q),
        upper_quantile=lambda m, q: np.log((2.0 - q) / q),
        support=positive,
    ),
    "genlogistic": Law(
        log_density=lambda m, z, c: np.log(c) - z - (c + 1.0) * np.logaddexp(0.0, -z),
        below=lambda m, z, c: np.exp(-c * np.logaddexp(0.0, -z)),
        above=lambda m, z, c: -np.expm1(-c * np.logaddexp(0.0, -z)),
        log_below=lambda m, z, c: -c * np.logaddexp(0.0, -z),
        quantile=lambda m, q, c: -np.log(np.expm1(-np.log(q) / c)),
        upper_quantile=lambda m, q, c: -np.log(np.expm1(-np.log1p(-q) / c)),
    ),
    "betaprime": Law(
        log_density=lambda m, z, a, b: m.xlogy(a - 1.0, z) - (a + b) * np.log1p(z) - m.betaln(a, b),
        below=lambda m, z, a, b: m.betainc(a, b, z / (1.0 + z)),
        above=lambda m, z, a, b: m.betainc(b, a, 1.0 / (1.0 + z)),
        quantile=lambda m, q, a, b: (lambda r: r / (1.0 - r))(m.betaincinv(a, b, q)),
        upper_quantile=lambda m, q, a, b: (lambda r: (1.0 - r) / r)(m.betaincinv(b, a, q)),
        support=positive,
    ),
    "burr12": Law(
        log_density=lambda m, z, c, d: np.log(c * d) + m.xlogy(c - 1.0, z) - (d + 1.0) * np.log1p(z**c),
        below=lambda m, z, c, d: -np.expm1(-d * np.log1p(z**c)),
        above=lambda m, z, c, d: np.exp(-d * np.log1p(z**c)),
        log_above=lambda m, z, c, d: -d * np.log1p(z**c),
        quantile=lambda m, q, c, d: np.expm1(-np.log1p(-q) / d) ** (1.0 / c),
        upper_quantile=lambda m, q, c, d: np.expm1(-np.log(q) / d) ** (1.0 / c),
        support=positive,
    ),
    "nakagami": Law(
        log_density=lambda m, z, nu: LOG_2 + m.xlogy(nu, nu) - m.gammaln(nu) + m.xlogy(2.0 * nu - 1.0, z) - nu * z**2,
        below=lambda m, z, nu: m.gammainc(nu, nu * z**2),
        above=lambda m, z, nu: m.gammaincc(nu, nu * z**2),
        quantile=lambda m, q, nu: np.sqrt(m.gammaincinv(nu, q) / nu),
        upper_quantile=lambda m, q, nu: np.sqrt(m.gammainccinv(nu, q) / nu),
        support=positive,
    ),
    "arcsine": Law(
        log_density=lambda m, z: -math.log(math.pi) - 0.5 * np.log(z) - 0.5 * np.log1p(-z),
        below=lambda m, z: 2.0 / math.pi * np.arcsin(np.sqrt(z)),
        above=lambda m, z: 2.0 / math.pi * np.arcsin(np.sqrt(1.0 - z)),
        quantile=lambda m, q: np.sin(0.5 * math.pi * q) ** 2,
        upper_quantile=lambda m, q: np.cos(0.5 * math.pi * q) ** 2,
        support=lambda: (0.0, 1.0),
    ),
    "vonmises": Law(
        log_density=lambda m, z, kappa: kappa * (np.cos(z) - 1.0) - 2.0 * LOG_ROOT_TWO_PI - np.log(m.i0e(kappa)),
        valid=lambda kappa: kappa >= 0.0,
    ),
    "skewnorm": Law(
        log_density=lambda m, z, a: LOG_2 - LOG_ROOT_TWO_PI - 0.5 * z**2 + m.log_ndtr(a * z),
        valid=_any_real,
    ),
    "exponnorm": Law(
        log_density=lambda m, z, K: -np.log(K) + (0.5 / K - z) / K + m.log_ndtr(z - 1.0 / K),
    ),
    "rice": Law(
        log_density=lambda m, z, b: np.log(z) - 0.5 * (z - b) ** 2 + np.log(m.i0e(b * z)),
        support=positive,
        valid=lambda b: b >= 0.0,
        open=True,
    ),
    "betabinom": Law(
        log_density=lambda m, z, n, a, b: (
            m.betaln(z + a, n - z + b) - m.betaln(a, b) - np.log(n + 1.0) - m.betaln(n - z + 1.0, z + 1.0)
        ),
        support=lambda n, a, b: (0.0, n),
        inside=lambda n, a, b: 0.0 * n,
        valid=lambda n, a, b: np.logical_and(n >= 0.0, np.logical_and(a > 0.0, b > 0.0)),
        discrete=True,
    ),
    "logser": Law(
        log_density=lambda m, z, p: z * np.log(p) - np.log(z) - np.log(-np.log1p(-p)),
        support=lambda p: (1.0, math.inf),
        inside=lambda p: 1.0,
        valid=lambda p: np.logical_and(p > 0.0, p < 1.0),
        discrete=True,
    ),
}
"""Named as in `scipy.stats`."""
