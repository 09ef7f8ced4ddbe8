"""Splines and piecewise polynomials: SciPy's values, derivatives by places, values and coefficients, slopes and integrals."""

import numpy as np
import pytest
import scipy.interpolate

import chainrule as cr
from chainrule.autodiff import check_grads
from chainrule.scipy import interpolate

X, Y = np.array([0.0, 0.4, 1.1, 1.5, 2.2, 3.0]), np.array([0.3, 1.2, -0.5, 0.8, 0.1, 0.6])
PLACES, OUTSIDE = np.array([0.31, 1.37, 2.71]), np.array([-0.2, 0.7, 3.3])
ENDS = ((1, 0.5), (2, 0.0))
SPLINES = [
    *(("make_interp_spline", options) for options in ({}, {"k": 1}, {"k": 2}, {"k": 5}, {"bc_type": "natural"})),
    ("InterpolatedUnivariateSpline", {}), ("InterpolatedUnivariateSpline", {"k": 2}), ("UnivariateSpline", {"s": 0}),
    ("CubicSpline", {"bc_type": ENDS}),
    ("CubicSpline", {"extrapolate": "periodic"}), ("PchipInterpolator", {}), ("Akima1DInterpolator", {}),
    ("CubicHermiteSpline", {"dydx": np.cos(Y)}),
    *(("interp1d", {"kind": kind}) for kind in ("quadratic", "slinear", "previous", "next", "nearest", "zero", 2)),
]  # fmt: skip


def both(name, options):
    return (
        lambda y, x, module=module: getattr(module, name)(X, y, **options)(x)
        for module in (interpolate, scipy.interpolate)
    )


@pytest.mark.parametrize(("name", "options"), SPLINES)
def test_values_are_scipys_and_derivatives_those_of_differences(name, options):
    ours, own = both(name, options)
    expected = own(Y, PLACES)
    np.testing.assert_array_equal(ours(Y, PLACES), expected)
    np.testing.assert_allclose(cr.vjp(ours, Y, PLACES)[0], expected, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(cr.vjp(lambda x: ours(Y, x), PLACES)[0], expected, rtol=1e-11, atol=1e-13)
    check_grads(ours, (Y, PLACES), order=2)
    if name != "interp1d" and options.get("extrapolate") != "periodic" and name != "Akima1DInterpolator":
        np.testing.assert_allclose(cr.vjp(ours, Y, OUTSIDE)[0], own(Y, OUTSIDE), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["CubicSpline", "PchipInterpolator", "Akima1DInterpolator", "make_interp_spline"])
def test_slopes_integrals_and_axes(name):
    whole = np.stack([Y, np.cos(Y)])
    for use in (
        lambda s, x: s.derivative()(x), lambda s, x: s.derivative(2)(x), lambda s, x: s.antiderivative()(x), lambda s, x: s(x, 1),
        lambda s, x: s.integrate(x[0], x[2]), lambda s, x: s(x),
    ):  # fmt: skip
        for y, options in ((Y, {}), (whole, {"axis": 1}), (whole.T, {})):
            ours, own = (
                lambda y, x, module=module, use=use, options=options: use(getattr(module, name)(X, y, **options), x)
                for module in (interpolate, scipy.interpolate)
            )
            expected = own(y, PLACES)
            np.testing.assert_allclose(cr.vjp(ours, y, PLACES)[0], expected, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(
                cr.vjp(lambda x, f=ours, y=y: f(y, x), PLACES)[0], expected, rtol=1e-10, atol=1e-12
            )
            check_grads(ours, (y, PLACES), order=1)


@pytest.mark.parametrize("extrapolate", [True, False, "periodic"])
def test_b_splines_by_their_coefficients(extrapolate):
    t, c = np.array([0.0, 0, 0, 0, 1, 1.5, 1.5, 2, 3, 3, 3, 3]), np.random.default_rng(0).normal(size=(8, 2))
    ours = lambda c, x: interpolate.BSpline(t, c, 3, extrapolate)(x)  # noqa: E731
    expected = scipy.interpolate.BSpline(t, c, 3, extrapolate)(OUTSIDE)
    np.testing.assert_allclose(cr.vjp(ours, c, OUTSIDE)[0], expected, rtol=1e-11, atol=1e-13)
    check_grads(ours, (c, PLACES), order=2)


@pytest.mark.parametrize("ext", [0, 1, 3])
def test_splines_of_fitpack(ext):
    tck = scipy.interpolate.splrep(X, Y, s=0)
    ours = lambda c, x, nu=0: interpolate.splev(x, (tck[0], c, tck[2]), nu, ext)  # noqa: E731
    for places in (PLACES, OUTSIDE):
        for nu in (0, 1):
            expected = scipy.interpolate.splev(places, tck, nu, ext)
            if nu and ext == 3 and places is OUTSIDE:  # FITPACK has the end's slope there
                continue
            np.testing.assert_allclose(
                cr.vjp(lambda c, x, nu=nu: ours(c, x, nu), tck[1], places)[0], expected, rtol=1e-11, atol=1e-12
            )
    check_grads(ours, (tck[1], PLACES), order=2)
    smooth = interpolate.UnivariateSpline(X, Y, ext=ext)
    own = scipy.interpolate.UnivariateSpline(X, Y, ext=ext)
    np.testing.assert_allclose(cr.vjp(smooth, OUTSIDE)[0], own(OUTSIDE), rtol=1e-11)
    assert cr.grad(lambda b: smooth.integral(0.2, b))(2.0) == pytest.approx(own(2.0))
    assert cr.grad(smooth.derivative())(1.3) == pytest.approx(own(1.3, 2))
    assert interpolate.splev(0.5, interpolate.make_interp_spline(X, Y)) == scipy.interpolate.make_interp_spline(X, Y)(
        0.5
    )
