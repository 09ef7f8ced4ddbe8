"""Decompositions of complex matrices: identities that hold whatever phase LAPACK gives the vectors, and JAX's gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import MatrixError

RANDOM = np.random.default_rng(5)


def drawn(*shape: int) -> Any:
    return RANDOM.normal(size=shape) + 1j * RANDOM.normal(size=shape)


SQUARE, TALL, WIDE = drawn(3, 3), drawn(4, 2), drawn(2, 4)
SHAPES = {"square": SQUARE, "tall": TALL, "wide": WIDE, "stack": drawn(2, 3, 2)}


def adjoint(a: Any) -> Any:
    return np.conj(np.swapaxes(a, -1, -2))


def rebuilt_svd(a: Any) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return (u * s[..., None, :]) @ vh


def polar(a: Any) -> Any:
    """U·Vᴴ, which is A·(Aᴴ·A)^(−½)."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return u @ vh


def projector(a: Any) -> Any:
    u = np.linalg.svd(a, full_matrices=False)[0]
    return u @ adjoint(u)


def hermitian(a: Any) -> Any:
    return a @ adjoint(a) + np.diag(np.arange(1.0, a.shape[-2] + 1))


def rebuilt_eigh(a: Any, uplo: str = "L") -> Any:
    w, v = np.linalg.eigh(hermitian(a), uplo)
    return (v * w[..., None, :] ** 3) @ adjoint(v)


def cube(a: Any) -> Any:
    h = hermitian(a)
    return h @ h @ h


def rebuilt_cholesky(a: Any) -> Any:
    factor = np.linalg.cholesky(hermitian(a))
    return factor @ adjoint(factor)


def from_the_upper_triangle(a: Any) -> Any:
    factor = np.linalg.cholesky(hermitian(a), upper=True)
    return adjoint(factor) @ factor


def pseudo_inverse(a: Any) -> Any:
    """By equations, of matrices with independent rows or columns."""
    tall = a.shape[-2] >= a.shape[-1]
    return np.linalg.solve(adjoint(a) @ a, adjoint(a)) if tall else adjoint(np.linalg.solve(a @ adjoint(a), a))


def right_side(a: Any) -> Any:
    return np.sum(a, axis=-1)[..., :, None] ** 2


IDENTITIES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "U·S·Vᴴ = A": (rebuilt_svd, lambda a: a * 1.0),
    "U·Uᴴ = A·A⁺": (projector, lambda a: a @ pseudo_inverse(a)),
    "polar": (lambda a: polar(a) @ adjoint(polar(a)) @ a, lambda a: a * 1.0),
    "V·Λ³·Vᴴ = H³": (rebuilt_eigh, cube),
    "of the upper triangle": (lambda a: rebuilt_eigh(a, "U"), cube),
    "Σ sin λ of H": (
        lambda a: np.sum(np.linalg.eigvalsh(hermitian(a)) ** 2, axis=-1),
        lambda a: np.real(np.trace(hermitian(a) @ hermitian(a), axis1=-2, axis2=-1)),
    ),
    "L·Lᴴ = H": (rebuilt_cholesky, hermitian),
    "Uᴴ·U = H": (from_the_upper_triangle, hermitian),
    "Q·R = A": (lambda a: (lambda q, r: q @ r)(*np.linalg.qr(a)), lambda a: a * 1.0),
    "A⁺": (np.linalg.pinv, pseudo_inverse),
    "|A|² = Σσ²": (lambda a: np.sum(np.linalg.svdvals(a) ** 2), lambda a: np.sum(np.abs(a) ** 2)),
    "nuclear norm": (
        lambda a: np.linalg.norm(a, "nuc", axis=(-2, -1)),
        lambda a: np.sum(np.linalg.svdvals(a), axis=-1),
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", IDENTITIES)
def test_identities_hold_for_derivatives_of_two_orders(name: str, shape: str) -> None:
    (function, same), a = IDENTITIES[name], SHAPES[shape]
    along, weights = drawn(*a.shape), None
    pairs = []
    for f in (function, same):
        value, first = cr.jvp(f, (a,), (along,))
        weights = drawn(*np.shape(value)) if weights is None else weights
        weights = np.real(weights) if np.isrealobj(value) else weights

        def scalar(z: Any, f: Any = f, weights: Any = weights) -> Any:
            return np.real(np.sum(weights * f(z)))

        gradient = cr.grad(scalar)
        pairs.append((value, first, gradient(a), cr.jvp(gradient, (a,), (along,))[1], cr.vjp(gradient, a)[1](along)[0]))
    for found, expected in zip(*pairs, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("a", [SQUARE, TALL, WIDE], ids=["square", "tall", "wide"])
def test_least_squares(a: Any) -> None:
    for part in (0, 1):
        found = lambda a, part=part: np.linalg.lstsq(a, right_side(a), rcond=None)[part]  # noqa: E731
        np.testing.assert_allclose(cr.vjp(found, a)[0], found(a), rtol=1e-12)
        cr.check_grads(found, (a,), order=2)


def test_real_and_complex_meet() -> None:
    """A real matrix turned complex has the derivatives of the real one."""
    for f in (rebuilt_eigh, rebuilt_cholesky, polar, projector, np.linalg.pinv, lambda a: np.abs(np.linalg.qr(a)[1])):
        real = cr.jacobian(lambda a, f=f: f(a))(np.real(TALL))
        np.testing.assert_allclose(cr.jacobian(lambda a, f=f: np.real(f(a + 0j)))(np.real(TALL)), real, atol=1e-11)


def test_jax_has_the_same_gradients() -> None:
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    functions = (
        lambda m, a: m.abs(m.linalg.svd(a, full_matrices=False)[0][0, 0]) ** 2,
        lambda m, a: m.abs(m.linalg.eigh(a @ m.conj(a.T))[1][0, 0]) ** 2,
        lambda m, a: m.sum(m.linalg.svd(a, full_matrices=False)[1] ** 3),
        lambda m, a: m.real(m.linalg.cholesky(a @ m.conj(a.T) + m.eye(2))[1, 0]),
        lambda m, a: m.abs(m.linalg.pinv(a)[1, 0]),
    )
    a = WIDE.astype(np.complex64)
    for f in functions:
        found, exact = cr.grad(lambda a, f=f: f(np, a))(a), jax.grad(lambda a, f=f: f(jnp, a))(jnp.asarray(a))
        assert found.dtype == np.complex64
        np.testing.assert_allclose(found, exact, rtol=2e-3, atol=2e-3)


def test_equal_eigenvalues_are_told() -> None:
    with pytest.raises(MatrixError, match="1 and 1 are equal"):
        cr.grad(lambda a: np.real(np.linalg.eigh(a)[1][0, 1] * np.linalg.eigh(a)[1][0, 0]))(np.eye(2) + 0j)
