"""Integrals of elementary functions: sine and cosine integrals, Fresnel's, the dilogarithm, Owen's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops.exponential import squared
from chainrule.ops.kinds.elementwise import POSITIVE, REAL
from chainrule.scipy.functions.declaring import each_order, of_order, of_scipy
from scipy import special


def _sine_slope(m: Any, y: Any, x: Any) -> Any:
    """sin(x)/x, by its series where x is so small that it is as exact."""
    near = m.absolute(x) < 0.03
    square, safe = m.square(m.where(near, x, 0.0)), m.where(near, 1.0, x)
    series = 1.0 + square * (-1.0 / 6.0 + square * (1.0 / 120.0 - square / 5040.0))
    return m.where(near, series, m.sin(safe) / safe)


def _sinh_slope(m: Any, y: Any, x: Any) -> Any:
    near = m.absolute(x) < 0.03
    square, safe = m.square(m.where(near, x, 0.0)), m.where(near, 1.0, x)
    series = 1.0 + square * (1.0 / 6.0 + square * (1.0 / 120.0 + square / 5040.0))
    return m.where(near, series, m.sinh(safe) / safe)


def _spence_slope(m: Any, y: Any, x: Any) -> Any:
    """ln x/(1 − x), by its series near 1."""
    d = x - 1.0
    near = m.absolute(d) < 1e-3
    small, safe = (
        m.where(near, d, 0.0),
        m.where(near, 1.0, d),
    )  # x − 1 is exact where it is divided by, and no longer near 0
    series = -1.0 + small * (0.5 + small * (-1.0 / 3.0 + small * (0.25 + small * (-0.2 + small / 6.0))))
    return m.where(near, series, -m.log(m.where(near, 1.0, x)) / safe)


def _expn_slope(m: Any, y: Any, x: Any, order: Any) -> Any:
    """−Eₙ₋₁(x); that of E₀ = e^(−x)/x by itself, before which SciPy knows none."""
    if not isinstance(order, tuple):
        return -m.expn(x, order=order - 1) if order > 0 else -y * (1.0 + 1.0 / x)
    before = -m.expn(x, order=each_order(order, lambda n: max(n - 1, 0)))
    return m.where(np.greater(order, 0), before, -y * (1.0 + 1.0 / x))


sine_integral = of_scipy(
    "sine_integral",
    lambda x: special.sici(x)[0],
    (_sine_slope,),
    (REAL,),
    r"\operatorname{{Si}}\left({0}\right)",
    doc="∫₀ˣ sin(t)/t dt.",
)
cosine_integral = of_scipy(
    "cosine_integral",
    lambda x: special.sici(x)[1],
    (lambda m, y, x: m.cos(x) / x,),
    (POSITIVE,),
    r"\operatorname{{Ci}}\left({0}\right)",
    doc="γ + ln x + ∫₀ˣ (cos(t) − 1)/t dt.",
)
hyperbolic_sine_integral = of_scipy(
    "hyperbolic_sine_integral",
    lambda x: special.shichi(x)[0],
    (_sinh_slope,),
    (REAL,),
    r"\operatorname{{Shi}}\left({0}\right)",
    doc="∫₀ˣ sinh(t)/t dt.",
)
hyperbolic_cosine_integral = of_scipy(
    "hyperbolic_cosine_integral",
    lambda x: special.shichi(x)[1],
    (lambda m, y, x: m.cosh(x) / x,),
    (POSITIVE,),
    r"\operatorname{{Chi}}\left({0}\right)",
    doc="γ + ln x + ∫₀ˣ (cosh(t) − 1)/t dt.",
)
fresnel_sine = of_scipy(
    "fresnel_sine",
    lambda x: special.fresnel(x)[0],
    (lambda m, y, x: m.sin(0.5 * math.pi * m.square(x)),),
    (REAL,),
    r"S\left({0}\right)",
    doc="∫₀ˣ sin(πt²/2) dt.",
)
fresnel_cosine = of_scipy(
    "fresnel_cosine",
    lambda x: special.fresnel(x)[1],
    (lambda m, y, x: m.cos(0.5 * math.pi * m.square(x)),),
    (REAL,),
    r"C\left({0}\right)",
    doc="∫₀ˣ cos(πt²/2) dt.",
)
spence = of_scipy(
    "spence", special.spence, (_spence_slope,), (POSITIVE,), doc="∫₁ˣ ln(t)/(1 − t) dt, the dilogarithm of 1 − x."
)
expn = of_scipy(
    "expn",
    of_order(special.expn),
    (_expn_slope,),
    (POSITIVE,),
    r"E_n\left({0}\right)",
    (0, 1, 3),
    doc="∫₁^∞ e^(−xt)/tⁿ dt.",
)

owens_t = of_scipy(
    "owens_t",
    special.owens_t,
    (
        lambda m, y, h, a: -0.5 * m.normal_density(h) * m.erf(a * h * math.sqrt(0.5)),
        lambda m, y, h, a: m.exp(-0.5 * squared(m, h) * (1.0 + m.square(a))) / (2.0 * math.pi * (1.0 + m.square(a))),
    ),
    (REAL, REAL),
    r"T\left({0}, {1}\right)",
    doc="∫₀ᵃ e^(−h²(1 + x²)/2)/(1 + x²) dx/(2π), the share of the skew normal distribution (Owen 1956).",
)
