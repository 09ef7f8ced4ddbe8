"""`scipy.special`: partial derivatives of both orders where they are hard, near limits and poles, by mpmath with many digits."""

from __future__ import annotations

import itertools
from typing import Any

import mpmath as mp
import pytest

import chainrule as cr
from chainrule.scipy import special


def spherical(bessel: Any, n: int) -> Any:
    return lambda x: mp.sqrt(mp.pi / 2 / x) * bessel(n + 0.5, x)


CASES: list[tuple[str, tuple[Any, ...], list[tuple[float, ...]], Any]] = [
    ("erfi", (), [(-5.0,), (1e-12,), (3.0,)], mp.erfi),
    ("erfinv", (), [(-0.9999,), (1e-8,), (1 - 1e-12,)], mp.erfinv),
    ("ndtri", (), [(1e-8,), (0.5,), (1 - 1e-12,)], lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1)),
    ("exp1", (), [(1e-10,), (5.0,), (500.0,)], mp.e1),
    ("expi", (), [(-50.0,), (-1e-10,), (0.3725,), (40.0,)], mp.ei),
    ("expn", (2,), [(1e-10,), (5.0,), (50.0,)], lambda x: mp.exp(-x) - x * mp.e1(x)),
    ("rgamma", (), [(1e-10,), (-2.0,), (0.0,), (-3.999999,), (160.0,)], mp.rgamma),
    ("gamma", (), [(1e-5,), (-10.3,), (-3.999999,), (160.0,)], mp.gamma),
    ("gammaln", (), [(1e-10,), (1 + 1e-9,), (-2.5,), (1e10,)], lambda x: mp.re(mp.loggamma(x))),
    ("digamma", (), [(1e-10,), (1.4616321449683623,), (-3.999999,), (1e10,)], mp.digamma),
    ("polygamma", (2,), [(1e-5,), (7.5,), (1e4,)], lambda x: mp.polygamma(2, x)),
    ("beta", (), [(0.5, 0.5), (1e4, 1.5), (-1.5, 0.3)], mp.beta),
    ("binom", (), [(5.5, 2.0), (1e6, 2.0), (0.5, 1e-8), (-0.5, 2.3)], mp.binomial),
    ("poch", (), [(0.5, 1e-9), (1e6, 3.0), (3.3, -1.2), (2.0, 0.0)], mp.rf),
    ("ellipkinc", (), [(-3.0,), (1e-10,), (1.5707963,), (10.0,)], lambda p: mp.ellipf(p, 0.7)),
    ("ellipeinc", (), [(-3.0,), (1e-10,), (1.5707963,), (10.0,)], lambda p: mp.ellipe(p, 0.7)),
    ("jv", (2.5,), [(1e-3,), (10.0,), (300.0,)], lambda x: mp.besselj(2.5, x)),
    ("yv", (-0.3,), [(1e-3,), (10.0,), (300.0,)], lambda x: mp.bessely(-0.3, x)),
    ("iv", (0.5,), [(1e-3,), (50.0,)], lambda x: mp.besseli(0.5, x)),
    ("kv", (1.5,), [(1e-3,), (50.0,)], lambda x: mp.besselk(1.5, x)),
    ("i0e", (), [(-1e-8,), (700.0,)], lambda x: mp.exp(-abs(x)) * mp.besseli(0, x)),
    ("kve", (1.5,), [(1e-8,), (600.0,)], lambda x: mp.exp(x) * mp.besselk(1.5, x)),
    ("spherical_jn", (3,), [(1e-6,), (0.5,), (30.0,)], spherical(mp.besselj, 3)),
    ("spherical_yn", (1,), [(1e-6,), (30.0,)], spherical(mp.bessely, 1)),
    ("spherical_in", (3,), [(1e-2,), (30.0,)], spherical(mp.besseli, 3)),
    ("spherical_kn", (1,), [(1e-6,), (30.0,)], spherical(mp.besselk, 1)),
    ("hyp0f1", (0.7,), [(-100.0,), (0.0,), (100.0,)], lambda x: mp.hyp0f1(0.7, x)),
    ("lambertw", (), [(-0.36,), (0.0,), (1e10,)], mp.lambertw),
    ("boxcox", (), [(1e-5, 1e-9), (2.0, 1e-12), (1e5, -0.3)], lambda x, k: (x**k - 1) / k),
    ("boxcox1p", (), [(1e-10, 0.3), (2.0, 1e-12), (-0.999, 0.2)], lambda x, k: ((1 + x) ** k - 1) / k),
    ("inv_boxcox", (), [(2.0, 1e-12), (-1.0, 0.3)], lambda y, k: (1 + k * y) ** (1 / k)),
    ("kl_div", (), [(1e-10, 0.5), (0.5, 1e-10)], lambda x, y: x * mp.log(x / y) - x + y),
    ("pseudo_huber", (), [(1.0, 1e-9), (1e-3, 5.0), (2.0, 3.0)], lambda d, r: d * d * (mp.sqrt(1 + (r / d) ** 2) - 1)),
    ("exprel", (), [(-700.0,), (1e-9,), (500.0,)], lambda x: mp.expm1(x) / x),
    ("log_ndtr", (), [(-200.0,), (1e-5,), (10.0,)], lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)),
    ("ndtri_exp", (), [(-50.0,), (-0.5,)], lambda y: mp.sqrt(2) * mp.erfinv(2 * mp.exp(y) - 1)),
    ("eval_jacobi", (4, 0.5, 1.5), [(-0.999999,), (1.0,), (1.5,)], lambda x: mp.jacobi(4, 0.5, 1.5, x)),
]


@pytest.mark.parametrize(("name", "before", "points", "exact"), CASES, ids=[case[0] for case in CASES])
def test_partials_where_they_are_hard(name: str, before: tuple[Any, ...], points: Any, exact: Any) -> None:
    after = {"ellipkinc": (0.7,), "ellipeinc": (0.7,)}.get(name, ())
    function = getattr(special, name)
    f = (lambda x: function(x).real) if name == "lambertw" else lambda *args: function(*before, *args, *after)
    with mp.workdps(80):
        for point in points:
            places = range(len(point))
            for wanted in [(i,) for i in places] + list(itertools.combinations_with_replacement(places, 2)):
                derivative = f
                for i in wanted:
                    derivative = cr.grad(derivative, i)
                step = mp.mpf(10) ** -22 * min(max(map(abs, point)) or 1, 1)
                order = tuple(wanted.count(i) for i in places)
                expected = mp.diff(exact, tuple(map(mp.mpf, point)), order, h=step)
                assert derivative(*point) == pytest.approx(float(mp.re(expected)), rel=2e-7, abs=1e-300), (point, order)
