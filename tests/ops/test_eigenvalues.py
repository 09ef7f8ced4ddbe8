"""Eigenvalues and eigenvectors of any square matrix, and equations and determinants of complex ones."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.linalg

import chainrule as cr
import chainrule.scipy.linalg
from chainrule.errors import MatrixError
from chainrule.ops.functions import decompositions

RANDOM = np.random.default_rng(7)
REAL = np.array([[0.5, -1.5, 0.25], [1.0, 0.75, -0.5], [0.25, 0.5, -1.0]])
COMPLEX = REAL + 1j * RANDOM.normal(size=(3, 3))
ONLY_REAL = np.diag([1.0, 2.0, 4.0]) + 0.1 * REAL
MATRICES = {"real": REAL, "complex": COMPLEX, "real eigenvalues": ONLY_REAL, "stack": np.stack([REAL, ONLY_REAL])}


def projections(a: Any) -> Any:
    """Of every eigenvector v with the row u of V⁻¹: v·u, whatever factors both have."""
    values, vectors = np.linalg.eig(a)
    return np.einsum("...ik,...kj->...kij", vectors, np.linalg.inv(vectors)) * np.sin(values)[..., None, None]


def weights(a: Any) -> Any:
    """|vᵢ|², which do depend on the length 1."""
    return np.abs(np.linalg.eig(a)[1]) ** 2


FUNCTIONS = {
    "eigvals": np.linalg.eigvals,
    "values": lambda a: np.linalg.eig(a).eigenvalues,
    "projections": projections,
    "weights": weights,
    "rebuilt": lambda a: (lambda w, v: v @ (w[..., None] ** 2 * np.linalg.inv(v)))(*np.linalg.eig(a)),
}


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_modes_equal_differences_to_second_order(name: str, matrix: str) -> None:
    cr.check_grads(FUNCTIONS[name], (MATRICES[matrix],), order=2)


@pytest.mark.parametrize("matrix", MATRICES)
def test_values_are_numpys(matrix: str) -> None:
    a = MATRICES[matrix]
    for f in (np.linalg.eigvals, lambda a: tuple(np.linalg.eig(a))):
        found, expected = cr.jvp(f, (a,), (a,))[0], f(a)
        for x, y in zip(*(z if isinstance(z, tuple) else (z,) for z in (found, expected)), strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)
    single = a.astype(np.complex64 if a.dtype.kind == "c" else np.float32)
    assert cr.grad(lambda a: np.sum(np.abs(np.linalg.eigvals(a))))(single).dtype == single.dtype


@pytest.mark.parametrize("always", [False, True])
def test_real_eigenvalues_are_complex_numbers_where_numpys_are(always: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from NumPy 2.5 on; SciPy's vectors are real as before."""
    monkeypatch.setattr(decompositions, "_always_complex", lambda: always)
    values, pullback = cr.vjp(np.linalg.eigvals, ONLY_REAL)
    assert values.dtype == (complex if always else float)
    np.testing.assert_allclose(pullback(np.ones(3))[0], np.eye(3), atol=1e-14)  # of the trace
    vectors, moves = cr.jvp(lambda a: cr.scipy.linalg.eig(a)[1], (ONLY_REAL,), (REAL,))
    np.testing.assert_allclose(vectors, scipy.linalg.eig(ONLY_REAL)[1], rtol=1e-13)
    later, before = (scipy.linalg.eig(ONLY_REAL + step * REAL)[1] for step in (1e-5, -1e-5))
    np.testing.assert_allclose(moves, (later - before) / 2e-5, rtol=1e-6, atol=1e-8)
    assert vectors.dtype == moves.dtype == float


def test_known_formulas() -> None:
    """Σ λ is the trace, Π λ the determinant, Σ λᵏ the trace of a power, and the squares rebuilt are A·A."""
    for a in (REAL, COMPLEX, np.eye(3), np.array([[2.0, 1.0], [-1.0, 2.0]])):
        for ours, known in (
            (lambda a: np.sum(np.linalg.eigvals(a)), np.trace),
            (lambda a: np.prod(np.linalg.eigvals(a)), np.linalg.det),
            (lambda a: np.sum(np.linalg.eig(a)[0] ** 3), lambda a: np.trace(a @ a @ a)),
        ):
            for part in (np.real, np.imag) if a.dtype.kind == "c" else (np.real,):
                found = cr.grad(lambda a, f=ours, part=part: part(f(a)))(a)
                np.testing.assert_allclose(
                    found, cr.grad(lambda a, f=known, part=part: part(f(a)))(a), rtol=1e-10, atol=1e-12
                )
    squared = cr.jacobian(lambda a: np.real(FUNCTIONS["rebuilt"](a)))(REAL)
    np.testing.assert_allclose(squared, cr.jacobian(lambda a: a @ a)(REAL), atol=1e-12)


