"""Probability laws with location 0 and scale 1, each declared once: logarithm of the density, shares below and above, quantiles.

Written over `m`, which applies operations to plain and traced values alike. `z` is inside the support, a share between 0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from chainrule.scipy import special as _operations  # noqa: F401  the laws are written in them
from chainrule.scipy.functions.error_functions import LOG_ROOT_TWO_PI
from chainrule.scipy.functions.named_shares import f_log_density

Rule = Callable[..., Any]
LOG_2, LOG_PI = math.log(2.0), math.log(math.pi)


@dataclass(frozen=True, kw_only=True)
class Law:
    """`log_density(m, z, *shapes)` and the like; what is left out follows from what is there.

    Without shares, `below` and `above`, a law has its density only."""

    log_density: Rule
    below: Rule | None = None
    above: Rule | None = None
    log_below: Rule | None = None
    log_above: Rule | None = None
    quantile: Rule | None = None
    upper_quantile: Rule | None = None
    support: Callable[..., tuple[Any, Any]] = lambda *shapes: (-math.inf, math.inf)
    inside: Callable[..., Any] = lambda *shapes: 0.5
    """A number inside the support."""
    valid: Callable[..., Any] = lambda *shapes: reduce(np.logical_and, [x > 0 for x in shapes], True)
    discrete: bool = False
    open: bool = False
    """Whether the formula of the density is not for the ends of the support, where it is 0."""


def positive(*shapes: Any) -> tuple[float, float]:
    """The support of what is not negative."""
    return 0.0, math.inf


def _gamma_log(m: Any, z: Any, a: Any) -> Any:
    return m.xlogy(a - 1.0, z) - z - m.gammaln(a)


def _beta_log(m: Any, z: Any, a: Any, b: Any) -> Any:
    return m.xlogy(a - 1.0, z) + m.xlog1py(b - 1.0, -z) - m.betaln(a, b)


def _student_log(m: Any, z: Any, df: Any) -> Any:
    return -0.5 * (df + 1.0) * np.log1p(z**2 / df) - 0.5 * np.log(df) - m.betaln(0.5 * df, 0.5)


def _laplace_below(z: Any) -> Any:
    left = z < 0.0
    return np.where(left, 0.5 * np.exp(np.where(left, z, 0.0)), 1.0 - 0.5 * np.exp(-np.where(left, 0.0, z)))


def _laplace_log_below(z: Any) -> Any:
    left = z < 0.0
    return np.where(left, z - LOG_2, np.log1p(-0.5 * np.exp(-np.where(left, 0.0, z))))


def _laplace_quantile(m: Any, q: Any) -> Any:
    low = q < 0.5
    return np.where(low, np.log(2.0 * np.where(low, q, 0.5)), -np.log(2.0 * np.where(low, 0.5, 1.0 - q)))


def cotangent(q: Any) -> Any:
    """cot πq, to full precision near 0, 1/2 and 1."""
    middle = np.abs(q - 0.5) < 0.25
    ends = np.cos(math.pi * q) / np.sin(math.pi * np.where(q < 0.5, q, 1.0 - q))
    return np.where(middle, np.tan(math.pi * (0.5 - np.where(middle, q, 0.5))), ends)


def _choose_log(m: Any, n: Any, k: Any) -> Any:
    return m.gammaln(n + 1.0) - m.gammaln(k + 1.0) - m.gammaln(n - k + 1.0)


LAWS: dict[str, Law] = {
    "norm": Law(
        log_density=lambda m, z: -0.5 * z**2 - LOG_ROOT_TWO_PI,
        below=lambda m, z: m.ndtr(z),
        above=lambda m, z: m.ndtr(-z),
        log_below=lambda m, z: m.log_ndtr(z),
        log_above=lambda m, z: m.log_ndtr(-z),
        quantile=lambda m, q: m.ndtri(q),
        upper_quantile=lambda m, q: -m.ndtri(q),
    ),
    "halfnorm": Law(
        log_density=lambda m, z: -0.5 * z**2 + 0.5 * (LOG_2 - LOG_PI),
        below=lambda m, z: m.erf(z * math.sqrt(0.5)),
        above=lambda m, z: m.erfc(z * math.sqrt(0.5)),
        log_above=lambda m, z: LOG_2 + m.log_ndtr(-z),
        quantile=lambda m, q: m.ndtri(0.5 * (1.0 + q)),
        upper_quantile=lambda m, q: -m.ndtri(0.5 * q),
        support=positive,
    ),
    "lognorm": Law(
        log_density=lambda m, z, s: -0.5 * (np.log(z) / s) ** 2 - np.log(s * z) - LOG_ROOT_TWO_PI,
        below=lambda m, z, s: m.ndtr(np.log(z) / s),
        above=lambda m, z, s: m.ndtr(-np.log(z) / s),
        log_below=lambda m, z, s: m.log_ndtr(np.log(z) / s),
        log_above=lambda m, z, s: m.log_ndtr(-np.log(z) / s),
        quantile=lambda m, q, s: np.exp(s * m.ndtri(q)),
        upper_quantile=lambda m, q, s: np.exp(-s * m.ndtri(q)),
        support=positive,
        open=True,
    ),
    "expon": Law(
        log_density=lambda m, z: -z,
        below=lambda m, z: -np.expm1(-z),
        above=lambda m, z: np.exp(-z),
        log_above=lambda m, z: -z,
        quantile=lambda m, q: -np.log1p(-q),
        upper_quantile=lambda m, q: -np.log(q),
        support=positive,
    ),
    "gamma": Law(
        log_density=_gamma_log,
        below=lambda m, z, a: m.gammainc(a, z),
        above=lambda m, z, a: m.gammaincc(a, z),
        quantile=lambda m, q, a: m.gammaincinv(a, q),
        upper_quantile=lambda m, q, a: m.gammainccinv(a, q),
        support=positive,
    ),
    "chi2": Law(
        log_density=lambda m, z, df: _gamma_log(m, 0.5 * z, 0.5 * df) - LOG_2,
        below=lambda m, z, df: m.gammainc(0.5 * df, 0.5 * z),
        above=lambda m, z, df: m.gammaincc(0.5 * df, 0.5 * z),
        quantile=lambda m, q, df: 2.0 * m.gammaincinv(0.5 * df, q),
        upper_quantile=lambda m, q, df: 2.0 * m.gammainccinv(0.5 * df, q),
        support=positive,
    ),
    "invgamma": Law(
        log_density=lambda m, z, a: -(a + 1.0) * np.log(z) - m.gammaln(a) - 1.0 / z,
        below=lambda m, z, a: m.gammaincc(a, 1.0 / z),
        above=lambda m, z, a: m.gammainc(a, 1.0 / z),
        quantile=lambda m, q, a: 1.0 / m.gammainccinv(a, q),
        upper_quantile=lambda m, q, a: 1.0 / m.gammaincinv(a, q),
        support=positive,
        open=True,
    ),
    "beta": Law(
        log_density=_beta_log,
        below=lambda m, z, a, b: m.betainc(a, b, z),
        above=lambda m, z, a, b: m.betaincc(a, b, z),
        quantile=lambda m, q, a, b: m.betaincinv(a, b, q),
        upper_quantile=lambda m, q, a, b: m.betainccinv(a, b, q),
        support=lambda *shapes: (0.0, 1.0),
    ),
    "f": Law(
        log_density=f_log_density,
        below=lambda m, z, d1, d2: m.fdtr(d1, d2, z),
        above=lambda m, z, d1, d2: m.fdtrc(d1, d2, z),
        support=positive,
    ),
    "t": Law(
        log_density=_student_log,
        below=lambda m, z, df: m.stdtr(df, z),
        above=lambda m, z, df: m.stdtr(df, -z),
        quantile=lambda m, q, df: m.stdtrit(df, q),
        upper_quantile=lambda m, q, df: -m.stdtrit(df, q),
    ),
    "uniform": Law(
        log_density=lambda m, z: 0.0 * z,
        below=lambda m, z: z,
        above=lambda m, z: 1.0 - z,
        quantile=lambda m, q: q,
        upper_quantile=lambda m, q: 1.0 - q,
        support=lambda *shapes: (0.0, 1.0),
    ),
    "laplace": Law(
        log_density=lambda m, z: -np.abs(z) - LOG_2,
        below=lambda m, z: _laplace_below(z),
        above=lambda m, z: _laplace_below(-z),
        log_below=lambda m, z: _laplace_log_below(z),
        log_above=lambda m, z: _laplace_log_below(-z),
        quantile=_laplace_quantile,
        upper_quantile=lambda m, q: -_laplace_quantile(m, q),
    ),
    "logistic": Law(
        log_density=lambda m, z: m.log_expit(z) + m.log_expit(-z),
        below=lambda m, z: m.sigmoid(z),
        above=lambda m, z: m.sigmoid(-z),
        log_below=lambda m, z: m.log_expit(z),
        log_above=lambda m, z: m.log_expit(-z),
        quantile=lambda m, q: m.logit(q),
        upper_quantile=lambda m, q: -m.logit(q),
    ),
    "cauchy": Law(
        log_density=lambda m, z: -LOG_PI - np.log1p(z**2),
        below=lambda m, z: np.arctan2(1.0, -z) / math.pi,
        above=lambda m, z: np.arctan2(1.0, z) / math.pi,
        quantile=lambda m, q: -cotangent(q),
        upper_quantile=lambda m, q: cotangent(q),
    ),
    "weibull_min": Law(
        log_density=lambda m, z, c: np.log(c) + m.xlogy(c - 1.0, z) - z**c,
        below=lambda m, z, c: -np.expm1(-(z**c)),
        above=lambda m, z, c: np.exp(-(z**c)),
        log_above=lambda m, z, c: -(z**c),
        quantile=lambda m, q, c: (-np.log1p(-q)) ** (1.0 / c),
        upper_quantile=lambda m, q, c: (-np.log(q)) ** (1.0 / c),
        support=positive,
    ),
    "rayleigh": Law(
        log_density=lambda m, z: np.log(z) - 0.5 * z**2,
        below=lambda m, z: -np.expm1(-0.5 * z**2),
        above=lambda m, z: np.exp(-0.5 * z**2),
        log_above=lambda m, z: -0.5 * z**2,
        quantile=lambda m, q: np.sqrt(-2.0 * np.log1p(-q)),
        upper_quantile=lambda m, q: np.sqrt(-2.0 * np.log(q)),
        support=positive,
    ),
    "pareto": Law(
        log_density=lambda m, z, b: np.log(b) - (b + 1.0) * np.log(z),
        below=lambda m, z, b: -np.expm1(-b * np.log(z)),
        above=lambda m, z, b: np.exp(-b * np.log(z)),
        log_above=lambda m, z, b: -b * np.log(z),
        quantile=lambda m, q, b: np.exp(-np.log1p(-q) / b),
        upper_quantile=lambda m, q, b: np.exp(-np.log(q) / b),
        support=lambda *shapes: (1.0, math.inf),
        inside=lambda *shapes: 1.5,
    ),
    "gumbel_r": Law(
        log_density=lambda m, z: -z - np.exp(-z),
        below=lambda m, z: np.exp(-np.exp(-z)),
        above=lambda m, z: -np.expm1(-np.exp(-z)),
        log_below=lambda m, z: -np.exp(-z),
        quantile=lambda m, q: -np.log(-np.log(q)),
        upper_quantile=lambda m, q: -np.log(-np.log1p(-q)),
    ),
    "poisson": Law(
        log_density=lambda m, k, mu: m.xlogy(k, mu) - m.gammaln(k + 1.0) - mu,
        below=lambda m, k, mu: m.gammaincc(k + 1.0, mu),
        above=lambda m, k, mu: m.gammainc(k + 1.0, mu),
        support=positive,
        valid=lambda mu: mu >= 0,
        inside=lambda *shapes: 0.0,
        discrete=True,
    ),
    "binom": Law(
        log_density=lambda m, k, n, p: _choose_log(m, n, k) + m.xlogy(k, p) + m.xlog1py(n - k, -p),
        below=lambda m, k, n, p: m.betaincc(k + 1.0, n - k, p),
        above=lambda m, k, n, p: m.betainc(k + 1.0, n - k, p),
        support=lambda n, p: (0.0, n),
        valid=lambda n, p: np.logical_and(np.logical_and(n >= 0, np.floor(n) == n), np.logical_and(p >= 0, p <= 1)),
        inside=lambda *shapes: 0.0,
        discrete=True,
    ),
    "bernoulli": Law(
        log_density=lambda m, k, p: m.xlogy(k, p) + m.xlog1py(1.0 - k, -p),
        below=lambda m, k, p: 1.0 - p + 0.0 * k,
        above=lambda m, k, p: p + 0.0 * k,
        support=lambda p: (0.0, 1.0),
        valid=lambda p: np.logical_and(p >= 0, p <= 1),
        inside=lambda *shapes: 0.0,
        discrete=True,
    ),
    "geom": Law(
        log_density=lambda m, k, p: m.xlog1py(k - 1.0, -p) + np.log(p),
        below=lambda m, k, p: -np.expm1(k * np.log1p(-p)),
        above=lambda m, k, p: np.exp(k * np.log1p(-p)),
        support=lambda p: (1.0, math.inf),
        valid=lambda p: np.logical_and(p > 0, p <= 1),
        inside=lambda *shapes: 1.0,
        discrete=True,
    ),
    "nbinom": Law(
        log_density=lambda m, k, n, p: _choose_log(m, n + k - 1.0, k) + n * np.log(p) + m.xlog1py(k, -p),
        below=lambda m, k, n, p: m.betainc(n, k + 1.0, p),
        above=lambda m, k, n, p: m.betaincc(n, k + 1.0, p),
        support=positive,
        valid=lambda n, p: np.logical_and(n > 0, np.logical_and(p > 0, p <= 1)),
        inside=lambda *shapes: 0.0,
        discrete=True,
    ),
}
"""SciPy's distributions by name, as far as they have derivatives here."""
