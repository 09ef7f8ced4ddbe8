"""numpy.polynomial with traced coefficients and places: every function and class is NumPy's, with derivatives."""

from __future__ import annotations

import inspect
from typing import Any

import chainrule.numpy.polynomial.legendre
import numpy
import pytest

import chainrule as cr
import chainrule.numpy as np
from chainrule.numpy.polynomial import Chebyshev, Polynomial

C = numpy.array([0.3, 1.2, 2.5, 0.9])
FAMILIES = {
    "polynomial": "poly",
    "chebyshev": "cheb",
    "legendre": "leg",
    "laguerre": "lag",
    "hermite": "herm",
    "hermite_e": "herme",
}
CALLS: dict[str, Any] = {
    "val": lambda c: (0.5, c), "val at": lambda c: (c, [1.0, -2.0, 3.0]), "der": lambda c: (c,), "int": lambda c: (c, 2),
    "mul": lambda c: (c, c), "add": lambda c: (c, [1.0, 2.0]), "sub": lambda c: ([1.0, 2.0], c), "div": lambda c: (c, [1.0, 2.0]),
    "pow": lambda c: (c, 2), "fit": lambda c: (numpy.arange(4.0), c, 2), "vander": lambda c: (c, 3), "fromroots": lambda c: (c,),
    "line": lambda c: (c[0], c[1]), "mulx": lambda c: (c,), "val2d": lambda c: (0.5, c[0], numpy.outer(C, C)),
    "valfromroots": lambda c: (0.5, c), "companion": lambda c: (c,), "2poly": lambda c: (c,),
}  # fmt: skip


def function_of(module: Any, prefix: str, asked: str) -> Any:
    return getattr(module, f"{prefix}{asked.partition(' ')[0]}", None)


@pytest.mark.parametrize("asked", CALLS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_function(family: str, asked: str) -> None:
    own, ours = (function_of(getattr(x.polynomial, family), FAMILIES[family], asked) for x in (numpy, np))
    assert (own is None) == (ours is None)
    if own is None:
        return

    def whole(function: Any, c: Any) -> Any:
        found = function(*CALLS[asked](c))
        return np.sum(np.abs(found[0] if isinstance(found, tuple) else found) ** 2)

    value, gradient = cr.value_and_grad(lambda c: whole(ours, c))(C)
    assert value == pytest.approx(whole(own, C), rel=1e-12)
    assert whole(ours, C) == whole(own, C)
    units = numpy.eye(4) * 1e-6
    slopes = [(whole(own, C + u) - whole(own, C - u)) / 2e-6 for u in units]
    numpy.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-6)


USES: dict[str, Any] = {
    "called": lambda p: p(0.7), "slope": lambda p: p.deriv(2)(0.7), "integral": lambda p: p.integ(1)(0.7),
    "product": lambda p: (p * p)(0.7),
    "sum": lambda p: (p + 3.0 - 2.0 * p)(0.7), "power": lambda p: (p**2)(0.7),
    "coefficients": lambda p: p.coef[1] ** 2,
    "quotient": lambda p: (p // type(p)([1.0, 2.0]))(0.7), "cut": lambda p: p.truncate(2)(0.7),
}  # fmt: skip


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", [x for x in dir(numpy.polynomial) if isinstance(getattr(numpy.polynomial, x), type)])
def test_every_class(name: str, use: str) -> None:
    own, ours = getattr(numpy.polynomial, name), getattr(np.polynomial, name)
    assert issubclass(ours, own)
    asked = USES[use]
    value, gradient = cr.value_and_grad(lambda c: asked(ours(c)))(C)
    assert value == pytest.approx(asked(own(C)), rel=1e-12)
    slopes = [(asked(own(C + u)) - asked(own(C - u))) / 2e-6 for u in numpy.eye(4) * 1e-6]
    numpy.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-6)
    assert repr(ours(C)) == repr(own(C))


def test_fits_roots_and_what_is_imported_by_name() -> None:
    fitted = lambda y: Polynomial.fit(numpy.arange(4.0), y, 2)(1.3)  # noqa: E731
    cr.check_grads(fitted, (C,))
    cr.check_grads(lambda c: Polynomial(c).roots()[0] if np.ndim(c) else c, (numpy.array([-1.0, 2.0, 3.0]),))
    assert chainrule.numpy.polynomial.legendre is np.polynomial.legendre
    assert cr.jit(cr.grad(lambda c: Chebyshev(c, domain=[0.0, 2.0])(0.7)))(C).shape == (4,)
    assert inspect.ismodule(np.polynomial.hermite)
    assert np.polynomial.polyutils.__doc__ == numpy.polynomial.polyutils.__doc__
