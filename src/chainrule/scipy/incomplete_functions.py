"""Incomplete gamma and beta functions, Student's distribution, and their inverses, with derivatives by every argument.

By the bounds these are densities; by the parameters integrals of density times logarithm (`moments.py`), which are operations of
their own: their derivatives are densities and integrals of the same kind, so that there is every order.
"""

from __future__ import annotations

import math
from typing import Any

from chainrule.ops.kinds.elementwise import POSITIVE, REAL, Domain
from chainrule.scipy import moments
from chainrule.scipy.declaring import of_scipy
from scipy import special

SHARE = Domain(0.0, 1.0)
FREEDOM = Domain(0.0, drawn=(0.5, math.inf))


def gamma_density(m: Any, a: Any, x: Any) -> Any:
    """x^(a−1)·e^(−x)/Γ(a)."""
    return m.exp(m.xlogy(a - 1.0, x) - x - m.gammaln(a))


def beta_density(m: Any, a: Any, b: Any, x: Any) -> Any:
    """x^(a−1)·(1 − x)^(b−1)/B(a, b)."""
    return m.exp(m.xlogy(a - 1.0, x) + m.xlog1py(b - 1.0, -x) - m.betaln(a, b))


def student_density(m: Any, df: Any, t: Any) -> Any:
    """(1 + t²/ν)^(−(ν+1)/2)/(√ν·B(1/2, ν/2))."""
    return m.exp(-0.5 * (df + 1.0) * m.log1p(m.square(t) / df) - 0.5 * m.log(df) - m.betaln(0.5 * df, 0.5))


def _gamma_by_shape(m: Any, share: Any, a: Any, x: Any) -> Any:
    return m.gamma_moment(a, x, order=1) - m.digamma(a) * share


def _beta_by_first(m: Any, share: Any, a: Any, b: Any, x: Any) -> Any:
    return m.beta_moment(a, b, x, order=(1, 0)) - (m.digamma(a) - m.digamma(a + b)) * share


def _beta_by_second(m: Any, share: Any, a: Any, b: Any, x: Any) -> Any:
    return m.beta_moment(a, b, x, order=(0, 1)) - (m.digamma(b) - m.digamma(a + b)) * share


def _student_by_freedom(m: Any, share: Any, df: Any, t: Any) -> Any:
    """Of the share beyond |t|, which is half an incomplete beta function of x = ν/(ν + t²) and ν/2."""
    size, a, whole = m.absolute(t), 0.5 * df, df + m.square(t)
    x = df / whole
    beyond = m.where(t > 0.0, 1.0 - share, share)
    by_bound = m.exp((a - 1.0) * m.log(x) - m.betaln(a, 0.5) - 1.5 * m.log(whole)) * size
    slope = m.beta_moment(a, 0.5, x, order=(1, 0)) - 2.0 * beyond * (m.digamma(a) - m.digamma(a + 0.5))
    return -m.sign(t) * 0.5 * (0.5 * slope + by_bound)


