"""Roots of polynomials: NumPy's values, derivatives against closed forms and SymPy's, and multiple roots refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import chainrule as cr
from chainrule.errors import MatrixError, ShapeError

POLYNOMIALS = {
    "real roots": np.poly([1.0, 2.0, -0.5]),
    "complex roots": np.array([1.0, 0.5, 2.0, -0.25, 3.0]),
    "complex coefficients": np.array([1.0 + 0.5j, -2.0, 0.3j, 1.0]),
    "a root at 0": np.array([2.0, -3.0, 1.0, 0.0]),
    "one": np.array([2.0, 3.0]),
}


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_values_are_numpys_and_derivatives_right_to_second_order(name: str) -> None:
    p = POLYNOMIALS[name]
    value, _ = cr.jvp(np.roots, (p,), (p,))
    assert value.dtype == np.roots(p).dtype
    np.testing.assert_array_equal(value, np.roots(p))
    cr.check_grads(lambda p: np.sum(np.sin(np.roots(p))), (p,), order=2)
    if p.dtype.kind != "c":  # of which LAPACK keeps the order as they move
        cr.check_grads(np.roots, (p,), order=2)


def test_of_a_quadratic_equation_derivatives_are_those_of_its_formula() -> None:
    a, b, c = letters = sympy.symbols("a b c")
    formula = (-b + sympy.sqrt(b**2 - 4 * a * c)) / (2 * a)
    point = np.array([2.0, 3.0, -4.0])
    place = dict(zip(letters, point, strict=True))
    largest = lambda p: np.max(np.roots(p))  # noqa: E731
    np.testing.assert_allclose(
        cr.grad(largest)(point), [float(formula.diff(x).subs(place)) for x in letters], rtol=1e-12
    )
    exact = [[float(formula.diff(x, y).subs(place)) for y in letters] for x in letters]
    np.testing.assert_allclose(cr.hessian(largest)(point), exact, rtol=1e-12)


def test_sums_and_products_of_roots_are_vietas() -> None:
    p = POLYNOMIALS["complex roots"]
    for ours, known in (
        (lambda p: np.real(np.sum(np.roots(p))), lambda p: -p[1] / p[0]),
        (lambda p: np.real(np.prod(np.roots(p))), lambda p: p[-1] / p[0]),
    ):
        np.testing.assert_allclose(cr.grad(ours)(p), cr.grad(known)(p), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(cr.hessian(ours)(p), cr.hessian(known)(p), rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(cr.jit(cr.grad(ours), engine="auto")(p), cr.grad(known)(p), rtol=1e-10, atol=1e-12)
    many = np.stack([p, p[::-1]])
    found = cr.vmap(cr.grad(lambda p: np.sum(np.abs(np.roots(p)) ** 2)))(many)
    for one, gradient in zip(many, found, strict=True):
        np.testing.assert_allclose(gradient, cr.grad(lambda p: np.sum(np.abs(np.roots(p)) ** 2))(one), rtol=1e-10)


def test_the_companion_matrix_has_the_same_derivatives() -> None:
    p = POLYNOMIALS["complex roots"]

    def by_eigenvalues(p: Any) -> Any:
        first = np.reshape(-p[1:] / p[0], (1, -1))
        return np.sum(np.abs(np.linalg.eigvals(np.concatenate([first, np.eye(3, 4)]))) ** 3)

    np.testing.assert_allclose(
        cr.grad(lambda p: np.sum(np.abs(np.roots(p)) ** 3))(p), cr.grad(by_eigenvalues)(p), rtol=1e-10
    )


@pytest.mark.parametrize("p", [np.poly([1.0, 1.0]), np.poly([2.0, 2.0, 2.0, 1.0]), np.array([1.0, 2.0, 0.0, 0.0])])
def test_multiple_roots_have_no_derivative(p: Any) -> None:
    for derivative in (
        lambda: cr.grad(lambda p: np.sum(np.abs(np.roots(p))))(p),
        lambda: cr.jvp(np.roots, (p,), (p,)),
    ):
        with pytest.raises(MatrixError, match=r"multiple root.*np\.polyder"):
            derivative()


def test_what_is_no_polynomial_is_told() -> None:
    with pytest.raises(ShapeError, match=r"first coefficient is 0.*np\.trim_zeros\(p, 'f'\)"):
        cr.grad(lambda p: np.sum(np.roots(p)))(np.array([0.0, 1.0, 2.0]))
    with pytest.raises(ShapeError, match="give a vector"):
        cr.grad(lambda p: np.sum(np.roots(p)))(np.eye(2))
    trimmed = cr.grad(lambda p: np.sum(np.roots(np.trim_zeros(p, "f"))))(np.array([0.0, 1.0, 2.0]))
    np.testing.assert_allclose(trimmed, [0.0, 2.0, -1.0])
