"""numpy.linalg against independent references: SymPy's exact derivatives, closed forms, and what has no derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import chainrule as cr
from chainrule.engines import ENGINES
from chainrule.errors import ChainruleError, MatrixError, ShapeError, UnsupportedError
from chainrule.ops.linear_algebra import PAIR, POSITIVE, A
from chainrule.ops.triangles import inverse_of_triangle

random = np.random.default_rng(7)


def exact(of: Any, point: Any, order: int) -> Any:
    """All derivatives of an order of a formula of a matrix, by SymPy, as an array."""
    n = len(point)
    x = sympy.Matrix(n, n, lambda i, k: sympy.Symbol(f"x{i}_{k}"))
    found = np.array([of(x)], dtype=object).reshape(())
    for _ in range(order):
        found = np.stack([np.vectorize(lambda f, s=s: sympy.diff(f, s), otypes=[object])(found) for s in x], axis=-1)
    numbers = {s: sympy.Rational(float(v)) for s, v in zip(x, np.ravel(point), strict=True)}
    flat = np.array([float(f.subs(numbers)) for f in np.ravel(found)])
    return flat.reshape((n, n) * order)


def derivatives(function: Any, order: int) -> list[Any]:
    """The derivative of an order in forward mode, in reverse mode, and mixed."""
    forward = reverse = mixed = function
    for i in range(order):
        forward, reverse = cr.jacobian(forward, mode="forward"), cr.jacobian(reverse, mode="reverse")
        mixed = cr.jacobian(mixed, mode="forward" if i % 2 else "reverse")
    return [forward, reverse, mixed]


FORMULAS = {
    "det": (np.linalg.det, lambda x: x.det()),
    "log det": (lambda a: np.linalg.slogdet(a)[1], lambda x: sympy.log(x.det())),
    "inv": (lambda a: np.linalg.inv(a)[0, 1], lambda x: x.adjugate()[0, 1] / x.det()),
    "solve": (
        lambda a: np.linalg.solve(a, np.array([1.0, -2.0]))[1],
        lambda x: (x.adjugate() * sympy.Matrix([1, -2]))[1] / x.det(),
    ),
    "solve with itself on the right": (
        lambda a: np.linalg.solve(a, a.T)[0, 1],
        lambda x: (x.adjugate() * x.T)[0, 1] / x.det(),
    ),
    "matrix_power": (lambda a: np.linalg.matrix_power(a, -2)[1, 0], lambda x: ((x.adjugate() / x.det()) ** 2)[1, 0]),
    "cholesky": (
        lambda a: np.linalg.cholesky(a)[1, 1],  # which reads the lower triangle only
        lambda x: sympy.sqrt(x[1, 1] - x[1, 0] ** 2 / x[0, 0]),
    ),
    "cholesky, upper": (
        lambda a: np.linalg.cholesky(a, upper=True)[0, 1],
        lambda x: x[0, 1] / sympy.sqrt(x[0, 0]),
    ),
}  # fmt: skip
POINT = np.array([[2.0, 0.5], [0.25, 1.5]])


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", FORMULAS)
def test_every_order_in_every_mode_is_that_of_sympy(name: str, order: int) -> None:
    function, formula = FORMULAS[name]
    expected = exact(formula, POINT, order)
    for derivative in derivatives(function, order):
        np.testing.assert_allclose(derivative(POINT), expected, rtol=1e-10, atol=1e-12)


SINGULAR = {
    "rank 2 of 3": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]),
    "rank 1 of 3": np.outer([1.0, 2.0, -1.0], [2.0, 0.5, 1.0]),
    "zeros": np.zeros((3, 3)),
    "zeros, 2 by 2": np.zeros((2, 2)),
    "rank 1 of 2": np.ones((2, 2)),
    "rank 3 of 4": np.arange(16.0).reshape(4, 4) + np.diag([1.0, 0.0, 0.0, 0.0]),
    "a number": np.zeros((1, 1)),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_determinants_have_derivatives_where_there_is_no_inverse(name: str) -> None:
    point = SINGULAR[name]
    for order in (1, 2):
        expected = exact(lambda x: x.det(method="berkowitz"), point, order)
        for derivative in derivatives(np.linalg.det, order):
            np.testing.assert_allclose(derivative(point), expected, rtol=1e-10, atol=1e-11)


def test_third_derivatives_of_determinants_that_are_out_of_reach_are_errors() -> None:
    for point in (SINGULAR["rank 2 of 3"], SINGULAR["zeros"]):
        for derivative in derivatives(np.linalg.det, 3):
            with pytest.raises(MatrixError, match=r"no inverse|has none to working precision|depend on each other"):
                derivative(point)


def test_a_batch_is_its_members() -> None:
    many = random.normal(size=(2, 3, 4, 4)) + 4.0 * np.eye(4)
    right = random.normal(size=(3, 4, 2))
    for function in (
        np.linalg.inv,
        np.linalg.det,
        lambda a: np.linalg.solve(a, right),
        lambda a: np.linalg.slogdet(a)[1],
    ):
        found = cr.grad(lambda a, function=function: np.sum(np.sin(function(a))))(many)
        for i in np.ndindex(2, 3):

            def one(a: Any, i: Any = i, function: Any = function) -> Any:
                return np.sum(np.sin(function(np.broadcast_to(a, (2, 3, 4, 4)))[i]))

            np.testing.assert_allclose(found[i], cr.grad(one)(many[i]), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("n", [1, 47, 48, 49, 130])
def test_triangles_are_inverted_by_halves(n: int) -> None:
    triangle = np.tril(random.normal(size=(2, n, n))) / n + np.eye(n)
    above = np.triu(random.normal(size=(n, n)), 1)  # which is not read
    for dtype, close in ((np.float64, 1e-12), (np.float32, 1e-4)):
        found = inverse_of_triangle.evaluate((triangle + above).astype(dtype))
        assert found.dtype == dtype
        np.testing.assert_allclose(found @ triangle, np.broadcast_to(np.eye(n), (2, n, n)), atol=close)
        np.testing.assert_array_equal(found, np.tril(found))


def test_cholesky_of_many_rows() -> None:
    """The gradient of ln det through Cholesky's factor is the inverse."""
    n = 120
    root = random.normal(size=(n, n))
    point = root @ root.T + n * np.eye(n)
    found = cr.grad(lambda a: 2.0 * np.sum(np.log(np.diagonal(np.linalg.cholesky((a + a.T) / 2)))))(point)
    np.testing.assert_allclose(found, np.linalg.inv(point), rtol=1e-9, atol=1e-14)


