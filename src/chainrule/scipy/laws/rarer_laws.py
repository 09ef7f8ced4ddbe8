"""Laws of extremes, lifetimes and heavy tails; some have a density only, whose shares have no closed form that keeps its digits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.scipy.functions.error_functions import LOG_ROOT_TWO_PI
from chainrule.scipy.functions.named_shares import general_normal_log
from chainrule.scipy.functions.normal_relatives import exponential_normal_log, rice_log, skew_normal_log
from chainrule.scipy.laws.laws import Law, cotangent, positive

LOG_2, ROOT_2 = math.log(2.0), math.sqrt(2.0)


def _any_real(*shapes: Any) -> Any:
    """Shapes of either sign."""
    return shapes[0] == shapes[0]


# --- extremes, of either sign of the shape: (1 ± c·z)^(1/c) keeps its digits near c = 0 and z = 0


def _log_pareto(m: Any, z: Any, c: Any) -> Any:
    """ln(1 + c·z)/c, z for c = 0."""
    return z * m.logrel(c * z)


def _log_frechet(m: Any, z: Any, c: Any) -> Any:
    """ln(1 − c·z)/c."""
    return -z * m.logrel(-c * z)


def _frechet(m: Any, z: Any, c: Any) -> Any:
    return np.exp(_log_frechet(m, z, c))


def _below_a_bound(c: Any) -> tuple[Any, Any]:
    bound = 1.0 / np.where(c == 0.0, 1.0, c)
    return np.where(c < 0.0, bound, -math.inf), np.where(c > 0.0, bound, math.inf)


def _pareto_end(c: Any) -> tuple[Any, Any]:
    return 0.0, np.where(c < 0.0, -1.0 / np.where(c < 0.0, c, -1.0), math.inf)


# --- with two sides


def _sides(z: Any) -> tuple[Any, Any, Any]:
    """Whether a number is below 0, what it is there, and what it is from 0 on; 0 otherwise."""
    left = z < 0.0
    return left, np.where(left, z, 0.0), np.where(left, 0.0, z)


def _asymmetric_below(m: Any, z: Any, kappa: Any) -> Any:
    whole, (left, below, above) = kappa + 1.0 / kappa, _sides(z)
    return np.where(left, kappa / whole * np.exp(below / kappa), 1.0 - np.exp(-kappa * above) / (kappa * whole))


def _asymmetric_log(m: Any, z: Any, kappa: Any) -> Any:
    return -np.log(kappa + 1.0 / kappa) - np.abs(z) * np.where(z < 0.0, 1.0 / kappa, kappa)


RULES = {"below": "cdf", "above": "sf", "quantile": "ppf", "upper_quantile": "isf"}


def _shares(name: str, count: int = 4) -> dict[str, Any]:
    """The rules that are operations of their own, the first of these."""
    rules = dict(list(RULES.items())[:count])
    return {rule: lambda m, z, shape, op=f"{name}_{method}": getattr(m, op)(z, shape) for rule, method in rules.items()}


RARER_LAWS: dict[str, Law] = {
    "genextreme": Law(
        log_density=lambda m, z, c: (1.0 - c) * _log_frechet(m, z, c) - _frechet(m, z, c),
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
        log_density=lambda m, z, c: -(1.0 + c) * _log_pareto(m, z, c),
        below=lambda m, z, c: -np.expm1(-_log_pareto(m, z, c)),
        above=lambda m, z, c: np.exp(-_log_pareto(m, z, c)),
        log_above=lambda m, z, c: -_log_pareto(m, z, c),
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
        log_density=general_normal_log,
        below=lambda m, z, beta: m.general_normal_share(z, beta),
        above=lambda m, z, beta: m.general_normal_share(-z, beta),
        quantile=lambda m, q, beta: m.general_normal_quantile(q, beta),
        upper_quantile=lambda m, q, beta: -m.general_normal_quantile(q, beta),
    ),
    "laplace_asymmetric": Law(
        log_density=_asymmetric_log,
        below=_asymmetric_below,
        above=lambda m, z, kappa: _asymmetric_below(m, -z, 1.0 / kappa),
    ),
    "hypsecant": Law(
        log_density=lambda m, z: LOG_2 - math.log(math.pi) - np.logaddexp(z, -z),
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
        below=lambda m, z, a, b: m.fdtr(2.0 * a, 2.0 * b, z * b / a),
        above=lambda m, z, a, b: m.fdtrc(2.0 * a, 2.0 * b, z * b / a),
        quantile=lambda m, q, a, b: m.betaincinv(a, b, q) / m.betainccinv(b, a, q),
        upper_quantile=lambda m, q, a, b: m.betainccinv(a, b, q) / m.betaincinv(b, a, q),
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
        log_density=lambda m, z, kappa: kappa * (np.cos(z) - 1.0) - 2.0 * LOG_ROOT_TWO_PI - m.log_i0e(kappa),
        valid=lambda kappa: kappa >= 0.0,
    ),
    "skewnorm": Law(log_density=skew_normal_log, valid=_any_real, **_shares("skew_normal")),
    "exponnorm": Law(log_density=exponential_normal_log, **_shares("exponential_normal", 2)),
    "rice": Law(log_density=rice_log, support=positive, valid=lambda b: b >= 0.0, open=True, **_shares("rice")),
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
