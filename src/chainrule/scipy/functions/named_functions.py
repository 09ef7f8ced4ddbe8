"""Solutions of differential equations of second order, by their last argument: hypergeometric, elliptic, Airy's; Lambert's W.

Their parameters are static numbers, all in `order`; derivatives are the same functions with other parameters (DLMF 13.3, 15.5, 18.9).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.ops.kinds.elementwise import POSITIVE, REAL, Domain, Elementwise
from chainrule.ops.notation import Textbook
from chainrule.scipy.functions.declaring import in_dtype_of, of_order, of_scipy
from scipy import special

NEAR = Domain(drawn=(-2.0, 2.0))
WITHIN = Domain(-1.0, 1.0)
MODULUS = Domain(high=1.0, drawn=(-2.0, 0.9))
REST = Domain(0.0, drawn=(0.1, 2.0))


def _of_parameters(function: Callable[..., Any]) -> Callable[..., Any]:
    """The value of SciPy's f(a, …, x) with static numbers a, …."""

    def value(x: Any, order: Any) -> Any:
        return in_dtype_of(x, function(*order, x))

    return value


def _with(name: str, function: Callable[..., Any], next_: Callable[..., Any], *args: Any, **more: Any) -> Elementwise:
    """An operation whose derivative is a number times itself with other parameters: `next_` gives both."""

    def slope(m: Any, y: Any, x: Any, order: Any) -> Any:
        factor, following = next_(*order)
        return factor * getattr(m, name)(x, order=following) if factor else 0.0 * x

    return of_scipy(name, _of_parameters(function), (slope,), *args, **more)


# --- hypergeometric functions


def _kummer(a: float, b: float, x: Any) -> Any:
    """SciPy's value; its series does not end for numbers beyond 10¹⁰, where only polynomials are not infinite."""
    return special.hyp1f1(a, b, x if a <= 0 and a == int(a) else np.minimum(np.asarray(x, float), 1e10))


hyp0f1 = _with(
    "hyp0f1", special.hyp0f1, lambda b: (1.0 / b, (b + 1.0,)), (NEAR,), r"{{}}_0F_1\left(n; {0}\right)", ((0.5,), (2.0,)),
    doc="The confluent limit ₀F₁(; b; x).",
)  # fmt: skip
hyp1f1 = _with(
    "hyp1f1", _kummer, lambda a, b: (a / b, (a + 1.0, b + 1.0)), (NEAR,), r"{{}}_1F_1\left(n; {0}\right)",
    ((0.5, 1.5), (-2.0, 0.7)), doc="Kummer's function ₁F₁(a; b; x).",
)  # fmt: skip
hyp2f1 = _with(
    "hyp2f1", special.hyp2f1, lambda a, b, c: (a * b / c, (a + 1.0, b + 1.0, c + 1.0)), (MODULUS,),
    r"{{}}_2F_1\left(n; {0}\right)", ((0.5, 0.5, 1.0), (1.3, -0.4, 2.2)), doc="Gauss's function ₂F₁(a, b; c; x).",
)  # fmt: skip
hyperu = _with(
    "hyperu", special.hyperu, lambda a, b: (-a, (a + 1.0, b + 1.0)), (POSITIVE,), r"U\left(n, {0}\right)",
    ((0.5, 1.5), (1.2, 0.7)), doc="Tricomi's function U(a, b, x).",
)  # fmt: skip


# --- complete elliptic integrals: by each other (DLMF 19.4.1), and where m is near 0 by Gauss's function


def _by_rest(near: Callable[..., Any], far: Callable[..., Any]) -> Callable[..., Any]:
    """The derivative by p = 1 − m of one of the integrals; its digits are there at m = 0 and at m = 1."""

    def slope(m: Any, p: Any) -> Any:
        close = m.absolute(1.0 - p) < 0.5
        beside, apart = m.where(close, 1.0 - p, 0.0), m.where(close, 0.25, p)
        return m.where(close, near(m, beside), far(m, apart, m.ellipkm1(apart), m.ellipem1(apart)))

    return slope


