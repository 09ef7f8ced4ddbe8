"""The error function's relatives: its complement and inverses, the normal distribution, the logistic function's inverse."""

from __future__ import annotations

import math

from chainrule.ops.exponential import squared
from chainrule.ops.kinds.elementwise import POSITIVE, REAL, UNIT, Domain
from chainrule.ops.notation import Textbook
from chainrule.scipy.declaring import of_scipy
from scipy import special

SHARE = Domain(0.0, 1.0)
"""Probabilities."""

NEAR = Domain(drawn=(-4.0, 4.0))
TWO_OVER_ROOT_PI = 2.0 / math.sqrt(math.pi)
ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)

erfc = of_scipy(
    "erfc",
    special.erfc,
    (lambda m, y, x: -TWO_OVER_ROOT_PI * m.exp(-squared(m, x)),),
    (NEAR,),
    textbook=Textbook(partials=(lambda m, y, x: -TWO_OVER_ROOT_PI * m.exp(-m.square(x)),)),
    doc="1 − erf(x), to full precision where it is small.",
)
erfcx = of_scipy(
    "erfcx",
    special.erfcx,
    (lambda m, y, x: 2.0 * x * y - TWO_OVER_ROOT_PI,),
    (Domain(drawn=(-2.0, 4.0)),),
    doc="e^(x²)·erfc(x).",
)
erfinv = of_scipy(
    "erfinv",
    special.erfinv,
    (lambda m, y, x: m.exp(m.square(y)) * (1.0 / TWO_OVER_ROOT_PI),),
    (UNIT,),
    r"\operatorname{{erf}}^{{-1}}\left({0}\right)",
    doc="The inverse of the error function.",
)
erfcinv = of_scipy(
    "erfcinv",
    special.erfcinv,
    (lambda m, y, x: m.exp(m.square(y)) * (-1.0 / TWO_OVER_ROOT_PI),),
    (Domain(0.0, 2.0),),
    r"\operatorname{{erfc}}^{{-1}}\left({0}\right)",
    doc="The inverse of erfc.",
)
dawsn = of_scipy("dawsn", special.dawsn, (lambda m, y, x: 1.0 - 2.0 * x * y,), (REAL,), doc="e^(−x²) ∫₀ˣ e^(t²) dt.")
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
    (lambda m, y, x: m.exp(-0.5 * m.square(x) - LOG_ROOT_TWO_PI - y),),
    (NEAR,),
    r"\ln \Phi\left({0}\right)",
    doc="ln Φ(x), to full precision in both tails.",
)
ndtri = of_scipy(
    "ndtri",
    special.ndtri,
    (lambda m, y, p: ROOT_TWO_PI * m.exp(0.5 * m.square(y)),),
    (SHARE,),
    r"\Phi^{{-1}}\left({0}\right)",
    doc="The inverse of Φ.",
)
ndtri_exp = of_scipy(
    "ndtri_exp",
    special.ndtri_exp,
    (lambda m, y, x: m.exp(x + 0.5 * m.square(y) + LOG_ROOT_TWO_PI),),
    (Domain(high=0.0, drawn=(-3.0, -0.1)),),
    r"\Phi^{{-1}}\left(e^{{{0}}}\right)",
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
