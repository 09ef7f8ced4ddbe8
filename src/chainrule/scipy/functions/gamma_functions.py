"""The gamma function and its relatives: logarithm, logarithmic derivatives, beta function, binomial coefficients."""

from __future__ import annotations

import math
from typing import Any

from chainrule.ops.kinds.elementwise import POSITIVE, REAL, Domain
from chainrule.ops.notation import Textbook
from chainrule.ops.operation import at
from chainrule.scipy.functions.declaring import next_order, of_order, of_scipy
from scipy import special


def _rgamma_slope(m: Any, y: Any, x: Any) -> Any:
    """−ψ(x)/Γ(x); by Euler's reflection where Γ has poles."""
    left = x < 0.5
    away, rest = m.where(left, x, 0.0) * math.pi, 1.0 - m.where(left, x, 0.0)
    reflected = m.gamma(rest) * (m.cos(away) - m.digamma(rest) * m.sin(away) / math.pi)
    return m.where(left, reflected, -y * m.digamma(m.where(left, 1.0, x)))


gamma = of_scipy(
    "gamma",
    special.gamma,
    (lambda m, y, x: y * m.digamma(x),),
    (POSITIVE,),
    r"\Gamma\left({0}\right)",
    doc="The gamma function ∫₀^∞ t^(x−1) e^(−t) dt.",
)
rgamma = of_scipy(
    "rgamma",
    special.rgamma,
    (_rgamma_slope,),
    (REAL,),
    r"\frac{{1}}{{\Gamma\left({0}\right)}}",
    textbook=Textbook(partials=(lambda m, y, x: -m.digamma(x) / m.gamma(x),)),
    doc="1/Γ(x).",
)
gammaln = of_scipy(
    "gammaln",
    special.gammaln,
    (lambda m, y, x: m.digamma(x),),
    (POSITIVE,),
    r"\ln \Gamma\left({0}\right)",
    doc="ln |Γ(x)|.",
)
digamma = of_scipy(
    "digamma",
    special.digamma,
    (lambda m, y, x: m.polygamma(x, order=1),),
    (POSITIVE,),
    r"\psi\left({0}\right)",
    doc="The derivative of ln Γ(x).",
)
polygamma = of_scipy(
    "polygamma",
    of_order(special.polygamma),
    (lambda m, y, x, order: m.polygamma(x, order=next_order(order, 1)),),
    (POSITIVE,),
    r"\psi^{{(n)}}\left({0}\right)",
    orders=(1, 2),
    doc="The derivative of ln Γ(x) of the order n + 1.",
)
beta = of_scipy(
    "beta",
    special.beta,
    (
        lambda m, y, a, b: y * (m.digamma(a) - m.digamma(a + b)),
        lambda m, y, a, b: y * (m.digamma(b) - m.digamma(a + b)),
    ),
    (POSITIVE, POSITIVE),
    r"B\left({0}, {1}\right)",
    doc="The beta function Γ(a)·Γ(b)/Γ(a + b).",
)
betaln = of_scipy(
    "betaln",
    special.betaln,
    (
        lambda m, y, a, b: m.digamma(a) - m.digamma(a + b),
        lambda m, y, a, b: m.digamma(b) - m.digamma(a + b),
    ),
    (POSITIVE, POSITIVE),
    r"\ln B\left({0}, {1}\right)",
    doc="ln |B(a, b)|.",
)
binom = of_scipy(
    "binom",
    special.binom,
    (
        lambda m, y, n, k: y * (m.digamma(n + 1.0) - m.digamma(n - k + 1.0)),
        lambda m, y, n, k: y * (m.digamma(n - k + 1.0) - m.digamma(k + 1.0)),
    ),
    (Domain(-1.0, drawn=(3.0, 9.0)), Domain(-1.0, drawn=(0.0, 2.0))),
    r"\binom{{{0}}}{{{1}}}",
    kinks=(at("{1} − {0} a whole number from 1 on", 2.5, 4.5),),
    doc="The binomial coefficient, with gamma functions in place of factorials.",
)
poch = of_scipy(
    "poch",
    special.poch,
    (
        lambda m, y, x, n: y * (m.digamma(x + n) - m.digamma(x)),
        lambda m, y, x, n: y * m.digamma(x + n),
    ),
    (POSITIVE, POSITIVE),
    doc="Γ(x + n)/Γ(x).",
)
zeta = of_scipy(
    "zeta",
    lambda q, order: special.zeta(order, q),
    (lambda m, y, q, order: -order * m.zeta(q, order=order + 1.0),),
    (POSITIVE,),
    r"\zeta\left(n, {0}\right)",
    orders=(2.0, 3.5),
    doc="Hurwitz's zeta function Σ (k + q)^(−n), with n = order, any number above 1.",
)
gammasgn = of_scipy("gammasgn", special.gammasgn, (None,), (POSITIVE,), doc="The sign of Γ(x).")
loggamma = of_scipy(
    "loggamma",
    special.loggamma,
    (lambda m, y, x: m.digamma(x),),
    (POSITIVE,),
    r"\ln \Gamma\left({0}\right)",
    doc="ln Γ(x), of positive numbers.",
)
