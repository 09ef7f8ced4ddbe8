"""The numerical derivative: methods, steps, forms of arguments."""

import math

import numpy as np
import pytest

from chainrule.autodiff import derivative, grad, jacobian
from chainrule.autodiff.numerical import step_size
from chainrule.errors import DifferentiationError, SettingError

METHODS = ("forward", "backward", "central")


@pytest.mark.parametrize("method", METHODS)
def test_any_python_will_do(method):
    """The function is only called, so `math` and `if` are fine here."""
    found = derivative(lambda x: math.sin(x) if x > 0 else 0.0, 0.5, method=method)
    assert found == pytest.approx(math.cos(0.5), abs=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_has_the_form_of_the_jacobian(method):
    matrix = np.arange(6.0).reshape(2, 3)
    function = lambda x: np.tanh(matrix @ x)  # noqa: E731
    x = np.array([0.1, -0.2, 0.05])
    np.testing.assert_allclose(derivative(function, x, method=method), jacobian(function)(x), atol=1e-6)
    assert derivative(function, np.ones((3, 2)), method=method).shape == (2, 2, 3, 2)
    assert derivative(lambda x: np.ones(4), np.ones(0), method=method).shape == (4, 0)


@pytest.mark.parametrize("method", METHODS)
def test_the_step_chosen_is_good_for_small_and_large_numbers(method):
    for x in (1e-3, 1.0, 100.0, 1e4):
        relative = abs(derivative(np.sqrt, x, method=method) * 2 * math.sqrt(x) - 1)
        assert relative < (1e-4 if x == 1e-3 else 1e-6)


def test_the_chosen_step_balances_truncation_against_rounding():
    """Neither a thousand times smaller nor a thousand times larger is better."""
    for method, power in (("forward", 1 / 2), ("central", 1 / 3)):
        best = np.finfo(float).eps ** power
        error = {h: abs(derivative(np.exp, 1.0, method=method, h=h) - math.e) for h in (best / 1000, best, best * 1000)}
        assert error[best] == min(error.values())
        assert abs(derivative(np.exp, 1.0, method=method) - math.e) < 10 * error[best] + 1e-10


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_step_is_exact(dtype):
    """x + h is a number of the dtype, so that dividing by h divides by what x really moved."""
    for x in np.linspace(0.1, 9.7, 23).astype(dtype):
        h = step_size(x, "central")
        assert (x + h) - x == h
        assert h.dtype == dtype


def test_order_of_accuracy():
    """Halving h halves the error of one-sided differences and quarters that of central ones."""
    for method, factor in (("forward", 2.0), ("backward", 2.0), ("central", 4.0)):
        errors = [abs(derivative(np.exp, 1.0, method=method, h=h) - math.e) for h in (1e-2, 5e-3)]
        assert errors[0] / errors[1] == pytest.approx(factor, rel=0.02)


def test_single_precision():
    found = derivative(lambda x: np.sum(x**2), np.array([1.0, -2.0], np.float32))
    np.testing.assert_allclose(found, [2.0, -4.0], atol=5e-2)


def test_containers():
    found = derivative(lambda p: p["a"] * np.sum(p["b"][0]), {"a": 2.0, "b": [np.array([1.0, 3.0])]})
    assert found["a"] == pytest.approx(4.0, rel=1e-8)
    np.testing.assert_allclose(found["b"][0], [2.0, 2.0], rtol=1e-8)


def test_agrees_with_the_exact_derivative_of_vectors():
    x = np.linspace(0.5, 1.5, 5)
    function = lambda x: np.prod(np.sin(x)) + np.sum(x**3)  # noqa: E731
    np.testing.assert_allclose(derivative(function, x), grad(function)(x), rtol=1e-8)


def test_the_argument_is_not_changed():
    x = np.array([1.0, 2.0])
    derivative(np.sum, x)
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"method": "left"}, "method='left'"), ({"h": 0.0}, "h=0.0"), ({"h": -1.0}, "h=-1.0"), ({"h": math.nan}, "h=nan")],
)
def test_settings_are_checked(options, message):
    with pytest.raises(SettingError, match=message):
        derivative(np.sin, 1.0, **options)


def test_whole_numbers_become_real_ones():
    assert derivative(np.square, 3) == pytest.approx(6.0, rel=1e-9)
    np.testing.assert_allclose(derivative(np.sum, np.array([1, 2])), [1.0, 1.0], rtol=1e-9)
    for given in (True, 1 + 2j, "3"):
        with pytest.raises(DifferentiationError):
            derivative(lambda x: x, given)


def test_by_argument_number():
    """Of x·y² + z at (2, 3, 5): y² = 9, 2xy = 12, 1; other arguments are handed on as they are."""

    def function(x, y, z):
        assert isinstance(z, int)
        return x * y**2 + z

    assert derivative(function, 2, 3, 5) == pytest.approx(9.0, rel=1e-9)
    assert derivative(function, 2.0, 3.0, 5, argnums=1, method="forward", h=1e-6) == pytest.approx(12.0, rel=1e-5)
    assert derivative(function, 2.0, 3.0, 5, argnums=(1, 0)) == pytest.approx((12.0, 9.0), rel=1e-9)
    assert derivative(lambda x, y: y, 2.0, 3.0, argnums=-1) == pytest.approx(1.0)
    assert derivative(np.exp, 0.0, "forward", 0.5) == pytest.approx((math.exp(0.5) - 1) / 0.5)
    with pytest.raises(SettingError, match="argnums=2"):
        derivative(np.exp, 0.0, argnums=2)