_first = _by_rest(
    lambda m, x: -0.125 * math.pi * m.hyp2f1(x, order=(0.5, 0.5, 2.0)) / (1.0 - x),
    lambda m, p, first, second: (first - second / p) / (2.0 * (1.0 - p)),
)
_second = _by_rest(
    lambda m, x: 0.125 * math.pi * m.hyp2f1(x, order=(0.5, 1.5, 2.0)),
    lambda m, p, first, second: (first - second) / (2.0 * (1.0 - p)),
)

ellipk = of_scipy(
    "ellipk", special.ellipk, (lambda m, y, x: -_first(m, 1.0 - x),), (MODULUS,), r"K\left({0}\right)",
    textbook=Textbook(partials=(lambda m, y, x: (m.ellipe(x) / (1.0 - x) - y) / (2.0 * x),)),
    doc="The complete elliptic integral ∫ (1 − m·sin²θ)^(−1/2) dθ from 0 to π/2, by m.",
)  # fmt: skip
ellipkm1 = of_scipy(
    "ellipkm1", special.ellipkm1, (lambda m, y, p: _first(m, p),), (REST,), r"K\left(1 - {0}\right)",
    textbook=Textbook(partials=(lambda m, y, p: (y - m.ellipem1(p) / p) / (2.0 * (1.0 - p)),)),
    doc="The same by 1 − m, with its digits where that is small.",
)  # fmt: skip
ellipe = of_scipy(
    "ellipe", special.ellipe, (lambda m, y, x: -_second(m, 1.0 - x),), (MODULUS,), r"E\left({0}\right)",
    textbook=Textbook(partials=(lambda m, y, x: (y - m.ellipk(x)) / (2.0 * x),)),
    doc="The complete elliptic integral ∫ (1 − m·sin²θ)^(1/2) dθ from 0 to π/2, by m.",
)  # fmt: skip
ellipem1 = of_scipy(
    "ellipem1", lambda p: special.ellipe(1.0 - p), (lambda m, y, p: _second(m, p),), (REST,), r"E\left(1 - {0}\right)",
    textbook=Textbook(partials=(lambda m, y, p: (m.ellipkm1(p) - y) / (2.0 * (1.0 - p)),)),
    doc="The same by 1 − m.",
)  # fmt: skip


# --- incomplete ones and Jacobi's functions, by the amplitude


def _delta(m: Any, x: Any, order: Any) -> Any:
    """1 − m·sin²φ."""
    return 1.0 - order[0] * m.square(m.sin(x))


def _of_amplitude(function: Callable[..., Any]) -> Callable[..., Any]:
    return _of_parameters(lambda k, x: function(x, k))


def _jacobi(part: int) -> Callable[..., Any]:
    return _of_parameters(lambda k, x: special.ellipj(x, k)[part])


