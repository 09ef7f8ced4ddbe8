"""Faddeeva's function w(z) = e^(−z²)·erfc(−iz), Dawson's and Voigt's, with derivatives of every order that keep their digits.

The recurrence w′ = 2i/√π − 2zw loses them from |z| = 6 on, where w ≈ i/(√π·z). Beyond, w is (i/π) ∫ e^(−t²)/(z − t) dt by Gauss
and Hermite's nodes, derived under the integral; below the real axis it is 2e^(−z²) − w(−z) (DLMF 7.7.2, 7.10).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.ops.kinds.elementwise import POSITIVE, REAL
from chainrule.ops.notation import Textbook
from chainrule.scipy.functions.declaring import in_dtype_of, of_scipy
from scipy import special

FAR = 6.5
ALONG = 1e-3
"""How near to the real axis e^(−z²), which the nodes leave out, still counts."""
ROOT_2, ROOT_PI = math.sqrt(2.0), math.sqrt(math.pi)
_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(20)


def _following(z: Any, before: Any, now: Any, order: int) -> Any:
    """The derivative of an order, of what has f⁽ᵏ⁺¹⁾ = −2z·f⁽ᵏ⁾ − 2k·f⁽ᵏ⁻¹⁾, given the first two."""
    for k in range(1, order + 1):
        before, now = now, -2.0 * z * now - 2.0 * k * before
    return before


def _bell(z: Any, order: int) -> Any:
    """Of e^(−z²)."""
    top = np.exp(-(z * z))
    return _following(z, top, -2.0 * z * top, order)


def scaled_slope(z: Any, scale: Any, order: int) -> Any:
    """The derivative of an order of w(z/scale)/scale, for scales of 0 too."""
    z, scale = np.broadcast_arrays(np.asarray(z, complex), np.asarray(scale, float))
    with np.errstate(all="ignore"):
        inner = z / scale
        below = inner.imag < 0.0
        sign = np.where(below, -1.0, 1.0)
        far = np.abs(z) >= FAR * np.abs(scale)
        safe = np.where(far, 0.0, sign * inner)
        value = special.wofz(safe)
        near = _following(safe, value, 2j / ROOT_PI - 2.0 * safe * value, order) / np.where(far, 1.0, scale) ** (
            order + 1
        )
        places = np.expand_dims(np.where(far, sign * z, 1.0), -1) - _NODES * np.expand_dims(
            np.where(far, scale, 0.0), -1
        )
        beyond = np.sum(_WEIGHTS / places ** (order + 1), axis=-1) * (
            1j / math.pi * (-1) ** order * math.factorial(order)
        )
        along = far & (np.abs(inner.imag) < ALONG) & (np.abs(inner) < 40.0)
        left = _bell(np.where(along, sign * inner, 0.0), order) / np.where(along, scale, 1.0) ** (order + 1)
        above = np.where(far, beyond + np.where(along, left, 0.0), near)
        whole = _bell(np.where(below, inner, 0.0), order) / np.where(below, scale, 1.0) ** (order + 1)
        found = np.where(below, 2.0 * whole - (-1) ** order * above, above)
    return np.where(np.isnan(z) | np.isnan(scale), np.nan, found)[()]


def _dawsn_slope(x: Any, order: int) -> Any:
    return in_dtype_of(x, 0.5 * ROOT_PI * scaled_slope(x, 1.0, order).imag)


def _voigt_slope(x: Any, sigma: Any, gamma: Any, order: tuple[int, int]) -> Any:
    kind = np.result_type(x, sigma, gamma)
    x, sigma, gamma = (np.asarray(given, float) for given in (x, sigma, gamma))
    found = 1j ** order[1] * scaled_slope(x + 1j * gamma, ROOT_2 * sigma, sum(order))
    return (found.real / ROOT_PI).astype(kind if kind.kind == "f" else float)[()]


wofz = of_scipy(
    "wofz",
    lambda z: in_dtype_of(z, special.wofz(z)),
    (lambda m, y, z: m.wofz_slope(z, order=1),),
    (REAL,),
    r"w\left({0}\right)",
    complex=True,
    to_complex=True,
    doc="Faddeeva's function e^(−z²)·erfc(−iz) (DLMF 7.2.3), complex.",
)
wofz_slope = of_scipy(
    "wofz_slope",
    lambda z, order: in_dtype_of(z, scaled_slope(z, 1.0, order)),
    (lambda m, y, z, order: m.wofz_slope(z, order=order + 1),),
    (REAL,),
    r"w^{{(n)}}\left({0}\right)",
    (1, 2),
    complex=True,
    to_complex=True,
    doc="The derivative of Faddeeva's function of the order n.",
)
dawsn = of_scipy(
    "dawsn",
    special.dawsn,
    (lambda m, y, x: m.dawsn_slope(x, order=1),),
    (REAL,),
    textbook=Textbook(partials=(lambda m, y, x: 1.0 - 2.0 * x * y,)),
    doc="e^(−x²) ∫₀ˣ e^(t²) dt.",
)
dawsn_slope = of_scipy(
    "dawsn_slope",
    _dawsn_slope,
    (lambda m, y, x, order: m.dawsn_slope(x, order=order + 1),),
    (REAL,),
    r"\operatorname{{dawsn}}^{{(n)}}\left({0}\right)",
    (1, 2),
    doc="The derivative of Dawson's function of the order n.",
)
voigt_profile = of_scipy(
    "voigt_profile",
    special.voigt_profile,
    (
        lambda m, y, x, sigma, gamma: m.voigt_slope(x, sigma, gamma, order=(1, 0)),
        lambda m, y, x, sigma, gamma: sigma * m.voigt_slope(x, sigma, gamma, order=(2, 0)),
        lambda m, y, x, sigma, gamma: m.voigt_slope(x, sigma, gamma, order=(0, 1)),
    ),
    (REAL, POSITIVE, POSITIVE),
    r"V\left({0}; {1}, {2}\right)",
    doc="The convolution of a normal distribution of width σ with a Cauchy distribution of width γ; it solves ∂V/∂σ = σ·∂²V/∂x².",
)
voigt_slope = of_scipy(
    "voigt_slope",
    _voigt_slope,
    (
        lambda m, y, x, sigma, gamma, order: m.voigt_slope(x, sigma, gamma, order=(order[0] + 1, order[1])),
        lambda m, y, x, sigma, gamma, order: sigma * m.voigt_slope(x, sigma, gamma, order=(order[0] + 2, order[1])),
        lambda m, y, x, sigma, gamma, order: m.voigt_slope(x, sigma, gamma, order=(order[0], order[1] + 1)),
    ),
    (REAL, POSITIVE, POSITIVE),
    r"V^{{(n)}}\left({0}; {1}, {2}\right)",
    ((1, 0), (0, 1), (2, 0)),
    doc="The derivative of Voigt's profile of the orders n by x and m by γ.",
)
