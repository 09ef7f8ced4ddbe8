"""Half precision: sums are added up in single, as NumPy's are, so that they neither overflow nor stop growing."""

import numpy as np
import pytest

import chainrule as cr

HALF = np.float16


def test_means_do_not_overflow():
    x = np.full(5000, 100.0, HALF)
    value, gradient = cr.value_and_grad(np.mean)(x)
    assert value == np.mean(x) == 100.0
    assert value.dtype == gradient.dtype == HALF
    np.testing.assert_array_equal(gradient, HALF(1.0 / 5000))
    assert cr.jit(np.mean, engine="numpy")(x) == 100.0


@pytest.mark.parametrize("function", [np.var, np.std])
def test_variances_do_not_overflow(function):
    """As they would in NumPy."""
    x = (np.arange(5000) % 301).astype(HALF)
    value, gradient = cr.value_and_grad(function)(x)
    assert value == HALF(function(x.astype(np.float64)))
    assert gradient.dtype == HALF
    exact = cr.grad(function)(x.astype(np.float64))
    np.testing.assert_allclose(gradient.astype(float), exact, atol=6e-4 * np.abs(exact).max() + 6e-8)


@pytest.mark.parametrize("function", [np.max, np.min])
def test_many_ties_share(function):
    np.testing.assert_array_equal(cr.grad(function)(np.ones(70_000, HALF)), HALF(1.0 / 70_000))
    gradient = cr.grad(lambda x: np.sum(function(x, axis=0)))(np.ones((5000, 2), HALF))
    np.testing.assert_array_equal(gradient, HALF(1.0 / 5000))


def test_broadcasting_back_and_sums_of_columns():
    ones = np.ones((5000, 3), HALF)
    np.testing.assert_array_equal(cr.grad(lambda b: np.sum(ones + b))(np.ones(3, HALF)), 5000.0)
    value, _ = cr.value_and_grad(lambda x: np.sum(np.sum(x, axis=0) / 5000))(ones)
    assert value == 3.0


def test_softmax_of_many():
    zeros = np.zeros(70_000, HALF)
    np.testing.assert_array_equal(cr.softmax(zeros), HALF(1.0 / 70_000))
    assert cr.logsumexp(zeros) == HALF(np.log(70_000))
    np.testing.assert_array_equal(cr.grad(cr.logsumexp)(zeros), HALF(1.0 / 70_000))
    assert cr.softmax(zeros).dtype == cr.log_softmax(zeros).dtype == HALF
