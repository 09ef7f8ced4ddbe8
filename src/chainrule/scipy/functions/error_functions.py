"""The error function's relatives: its complement and inverses, the normal distribution, the logistic function's inverse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops.exponential import squared
from chainrule.ops.kinds.elementwise import POSITIVE, REAL, UNIT, Domain
from chainrule.ops.notation import Textbook
from chainrule.scipy.functions.declaring import of_scipy
from scipy import special

SHARE = Domain(0.0, 1.0)
"""Probabilities."""

NEAR = Domain(drawn=(-4.0, 4.0))
TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


def _erfcx_slope(x: Any, order: int) -> Any:
    """The derivative of the order n of erfcx, (−2)ⁿ·2/√π ∫₀^∞ tⁿ·e^(−t²−2xt) dt.

    By the recurrence (DLMF 7.18.7) where x is below 2, beyond by Gauss and Laguerre's nodes, as terms of the recurrence cancel.
    """
    given, x = x, np.asarray(x, float)
    before, now = TWO_OVER_ROOT_PI, special.erfcx(np.minimum(x, 2.0))
    for i in range(1, order + 1):
        before, now = now, (0.5 * before - np.minimum(x, 2.0) * now) / i
    nodes, weights = special.roots_genlaguerre(50, order)
    twice = 2.0 * np.maximum(x, 2.0)[..., None]
    beyond = np.sum(weights * np.exp(-((nodes / twice) ** 2)), axis=-1) / twice[..., 0] ** (order + 1)
    size = np.where(x < 2.0, math.factorial(order) * now, TWO_OVER_ROOT_PI * beyond)
    return ((-2.0) ** order * size).astype(np.result_type(given))[()]


def _normal_score(m: Any, x: Any, log_share: Any) -> Any:
    """The derivative of ln Φ, without a difference of large numbers where x is far below 0."""
    below = x < -1.0
    far = math.sqrt(2.0 / math.pi) / m.erfcx(m.where(below, x, -1.0) * -math.sqrt(0.5))
    exponent = -0.5 * m.square(x) - LOG_ROOT_TWO_PI - log_share
    return m.where(below, far, m.exp(m.where(below, 0.0, exponent)))


erf_of_complex = of_scipy(
    "erf_of_complex",
    special.erf,
    (lambda m, y, z: TWO_OVER_ROOT_PI * m.exp(-m.square(z)),),
    (NEAR,),
    r"\operatorname{{erf}}\left({0}\right)",
    complex=True,
    doc="The error function, of complex numbers too (DLMF 7.2.1); that of real ones is cr.erf, which has machine code.",
)
erfc = of_scipy(
    "erfc",
    special.erfc,
    (lambda m, y, x: -TWO_OVER_ROOT_PI * m.exp(-squared(m, x)),),
    (NEAR,),
    textbook=Textbook(partials=(lambda m, y, x: -2.0 / m.sqrt(math.pi) * m.exp(-m.square(x)),)),
    complex=True,
    doc="1 − erf(x), to full precision where it is small.",
)
erfcx = of_scipy(
    "erfcx",
    special.erfcx,
    (lambda m, y, x: m.erfcx_slope(x, order=1),),
    (Domain(drawn=(-2.0, 4.0)),),
    doc="e^(x²)·erfc(x).",
)
erfcx_slope = of_scipy(
    "erfcx_slope",
    _erfcx_slope,
    (lambda m, y, x, order: m.erfcx_slope(x, order=order + 1),),
    (Domain(drawn=(-2.0, 4.0)),),
    r"\operatorname{{erfcx}}^{{(n)}}\left({0}\right)",
    orders=(1, 2),
    doc="The derivative of erfcx of the order n.",
)
erfinv = of_scipy(
    "erfinv",
    special.erfinv,
    (lambda m, y, x: m.exp(m.square(y)) * (1.0 / TWO_OVER_ROOT_PI),),
    (UNIT,),
    r"\operatorname{{erf}}^{{-1}}\left({0}\right)",
    textbook=Textbook(partials=(lambda m, y, x: m.sqrt(math.pi) / 2.0 * m.exp(m.square(y)),)),
    doc="The inverse of the error function.",
)
erfcinv = of_scipy(
    "erfcinv",
    special.erfcinv,
    (lambda m, y, x: m.exp(m.square(y)) * (-1.0 / TWO_OVER_ROOT_PI),),
    (Domain(0.0, 2.0),),
    r"\operatorname{{erfc}}^{{-1}}\left({0}\right)",
    textbook=Textbook(partials=(lambda m, y, x: -m.sqrt(math.pi) / 2.0 * m.exp(m.square(y)),)),
    doc="The inverse of erfc.",
)
erfi = of_scipy(
    "erfi",
    special.erfi,
    (lambda m, y, x: TWO_OVER_ROOT_PI * m.exp(m.square(x)),),
    (NEAR,),
    textbook=Textbook(partials=(lambda m, y, x: 2.0 / m.sqrt(math.pi) * m.exp(m.square(x)),)),
    complex=True,
    doc="2/√π ∫₀ˣ e^(t²) dt.",
)
ndtr = of_scipy(
    "ndtr",
    special.ndtr,
    (lambda m, y, x: m.normal_density(x),),
    (NEAR,),
    r"\Phi\left({0}\right)",
    doc="The distribution function of the standard normal distribution.",
)
log_ndtr = of_scipy(
    "log_ndtr",
    special.log_ndtr,
    (lambda m, y, x: _normal_score(m, x, y),),
    (NEAR,),
    r"\ln \Phi\left({0}\right)",
    textbook=Textbook(partials=(lambda m, y, x: m.normal_density(x) / m.ndtr(x),)),
    doc="ln Φ(x), to full precision in both tails.",
)
ndtri = of_scipy(
    "ndtri",
    special.ndtri,
    (lambda m, y, p: ROOT_TWO_PI * m.exp(0.5 * m.square(y)),),
    (SHARE,),
    r"\Phi^{{-1}}\left({0}\right)",
    textbook=Textbook(partials=(lambda m, y, p: 1.0 / m.normal_density(y),)),
    doc="The inverse of Φ.",
)
ndtri_exp = of_scipy(
    "ndtri_exp",
    special.ndtri_exp,
    (lambda m, y, x: 1.0 / _normal_score(m, y, x),),
    (Domain(high=0.0, drawn=(-3.0, -0.1)),),
    r"\Phi^{{-1}}\left(e^{{{0}}}\right)",
    textbook=Textbook(partials=(lambda m, y, x: m.exp(x) / m.normal_density(y),)),
    doc="The inverse of ln Φ.",
)
logit = of_scipy(
    "logit",
    special.logit,
    (lambda m, y, p: 1.0 / (p * (1.0 - p)),),
    (SHARE,),
    doc="ln(p/(1 − p)).",
)
log_expit = of_scipy(
    "log_expit",
    special.log_expit,
    (lambda m, y, x: m.sigmoid(-x),),
    (REAL,),
    r"\ln \sigma\left({0}\right)",
    doc="ln(1/(1 + e^(−x))).",
)
log_of_share = of_scipy(
    "log_of_share",
    np.log,
    (lambda m, y, p: m.exp(-y),),
    (SHARE,),
    r"\ln {0}",
    textbook=Textbook(partials=(lambda m, y, p: 1.0 / p,)),
    doc="ln p, with a derivative written by the logarithm: where p is so small that 1/p² is infinite, curvatures still are not.",
)
exp1 = of_scipy(
    "exp1",
    special.exp1,
    (lambda m, y, x: -m.exp(-x) / x,),
    (POSITIVE,),
    r"E_1\left({0}\right)",
    doc="The exponential integral ∫₁^∞ e^(−xt)/t dt.",
)
expi = of_scipy(
    "expi",
    special.expi,
    (lambda m, y, x: m.exp(x) / x,),
    (POSITIVE,),
    r"\operatorname{{Ei}}\left({0}\right)",
    doc="The exponential integral, the principal value of ∫ e^t/t dt up to x.",
)
