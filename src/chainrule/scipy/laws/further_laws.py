"""More of SciPy's laws, declared as those of `laws.py` are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.scipy.functions.error_functions import LOG_ROOT_TWO_PI
from chainrule.scipy.laws.laws import Law, cotangent, positive

LOG_2 = math.log(2.0)


def _log_normal(m: Any, z: Any) -> Any:
    """ln Φ, with slope 0 at infinite numbers."""
    finite = np.abs(z) < math.inf
    return np.where(finite, m.log_ndtr(np.where(finite, z, 0.0)), np.where(z < 0.0, -math.inf, 0.0))


def _log_mass(m: Any, low: Any, high: Any) -> Any:
    """ln(Φ(high) − Φ(low)), from the tail in which both have their digits."""
    right = low > 0.0
    far, near = _log_normal(m, np.where(right, -high, low)), _log_normal(m, np.where(right, -low, high))
    return near + np.log1p(-np.exp(far - near))


def _truncated_log(m: Any, z: Any, a: Any, b: Any, above: bool) -> Any:
    """The logarithm of the share below or above; where it is near 0, by what is missing."""
    below, beyond = _log_mass(m, a, z), _log_mass(m, z, b)
    share, rest = (beyond, below) if above else (below, beyond)
    mass = _log_mass(m, a, b)
    share, rest = share - mass, rest - mass
    most = share > -0.1
    return np.where(most, np.log1p(-np.exp(np.where(most, rest, -1.0))), share)


def _truncated_quantile(m: Any, q: Any, a: Any, b: Any) -> Any:
    right, mass = a > 0.0, _log_mass(m, a, b)
    share = np.where(right, np.log1p(-q), np.log(q)) + mass
    value = m.ndtri_exp(np.logaddexp(_log_normal(m, np.where(right, -b, a)), share))
    return np.where(right, -value, value)


def _inside_truncated(a: Any, b: Any) -> Any:
    return 0.5 * (np.maximum(a, np.minimum(b, 0.0) - 1.0) + np.minimum(b, np.maximum(a, 0.0) + 1.0))


def _wald_log(m: Any, z: Any, mu: Any, above: bool) -> Any:
    """The logarithm of the share below or above, of two terms of which the second is the smaller."""
    root = 1.0 / np.sqrt(z)
    first = m.log_ndtr((-root if above else root) * (z / mu - 1.0))
    second = 2.0 / mu + m.log_ndtr(-root * (z / mu + 1.0))
    ratio = np.exp(second - first)
    return first + np.log1p(-ratio if above else ratio)


def burr_log(m: Any, z: Any, c: Any, d: Any) -> Any:
    """The logarithm of c·d·z^(cd − 1)/(1 + z^c)^(d + 1)."""
    inside = z > 0.0
    log = np.log(np.where(inside, z, 1.0))
    tail = np.where(inside, m.log_expit(-c * log), 0.0)
    return np.log(c) + np.log(d) + m.xlogy(c * d - 1.0, z) + (d + 1.0) * tail


FURTHER_LAWS: dict[str, Law] = {
    "truncnorm": Law(
        log_density=lambda m, z, a, b: -0.5 * z**2 - LOG_ROOT_TWO_PI - _log_mass(m, a, b),
        below=lambda m, z, a, b: np.exp(_truncated_log(m, z, a, b, above=False)),
        above=lambda m, z, a, b: np.exp(_truncated_log(m, z, a, b, above=True)),
        log_below=lambda m, z, a, b: _truncated_log(m, z, a, b, above=False),
        log_above=lambda m, z, a, b: _truncated_log(m, z, a, b, above=True),
        quantile=_truncated_quantile,
        upper_quantile=lambda m, q, a, b: -_truncated_quantile(m, q, -b, -a),
        support=lambda a, b: (a, b),
        inside=_inside_truncated,
        valid=lambda a, b: a < b,
    ),
    "gumbel_l": Law(
        log_density=lambda m, z: z - np.exp(z),
        below=lambda m, z: -np.expm1(-np.exp(z)),
        above=lambda m, z: np.exp(-np.exp(z)),
        log_above=lambda m, z: -np.exp(z),
        quantile=lambda m, q: np.log(-np.log1p(-q)),
        upper_quantile=lambda m, q: np.log(-np.log(q)),
    ),
    "maxwell": Law(
        log_density=lambda m, z: 0.5 * math.log(2.0 / math.pi) + 2.0 * np.log(z) - 0.5 * z**2,
        below=lambda m, z: m.gammainc(1.5, 0.5 * z**2),
        above=lambda m, z: m.gammaincc(1.5, 0.5 * z**2),
        quantile=lambda m, q: np.sqrt(2.0 * m.gammaincinv(1.5, q)),
        upper_quantile=lambda m, q: np.sqrt(2.0 * m.gammainccinv(1.5, q)),
        support=positive,
        open=True,
    ),
    "chi": Law(
        log_density=lambda m, z, df: LOG_2 - 0.5 * LOG_2 * df - m.gammaln(0.5 * df) + m.xlogy(df - 1.0, z) - 0.5 * z**2,
        below=lambda m, z, df: m.gammainc(0.5 * df, 0.5 * z**2),
        above=lambda m, z, df: m.gammaincc(0.5 * df, 0.5 * z**2),
        quantile=lambda m, q, df: np.sqrt(2.0 * m.gammaincinv(0.5 * df, q)),
        upper_quantile=lambda m, q, df: np.sqrt(2.0 * m.gammainccinv(0.5 * df, q)),
        support=positive,
    ),
    "halfcauchy": Law(
        log_density=lambda m, z: math.log(2.0 / math.pi) - np.log1p(z**2),
        below=lambda m, z: 2.0 / math.pi * np.arctan(z),
        above=lambda m, z: 2.0 / math.pi * np.arctan2(1.0, z),
        quantile=lambda m, q: np.tan(0.5 * math.pi * q),
        upper_quantile=lambda m, q: cotangent(0.5 * q),
        support=positive,
    ),
    "invgauss": Law(
        log_density=lambda m, z, mu: -LOG_ROOT_TWO_PI - 1.5 * np.log(z) - 0.5 * ((z - mu) / mu) ** 2 / z,
        below=lambda m, z, mu: np.exp(_wald_log(m, z, mu, above=False)),
        above=lambda m, z, mu: np.exp(_wald_log(m, z, mu, above=True)),
        log_below=lambda m, z, mu: _wald_log(m, z, mu, above=False),
        log_above=lambda m, z, mu: _wald_log(m, z, mu, above=True),
        support=positive,
        open=True,
    ),
    "loguniform": Law(
        log_density=lambda m, z, a, b: -np.log(z) - np.log(np.log(b) - np.log(a)),
        below=lambda m, z, a, b: (np.log(z) - np.log(a)) / (np.log(b) - np.log(a)),
        above=lambda m, z, a, b: (np.log(b) - np.log(z)) / (np.log(b) - np.log(a)),
        quantile=lambda m, q, a, b: np.exp(np.log(a) + q * (np.log(b) - np.log(a))),
        upper_quantile=lambda m, q, a, b: np.exp(np.log(b) - q * (np.log(b) - np.log(a))),
        support=lambda a, b: (a, b),
        inside=lambda a, b: 0.5 * (a + b),
        valid=lambda a, b: np.logical_and(a > 0, b > a),
    ),
    "powerlaw": Law(
        log_density=lambda m, z, a: np.log(a) + m.xlogy(a - 1.0, z),
        below=lambda m, z, a: z**a,
        above=lambda m, z, a: -np.expm1(a * np.log(z)),
        log_below=lambda m, z, a: a * np.log(z),
        quantile=lambda m, q, a: q ** (1.0 / a),
        upper_quantile=lambda m, q, a: np.exp(np.log1p(-q) / a),
        support=lambda *shapes: (0.0, 1.0),
    ),
    "lomax": Law(
        log_density=lambda m, z, c: np.log(c) - (c + 1.0) * np.log1p(z),
        below=lambda m, z, c: -np.expm1(-c * np.log1p(z)),
        above=lambda m, z, c: np.exp(-c * np.log1p(z)),
        log_above=lambda m, z, c: -c * np.log1p(z),
        quantile=lambda m, q, c: np.expm1(-np.log1p(-q) / c),
        upper_quantile=lambda m, q, c: np.expm1(-np.log(q) / c),
        support=positive,
    ),
    "fisk": Law(
        log_density=lambda m, z, c: burr_log(m, z, c, np.float64(1.0)),
        below=lambda m, z, c: m.sigmoid(c * np.log(z)),
        above=lambda m, z, c: m.sigmoid(-c * np.log(z)),
        log_below=lambda m, z, c: m.log_expit(c * np.log(z)),
        log_above=lambda m, z, c: m.log_expit(-c * np.log(z)),
        quantile=lambda m, q, c: np.exp(m.logit(q) / c),
        upper_quantile=lambda m, q, c: np.exp(-m.logit(q) / c),
        support=positive,
    ),
    "levy": Law(
        log_density=lambda m, z: -LOG_ROOT_TWO_PI - 1.5 * np.log(z) - 0.5 / z,
        below=lambda m, z: m.erfc(np.sqrt(0.5 / z)),
        above=lambda m, z: m.erf(np.sqrt(0.5 / z)),
        quantile=lambda m, q: 1.0 / m.ndtri(0.5 * q) ** 2,
        upper_quantile=lambda m, q: 0.5 / m.erfinv(q) ** 2,
        support=positive,
        open=True,
    ),
}
"""SciPy's distributions by name."""
