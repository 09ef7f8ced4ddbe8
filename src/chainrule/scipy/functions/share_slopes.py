"""Derivatives of incomplete gamma and beta functions by their parameters, in every order: integrals of the density's derivatives.

∂ⁿp = p·Bₙ with Bell's polynomials Bₙ of the derivatives of ln p. Over everything these integrate to 0, so what is integrated is the
smaller of the two sides, and tails keep their digits: Gauss and Legendre's nodes from the bound to where p is negligible.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb, factorial
from typing import Any

import numpy as np

from scipy import special

NEGLIGIBLE = 45.0
"""e^(−45) is 3e-20."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(30)
_PANELS = ((0.0, 1 / 128), (1 / 128, 1 / 16), (1 / 16, 1 / 4), (1 / 4, 1.0))


def bell(logs: Callable[[int, int], Any], n: int, m: int = 0) -> Any:
    """∂ⁿ⁺ᵐp/p of a p by two parameters, given the derivatives `logs(i, j)` of ln p."""
    if n == m == 0:
        return 1.0
    if n == 0:
        return bell(lambda i, j: logs(j, i), m)
    return sum(
        comb(n - 1, i) * comb(m, j) * logs(i + 1, j) * bell(logs, n - 1 - i, m - j)
        for i in range(n)
        for j in range(m + 1)
    )


def gamma_logs(m: Any, a: Any, log_t: Any) -> Callable[[int, int], Any]:
    """Derivatives by a of the logarithm of t^(a−1)·e^(−t)/Γ(a)."""
    return lambda i, j: log_t - m.digamma(a) if i == 1 else -m.polygamma(a, order=i - 1)


def beta_logs(m: Any, a: Any, b: Any, log_t: Any, log_rest: Any) -> Callable[[int, int], Any]:
    """Derivatives by a and b of the logarithm of t^(a−1)·(1 − t)^(b−1)/B(a, b)."""

    def psi(x: Any, order: int) -> Any:
        return m.digamma(x) if order == 0 else m.polygamma(x, order=order)

    def logs(i: int, j: int) -> Any:
        both = psi(a + b, i + j - 1)
        if i and j:
            return both
        own = both - psi(a if i else b, i + j - 1)
        return own + (log_t if i else log_rest) if i + j == 1 else own

    return logs


def student_logs(m: Any, df: Any, square: Any, log: Any) -> Callable[[int, int], Any]:
    """Derivatives by ν of the logarithm of Student's density at t, given t² and ln(1 + t²/ν)."""

    def log_slope(x: Any, order: int) -> Any:
        return (-1.0) ** (order - 1) * factorial(order - 1) / x**order

    def psi(x: Any, order: int) -> Any:
        return m.digamma(x) if order == 0 else m.polygamma(x, order=order)

    def logs(i: int, j: int) -> Any:
        outer = log_slope(df + square, i) - log_slope(df, i)
        inner = log if i == 1 else log_slope(df + square, i - 1) - log_slope(df, i - 1)
        scale = 0.5**i * (psi(0.5 * (df + 1.0), i - 1) - psi(0.5 * df, i - 1)) - 0.5 * log_slope(df, i)
        return scale - 0.5 * ((df + 1.0) * outer + i * inner)

    return logs


class _OfSciPy:
    """What these logarithms ask of `m`, of plain arrays."""

    digamma = staticmethod(special.digamma)

    @staticmethod
    def polygamma(x: Any, order: int) -> Any:
        return special.polygamma(order, x)


def _smaller_side(f: Callable[[Any], Any], weight: Callable[[Any], Any], mode: Any, end: Any) -> Any:
    """∫ e^f·weight up to `end`, element by element, for a concave f with its maximum at `mode`, or minus what is beyond."""
    way = np.where(end < mode, -1.0, 1.0)
    top = f(end)
    low, high = np.full(np.shape(end), -30.0), np.full(np.shape(end), 30.0)  # logarithms of how far
    for _ in range(12):
        middle = 0.5 * (low + high)
        near = top - f(end + way * np.exp(middle)) < NEGLIGIBLE
        low, high = np.where(near, middle, low), np.where(near, high, middle)
    reach, total = np.exp(high), np.zeros(np.shape(end))
    for near, far in _PANELS:
        s = np.expand_dims(end, 0) + way * reach * np.reshape(
            near + (far - near) * 0.5 * (1.0 + _NODES), (-1,) + (1,) * np.ndim(end)
        )
        total += np.tensordot(_WEIGHTS, np.exp(f(s)) * weight(s), 1) * (0.5 * (far - near)) * reach
    return -way * total


def gammainc_slope(a: Any, x: Any, order: int) -> Any:
    """∂ⁿP(a, x)/∂aⁿ, in the variable ln t."""
    kind = np.result_type(a, x)
    a, x = np.broadcast_arrays(np.asarray(a, float), np.asarray(x, float))
    scale = special.gammaln(a)
    with np.errstate(all="ignore"):
        total = _smaller_side(
            lambda s: a * s - np.exp(s) - scale, lambda s: bell(gamma_logs(_OfSciPy, a, s), order), np.log(a), np.log(x)
        )
    return _inside(total, x, np.inf, a > 0.0).astype(kind)[()]


def betainc_slope(a: Any, b: Any, x: Any, order: tuple[int, int]) -> Any:
    """∂ⁿ⁺ᵐI(a, b, x)/∂aⁿ∂bᵐ, in the variable ln(t/(1 − t))."""
    kind = np.result_type(a, b, x)
    a, b, x = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float), np.asarray(x, float))
    scale = special.betaln(a, b)
    with np.errstate(all="ignore"):
        total = _smaller_side(
            lambda w: a * special.log_expit(w) + b * special.log_expit(-w) - scale,
            lambda w: bell(beta_logs(_OfSciPy, a, b, special.log_expit(w), special.log_expit(-w)), *order),
            np.log(a) - np.log(b),
            special.logit(x),
        )
    return _inside(total, x, 1.0, (a > 0.0) & (b > 0.0)).astype(kind)[()]


def stdtr_slope(df: Any, t: Any, order: int) -> Any:
    """The derivative by ν of the order n of Student's distribution function, in the variable ln |t|."""
    kind = np.result_type(df, t)
    df, t = np.broadcast_arrays(np.asarray(df, float), np.asarray(t, float))
    scale = 0.5 * np.log(df) + special.betaln(0.5 * df, 0.5)

    def log(s: Any) -> Any:
        return np.logaddexp(0.0, 2.0 * s - np.log(df))

    with np.errstate(all="ignore"):
        total = _smaller_side(
            lambda s: s - 0.5 * (df + 1.0) * log(s) - scale,
            lambda s: bell(student_logs(_OfSciPy, df, np.exp(2.0 * s), log(s)), order),
            np.zeros(np.shape(t)),
            np.log(np.abs(t)),
        )
    return (np.sign(t) * _inside(total, np.abs(t), np.inf, df > 0.0)).astype(kind)[()]


def _inside(total: Any, x: Any, end: float, valid: Any) -> Any:
    """At the ends of the support the share is 0 or 1, whatever the parameters; beyond there is none."""
    at_end = (x == 0.0) | (x == end)
    return np.where(valid & (x > 0.0) & (x < end), total, np.where(valid & at_end, 0.0, np.nan))