ellipkinc = of_scipy(
    "ellipkinc", _of_amplitude(special.ellipkinc), (lambda m, y, x, order: _delta(m, x, order) ** -0.5,), (REAL,),
    r"F\left({0}, n\right)", ((0.3,), (-1.5,)), doc="∫ (1 − m·sin²θ)^(−1/2) dθ up to φ, by φ.",
)  # fmt: skip
ellipeinc = of_scipy(
    "ellipeinc", _of_amplitude(special.ellipeinc), (lambda m, y, x, order: m.sqrt(_delta(m, x, order)),), (REAL,),
    r"E\left({0}, n\right)", ((0.3,), (-1.5,)), doc="∫ (1 − m·sin²θ)^(1/2) dθ up to φ, by φ.",
)  # fmt: skip
jacobi_sn = of_scipy(
    "jacobi_sn", _jacobi(0), (lambda m, y, x, order: m.jacobi_cn(x, order=order) * m.jacobi_dn(x, order=order),), (REAL,),
    r"\operatorname{{sn}}\left({0}, n\right)", ((0.3,), (0.9,)), doc="Jacobi's sn, by u (DLMF 22.13.1).",
)  # fmt: skip
jacobi_cn = of_scipy(
    "jacobi_cn", _jacobi(1), (lambda m, y, x, order: -m.jacobi_sn(x, order=order) * m.jacobi_dn(x, order=order),), (REAL,),
    r"\operatorname{{cn}}\left({0}, n\right)", ((0.3,), (0.9,)), doc="Jacobi's cn, by u.",
)  # fmt: skip
jacobi_dn = of_scipy(
    "jacobi_dn", _jacobi(2),
    (lambda m, y, x, order: -order[0] * m.jacobi_sn(x, order=order) * m.jacobi_cn(x, order=order),), (REAL,),
    r"\operatorname{{dn}}\left({0}, n\right)", ((0.3,), (0.9,)), doc="Jacobi's dn, by u.",
)  # fmt: skip
jacobi_am = of_scipy(
    "jacobi_am", _jacobi(3), (lambda m, y, x, order: m.jacobi_dn(x, order=order),), (REAL,),
    r"\operatorname{{am}}\left({0}, n\right)",
    ((0.3,), (0.9,)), doc="Jacobi's amplitude, by u.",
)  # fmt: skip


# --- orthogonal polynomials, of a degree that may be no whole number


def _lower(factor: Any, *following: Any) -> tuple[Any, tuple[Any, ...]]:
    return factor, following


eval_jacobi = _with(
    "eval_jacobi", special.eval_jacobi, lambda n, a, b: _lower(0.5 * (n + a + b + 1.0) if n else 0.0, n - 1, a + 1.0, b + 1.0),
    (WITHIN,), r"P_n\left({0}\right)", ((3, 0.5, 1.5), (0, 0.0, 0.0)), doc="Jacobi's polynomial of degree n.",
)  # fmt: skip
eval_gegenbauer = _with(
    "eval_gegenbauer", special.eval_gegenbauer, lambda n, a: _lower(2.0 * a if n else 0.0, n - 1, a + 1.0), (WITHIN,),
    r"C_n\left({0}\right)", ((3, 0.5), (0, 1.5)), doc="Gegenbauer's polynomial of degree n.",
)  # fmt: skip
eval_genlaguerre = _with(
    "eval_genlaguerre", special.eval_genlaguerre, lambda n, a: _lower(-1.0 if n else 0.0, n - 1, a + 1.0), (POSITIVE,),
    r"L_n\left({0}\right)", ((3, 0.5), (0, 1.5)), doc="Laguerre's generalised polynomial of degree n.",
)  # fmt: skip
eval_hermite = _with(
    "eval_hermite", special.eval_hermite, lambda n: _lower(2.0 * n, n - 1), (REAL,), r"H_n\left({0}\right)", ((3,), (0,)),
    doc="Hermite's polynomial of degree n, orthogonal under e^(−x²).",
)  # fmt: skip
eval_hermitenorm = _with(
    "eval_hermitenorm", special.eval_hermitenorm, lambda n: _lower(1.0 * n, n - 1), (REAL,),
    r"\mathit{{He}}_n\left({0}\right)", ((3,), (0,)), doc="Hermite's polynomial of degree n, orthogonal under e^(−x²/2).",
)  # fmt: skip


def _of_family(name: str, next_: Callable[..., Any], domain: Domain, latex: str, doc: str) -> Elementwise:
    """A polynomial whose derivative is a number times one of a wider family: `next_` gives both and its name."""

    def slope(m: Any, y: Any, x: Any, order: Any) -> Any:
        factor, wider, following = next_(*order)
        return factor * getattr(m, wider)(x, order=following) if order[0] else 0.0 * x

    return of_scipy(name, _of_parameters(getattr(special, name)), (slope,), (domain,), latex, ((3,), (0,)), doc=doc)


