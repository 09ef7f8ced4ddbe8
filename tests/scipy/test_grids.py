"""Interpolation on grids: SciPy's values, derivatives by values and places, and what is refused."""

import numpy as np
import pytest
import scipy.interpolate

import chainrule as cr
from chainrule.errors import SettingError, UnsupportedError
from chainrule.scipy import interpolate

X, Y = np.array([0.0, 1.0, 2.5]), np.array([-1.0, 0.0, 0.5, 2.0])
HEIGHTS = np.random.default_rng(0).normal(size=(3, 4))
PLACES = np.array([[0.3, -0.5], [1.7, 0.2], [2.4, 1.9]])
CASES = {
    "points": ((X, Y), HEIGHTS, PLACES, {}),
    "vectors as values": ((X, Y), np.stack([HEIGHTS, HEIGHTS**2], axis=-1), PLACES[None], {}),
    "one axis": ((X,), HEIGHTS[:, 0], np.array([0.3, 2.2]), {}),
    "one point": ((X, Y), HEIGHTS, PLACES[0], {}),
    "beyond": ((X, Y), HEIGHTS, PLACES + 2.0, {"bounds_error": False, "fill_value": None}),
    "a number beyond": ((X, Y), HEIGHTS, PLACES + 0.9, {"bounds_error": False, "fill_value": 0.5}),
    "falling": ((X[::-1], Y), HEIGHTS, PLACES + 2.0, {"bounds_error": False, "fill_value": None}),
    "both falling": ((X[::-1], Y[::-1]), HEIGHTS, PLACES, {}),
    "three axes": ((X, Y, X), np.random.default_rng(1).normal(size=(3, 4, 3)), np.array([[0.3, -0.5, 2.0]]), {}),
}


@pytest.mark.parametrize("name", CASES)
def test_values_are_scipys_and_derivatives_those_of_differences(name):
    points, values, places, options = CASES[name]
    expected = scipy.interpolate.RegularGridInterpolator(points, values, **options)(places)
    np.testing.assert_array_equal(interpolate.RegularGridInterpolator(points, values, **options)(places), expected)
    for function in (
        lambda v, x: interpolate.RegularGridInterpolator(points, v, **options)(x),
        lambda v, x: interpolate.interpn(points, v, x, **options),
    ):
        np.testing.assert_allclose(cr.vjp(function, values, places)[0], expected, rtol=1e-13, strict=True)
        cr.check_grads(function, (values, places), order=2)


def test_coordinates_one_by_one_and_lists():
    def function(x, y):
        return interpolate.interpn((X, Y), HEIGHTS, (x, y))

    x, y = np.array([0.3, 1.2]), np.array([[0.1], [0.4]])
    np.testing.assert_allclose(cr.vjp(function, x, y)[0], function(x, y), rtol=1e-13)
    cr.check_grads(function, (x, y), order=2)
    assert cr.grad(lambda x: interpolate.interpn((X, Y), HEIGHTS, [x, 0.1])[0])(0.3) == pytest.approx(
        (HEIGHTS[1, 1] - HEIGHTS[0, 1]) * 0.8 + (HEIGHTS[1, 2] - HEIGHTS[0, 2]) * 0.2
    )


def test_what_has_no_derivative_or_lies_beyond_is_told():
    at = interpolate.RegularGridInterpolator((X, Y), HEIGHTS, "nearest")
    assert at.method == "nearest"
    assert at(PLACES[0]) == HEIGHTS[0, 0] or at(PLACES[0]) == HEIGHTS[0, 1]
    with pytest.raises(UnsupportedError, match=r"method='nearest'.*'linear'.*CubicSpline"):
        cr.grad(lambda x: at(x)[0])(PLACES[0])
    with pytest.raises(UnsupportedError, match="traced points"):
        cr.grad(lambda x: interpolate.interpn((x, Y), HEIGHTS, PLACES).sum())(X)
    with pytest.raises(SettingError, match="neither rise nor fall along axis 0"):
        cr.grad(lambda v: interpolate.interpn((X[[0, 2, 1]], Y), v, PLACES).sum())(HEIGHTS)
    with pytest.raises(SettingError, match="out of bounds"):
        cr.grad(lambda x: interpolate.interpn((X, Y), HEIGHTS, x)[0])(np.array([[9.0, 0.0]]))
