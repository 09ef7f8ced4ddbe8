"""Integrals, differential equations, roots, minima, splines: SciPy's numbers, and derivatives against finite differences."""

import numpy as np
import pytest
import scipy.integrate
import scipy.interpolate
import scipy.optimize

import chainrule as cr
from chainrule.autodiff import check_grads
from chainrule.errors import UnsupportedError
from chainrule.scipy import integrate, interpolate, optimize

P = np.array([1.3, 0.7])
GRID = np.linspace(0.0, 2.0, 5)


def pendulum(t, y, p):
    return [y[1], -p[0] * np.sin(y[0]) - p[1] * y[1]]


def rosenbrock(x, p):
    return (p[0] - x[0]) ** 2 + 5.0 * (x[1] - p[1] * x[0] ** 2) ** 2


def circle(x, p):
    return np.stack([x[0] ** 2 + x[1] ** 2 - p[0], x[0] - p[1] * x[1]])


ROOTS = {
    "root": lambda p: optimize.root(circle, np.ones(2), args=(p,), tol=1e-12).x,
    "root by a closure": lambda p: optimize.root(lambda x: circle(x, p), np.ones(2), tol=1e-12).x,
    "fsolve": lambda p: optimize.fsolve(circle, np.ones(2), (p,), xtol=1e-12),
    "newton": lambda p: optimize.newton(lambda x: x**3 - p[0] * x - p[1], 1.5),
    "root_scalar": lambda p: optimize.root_scalar(lambda x: x**3 - p[0] * x - p[1], bracket=(1.0, 3.0)).root,
    "brentq": lambda p: optimize.brentq(lambda x, a, b: x**3 - a * x - b, 1.0, 3.0, (p[0], p[1])),
    "fixed_point": lambda p: optimize.fixed_point(lambda x, p: np.cos(p[0] * x) * p[1], np.array([0.5]), (p,)),
    "minimize": lambda p: optimize.minimize(rosenbrock, np.zeros(2), args=(p,), tol=1e-9).x,
    "minimum": lambda p: optimize.minimize(lambda x: rosenbrock(x, p) + p[0] ** 2, np.zeros(2), tol=1e-9).fun,
    "minimize_scalar": lambda p: optimize.minimize_scalar(lambda x: (x - p[0]) ** 2 + np.exp(p[1] * x)).x,
    "least_squares": lambda p: (
        optimize.least_squares(lambda x: np.stack([x[0] - p[0], x[0] * p[1] - 2.0]), np.ones(1)).x
    ),
}
EXACT = {"minimize", "minimum", "minimize_scalar", "least_squares"}  # whose numbers of SciPy's have some eight digits


