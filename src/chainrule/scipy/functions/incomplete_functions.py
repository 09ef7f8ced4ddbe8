"""Incomplete gamma and beta functions, Student's distribution, and their inverses, with derivatives by every argument.

By the bounds these are densities; by the parameters `gammainc_slope` and `betainc_slope`, operations of their own that hold every
order.
"""

from __future__ import annotations

import math
from typing import Any

from chainrule.ops.kinds.elementwise import POSITIVE, REAL, Domain
from chainrule.ops.notation import Textbook
from chainrule.scipy.functions import share_slopes
from chainrule.scipy.functions.declaring import of_scipy
from chainrule.scipy.functions.share_slopes import bell, beta_logs, gamma_logs, student_logs
from scipy import special

SHARE = Domain(0.0, 1.0)
FREEDOM = Domain(0.0, drawn=(0.5, math.inf))


def gamma_density(m: Any, a: Any, x: Any) -> Any:
    """x^(a−1)·e^(−x)/Γ(a)."""
    return m.exp(m.xlogy(a - 1.0, x) - x - m.gammaln(a))


def beta_density(m: Any, a: Any, b: Any, x: Any) -> Any:
    """x^(a−1)·(1 − x)^(b−1)/B(a, b)."""
    return m.exp(m.xlogy(a - 1.0, x) + m.xlog1py(b - 1.0, -x) - m.betaln(a, b))


def _in_textbooks(m: Any, x: Any, a: Any, b: Any = None) -> Any:
    """The densities as they are printed, without what keeps them finite."""
    return m.power(x, a - 1.0) * (m.exp(-x) / m.gamma(a) if b is None else m.power(1.0 - x, b - 1.0) / m.beta(a, b))


def student_density(m: Any, df: Any, t: Any) -> Any:
    """(1 + t²/ν)^(−(ν+1)/2)/(√ν·B(1/2, ν/2))."""
    return m.exp(-0.5 * (df + 1.0) * m.log1p(m.square(t) / df) - 0.5 * m.log(df) - m.betaln(0.5 * df, 0.5))


