"""Derivatives that stay finite far out, and what is decided at kinks and ties."""

import math

import numpy as np
import pytest
import sympy as sp

from chainrule.autodiff import grad, jacobian, jvp
from chainrule.ops import FUNCTIONS, REGISTRY, Elementwise, eager
from chainrule.tracing import apply, traced
from exact import at, expression

UNBOUNDED = [
    op
    for op in REGISTRY.values()
    if isinstance(op, Elementwise) and len(op.domain) == 1 and op.differentiable and not op.examples and op.loops
    and math.isinf(op.domain[0].low) and math.isinf(op.domain[0].high)
]  # fmt: skip


def call(name, *args, **options):
    return FUNCTIONS[name].implementation(traced, *args, **options)


def slope(op, x):
    """Value and derivative in forward mode; in reverse mode the same derivative."""
    value, tangent = jvp(lambda t: apply(op, t), (x,), (np.ones_like(x),))
    np.testing.assert_array_equal(grad(lambda t: np.sum(apply(op, t)))(x), tangent)
    return value, tangent


@pytest.mark.parametrize("op", UNBOUNDED, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_and_derivative_are_finite_far_out(op, dtype):
    """Wherever the true ones are, which more digits tell."""
    x = np.array([-1000.0, -100.0, -30.0, 30.0, 100.0, 1000.0], dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        value, tangent = slope(op, x)
    formula, symbols = expression(op)
    for found, exact in ((value, formula), (tangent, sp.diff(formula, symbols[0]))):
        true = np.array([at(exact, symbols, [float(number)]) for number in x])
        np.testing.assert_array_equal(np.isfinite(found), np.abs(true) <= np.finfo(dtype).max)


@pytest.mark.parametrize("op", UNBOUNDED, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_derivatives_keep_their_digits(op, dtype):
    """Nearly all of them, or of 1 where the value has no more or the partial is written in it, as 1 − y² of tanh is."""
    x = np.array([-300.0, -50.0, -20.0, -8.0, -3.0, -1.0, -0.3, 1e-4, 0.3, 1.0, 3.0, 8.0, 20.0, 50.0, 300.0], dtype)
    x = np.array([number for number in x if all(abs(number - point) > 0.1 for point in op.domain[0].points)], dtype)
    with np.errstate(all="ignore"):
        value, tangent = slope(op, x)
    formula, symbols = expression(op)
    values, true = (
        np.array([at(exact, symbols, [float(number)], digits=300) for number in x])
        for exact in (formula, sp.diff(formula, symbols[0]))
    )
    eps, tiny, most = (float(getattr(np.finfo(dtype), name)) for name in ("eps", "tiny", "max"))
    kept = (np.abs(true) < most) & (np.abs(values) < most)
    exactly = np.allclose(value[kept], values[kept], rtol=400 * eps, atol=tiny) and not is_of_the_value(op, x)
    allowed = 400 * eps * np.abs(true) + np.where(
        true == 0, 2 * eps, tiny if exactly else 2 * eps
    )  # 0 is a formula's end
    assert np.all(np.abs(tangent - true)[kept] <= allowed[kept])


def is_of_the_value(op, x):
    """Whether the slope is written in the value, which costs next to nothing and is right to ε, as PyTorch's and JAX's are."""
    with np.errstate(all="ignore"):
        partial, y = op.partials[0], op.evaluate(x)
        return callable(partial) and not np.array_equal(partial(eager, y, x), partial(eager, y + 1, x), equal_nan=True)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "gelu", "silu", "elu", "selu", "relu", "erf"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_are_right_at_the_edge_of_the_numbers(name, dtype):
    function = {"tanh": np.tanh}.get(name, lambda t: call(name, t))
    huge = float(np.finfo(dtype).max) / 4
    x = np.array([-huge, -1000.0, 1000.0, huge], dtype)
    limits = {"tanh": (0.0, 0.0), "erf": (0.0, 0.0), "sigmoid": (0.0, 0.0), "selu": (0.0, 1.0507009873554805)}
    left, right = limits.get(name, (0.0, 1.0))
    np.testing.assert_allclose(grad(lambda t: np.sum(function(t)))(x), [left, left, right, right], rtol=1e-6)


def test_logsumexp_and_softmax_at_large_scores():
    x = np.array([1000.0, -1000.0, 0.0, 1000.0])
    halves = [0.5, 0.0, 0.0, 0.5]
    assert call("logsumexp", x) == pytest.approx(1000.0 + math.log(2.0), rel=1e-15)
    np.testing.assert_allclose(grad(lambda t: call("logsumexp", t))(x), halves, atol=1e-15)
    np.testing.assert_allclose(call("softmax", x), halves, atol=1e-15)
    np.testing.assert_allclose(
        call("log_softmax", x), [-math.log(2), -2000 - math.log(2), -1000 - math.log(2), -math.log(2)]
    )
    assert np.all(np.isfinite(jacobian(lambda t: call("softmax", t))(x)))
    np.testing.assert_allclose(grad(lambda t: -call("log_softmax", t)[0])(x), [-0.5, 0.0, 0.0, 0.5], atol=1e-15)


def test_softmax_sums_to_one_and_its_jacobian_to_zero():
    x = np.random.default_rng(0).normal(size=(3, 5)) * 50
    np.testing.assert_allclose(np.sum(call("softmax", x), axis=-1), 1.0, rtol=1e-14)
    rows = jacobian(lambda t: call("softmax", t))(x[0])
    np.testing.assert_allclose(rows.sum(axis=0), 0.0, atol=1e-14)


DEFINITIONS = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (math.exp(x) - 1)),
    "gelu": lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2))),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "hard_tanh": lambda x: min(max(x, -1.0), 1.0),
    "step": lambda x: 1.0 if x > 0 else 0.0,
    "erf": math.erf,
}
"""The activations as textbooks print them."""