@pytest.mark.parametrize("name", ROOTS)
def test_solutions_by_what_their_functions_hold(name):
    function = ROOTS[name]
    value, _ = cr.vjp(function, P)
    np.testing.assert_allclose(value, function(P), rtol=1e-5 if name in EXACT else 1e-9)
    slopes = cr.jacobian(function)(P)
    for i, unit in enumerate(np.eye(2)):
        ahead, behind = (cr.vjp(function, P + h * unit)[0] for h in (1e-4, -1e-4))
        np.testing.assert_allclose(slopes[..., i], (ahead - behind) / 2e-4, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(cr.jvp(function, (P,), (unit,))[1], slopes[..., i], rtol=1e-9, atol=1e-11)
    second = cr.jacobian(cr.jacobian(function))(P)
    ahead, behind = (cr.jacobian(function)(P + np.array([h, 0.0])) for h in (1e-4, -1e-4))
    np.testing.assert_allclose(second[..., 0], (ahead - behind) / 2e-4, rtol=1e-5, atol=1e-6)


def test_what_of_solvers_is_refused():
    with pytest.raises(UnsupportedError, match="may lie on a bound"):
        cr.grad(lambda p: optimize.minimize(lambda x: np.sum((x - p) ** 2), np.zeros(1), bounds=[(0, 1)]).x[0])(0.5)
    with pytest.raises(UnsupportedError, match="it is no solution"):
        cr.grad(lambda p: optimize.minimize_scalar(lambda x: (x - p) ** 2, None, (1.0, 2.0), method="bounded").x)(0.5)
    with pytest.raises(UnsupportedError, match="inside of jit"):
        cr.vmap(lambda p: optimize.brentq(lambda x: x - p, -3.0, 3.0))(P)
    assert optimize.brentq(lambda x: x - 1.0, 0.0, 3.0) == pytest.approx(1.0)
    assert cr.grad(lambda p: p * optimize.brentq(lambda x: x - 1.0, 0.0, 3.0))(2.0) == pytest.approx(1.0)


INTEGRALS = {
    "by bounds and parameters": lambda a, b, p: integrate.quad(lambda x: np.exp(-p[0] * x) * np.sin(p[1] * x), a, b)[0],
    "by args": lambda a, b, p: integrate.quad(lambda x, c, d: np.exp(-c * x) * d, a, b, (p[0], p[1]))[0],
    "upwards": lambda a, b, p: integrate.quad(lambda x: np.exp(-p[0] * x) * b, a, np.inf)[0],
    "downwards": lambda a, b, p: integrate.quad(lambda x: np.exp(p[0] * x) * p[1], -np.inf, b)[0] + a,
    "everywhere": lambda a, b, p: integrate.quad(lambda x: np.exp(-p[0] * (x - p[1]) ** 2) * a * b, -np.inf, np.inf)[0],
    "backwards": lambda a, b, p: integrate.quad(lambda x: np.exp(-p[0] * x) * p[1], b, a)[0],
}


@pytest.mark.parametrize("name", INTEGRALS)
def test_integrals(name):
    args = (np.float64(0.4), np.float64(1.7), P)
    np.testing.assert_allclose(cr.vjp(INTEGRALS[name], *args)[0], INTEGRALS[name](*args), rtol=1e-14)
    check_grads(INTEGRALS[name], args, order=2)


def test_an_integral_over_nothing_and_one_that_is_singular():
    assert cr.grad(lambda b: integrate.quad(lambda x: np.exp(x) * b, 1.0, b)[0])(1.0) == pytest.approx(np.e)
    assert cr.grad(lambda p: integrate.quad(lambda x: x**p, 0.0, 1.0)[0])(0.5) == pytest.approx(-1 / 1.5**2, rel=1e-4)


@pytest.mark.parametrize("method", ["RK45", "DOP853", "LSODA"])
def test_differential_equations(method):
    def ended(y0, p):
        solution = integrate.solve_ivp(pendulum, (0.0, 2.0), y0, method, GRID, args=(p,), rtol=1e-9, atol=1e-9)
        return solution.y

    y0 = np.array([0.5, -0.2])
    value = cr.vjp(ended, y0, P)[0]
    np.testing.assert_array_equal(value, ended(y0, P))
    check_grads(ended, (y0, P), order=2)


def test_odeint():
    def ended(y0, p):
        return integrate.odeint(lambda y, t: np.stack(pendulum(t, y, p)), y0, GRID, rtol=1e-9, atol=1e-9)

    y0 = np.array([0.5, -0.2])
    np.testing.assert_array_equal(cr.vjp(ended, y0, P)[0], ended(y0, P))
    check_grads(ended, (y0, P), order=2)
    with pytest.raises(UnsupportedError, match="traced times"):
        cr.grad(lambda t: integrate.odeint(lambda y, s: -y, 1.0, t)[-1, 0])(GRID)


@pytest.mark.parametrize("kind", ["not-a-knot", "natural", "clamped"])
def test_splines(kind):
    knots, values, x = (
        np.array([0.0, 0.4, 1.1, 1.5, 2.0]),
        np.array([0.3, 1.2, -0.5, 0.8, 0.1]),
        np.array([-0.2, 0.2, 0.9, 1.7, 2.1]),
    )
    for nu in (0, 1):
        function = lambda y, x, nu=nu: interpolate.CubicSpline(knots, y, bc_type=kind)(x, nu)  # noqa: E731
        np.testing.assert_allclose(
            cr.vjp(function, values, x)[0], scipy.interpolate.CubicSpline(knots, values, bc_type=kind)(x, nu)
        )
        check_grads(function, (values, x), order=2)
    with pytest.raises(UnsupportedError, match="traced x"):
        cr.grad(lambda k: interpolate.CubicSpline(k, values)(0.3))(knots)
    with pytest.raises(UnsupportedError, match="no derivative by the traced values"):
        cr.grad(lambda y: interpolate.CubicSpline(knots, y).integrate(0, 1))(values)
    assert interpolate.CubicSpline(knots, values).integrate(0.0, 1.0) == scipy.interpolate.CubicSpline(
        knots, values
    ).integrate(0.0, 1.0)


def test_parameters_that_are_met_only_here_and_there_are_not_lost():
    assert cr.grad(lambda p: integrate.quad(lambda x: p * x if x > 1.5 else 0.5, 0.0, 2.0, points=[1.5])[0])(
        1.0
    ) == pytest.approx(0.875)
    end = lambda p: integrate.solve_ivp(lambda t, y: p * y if t > 1.0 else -y, (0.0, 2.0), [1.0], rtol=1e-8).y[0, -1]  # noqa: E731
    assert cr.grad(end)(0.5) == pytest.approx(np.exp(-0.5), rel=1e-3)