gamma_moment = of_scipy(
    "gamma_moment",
    moments.gamma_moment,
    (
        lambda m, y, a, x, order: m.gamma_moment(a, x, order=order + 1) - m.digamma(a) * y,
        lambda m, y, a, x, order: gamma_density(m, a, x) * m.log(x) ** order,
    ),
    (POSITIVE, POSITIVE),
    r"M_n\left({0}, {1}\right)",
    orders=(1, 2),
    doc="The integral of the gamma density times (ln t)ⁿ up to x.",
)
gammainc = of_scipy(
    "gammainc",
    special.gammainc,
    (_gamma_by_shape, lambda m, y, a, x: gamma_density(m, a, x)),
    (POSITIVE, POSITIVE),
    r"P\left({0}, {1}\right)",
    doc="The regularised lower incomplete gamma function.",
)
gammaincc = of_scipy(
    "gammaincc",
    special.gammaincc,
    (
        lambda m, y, a, x: -_gamma_by_shape(m, 1.0 - y, a, x),
        lambda m, y, a, x: -gamma_density(m, a, x),
    ),
    (POSITIVE, POSITIVE),
    r"Q\left({0}, {1}\right)",
    doc="The regularised upper incomplete gamma function.",
)
gammaincinv = of_scipy(
    "gammaincinv",
    special.gammaincinv,
    (
        lambda m, y, a, p: -_gamma_by_shape(m, p, a, y) / gamma_density(m, a, y),
        lambda m, y, a, p: 1.0 / gamma_density(m, a, y),
    ),
    (POSITIVE, SHARE),
    r"P^{{-1}}\left({0}, {1}\right)",
    doc="The inverse of P by its second argument.",
)
gammainccinv = of_scipy(
    "gammainccinv",
    special.gammainccinv,
    (
        lambda m, y, a, p: -_gamma_by_shape(m, 1.0 - p, a, y) / gamma_density(m, a, y),
        lambda m, y, a, p: -1.0 / gamma_density(m, a, y),
    ),
    (POSITIVE, SHARE),
    r"Q^{{-1}}\left({0}, {1}\right)",
    doc="The inverse of Q by its second argument.",
)
beta_moment = of_scipy(
    "beta_moment",
    moments.beta_moment,
    (
        lambda m, y, a, b, x, order: (
            m.beta_moment(a, b, x, order=(order[0] + 1, order[1])) - (m.digamma(a) - m.digamma(a + b)) * y
        ),
        lambda m, y, a, b, x, order: (
            m.beta_moment(a, b, x, order=(order[0], order[1] + 1)) - (m.digamma(b) - m.digamma(a + b)) * y
        ),
        lambda m, y, a, b, x, order: beta_density(m, a, b, x) * m.log(x) ** order[0] * m.log1p(-x) ** order[1],
    ),
    (POSITIVE, POSITIVE, SHARE),
    r"M_n\left({0}, {1}, {2}\right)",
    orders=((1, 0), (1, 1)),
    doc="The integral of the beta density times (ln t)ⁿ·(ln(1 − t))ᵐ up to x.",
)
betainc = of_scipy(
    "betainc",
    special.betainc,
    (_beta_by_first, _beta_by_second, lambda m, y, a, b, x: beta_density(m, a, b, x)),
    (POSITIVE, POSITIVE, SHARE),
    r"I_{{{2}}}\left({0}, {1}\right)",
    doc="The regularised incomplete beta function.",
)
betaincc = of_scipy(
    "betaincc",
    special.betaincc,
    (
        lambda m, y, a, b, x: -_beta_by_first(m, 1.0 - y, a, b, x),
        lambda m, y, a, b, x: -_beta_by_second(m, 1.0 - y, a, b, x),
        lambda m, y, a, b, x: -beta_density(m, a, b, x),
    ),
    (POSITIVE, POSITIVE, SHARE),
    r"1 - I_{{{2}}}\left({0}, {1}\right)",
    doc="What is missing of 1 at the regularised incomplete beta function.",
)
betaincinv = of_scipy(
    "betaincinv",
    special.betaincinv,
    (
        lambda m, y, a, b, p: -_beta_by_first(m, p, a, b, y) / beta_density(m, a, b, y),
        lambda m, y, a, b, p: -_beta_by_second(m, p, a, b, y) / beta_density(m, a, b, y),
        lambda m, y, a, b, p: 1.0 / beta_density(m, a, b, y),
    ),
    (POSITIVE, POSITIVE, SHARE),
    r"I^{{-1}}_{{{2}}}\left({0}, {1}\right)",
    doc="The inverse of the regularised incomplete beta function by its last argument.",
)
stdtr = of_scipy(
    "stdtr",
    special.stdtr,
    (_student_by_freedom, lambda m, y, df, t: student_density(m, df, t)),
    (FREEDOM, REAL),
    r"F_{{{0}}}\left({1}\right)",
    doc="The distribution function of Student's t distribution.",
)
stdtrit = of_scipy(
    "stdtrit",
    special.stdtrit,
    (
        lambda m, y, df, p: -_student_by_freedom(m, p, df, y) / student_density(m, df, y),
        lambda m, y, df, p: 1.0 / student_density(m, df, y),
    ),
    (FREEDOM, SHARE),
    r"F^{{-1}}_{{{0}}}\left({1}\right)",
    doc="The inverse of the distribution function of Student's t distribution.",
)