def test_what_broadcasts_adds_up() -> None:
    right = random.normal(size=(5, 3, 2))
    by_matrix = cr.grad(lambda a: np.sum(np.linalg.solve(a, right) ** 2))(A)
    expected = sum(cr.grad(lambda a, b=b: np.sum(np.linalg.solve(a, b) ** 2))(A) for b in right)
    np.testing.assert_allclose(by_matrix, expected, rtol=1e-12)
    vector = cr.grad(lambda b: np.sum(np.linalg.solve(PAIR, b) ** 2))(np.ones(3))
    np.testing.assert_allclose(
        vector, sum(cr.grad(lambda b, a=a: np.sum(np.linalg.solve(a, b) ** 2))(np.ones(3)) for a in PAIR)
    )


def test_whole_numbers_take_part_as_numpy_takes_them() -> None:
    whole = np.array([[2, 1], [1, 3]])
    found = cr.jacobian(lambda b: np.linalg.solve(whole, b))(np.array([1.0, 2.0]))
    np.testing.assert_allclose(found, np.linalg.inv(whole), rtol=1e-14)
    single = cr.grad(lambda a: np.sum(np.linalg.inv(a)))(A.astype(np.float32))
    assert single.dtype == np.float32


def test_a_gaussian_process_by_its_length() -> None:
    """½ yᵀK⁻¹y + ½ ln det K through Cholesky's factor, through slogdet and solve, and by differences."""
    x, y = np.linspace(0.0, 1.0, 8), np.sin(np.linspace(0.0, 6.0, 8))

    def kernel(length: Any) -> Any:
        return np.exp(-0.5 * ((x[:, None] - x[None, :]) / length) ** 2) + 0.1 * np.eye(8)

    def by_factor(length: Any) -> Any:
        factor = np.linalg.cholesky(kernel(length))
        half = np.linalg.solve(factor, y)
        return 0.5 * half @ half + np.sum(np.log(np.diagonal(factor)))

    def directly(length: Any) -> Any:
        k = kernel(length)
        return 0.5 * y @ np.linalg.solve(k, y) + 0.5 * np.linalg.slogdet(k)[1]

    for derivative in (cr.grad, lambda f: cr.grad(cr.grad(f)), lambda f: cr.jacobian(cr.grad(f), mode="forward")):
        np.testing.assert_allclose(derivative(by_factor)(0.3), derivative(directly)(0.3), rtol=1e-8)
    h = 1e-5
    np.testing.assert_allclose(cr.grad(by_factor)(0.3), (by_factor(0.3 + h) - by_factor(0.3 - h)) / (2 * h), rtol=1e-7)


