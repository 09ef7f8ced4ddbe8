"""Piecewise polynomials: values, slopes, antiderivatives and integrals as SciPy's, by coefficients, heights, places and limits."""

import copy

import numpy as np
import pytest
import scipy.interpolate

import chainrule as cr
from chainrule import check_grads
from chainrule.errors import UnsupportedError
from chainrule.scipy import interpolate, optimize

KNOTS = np.array([0.0, 0.4, 1.1, 1.5, 2.0, 2.6])
HEIGHTS = np.array([0.3, 1.2, -0.5, 0.8, 0.9, 2.1])
PLACES = np.array([-0.2, 0.2, 0.9, 1.7, 2.8])
COEFFICIENTS = np.random.default_rng(0).normal(size=(4, 5, 2))
ASKED = {
    "derivative": lambda p, x: p.derivative()(x), "second derivative": lambda p, x: p.derivative(2)(x),
    "antiderivative": lambda p, x: p.antiderivative()(x), "a double one": lambda p, x: p.derivative(-2)(x),
    "there and back": lambda p, x: p.antiderivative(2).antiderivative(-1)(x), "vanishing": lambda p, x: p.derivative(6)(x),
    "integral": lambda p, x: p.integrate(x[0], x[3]), "backwards": lambda p, x: p.integrate(x[4], x[1]),
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("name", ["CubicSpline", "PchipInterpolator", "Akima1DInterpolator", "PPoly"])
def test_what_is_asked_of_polynomials(name, asked):
    given = (KNOTS, HEIGHTS) if name != "PPoly" else (COEFFICIENTS, KNOTS)
    makes = lambda y: (KNOTS, y) if name != "PPoly" else (y, KNOTS)  # noqa: E731
    options = {"extrapolate": True} if name == "Akima1DInterpolator" else {}
    own, ours = getattr(scipy.interpolate, name), getattr(interpolate, name)
    y, expected = given[1 if name != "PPoly" else 0], asked(own(*given, **options), PLACES)
    np.testing.assert_array_equal(asked(ours(*given, **options), PLACES), expected)
    function = lambda y, x: asked(ours(*makes(y), **options), x)  # noqa: E731
    for by in (0, 1):
        one = lambda z, by=by: function(*((z, PLACES) if by == 0 else (y, z)))  # noqa: E731
        np.testing.assert_allclose(cr.vjp(one, (y, PLACES)[by])[0], expected, rtol=1e-12, atol=1e-12)
    check_grads(function, (y, PLACES), order=2)


def test_pieces_end_where_they_are_said_to():
    inside = lambda y, b: interpolate.CubicSpline(KNOTS, y, extrapolate=False).integrate(0.1, b)  # noqa: E731
    assert np.isnan(cr.value_and_grad(inside)(HEIGHTS, 3.0)[0])
    assert np.isfinite(cr.grad(inside, argnums=1)(HEIGHTS, 2.0))
    periodic = interpolate.CubicSpline(KNOTS, [*HEIGHTS[:-1], HEIGHTS[0]], bc_type="periodic")
    with pytest.raises(UnsupportedError, match=r"periodic extrapolation.*np\.mod"):
        cr.grad(lambda b: periodic.integrate(0.1, b))(3.0)


def test_roots_come_by_the_call():
    with pytest.raises(UnsupportedError, match=r"CubicSpline.roots has no derivative.*brentq"):
        cr.grad(lambda y: interpolate.CubicSpline(KNOTS, y).roots()[0])(HEIGHTS)
    root = lambda y: optimize.brentq(interpolate.CubicSpline(KNOTS, y), 0.5, 1.1)  # noqa: E731
    known = scipy.interpolate.CubicSpline(KNOTS, HEIGHTS).roots(extrapolate=False)[0]
    assert cr.value_and_grad(root)(HEIGHTS)[0] == pytest.approx(known)
    check_grads(root, (HEIGHTS,))


def test_what_is_not_traced_is_scipys():
    spline = interpolate.CubicSpline(KNOTS, HEIGHTS)
    np.testing.assert_array_equal(spline.roots(), scipy.interpolate.CubicSpline(KNOTS, HEIGHTS).roots())
    np.testing.assert_array_equal(copy.deepcopy(spline)(PLACES), spline(PLACES))
    assert isinstance(spline, interpolate.PPoly)
    with pytest.raises(UnsupportedError, match="traced x"):
        cr.grad(lambda k: interpolate.PPoly(COEFFICIENTS, k)(0.3).sum())(KNOTS)