def test_batches_are_their_members_and_programs_give_complex_numbers() -> None:
    many = np.stack([REAL, ONLY_REAL, REAL.T])

    def radius(a: Any) -> Any:
        return np.sum(np.abs(np.linalg.eigvals(a)) ** 3) + np.sum(weights(a)[0])

    found = cr.vmap(cr.grad(radius))(many)
    for i, a in enumerate(many):
        np.testing.assert_allclose(found[i], cr.grad(radius)(a), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(cr.jit(cr.grad(radius), engine="auto")(a), found[i], rtol=1e-10, atol=1e-12)
    assert cr.jit(np.linalg.eigvals, engine="auto")(ONLY_REAL).dtype == complex


def test_jax_has_the_same_derivatives() -> None:
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    for a in (REAL.astype(np.float32), COMPLEX.astype(np.complex64)):
        found = cr.grad(lambda a: np.sum(np.abs(np.linalg.eigvals(a)) ** 2))(a)
        exact = jax.grad(lambda a: jnp.sum(jnp.abs(jnp.linalg.eigvals(a)) ** 2))(jnp.asarray(a))
        np.testing.assert_allclose(found, exact, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize(
    ("function", "a", "says"),
    [
        (np.linalg.eigvals, np.array([[1.0, 1.0], [0.0, 1.0]]), "fewer eigenvectors than rows.*matrix_power"),
        (np.linalg.eigvals, np.array([[1.0, 1e10], [1e-10, 2.0]]), "too different sizes.*other units"),
        (np.linalg.eigvals, np.diag(np.ones(3), 1), "fewer eigenvectors than rows"),
        (lambda a: np.linalg.eig(a)[1], np.eye(2), r"1 and 1 are equal.*np\.linalg\.eigvalsh, eigvals"),
        (lambda a: np.linalg.eig(a)[1], np.diag([1j, 1j, 2.0]), r"0\+1j and 0\+1j are equal"),
    ],
)
def test_where_there_is_no_derivative_is_an_error(function: Any, a: Any, says: str) -> None:
    direction = np.random.default_rng(0).normal(size=a.shape)
    for derivative in (
        lambda: cr.grad(lambda a: np.sum(np.real(function(a)) * np.arange(1.0, a.shape[0] + 1)))(a),
        lambda: cr.jvp(function, (a,), (direction.astype(a.dtype),)),
    ):
        with pytest.raises(MatrixError, match=says):
            derivative()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_equations_and_determinants_of_complex_matrices(n: int) -> None:
    a = RANDOM.normal(size=(n, n)) + 1j * RANDOM.normal(size=(n, n)) + 2 * np.eye(n)
    b = RANDOM.normal(size=n)
    for f in (
        np.linalg.inv,
        np.linalg.det,
        lambda a: tuple(np.linalg.slogdet(a)),
        lambda a: np.linalg.matrix_power(a, -2),
    ):
        cr.check_grads(f, (a,), order=2)
        for x, y in zip(np.atleast_1d(cr.jvp(lambda a, f=f: f(a), (a,), (a,))[0]), np.atleast_1d(f(a)), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-13)
    for left, right in ((a, b), (a, b + 1j), (a.real, b + 1j), (np.stack([a, a.T]), np.stack([b, b * 1j])[..., None])):
        cr.check_grads(np.linalg.solve, (left, right), order=2)


def test_determinants_of_complex_matrices_without_inverse() -> None:
    u = RANDOM.normal(size=(3, 1)) + 1j * RANDOM.normal(size=(3, 1))
    for a in (u @ u.T, np.diag([1j, 2.0, 0.0]), COMPLEX * np.array([1.0, 1.0, 0.0])):
        cr.check_grads(np.linalg.det, (a,))
        cr.check_grads(lambda a: cr.grad(lambda a: np.real(np.linalg.det(a)))(a), (a,), order=1)


def test_other_units_give_the_derivative_of_a_matrix_of_very_different_numbers() -> None:
    """As the error says; against left and right eigenvectors in 40 digits."""
    a, d = np.array([[1.0, 1e10, 0.0], [1e-10, 2.0, 1e6], [0.0, 1e-6, 5.0]]), np.array([1.0, 1e-10, 1e-16])
    found = cr.grad(lambda a: np.max(np.real(np.linalg.eigvals(a / d[:, None] * d))))(a)
    with mpmath.workdps(40):
        values, left, right = mpmath.eig(mpmath.matrix(a.tolist()), left=True, right=True)
        k = max(range(3), key=lambda i: mpmath.re(values[i]))
        both = [[left[k, i] * right[j, k] for j in range(3)] for i in range(3)]
        size = sum(both[i][i] for i in range(3))
        exact = [[float(mpmath.re(x / size)) for x in row] for row in both]
    np.testing.assert_allclose(found, exact, rtol=1e-12)