def test_programs_that_catch_numpys_error_go_on() -> None:
    """As Gaussian processes do that add to the diagonal until Cholesky's factor exists."""

    def log_det(a: Any) -> Any:
        for extra in (0.0, 1.0, 10.0):
            try:
                return np.sum(np.log(np.diagonal(np.linalg.cholesky(a + extra * np.eye(2)))))
            except np.linalg.LinAlgError:
                continue
        return 0.0

    point = np.array([[0.0, 2.0], [2.0, 0.0]])
    np.testing.assert_allclose(np.tril(cr.grad(log_det)(point)), [[5 / 96, 0.0], [-1 / 48, 5 / 96]], rtol=1e-12)


ERRORS = [
    (np.linalg.inv, np.ones((2, 2)), MatrixError, "np.linalg.pinv"),
    (lambda a: np.linalg.solve(a, np.ones(2)), np.ones((2, 2)), MatrixError, "multiple of the identity"),
    (lambda a: np.linalg.slogdet(a)[1], np.ones((2, 2)), MatrixError, "depend on each other"),
    (np.linalg.cholesky, -np.eye(2), MatrixError, "positive eigenvalues"),
    (np.linalg.inv, np.ones(2), ShapeError, r"inv was given shape \(2,\)"),
    (np.linalg.inv, np.ones((2, 3)), ShapeError, "equally long"),
    (np.linalg.inv, np.eye(2, dtype=np.float16), UnsupportedError, "half precision"),
    (lambda a: np.linalg.solve(a, np.ones(3)), np.eye(2), ShapeError, "right-hand side"),
    (lambda a: np.linalg.solve(a, np.ones((4, 2, 1))), np.stack([np.eye(2)] * 3), ShapeError, "do not fit"),
    (lambda a: np.linalg.multi_dot([a]), np.eye(2), ShapeError, "two or more"),
    (lambda a: np.linalg.multi_dot([a, a[None], a]), np.eye(2), ShapeError, "give matrices"),
    (lambda a: np.linalg.matrix_power(a, 0.5), np.eye(2), ShapeError, "integer"),
    (lambda a: np.linalg.tensorsolve(a, np.ones(3)), np.eye(2), ShapeError, "tensorsolve was given shapes"),
    (lambda a: np.linalg.tensorinv(a, ind=0), np.eye(2), ShapeError, "from 1 on"),
    (lambda a: np.linalg.tensorinv(a, ind=1), np.ones((2, 3)), ShapeError, "that of the others"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "point", "error", "says"), ERRORS)
def test_what_cannot_be_is_told(call: Any, point: Any, error: Any, says: str) -> None:
    for derivative in (lambda: cr.grad(lambda a: np.sum(call(a)))(point), lambda: cr.jvp(call, (point,), (point,))):
        with pytest.raises(error, match=says) as found:
            derivative()
        assert isinstance(found.value, ChainruleError)
        assert str(found.value).endswith(".")


def test_engines() -> None:
    def function(a: Any) -> Any:
        return np.sum(np.linalg.inv(a) @ np.linalg.solve(a, np.ones(3)))

    np.testing.assert_allclose(cr.jit(cr.grad(function), engine="numpy")(A), cr.grad(function)(A), rtol=1e-13)
    if "llvm" in ENGINES:
        with pytest.raises(UnsupportedError, match="inv"):
            cr.jit(function, engine="llvm")(A)


def test_the_order_of_a_chain_of_products_is_the_cheapest() -> None:
    program = cr.trace(lambda a, b, x: np.linalg.multi_dot([a, b, x]), np.ones((9, 8)), np.ones((8, 7)), np.ones(7))
    assert [e.output.shape for e in program.equations] == [(8,), (9,)]
    assert POSITIVE.shape == np.linalg.multi_dot([POSITIVE, POSITIVE]).shape