@pytest.mark.parametrize("name", DEFINITIONS)
def test_activations_are_what_textbooks_say(name):
    x = np.linspace(-6.0, 6.0, 241)
    np.testing.assert_allclose(call(name, x), [DEFINITIONS[name](float(v)) for v in x], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_error_function_is_accurate_everywhere(dtype):
    x = np.concatenate([-np.logspace(-30, 1, 400), [0.0], np.logspace(-30, 1, 400)]).astype(dtype)
    exact = np.array([math.erf(float(v)) for v in x])
    np.testing.assert_allclose(call("erf", x), exact, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (np.abs, 0.0),
        (lambda t: call("relu", t), 0.0),
        (lambda t: call("leaky_relu", t), 0.01),
        (lambda t: call("step", t), 0.0),
        (np.sign, 0.0),
        (lambda t: np.hypot(t, 0.0), 0.0),
        (lambda t: call("elu", t, 0.5), 0.5),
        (lambda t: t**2.0, 0.0),
        (lambda t: np.power(t, 3), 0.0),
        (lambda t: np.power(t, 1.5), 0.0),
    ],
)
def test_derivative_at_zero_is_as_documented(function, expected):
    assert grad(function)(0.0) == expected
    assert jvp(function, (0.0,), (1.0,))[1] == expected


def test_powers_of_zero():
    """By the base b·a^(b−1), which is 0 for b = 0; by the exponent 0, where y does not change with b > 0."""
    exponents = np.array([0.0, 1.0, 2.0, 3.5])
    by_base, by_exponent = grad(lambda a, b: np.sum(a**b), argnums=(0, 1))(np.zeros(4), exponents)
    np.testing.assert_array_equal(by_base, [0.0, 1.0, 0.0, 0.0])
    np.testing.assert_array_equal(by_exponent, np.zeros(4))
    assert grad(lambda b: 0.0**b)(2.0) == 0.0
    assert grad(lambda a: a**0)(0.0) == 0.0


def test_ties_share_the_derivative():
    assert grad(lambda a, b: np.maximum(a, b), argnums=(0, 1))(2.0, 2.0) == (0.5, 0.5)
    assert grad(lambda a, b: np.minimum(a, b), argnums=(0, 1))(2.0, 2.0) == (0.5, 0.5)
    x = np.array([1.0, 3.0, 3.0, 3.0])
    np.testing.assert_array_equal(grad(np.max)(x), [0.0, 1 / 3, 1 / 3, 1 / 3])
    np.testing.assert_array_equal(grad(np.min)(-x), [0.0, 1 / 3, 1 / 3, 1 / 3])


def test_clip_passes_the_derivative_at_its_bounds():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(grad(lambda t: np.sum(np.clip(t, -1.0, 1.0)))(x), [0.0, 1.0, 1.0, 1.0, 0.0])


@pytest.mark.parametrize("order", [None, 1, 2, 3, 1.5])
def test_norm_of_a_zero_vector_has_derivative_zero(order):
    assert np.linalg.norm(np.zeros(3), order) == 0
    np.testing.assert_array_equal(grad(lambda t: np.linalg.norm(t, order))(np.zeros(3)), np.zeros(3))
    np.testing.assert_array_equal(jacobian(grad(lambda t: np.linalg.norm(t)))(np.zeros(2)), np.zeros((2, 2)))


def test_standard_deviation_of_equal_numbers_has_derivative_zero():
    np.testing.assert_array_equal(grad(np.std)(np.full(4, 2.5)), np.zeros(4))


def test_where_does_not_leak_what_it_did_not_choose():
    """The branch not taken is infinite or undefined, and contributes exactly nothing where its derivative is finite."""
    x = np.array([-1.0, 0.0, 4.0])
    safe = np.where(x > 0, x, 1.0)
    gradient = grad(lambda t: np.sum(np.where(x > 0, np.sqrt(np.where(x > 0, t, safe)), 0.0)))(x)
    np.testing.assert_array_equal(gradient, [0.0, 0.0, 0.25])
