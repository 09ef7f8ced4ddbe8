"""Functions made of powers and exponentials, with derivatives that keep their digits: Box and Cox's, (eˣ − 1)/x, Huber's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops.kinds.elementwise import POSITIVE, REAL, Domain
from chainrule.scipy.functions.declaring import of_scipy
from scipy import special

_EXPONENT = Domain(0.2, 2.0)
_HIGH = Domain(0.0, drawn=(2.2, 3.5))


FAR = 30.0
"""From here on Jₙ = ∫₀¹ sⁿ·e^(xs) ds is found by Jₙ = (eˣ − n·Jₙ₋₁)/x; SciPy's series take for ever where x is very large."""


def _exprel_slope(x: Any, order: int) -> Any:
    near = np.abs(x) < FAR
    found = special.hyp1f1(order + 1.0, order + 2.0, np.where(near, x, 0.0)) / (order + 1.0)
    far = np.where(near, FAR, x)
    with np.errstate(over="ignore", invalid="ignore"):
        top, integral = np.exp(far), np.expm1(far) / far
        for n in range(1, order + 1):
            integral = (top - n * integral) / far
    integral = np.where(np.isposinf(far), np.inf, integral)
    kind = np.asarray(x).dtype
    return np.where(near, found, integral).astype(kind if kind.kind == "f" else float)[()]


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(30)
_NODES, _WEIGHTS = 0.5 * (1.0 + _NODES), 0.5 * _WEIGHTS


def _logrel(x: Any) -> Any:
    safe = np.where(x == 0.0, 1.0, x).astype(np.asarray(x).dtype)
    return np.where(x == 0.0, safe, np.log1p(safe) / safe)[()]


def _logrel_slope(x: Any, order: int) -> Any:
    """(−1)ⁿ·n! ∫₀¹ sⁿ/(1 + xs)ⁿ⁺¹ ds, near 0 by nodes, and else by the derivatives of x·y = ln(1 + x)."""
    kind, x = np.asarray(x).dtype, np.asarray(x, float)
    near = np.abs(x) < 0.5
    places = 1.0 + np.expand_dims(np.where(near, x, 0.0), -1) * _NODES
    found = math.factorial(order) * np.sum(_WEIGHTS * (-_NODES) ** order / places ** (order + 1), axis=-1)
    far = np.where(near, 1.0, x)
    with np.errstate(all="ignore"):
        beyond = np.log1p(far) / far
        for n in range(1, order + 1):
            beyond = (-((-1.0) ** n) * math.factorial(n - 1) / (1.0 + far) ** n - n * beyond) / far
    return np.where(near, found, beyond).astype(kind if kind.kind == "f" else float)[()]


def _by_exponent(m: Any, log: Any, exponent: Any) -> Any:
    """The derivative of (e^(λ·l) − 1)/λ by λ."""
    return m.square(log) * m.exprel_slope(exponent * log, order=1)


def _inverse_by_exponent(m: Any, log: Any, exponent: Any) -> Any:
    return -_by_exponent(m, log, exponent) * m.exp((1.0 - exponent) * log)


def _pseudo_huber_by_width(m: Any, y: Any, delta: Any, r: Any) -> Any:
    root = m.sqrt(1.0 + m.square(r / delta))
    return delta * m.square(m.square(r / delta) / (1.0 + root)) / root


def _log_size(m: Any, y: Any, x: Any) -> Any:
    """y·ln |x|, 0 where y is."""
    zero = y == 0.0
    return m.where(zero, 0.0, y * m.log(m.where(zero, 1.0, m.absolute(x))))