eval_legendre = _of_family(
    "eval_legendre", lambda n: (0.5 * (n + 1.0), "eval_jacobi", (n - 1, 1.0, 1.0)), WITHIN, r"P_n\left({0}\right)",
    "Legendre's polynomial of degree n.",
)  # fmt: skip
eval_laguerre = _of_family(
    "eval_laguerre", lambda n: (-1.0, "eval_genlaguerre", (n - 1, 1.0)), POSITIVE, r"L_n\left({0}\right)",
    "Laguerre's polynomial of degree n.",
)  # fmt: skip
eval_chebyu = _of_family(
    "eval_chebyu", lambda n: (2.0, "eval_gegenbauer", (n - 1, 2.0)), WITHIN, r"U_n\left({0}\right)",
    "Chebyshev's polynomial of the second kind, of degree n.",
)  # fmt: skip
eval_chebyt = _of_family(
    "eval_chebyt", lambda n: (n, "eval_gegenbauer", (n - 1, 1.0)), WITHIN, r"T_n\left({0}\right)",
    "Chebyshev's polynomial of the first kind, of degree n.",
)  # fmt: skip


# --- Airy's functions, and spherical Bessel functions


def _airy(kind: int) -> Callable[..., Any]:
    return _of_parameters(lambda slope, x: special.airy(x)[kind + slope])


def _airy_slope(name: str) -> Callable[..., Any]:
    def slope(m: Any, y: Any, x: Any, order: Any) -> Any:
        return x * getattr(m, name)(x, order=(0,)) if order[0] else getattr(m, name)(x, order=(1,))

    return slope


airy_ai = of_scipy(
    "airy_ai", _airy(0), (_airy_slope("airy_ai"),), (REAL,), r"\operatorname{{Ai}}^{{(n)}}\left({0}\right)", ((0,), (1,)),
    doc="Airy's Ai and its derivative, as n is 0 or 1; Ai″ = x·Ai.",
)  # fmt: skip
airy_bi = of_scipy(
    "airy_bi", _airy(2), (_airy_slope("airy_bi"),), (REAL,), r"\operatorname{{Bi}}^{{(n)}}\left({0}\right)", ((0,), (1,)),
    doc="Airy's Bi and its derivative, as n is 0 or 1; Bi″ = x·Bi.",
)  # fmt: skip


SPHERICAL = {
    "spherical_jn": (1.0, -1.0),
    "spherical_yn": (1.0, -1.0),
    "spherical_in": (1.0, 1.0),
    "spherical_kn": (-1.0, -1.0),
}
"""By what their derivatives have the orders below and above (DLMF 10.51.2, 10.51.5)."""


def _spherical(name: str, below: float, above: float) -> Callable[..., Any]:
    """(±n·f(n − 1) ± (n + 1)·f(n + 1))/(2n + 1)."""

    def slope(m: Any, y: Any, x: Any, order: Any) -> Any:
        f, n = getattr(m, name), order
        higher = above * (n + 1) / (2 * n + 1) * f(x, order=n + 1)
        return higher + below * n / (2 * n + 1) * f(x, order=n - 1) if n else higher

    return slope


spherical_jn, spherical_yn, spherical_in, spherical_kn = (
    of_scipy(
        name,
        of_order(getattr(special, name)),
        (_spherical(name, *signs),),
        (POSITIVE,),
        name[-2] + r"_n\left({0}\right)",
        (0, 2),
        doc=f"The spherical Bessel function {name[-2]} of a static order, √(π/2x) times that of half an order more.",
    )
    for name, signs in SPHERICAL.items()
)


# --- Lambert's W

lambertw = of_scipy(
    "lambertw",
    lambda z, order: in_dtype_of(z, special.lambertw(z, order)),
    (lambda m, y, z, order: m.exp(-y) / (1.0 + y),),
    (Domain(0.0, drawn=(0.2, 3.0)),),
    r"W_n\left({0}\right)",
    (0, -1, 2),
    complex=True,
    to_complex=True,
    doc="The W with W·e^W = z, on the branch k, complex (Corless et al. 1996).",
)
