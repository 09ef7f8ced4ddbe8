"""Derivatives of derivatives where rules have guards and branches: at 0, at bases of 0, at exponents of 0 and 1."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp

import chainrule as cr

ENGINES = [None, "numpy", "llvm"]


def nth(function, order):
    return function if order == 0 else nth(cr.grad(function), order - 1)


def computed(function, x, engine):
    return function(x) if engine is None else cr.jit(function, engine=engine)(x)


SMOOTH = {
    "erf": (cr.erf, lambda x: sp.erf(x)),
    "gelu": (cr.gelu, lambda x: x * (1 + sp.erf(x / sp.sqrt(2))) / 2),
    "sigmoid": (cr.sigmoid, lambda x: 1 / (1 + sp.exp(-x))),
    "silu": (cr.silu, lambda x: x / (1 + sp.exp(-x))),
    "softplus": (cr.softplus, lambda x: sp.log(1 + sp.exp(x))),
    "tanh": (np.tanh, sp.tanh),
    "x**3": (lambda x: x**3, lambda x: x**3),
    "x**4.0": (lambda x: x**4.0, lambda x: x**4),
    "(x+2)**x": (lambda x: (x + 2.0) ** x, lambda x: (x + 2) ** x),
    "3**x": (lambda x: 3.0**x, lambda x: sp.Integer(3) ** x),
    "(x+1)**(x*x)": (lambda x: (x + 1.0) ** (x * x), lambda x: (x + 1) ** (x * x)),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", SMOOTH)
def test_every_order_at_zero(name, engine):
    function, formula = SMOOTH[name]
    t = sp.Symbol("t")
    for order in range(1, 6 if engine is None else 4):
        expected = float(sp.diff(formula(t), t, order).subs(t, 0).evalf(30))
        found = float(computed(nth(function, order), 0.0, engine))
        assert found == pytest.approx(expected, rel=1e-10, abs=1e-10), order


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_hessian_of_a_power_is_symmetric_and_right_at_exponents_of_zero_and_one(dtype):
    a, b = sp.symbols("a b", positive=True)
    for base in (23.0, 0.5, 1.0, 1e-3):
        for exponent in (0.0, 1.0, 2.0, -1.0, 0.5):
            found = [
                [float(cr.grad(cr.grad(lambda x, y: x**y, i), k)(dtype(base), dtype(exponent))) for k in (0, 1)]
                for i in (0, 1)
            ]
            where = {a: sp.Float(float(dtype(base)), 40), b: sp.Rational(exponent)}
            expected = [[float(sp.diff(a**b, u, v).subs(where)) for v in (a, b)] for u in (a, b)]
            scale = max(1.0, np.abs(expected).max())
            np.testing.assert_allclose(found, expected, rtol=2e-6 if dtype is np.float32 else 1e-13, atol=1e-7 * scale)


def test_powers_of_zero():
    """No infinity comes in where the power itself has a derivative."""
    for exponent, slope in ((0.0, 0.0), (1.0, 1.0), (2.0, 0.0), (3.0, 0.0)):
        gradient = cr.grad(lambda x, y: np.sum(x**y), (0, 1))(np.array([0.0]), np.array([exponent]))
        assert [float(g[0]) for g in gradient] == [slope, 0.0]
    assert [float(nth(lambda x: x ** np.array(2.0), k)(0.0)) for k in (1, 2, 3)] == [0.0, 2.0, 0.0]


@pytest.mark.parametrize(
    ("function", "slope"), [(cr.elu, 1.0), (cr.selu, 1.0507009873554805 * 1.6732632423543772)], ids=["elu", "selu"]
)
def test_branches_at_zero_are_the_left_one_in_every_order(function, slope):
    for order in (1, 2, 3):
        assert float(nth(function, order)(0.0)) == pytest.approx(slope, rel=1e-12)


def test_mixed_derivatives_by_slopes_are_symmetric_at_the_kink():
    for function in (cr.elu, cr.leaky_relu):
        one, other = (float(cr.grad(cr.grad(function, i), 1 - i)(0.0, 0.5)) for i in (0, 1))
        assert one == other == 1.0


def test_the_normal_density_far_out():
    """Finite, and 0 in every order, where squares would overflow."""
    for x in (1e200, -1e200, 50.0):
        for order in (1, 2, 3):
            assert float(nth(cr.erf, order)(x)) == 0.0
    exact = float(2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-25) * -10)
    assert float(nth(cr.erf, 2)(5.0)) == pytest.approx(exact, rel=1e-12)
    assert math.isnan(float(cr.grad(cr.erf)(np.nan)))