abs_power = of_scipy(
    "abs_power",
    lambda x, exponent: np.abs(x) ** exponent,
    (
        lambda m, y, x, exponent: exponent * m.signed_power(x, exponent - 1.0),
        lambda m, y, x, exponent: _log_size(m, y, x),
    ),
    (REAL, _HIGH),
    r"\left|{0}\right|^{{{1}}}",
    doc="|x|^p, with a curvature at 0 where p is 2 or more.",
)
signed_power = of_scipy(
    "signed_power",
    lambda x, exponent: np.sign(x) * np.abs(x) ** exponent,
    (
        lambda m, y, x, exponent: exponent * m.abs_power(x, exponent - 1.0),
        lambda m, y, x, exponent: _log_size(m, y, x),
    ),
    (REAL, _HIGH),
    doc="|x|^p with the sign of x.",
)
exprel = of_scipy(
    "exprel",
    special.exprel,
    (lambda m, y, x: m.exprel_slope(x, order=1),),
    (REAL,),
    r"\frac{{e^{{{0}}} - 1}}{{{0}}}",
    doc="(eˣ − 1)/x, 1 for x = 0.",
)
exprel_slope = of_scipy(
    "exprel_slope",
    _exprel_slope,
    (lambda m, y, x, order: m.exprel_slope(x, order=order + 1),),
    (REAL,),
    r"\operatorname{{exprel}}^{{(n)}}\left({0}\right)",
    orders=(1, 2),
    doc="The derivative of (eˣ − 1)/x of the order n, ∫₀¹ sⁿ·e^(xs) ds.",
)
logrel = of_scipy(
    "logrel",
    _logrel,
    (lambda m, y, x: m.logrel_slope(x, order=1),),
    (Domain(-1.0, drawn=(-0.7, 3.0)),),
    r"\frac{{\ln\left(1 + {0}\right)}}{{{0}}}",
    doc="ln(1 + x)/x, 1 for x = 0.",
)
logrel_slope = of_scipy(
    "logrel_slope",
    _logrel_slope,
    (lambda m, y, x, order: m.logrel_slope(x, order=order + 1),),
    (Domain(-1.0, drawn=(-0.7, 3.0)),),
    r"\operatorname{{logrel}}^{{(n)}}\left({0}\right)",
    orders=(1, 2),
    doc="The derivative of ln(1 + x)/x of the order n.",
)
boxcox = of_scipy(
    "boxcox",
    special.boxcox,
    (
        lambda m, y, x, exponent: m.power(x, exponent - 1.0),
        lambda m, y, x, exponent: _by_exponent(m, m.log(x), exponent),
    ),
    (POSITIVE, _EXPONENT),
    doc="(x^λ − 1)/λ, ln x for λ = 0.",
)
boxcox1p = of_scipy(
    "boxcox1p",
    special.boxcox1p,
    (
        lambda m, y, x, exponent: m.exp((exponent - 1.0) * m.log1p(x)),
        lambda m, y, x, exponent: _by_exponent(m, m.log1p(x), exponent),
    ),
    (POSITIVE, _EXPONENT),
    doc="((1 + x)^λ − 1)/λ, ln(1 + x) for λ = 0.",
)
inv_boxcox = of_scipy(
    "inv_boxcox",
    special.inv_boxcox,
    (
        lambda m, y, x, exponent: m.power(y, 1.0 - exponent),
        lambda m, y, x, exponent: _inverse_by_exponent(m, m.log(y), exponent),
    ),
    (POSITIVE, _EXPONENT),
    doc="(1 + λx)^(1/λ), eˣ for λ = 0.",
)
inv_boxcox1p = of_scipy(
    "inv_boxcox1p",
    special.inv_boxcox1p,
    (
        lambda m, y, x, exponent: m.exp((1.0 - exponent) * m.log1p(y)),
        lambda m, y, x, exponent: _inverse_by_exponent(m, m.log1p(y), exponent),
    ),
    (POSITIVE, _EXPONENT),
    doc="(1 + λx)^(1/λ) − 1, eˣ − 1 for λ = 0.",
)
pseudo_huber = of_scipy(
    "pseudo_huber",
    special.pseudo_huber,
    (_pseudo_huber_by_width, lambda m, y, delta, r: r / m.sqrt(1.0 + m.square(r / delta))),
    (POSITIVE, REAL),
    doc="δ²·(√(1 + (r/δ)²) − 1).",
)
