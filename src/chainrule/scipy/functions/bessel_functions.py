"""Bessel functions; the order is static, and its derivatives are those of the orders beside it (DLMF 10.6, 10.29)."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.ops.kinds.elementwise import BENT, POSITIVE, REAL
from chainrule.scipy.functions.declaring import next_order, of_order, of_scipy
from scipy import special


def _beside(name: str, below: float, above: float) -> Any:
    """below·f(n − 1) + above·f(n + 1)."""

    def slope(m: Any, y: Any, x: Any, order: Any) -> Any:
        function = getattr(m, name)
        return below * function(x, order=next_order(order, -1)) + above * function(x, order=next_order(order, 1))

    return slope


_jv, _yv, _iv, _kv = (
    _beside("jv", 0.5, -0.5),
    _beside("yv", 0.5, -0.5),
    _beside("iv", 0.5, 0.5),
    _beside("kv", -0.5, -0.5),
)
_ive, _kve = _beside("ive", 0.5, 0.5), _beside("kve", -0.5, -0.5)

jv = of_scipy("jv", of_order(special.jv), (_jv,), (POSITIVE,), r"J_n\left({0}\right)", (0, 2, 1.5), complex=True)
yv = of_scipy("yv", of_order(special.yv), (_yv,), (POSITIVE,), r"Y_n\left({0}\right)", (0, 2, 0.5), complex=True)
iv = of_scipy("iv", of_order(special.iv), (_iv,), (POSITIVE,), r"I_n\left({0}\right)", (0, 2, 1.5), complex=True)
kv = of_scipy("kv", of_order(special.kv), (_kv,), (POSITIVE,), r"K_n\left({0}\right)", (0, 2, 0.5), complex=True)
yn = of_scipy("yn", of_order(special.yn), (_beside("yn", 0.5, -0.5),), (POSITIVE,), r"Y_n\left({0}\right)", (0, 2))
kn = of_scipy("kn", of_order(special.kn), (_beside("kn", -0.5, -0.5),), (POSITIVE,), r"K_n\left({0}\right)", (0, 2))
hankel1, hankel2 = (
    of_scipy(
        name,
        of_order(function),
        (_beside(name, 0.5, -0.5),),
        (POSITIVE,),
        rf"H^{{{{({kind})}}}}_n\left({{0}}\right)",
        (0, 2, 0.5),
        complex=True,
        to_complex=True,
    )
    for name, function, kind in (("hankel1", special.hankel1, 1), ("hankel2", special.hankel2, 2))
)
ive = of_scipy(
    "ive",
    of_order(special.ive),
    (lambda m, y, x, order: _ive(m, y, x, order) - m.sign(x) * y,),
    (POSITIVE,),
    r"e^{{-|{0}|}} I_n\left({0}\right)",
    (0, 2, 1.5),
)
kve = of_scipy(
    "kve",
    of_order(special.kve),
    (lambda m, y, x, order: _kve(m, y, x, order) + y,),
    (POSITIVE,),
    r"e^{{{0}}} K_n\left({0}\right)",
    (0, 2, 0.5),
)
j0 = of_scipy("j0", special.j0, (lambda m, y, x: -m.j1(x),), (REAL,), r"J_0\left({0}\right)")
j1 = of_scipy("j1", special.j1, (lambda m, y, x: 0.5 * (m.j0(x) - m.jv(x, order=2)),), (REAL,), r"J_1\left({0}\right)")
y0 = of_scipy("y0", special.y0, (lambda m, y, x: -m.y1(x),), (POSITIVE,), r"Y_0\left({0}\right)")
y1 = of_scipy(
    "y1", special.y1, (lambda m, y, x: 0.5 * (m.y0(x) - m.yv(x, order=2)),), (POSITIVE,), r"Y_1\left({0}\right)"
)
i0 = of_scipy("i0", special.i0, (lambda m, y, x: m.i1(x),), (REAL,), r"I_0\left({0}\right)")
i1 = of_scipy("i1", special.i1, (lambda m, y, x: 0.5 * (m.i0(x) + m.iv(x, order=2)),), (REAL,), r"I_1\left({0}\right)")
k0 = of_scipy("k0", special.k0, (lambda m, y, x: -m.k1(x),), (POSITIVE,), r"K_0\left({0}\right)")
k1 = of_scipy(
    "k1", special.k1, (lambda m, y, x: -0.5 * (m.k0(x) + m.kv(x, order=2)),), (POSITIVE,), r"K_1\left({0}\right)"
)
i0e = of_scipy(
    "i0e", special.i0e, (lambda m, y, x: m.i1e(x) - m.sign(x) * y,), (BENT,), r"e^{{-|{0}|}} I_0\left({0}\right)"
)
i1e = of_scipy(
    "i1e",
    special.i1e,
    (lambda m, y, x: 0.5 * (m.i0e(x) + m.ive(x, order=2)) - m.sign(x) * y,),
    (BENT,),
    r"e^{{-|{0}|}} I_1\left({0}\right)",
)
k0e = of_scipy("k0e", special.k0e, (lambda m, y, x: y - m.k1e(x),), (POSITIVE,), r"e^{{{0}}} K_0\left({0}\right)")
k1e = of_scipy(
    "k1e",
    special.k1e,
    (lambda m, y, x: y - 0.5 * (m.k0e(x) + m.kve(x, order=2)),),
    (POSITIVE,),
    r"e^{{{0}}} K_1\left({0}\right)",
)


# --- their logarithm and their ratios, smooth where the exponentials of |x| are not


def _ratio_slope(m: Any, y: Any, x: Any, order: Any) -> Any:
    """Rₙ′ = (Rₙ₋₁ + Rₙ₊₁)/2 − Rₙ·R₁."""
    before, after = (m.bessel_ratio(x, order=abs(order + by)) for by in (-1, 1))
    return 0.5 * (before + after) - y * m.bessel_ratio(x, order=1)


bessel_ratio = of_scipy(
    "bessel_ratio",
    lambda x, order: special.ive(order, x) / special.i0e(x),
    (_ratio_slope,),
    (REAL,),
    r"\frac{{I_n\left({0}\right)}}{{I_0\left({0}\right)}}",
    (1, 2),
    doc="Iₙ/I₀ of a static order.",
)
log_i0e = of_scipy(
    "log_i0e",
    lambda x: np.log(special.i0e(x)),
    (lambda m, y, x: m.bessel_ratio(x, order=1) - 1.0,),
    (POSITIVE,),
    r"\ln\left(e^{{-{0}}} I_0\left({0}\right)\right)",
    doc="ln I₀(x) − x, of numbers that are not negative.",
)