gammainc_slope = of_scipy(
    "gammainc_slope",
    share_slopes.gammainc_slope,
    (
        lambda m, y, a, x, order: m.gammainc_slope(a, x, order=order + 1),
        lambda m, y, a, x, order: gamma_density(m, a, x) * bell(gamma_logs(m, a, m.log(x)), order),
    ),
    (POSITIVE, POSITIVE),
    r"P^{{(n)}}\left({0}, {1}\right)",
    orders=(1, 2),
    doc="The derivative of the order n by a of the regularised lower incomplete gamma function.",
)
gammainc = of_scipy(
    "gammainc",
    special.gammainc,
    (lambda m, y, a, x: m.gammainc_slope(a, x, order=1), lambda m, y, a, x: gamma_density(m, a, x)),
    (POSITIVE, POSITIVE),
    r"P\left({0}, {1}\right)",
    textbook=Textbook(partials=(None, lambda m, y, a, x: _in_textbooks(m, x, a))),
    doc="The regularised lower incomplete gamma function.",
)
gammaincc = of_scipy(
    "gammaincc",
    special.gammaincc,
    (
        lambda m, y, a, x: -m.gammainc_slope(a, x, order=1),
        lambda m, y, a, x: -gamma_density(m, a, x),
    ),
    (POSITIVE, POSITIVE),
    r"Q\left({0}, {1}\right)",
    textbook=Textbook(partials=(None, lambda m, y, a, x: -_in_textbooks(m, x, a))),
    doc="The regularised upper incomplete gamma function.",
)
gammaincinv = of_scipy(
    "gammaincinv",
    special.gammaincinv,
    (
        lambda m, y, a, p: -m.gammainc_slope(a, y, order=1) / gamma_density(m, a, y),
        lambda m, y, a, p: 1.0 / gamma_density(m, a, y),
    ),
    (POSITIVE, SHARE),
    r"P^{{-1}}\left({0}, {1}\right)",
    textbook=Textbook(
        partials=(
            lambda m, y, a, p: -m.gammainc_slope(a, y, order=1) / _in_textbooks(m, y, a),
            lambda m, y, a, p: 1.0 / _in_textbooks(m, y, a),
        )
    ),
    doc="The inverse of P by its second argument.",
)
gammainccinv = of_scipy(
    "gammainccinv",
    special.gammainccinv,
    (
        lambda m, y, a, p: -m.gammainc_slope(a, y, order=1) / gamma_density(m, a, y),
        lambda m, y, a, p: -1.0 / gamma_density(m, a, y),
    ),
    (POSITIVE, SHARE),
    r"Q^{{-1}}\left({0}, {1}\right)",
    textbook=Textbook(
        partials=(
            lambda m, y, a, p: -m.gammainc_slope(a, y, order=1) / _in_textbooks(m, y, a),
            lambda m, y, a, p: -1.0 / _in_textbooks(m, y, a),
        )
    ),
    doc="The inverse of Q by its second argument.",
)
betainc_slope = of_scipy(
    "betainc_slope",
    share_slopes.betainc_slope,
    (
        lambda m, y, a, b, x, order: m.betainc_slope(a, b, x, order=(order[0] + 1, order[1])),
        lambda m, y, a, b, x, order: m.betainc_slope(a, b, x, order=(order[0], order[1] + 1)),
        lambda m, y, a, b, x, order: beta_density(m, a, b, x) * bell(beta_logs(m, a, b, m.log(x), m.log1p(-x)), *order),
    ),
    (POSITIVE, POSITIVE, SHARE),
    r"I^{{(n)}}_{{{2}}}\left({0}, {1}\right)",
    orders=((1, 0), (1, 1)),
    doc="The derivative of the orders n and m by a and b of the regularised incomplete beta function.",
)
betainc = of_scipy(
    "betainc",
    special.betainc,
    (
        lambda m, y, a, b, x: m.betainc_slope(a, b, x, order=(1, 0)),
        lambda m, y, a, b, x: m.betainc_slope(a, b, x, order=(0, 1)),
        lambda m, y, a, b, x: beta_density(m, a, b, x),
    ),
    (POSITIVE, POSITIVE, SHARE),
    r"I_{{{2}}}\left({0}, {1}\right)",
    textbook=Textbook(partials=(None, None, lambda m, y, a, b, x: _in_textbooks(m, x, a, b))),
    doc="The regularised incomplete beta function.",
)
betaincc = of_scipy(
    "betaincc",
    special.betaincc,
    (
        lambda m, y, a, b, x: -m.betainc_slope(a, b, x, order=(1, 0)),
        lambda m, y, a, b, x: -m.betainc_slope(a, b, x, order=(0, 1)),
        lambda m, y, a, b, x: -beta_density(m, a, b, x),
    ),
    (POSITIVE, POSITIVE, SHARE),
    r"1 - I_{{{2}}}\left({0}, {1}\right)",
    textbook=Textbook(partials=(None, None, lambda m, y, a, b, x: -_in_textbooks(m, x, a, b))),
    doc="What is missing of 1 at the regularised incomplete beta function.",
)
betaincinv = of_scipy(
    "betaincinv",
    special.betaincinv,
    (
        lambda m, y, a, b, p: -m.betainc_slope(a, b, y, order=(1, 0)) / beta_density(m, a, b, y),
        lambda m, y, a, b, p: -m.betainc_slope(a, b, y, order=(0, 1)) / beta_density(m, a, b, y),
        lambda m, y, a, b, p: 1.0 / beta_density(m, a, b, y),
    ),
    (POSITIVE, POSITIVE, SHARE),
    r"I^{{-1}}_{{{2}}}\left({0}, {1}\right)",
    textbook=Textbook(
        partials=(
            lambda m, y, a, b, p: -m.betainc_slope(a, b, y, order=(1, 0)) / _in_textbooks(m, y, a, b),
            lambda m, y, a, b, p: -m.betainc_slope(a, b, y, order=(0, 1)) / _in_textbooks(m, y, a, b),
            lambda m, y, a, b, p: 1.0 / _in_textbooks(m, y, a, b),
        )
    ),
    doc="The inverse of the regularised incomplete beta function by its last argument.",
)
betainccinv = of_scipy(
    "betainccinv",
    special.betainccinv,
    (
        lambda m, y, a, b, p: -m.betainc_slope(a, b, y, order=(1, 0)) / beta_density(m, a, b, y),
        lambda m, y, a, b, p: -m.betainc_slope(a, b, y, order=(0, 1)) / beta_density(m, a, b, y),
        lambda m, y, a, b, p: -1.0 / beta_density(m, a, b, y),
    ),
    (POSITIVE, POSITIVE, SHARE),
    textbook=Textbook(
        partials=(
            lambda m, y, a, b, p: -m.betainc_slope(a, b, y, order=(1, 0)) / _in_textbooks(m, y, a, b),
            lambda m, y, a, b, p: -m.betainc_slope(a, b, y, order=(0, 1)) / _in_textbooks(m, y, a, b),
            lambda m, y, a, b, p: -1.0 / _in_textbooks(m, y, a, b),
        )
    ),
    doc="The inverse of 1 − I by its last argument.",
)
stdtr_slope = of_scipy(
    "stdtr_slope",
    share_slopes.stdtr_slope,
    (
        lambda m, y, df, t, order: m.stdtr_slope(df, t, order=order + 1),
        lambda m, y, df, t, order: (
            student_density(m, df, t) * bell(student_logs(m, df, m.square(t), m.log1p(m.square(t) / df)), order)
        ),
    ),
    (FREEDOM, REAL),
    r"F^{{(n)}}_{{{0}}}\left({1}\right)",
    orders=(1, 2),
    doc="The derivative of the order n by ν of the distribution function of Student's t distribution.",
)
stdtr = of_scipy(
    "stdtr",
    special.stdtr,
    (lambda m, y, df, t: m.stdtr_slope(df, t, order=1), lambda m, y, df, t: student_density(m, df, t)),
    (FREEDOM, REAL),
    r"F_{{{0}}}\left({1}\right)",
    doc="The distribution function of Student's t distribution.",
)
stdtrit = of_scipy(
    "stdtrit",
    special.stdtrit,
    (
        lambda m, y, df, p: -m.stdtr_slope(df, y, order=1) / student_density(m, df, y),
        lambda m, y, df, p: 1.0 / student_density(m, df, y),
    ),
    (FREEDOM, SHARE),
    r"F^{{-1}}_{{{0}}}\left({1}\right)",
    doc="The inverse of the distribution function of Student's t distribution.",
)
