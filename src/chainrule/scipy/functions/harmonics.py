"""Legendre's associated functions and spherical harmonics, by their arguments, written in Jacobi's polynomials.

P_n^m(z) = (−1)^m·(n + m)!/(2^m·n!)·(1 − z²)^(m/2)·J_(n−m)^(m,m)(z) (DLMF 14.3.21, 18.5.7), with the sign of Condon and Shortley.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import SettingError
from chainrule.scipy.standing import numbers, plain_static
from chainrule.tracing.apply import traced


def _whole(x: Any, what: str, called: str) -> int:
    found = plain_static(x, what, f"scipy.special.{called}", "its last argument")
    if isinstance(found, tuple) or found != int(found):
        raise SettingError(
            f"scipy.special.{called} of traced values was given {what}={found!r}; give one whole number. Call it for each, and put "
            "the results together with np.stack."
        )
    return int(found)


def _without_slopes(diff_n: int, called: str) -> None:
    if diff_n:
        raise SettingError(
            f"scipy.special.{called} of traced values was given diff_n={diff_n}; leave it out, and take grad or jacobian."
        )


def _factor(n: int, m: int, norm: bool) -> float:
    """Of (1 − z²)^(|m|/2)·J; of negative m the sign and the factorials of both."""
    size = abs(m)
    log = math.lgamma(n + size + 1) - size * math.log(2.0) - math.lgamma(n + 1)
    if norm:
        log += 0.5 * (math.log(n + 0.5) + math.lgamma(n - size + 1) - math.lgamma(n + size + 1))
        return math.exp(log) * (-1.0 if m > 0 and m % 2 else 1.0)
    if m < 0:
        log += math.lgamma(n - size + 1) - math.lgamma(n + size + 1)
    return math.exp(log) * (-1.0 if m > 0 and m % 2 else 1.0)


def _of(n: int, m: int, z: Any, sine: Any, norm: bool) -> Any:
    size = abs(m)
    if size > n or n < 0:
        return 0.0 * z
    jacobi = traced.eval_jacobi(z, order=(n - size, float(size), float(size)))
    return _factor(n, m, norm) * sine * jacobi if size else _factor(n, m, norm) * jacobi


def _alone(value: Any) -> Any:
    """With the axis that SciPy has for derivatives of several orders."""
    return np.reshape(value, (1, *value.shape))


def legendre_p(n: Any, z: Any, *, diff_n: int = 0) -> Any:
    """Legendre's polynomial of degree n; the first axis is that of derivatives, of which there are none."""
    _without_slopes(diff_n, "legendre_p")
    return _alone(traced.eval_legendre(numbers(z), order=(_whole(n, "n", "legendre_p"),)))


def _associated(n: Any, m: Any, z: Any, norm: bool, called: str) -> Any:
    n, m, z = _whole(n, "n", called), _whole(m, "m", called), numbers(z)
    size = abs(m)
    if not size:
        return _of(n, m, z, 1.0, norm)
    outside = np.abs(z) > 1.0
    inside = np.where(outside, 0.0, z)
    square = (1.0 - inside) * (1.0 + inside)
    root = square ** (size // 2) * (np.sqrt(square) if size % 2 else 1.0)
    return np.where(outside, np.nan, _of(n, m, inside, root, norm))


def assoc_legendre_p(n: Any, m: Any, z: Any, *, branch_cut: int = 2, norm: bool = False, diff_n: int = 0) -> Any:
    """Legendre's associated function of degree n and order m, between −1 and 1; the first axis as in `legendre_p`."""
    _without_slopes(diff_n, "assoc_legendre_p")
    return _alone(_associated(n, m, z, norm, "assoc_legendre_p"))


def lpmv(m: Any, v: Any, x: Any, /) -> Any:
    """Legendre's associated function of order m and a whole degree v, between −1 and 1."""
    value = _associated(v, m, x, False, "lpmv")
    return value if int(m) >= -int(v) else np.nan * value


def _polar(n: int, m: int, theta: Any) -> Any:
    sine = np.sin(theta)
    size = np.where(sine < 0.0, -sine, sine)  # smooth at the pole, where the size of a number is not
    return _of(n, m, np.cos(theta), size ** abs(m), True) / math.sqrt(2.0 * math.pi)


def sph_legendre_p(n: Any, m: Any, theta: Any, *, diff_n: int = 0) -> Any:
    """The part of the spherical harmonic of degree n and order m that depends on the polar angle θ; the first axis as above."""
    _without_slopes(diff_n, "sph_legendre_p")
    n, m = _whole(n, "n", "sph_legendre_p"), _whole(m, "m", "sph_legendre_p")
    return _alone(_polar(n, m, numbers(theta)))


def sph_harm_y(n: Any, m: Any, theta: Any, phi: Any, *, diff_n: int = 0) -> Any:
    """The spherical harmonic of degree n and order m, by the polar angle θ and the azimuth φ, complex."""
    _without_slopes(diff_n, "sph_harm_y")
    n, m = _whole(n, "n", "sph_harm_y"), _whole(m, "m", "sph_harm_y")
    return _polar(n, m, numbers(theta)) * np.exp(1j * m * numbers(phi))


FUNCTIONS: tuple[Callable[..., Any], ...] = (legendre_p, assoc_legendre_p, lpmv, sph_legendre_p, sph_harm_y)
"""Those that stand for SciPy's functions of the same name."""
