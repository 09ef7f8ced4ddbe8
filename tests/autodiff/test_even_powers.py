"""Even powers of |x|, of norms and of standard deviations have their derivatives also where these are 0 and have none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import chainrule as cr

a, b, c = sympy.symbols("a b c", real=True)
LENGTH = a**2 + b**2 + c**2
SPREAD = ((a - (a + b + c) / 3) ** 2 + (b - (a + b + c) / 3) ** 2 + (c - (a + b + c) / 3) ** 2) / 3

FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "norm ** 2": (lambda x: np.linalg.norm(x) ** 2, LENGTH),
    "norm ** 4": (lambda x: np.linalg.norm(x) ** 4, LENGTH**2),
    "norm · norm": (lambda x: (lambda n: n * n)(np.linalg.norm(x)), LENGTH),
    "square of norm": (lambda x: np.square(np.linalg.vector_norm(x)), LENGTH),
    "std ** 2": (lambda x: np.std(x) ** 2, SPREAD),
    "std ** 4": (lambda x: np.std(x) ** 4.0, SPREAD**2),
    "hypot ** 2": (lambda x: np.hypot(x[0], x[1]) ** 2, a**2 + b**2),
    "hypot ** 4": (lambda x: np.hypot(x[0], 2.0 * x[0]) ** 4, 25 * a**4),
    "|x| ** 2": (lambda x: np.sum(np.abs(x) ** 2), LENGTH),
    "|x|·|x|": (lambda x: np.sum(np.abs(x) * np.abs(x)), LENGTH),
    "|x| ** 6": (lambda x: np.sum(np.abs(x) ** 6), a**6 + b**6 + c**6),
    "square of |x|": (lambda x: np.sum(np.square(abs(x))), LENGTH),
    "sin of |x| ** 2": (lambda x: np.sum(np.sin(np.abs(x) ** 2)), sympy.sin(a**2) + sympy.sin(b**2) + sympy.sin(c**2)),
}
POINTS = [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.5, -0.25)]


def along(function: Any, order: int, modes: Any) -> Any:
    """The derivative of an order along the first axis, each by its mode."""

    def line(t: Any, start: Any) -> Any:
        return function(start + t * np.array([1.0, 0.0, 0.0]))

    for i in range(order):
        inner = line
        line = (
            cr.grad(inner)
            if modes[i] == "reverse"
            else lambda t, s, f=inner: cr.jvp(lambda u: f(u, s), (t,), (1.0,))[1]
        )
    return line


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_order_along_an_axis(name: str) -> None:
    function, exact = FUNCTIONS[name]
    for point in POINTS:
        for order in range(5):
            derivative = sympy.diff(exact, a, order)
            value = float(sympy.limit(derivative.subs({b: point[1], c: point[2]}), a, point[0]))
            for modes in (["reverse"] * 4, ["forward"] * 4, ["reverse", "forward"] * 2):
                found = along(function, order, modes)(0.0, np.array(point))
                assert found == pytest.approx(value, abs=1e-12), (point, order, modes)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_hessians_also_compiled_and_in_batches(name: str) -> None:
    function, exact = FUNCTIONS[name]
    hessian = cr.hessian(function)
    expected = [
        np.array(sympy.hessian(exact, (a, b, c)).subs(dict(zip((a, b, c), p, strict=True))), float) for p in POINTS
    ]
    for way in (hessian, cr.jit(hessian)):
        for point, matrix in zip(POINTS, expected, strict=True):
            np.testing.assert_allclose(way(np.array(point)), matrix, atol=1e-12)
    np.testing.assert_allclose(cr.vmap(hessian)(np.array(POINTS)), expected, atol=1e-12)


def test_a_root_that_was_changed_in_place_is_another_number() -> None:
    def function(x: Any) -> Any:
        y = np.abs(x)
        y *= 3.0
        return np.sum(y**2)

    x = np.array([1.0, -2.0])
    value, gradient = cr.value_and_grad(function)(x)
    assert value == function(x)
    np.testing.assert_allclose(gradient, 18.0 * x)


def test_the_roots_themselves_have_derivative_0_at_0() -> None:
    for function in (np.linalg.norm, np.std, lambda x: np.hypot(x[0], x[1]), lambda x: np.sum(np.abs(x))):
        assert (cr.grad(function)(np.zeros(3)) == 0).all()
    np.testing.assert_allclose(cr.grad(np.linalg.norm)(np.array([3.0, 4.0])), [0.6, 0.8])
