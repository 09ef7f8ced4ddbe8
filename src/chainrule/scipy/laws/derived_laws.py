"""Laws made of others: with a shape fixed, mirrored, folded, a power of a share or of a number; and laws on an interval."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.scipy.functions.error_functions import LOG_ROOT_TWO_PI
from chainrule.scipy.laws.further_laws import FURTHER_LAWS, burr_log
from chainrule.scipy.laws.laws import LAWS, LOG_2, LOG_PI, Law, positive


def _with_shape(law: Law, shape: float) -> Law:
    """The law whose only shape is this number."""

    def fixed(rule: Any) -> Any:
        return rule and (lambda m, z: rule(m, z, np.float64(shape)))

    rules = ("log_density", "below", "above", "log_below", "log_above", "quantile", "upper_quantile")
    return Law(**{name: fixed(getattr(law, name)) for name in rules}, support=law.support, open=law.open)


def _log_growth(z: Any, c: Any) -> Any:
    """ln(1 − e^(−zᶜ)), with the digits of either term."""
    size = z**c
    near = size < 1.0
    return np.where(near, np.log(-np.expm1(-np.where(near, size, 1.0))), np.log1p(-np.exp(-np.where(near, 1.0, size))))


def _growth_quantile(log: Any, c: Any) -> Any:
    """The z with ln(1 − e^(−zᶜ)) = log."""
    small = log < -0.7
    power = np.where(
        small, -np.log1p(-np.exp(np.where(small, log, -1.0))), -np.log(-np.expm1(np.where(small, -0.5, log)))
    )
    return power ** (1.0 / c)


def _general_gamma_log(m: Any, z: Any, a: Any, c: Any) -> Any:
    none = np.logical_and(z == 0.0, c < 0.0)
    inside = np.where(none, 1.0, z)
    value = np.log(np.abs(c)) + m.xlogy(c * a - 1.0, inside) - inside**c - m.gammaln(a)
    return np.where(none, -math.inf, value)


def _triangle_log(m: Any, z: Any, c: Any) -> Any:
    left = z < c
    return LOG_2 + np.log(np.where(left, z, 1.0 - z) / np.where(left, c, 1.0 - c))


def _triangle_below(m: Any, z: Any, c: Any) -> Any:
    left = z < c
    return np.where(left, z * np.where(left, z, 0.0) / np.where(left, c, 1.0), 1.0 - _far_side(z, c, left))


def _far_side(z: Any, c: Any, left: Any) -> Any:
    return (1.0 - z) ** 2 / np.where(left, 1.0, 1.0 - c)


def _triangle_above(m: Any, z: Any, c: Any) -> Any:
    left = z < c
    return np.where(left, 1.0 - z**2 / np.where(left, c, 1.0), _far_side(z, c, left))


def _triangle_quantile(m: Any, q: Any, c: Any) -> Any:
    left = q < c
    rest = np.where(left, 0.5, (1.0 - c) * (1.0 - q))
    return np.where(left, np.sqrt(np.where(left, c * q, 0.25)), 1.0 - np.sqrt(rest))


def _folded_log(m: Any, z: Any, c: Any) -> Any:
    return np.logaddexp(-0.5 * (z + c) ** 2, -0.5 * (z - c) ** 2) - LOG_ROOT_TWO_PI


def _fatigue(z: Any, c: Any) -> Any:
    return (np.sqrt(z) - 1.0 / np.sqrt(z)) / c


def _fatigue_quantile(m: Any, q: Any, c: Any) -> Any:
    size = 0.5 * c * m.ndtri(q)
    return (size + np.sqrt(size**2 + 1.0)) ** 2


def _power_laplace_log(m: Any, z: Any, c: Any) -> Any:
    return np.log(0.5 * c) + m.xlogy(np.where(z < 1.0, c - 1.0, -c - 1.0), z)


def _power_laplace_below(m: Any, z: Any, c: Any) -> Any:
    low = z < 1.0
    size = 0.5 * np.exp(c * np.where(low, np.log(np.where(low, z, 1.0)), -np.log(np.where(low, 1.0, z))))
    return np.where(low, size, 1.0 - size)


def _power_laplace_quantile(m: Any, q: Any, c: Any) -> Any:
    low = q < 0.5
    return np.exp(np.where(low, np.log(2.0 * np.where(low, q, 0.5)), -np.log(2.0 * np.where(low, 0.5, 1.0 - q))) / c)


def _normal_inverse_gauss_log(m: Any, z: Any, a: Any, b: Any) -> Any:
    root = np.sqrt(1.0 + z**2)
    rate = np.sqrt((a - b) * (a + b))
    return np.log(a) - LOG_PI + rate + b * z - a * root + np.log(m.k1e(a * root)) - np.log(root)


DERIVED_LAWS: dict[str, Law] = {
    "reciprocal": FURTHER_LAWS["loguniform"],
    "wald": _with_shape(FURTHER_LAWS["invgauss"], 1.0),
    "gibrat": _with_shape(LAWS["lognorm"], 1.0),
    "weibull_max": Law(
        log_density=lambda m, z, c: np.log(c) + m.xlogy(c - 1.0, -z) - (-z) ** c,
        below=lambda m, z, c: np.exp(-((-z) ** c)),
        above=lambda m, z, c: -np.expm1(-((-z) ** c)),
        log_below=lambda m, z, c: -((-z) ** c),
        quantile=lambda m, q, c: -((-np.log(q)) ** (1.0 / c)),
        upper_quantile=lambda m, q, c: -((-np.log1p(-q)) ** (1.0 / c)),
        support=lambda *shapes: (-math.inf, 0.0),
        inside=lambda *shapes: -0.5,
    ),
    "gengamma": Law(
        log_density=_general_gamma_log,
        below=lambda m, z, a, c: np.where(c > 0.0, m.gammainc(a, z**c), m.gammaincc(a, z**c)),
        above=lambda m, z, a, c: np.where(c > 0.0, m.gammaincc(a, z**c), m.gammainc(a, z**c)),
        quantile=lambda m, q, a, c: np.where(c > 0.0, m.gammaincinv(a, q), m.gammainccinv(a, q)) ** (1.0 / c),
        upper_quantile=lambda m, q, a, c: np.where(c > 0.0, m.gammainccinv(a, q), m.gammaincinv(a, q)) ** (1.0 / c),
        support=positive,
        valid=lambda a, c: np.logical_and(a > 0.0, c != 0.0),
    ),
    "exponweib": Law(
        log_density=lambda m, z, a, c: (
            np.log(a) + np.log(c) + m.xlogy(a - 1.0, -np.expm1(-(z**c))) - z**c + m.xlogy(c - 1.0, z)
        ),
        below=lambda m, z, a, c: np.exp(a * _log_growth(z, c)),
        above=lambda m, z, a, c: -np.expm1(a * _log_growth(z, c)),
        log_below=lambda m, z, a, c: a * _log_growth(z, c),
        quantile=lambda m, q, a, c: _growth_quantile(np.log(q) / a, c),
        upper_quantile=lambda m, q, a, c: _growth_quantile(np.log1p(-q) / a, c),
        support=positive,
    ),
    "fatiguelife": Law(
        log_density=lambda m, z, c: (
            np.log1p(z) - 0.5 * _fatigue(z, c) ** 2 - np.log(2.0 * c) - 1.5 * np.log(z) - LOG_ROOT_TWO_PI
        ),
        below=lambda m, z, c: m.ndtr(_fatigue(z, c)),
        above=lambda m, z, c: m.ndtr(-_fatigue(z, c)),
        log_below=lambda m, z, c: m.log_ndtr(_fatigue(z, c)),
        log_above=lambda m, z, c: m.log_ndtr(-_fatigue(z, c)),
        quantile=_fatigue_quantile,
        upper_quantile=lambda m, q, c: 1.0 / _fatigue_quantile(m, q, c),
        support=positive,
        open=True,
    ),
    "foldnorm": Law(
        log_density=_folded_log,
        below=lambda m, z, c: m.ndtr(z - c) - m.ndtr(-z - c),
        above=lambda m, z, c: m.ndtr(c - z) + m.ndtr(-z - c),
        support=positive,
        valid=lambda c: c >= 0.0,
    ),
    "halfgennorm": Law(
        log_density=lambda m, z, beta: np.log(beta) - m.gammaln(1.0 / beta) - z**beta,
        below=lambda m, z, beta: m.gammainc(1.0 / beta, z**beta),
        above=lambda m, z, beta: m.gammaincc(1.0 / beta, z**beta),
        quantile=lambda m, q, beta: m.gammaincinv(1.0 / beta, q) ** (1.0 / beta),
        upper_quantile=lambda m, q, beta: m.gammainccinv(1.0 / beta, q) ** (1.0 / beta),
        support=positive,
    ),
    "johnsonsb": Law(
        log_density=lambda m, z, a, b: (
            np.log(b) - np.log(z) - np.log1p(-z) - 0.5 * (a + b * m.logit(z)) ** 2 - LOG_ROOT_TWO_PI
        ),
        below=lambda m, z, a, b: m.ndtr(a + b * m.logit(z)),
        above=lambda m, z, a, b: m.ndtr(-(a + b * m.logit(z))),
        log_below=lambda m, z, a, b: m.log_ndtr(a + b * m.logit(z)),
        log_above=lambda m, z, a, b: m.log_ndtr(-(a + b * m.logit(z))),
        quantile=lambda m, q, a, b: m.sigmoid((m.ndtri(q) - a) / b),
        upper_quantile=lambda m, q, a, b: m.sigmoid((-m.ndtri(q) - a) / b),
        support=lambda *shapes: (0.0, 1.0),
        valid=lambda a, b: np.logical_and(a == a, b > 0.0),
        open=True,
    ),
    "powernorm": Law(
        log_density=lambda m, z, c: np.log(c) - 0.5 * z**2 - LOG_ROOT_TWO_PI + (c - 1.0) * m.log_ndtr(-z),
        below=lambda m, z, c: -np.expm1(c * m.log_ndtr(-z)),
        above=lambda m, z, c: np.exp(c * m.log_ndtr(-z)),
        log_above=lambda m, z, c: c * m.log_ndtr(-z),
        quantile=lambda m, q, c: -m.ndtri_exp(np.log1p(-q) / c),
        upper_quantile=lambda m, q, c: -m.ndtri_exp(np.log(q) / c),
    ),
    "loglaplace": Law(
        log_density=_power_laplace_log,
        below=_power_laplace_below,
        above=lambda m, z, c: _power_laplace_below(m, 1.0 / z, c),
        quantile=_power_laplace_quantile,
        upper_quantile=lambda m, q, c: 1.0 / _power_laplace_quantile(m, q, c),
        support=positive,
    ),
    "burr": Law(
        log_density=burr_log,
        below=lambda m, z, c, d: np.exp(d * m.log_expit(c * np.log(z))),
        above=lambda m, z, c, d: -np.expm1(d * m.log_expit(c * np.log(z))),
        log_below=lambda m, z, c, d: d * m.log_expit(c * np.log(z)),
        quantile=lambda m, q, c, d: np.expm1(-np.log(q) / d) ** (-1.0 / c),
        upper_quantile=lambda m, q, c, d: np.expm1(-np.log1p(-q) / d) ** (-1.0 / c),
        support=positive,
    ),
    "norminvgauss": Law(
        log_density=_normal_inverse_gauss_log,
        valid=lambda a, b: np.logical_and(a > 0.0, np.abs(b) < a),
    ),
    "triang": Law(
        log_density=_triangle_log,
        below=_triangle_below,
        above=_triangle_above,
        quantile=_triangle_quantile,
        upper_quantile=lambda m, q, c: 1.0 - _triangle_quantile(m, q, 1.0 - c),
        support=lambda c: (0.0, 1.0),
        valid=lambda c: np.logical_and(c >= 0.0, c <= 1.0),
    ),
    "truncexpon": Law(
        log_density=lambda m, z, b: -z - np.log(-np.expm1(-b)),
        below=lambda m, z, b: np.expm1(-z) / np.expm1(-b),
        above=lambda m, z, b: np.exp(-z) * np.expm1(z - b) / np.expm1(-b),
        quantile=lambda m, q, b: -np.log1p(q * np.expm1(-b)),
        upper_quantile=lambda m, q, b: -np.log1p((1.0 - q) * np.expm1(-b)),
        support=lambda b: (0.0, b),
        inside=lambda b: 0.5 * b,
    ),
    "bradford": Law(
        log_density=lambda m, z, c: np.log(c) - np.log1p(c * z) - np.log(np.log1p(c)),
        below=lambda m, z, c: np.log1p(c * z) / np.log1p(c),
        above=lambda m, z, c: -np.log1p(c * (z - 1.0) / (1.0 + c)) / np.log1p(c),
        quantile=lambda m, q, c: np.expm1(q * np.log1p(c)) / c,
        upper_quantile=lambda m, q, c: np.expm1((1.0 - q) * np.log1p(c)) / c,
        support=lambda c: (0.0, 1.0),
    ),
    "semicircular": Law(
        log_density=lambda m, z: LOG_2 - LOG_PI + 0.5 * (np.log1p(-z) + np.log1p(z)),
        below=lambda m, z: 0.5 + (z * np.sqrt((1.0 - z) * (1.0 + z)) + np.arcsin(z)) / math.pi,
        above=lambda m, z: 0.5 - (z * np.sqrt((1.0 - z) * (1.0 + z)) + np.arcsin(z)) / math.pi,
        support=lambda: (-1.0, 1.0),
    ),
    "cosine": Law(
        log_density=lambda m, z: 2.0 * np.log(np.cos(0.5 * z)) - LOG_PI,
        below=lambda m, z: 0.5 + (z + np.sin(z)) / (2.0 * math.pi),
        above=lambda m, z: 0.5 - (z + np.sin(z)) / (2.0 * math.pi),
        support=lambda: (-math.pi, math.pi),
    ),
    "anglit": Law(
        log_density=lambda m, z: np.log(np.cos(2.0 * z)),
        below=lambda m, z: np.sin(z + 0.25 * math.pi) ** 2,
        above=lambda m, z: np.cos(z + 0.25 * math.pi) ** 2,
        quantile=lambda m, q: np.arcsin(np.sqrt(q)) - 0.25 * math.pi,
        upper_quantile=lambda m, q: np.arccos(np.sqrt(q)) - 0.25 * math.pi,
        support=lambda: (-0.25 * math.pi, 0.25 * math.pi),
        inside=lambda: 0.1,
    ),
    "planck": Law(
        log_density=lambda m, k, rate: np.log(-np.expm1(-rate)) - rate * k,
        below=lambda m, k, rate: -np.expm1(-rate * (k + 1.0)),
        above=lambda m, k, rate: np.exp(-rate * (k + 1.0)),
        log_above=lambda m, k, rate: -rate * (k + 1.0),
        support=positive,
        inside=lambda *shapes: 0.0,
        discrete=True,
    ),
}
"""Named as in `scipy.stats`."""
