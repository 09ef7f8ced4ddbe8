"""`scipy.linalg`, differentiable: equations, factors, functions of matrices, matrices with a structure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import UnsupportedError
from chainrule.ops.kinds.custom import Custom
from chainrule.scipy import matrix_functions
from chainrule.scipy.standing import Standing, names_of, numbers
from chainrule.tracing.apply import traced
from scipy import linalg

standing = Standing(linalg)


def _symmetric(a: Any, lower: bool) -> Any:
    """The symmetric matrix of which one triangle is given."""
    strict = np.tril(a, -1) if lower else np.triu(a, 1)
    return strict + strict.T + np.diag(np.diagonal(a))


def _transposed(a: Any, trans: Any) -> Any:
    return a.T if trans in (1, 2, "T", "C") else a


@standing
def solve(
    a: Any, b: Any, lower: bool = False, overwrite_a: bool = False, overwrite_b: bool = False, check_finite: bool = True,
    assume_a: str | None = None, transposed: bool = False,
) -> Any:  # fmt: skip
    """The x with a·x = b."""
    a, b = numbers(a), numbers(b)
    if assume_a in ("sym", "her", "pos", "symmetric", "hermitian", "positive definite"):
        a = _symmetric(a, lower)
    elif assume_a in ("upper triangular", "lower triangular"):
        a = np.triu(a) if assume_a == "upper triangular" else np.tril(a)
    return np.linalg.solve(_transposed(a, int(transposed)), b)


@standing
def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    """The x with a·x = b, of a triangle of a."""
    a, b = numbers(a), numbers(b)
    inner = -1 if lower and unit_diagonal else 1 if unit_diagonal else 0
    triangle = np.tril(a, inner) if lower else np.triu(a, inner)
    if unit_diagonal:
        triangle = triangle + np.eye(a.shape[0])
    return np.linalg.solve(_transposed(triangle, trans), b)


@standing
def cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The triangle with a = L·Lᵀ, or a = Uᵀ·U."""
    a = numbers(a)
    return np.linalg.cholesky(a) if lower else np.linalg.cholesky(a.T).T


@standing
def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Cholesky's triangle, the other triangle 0, and which it is."""
    return cholesky(a, lower), lower


@standing
def cho_solve(c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """The x with a·x = b, given Cholesky's factor of a."""
    c, lower = c_and_lower
    first, second = ("N", "T") if lower else ("T", "N")
    return solve_triangular(c, solve_triangular(c, b, first, lower), second, lower)


@standing
def inv(a: Any, overwrite_a: bool = False, check_finite: bool = True, **options: Any) -> Any:
    """The inverse."""
    if options.get("assume_a") is not None:
        raise UnsupportedError("scipy.linalg.inv of traced values takes no assume_a; give the whole matrix.")
    return np.linalg.inv(numbers(a))


@standing
def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The determinant."""
    return np.linalg.det(numbers(a))


@standing
def pinv(a: Any) -> Any:
    """The pseudoinverse."""
    return np.linalg.pinv(numbers(a))


@standing
def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Any:
    """A norm of vectors or matrices."""
    return np.linalg.norm(numbers(a), ord, axis, keepdims)


@standing
def eigh(a: Any, b: Any = None, lower: bool = True, eigvals_only: bool = False) -> Any:
    """Eigenvalues, smallest first, and eigenvectors of a symmetric matrix; of the pair a·v = λ·b·v with a `b`."""
    a = numbers(a)
    if b is None:
        if eigvals_only:
            return np.linalg.eigvalsh(a, "L" if lower else "U")
        values, vectors = np.linalg.eigh(a, "L" if lower else "U")
        return values, vectors
    factor = np.linalg.cholesky(_symmetric(numbers(b), lower))
    inner = np.linalg.solve(factor, np.linalg.solve(factor, _symmetric(a, lower)).T)
    if eigvals_only:
        return np.linalg.eigvalsh(inner)
    values, vectors = np.linalg.eigh(inner)
    return values, np.linalg.solve(factor.T, vectors)


def _pencil(a: Any, b: Any) -> Any:
    """The matrix with the eigenvalues of the pair a·v = λ·b·v."""
    return numbers(a) if b is None else np.linalg.solve(numbers(b), numbers(a))


@standing
def eig(a: Any, b: Any = None, overwrite_a: bool = False, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """Eigenvalues, complex, and eigenvectors of a square matrix; of the pair a·v = λ·b·v with a `b`."""
    values, vectors = np.linalg.eig(_pencil(a, b))
    return values + 0j, vectors


@standing
def eigvals(a: Any, b: Any = None, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Eigenvalues of a square matrix, complex; of the pair a·v = λ·b·v with a `b`."""
    return np.linalg.eigvals(_pencil(a, b)) + 0j


@standing
def eigvalsh(a: Any, b: Any = None, lower: bool = True) -> Any:
    """Eigenvalues of a symmetric matrix."""
    return eigh(a, b, lower, eigvals_only=True)


@standing
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, check_finite: bool = True) -> Any:
    """Singular values and vectors."""
    a = numbers(a)
    if not compute_uv:
        return np.linalg.svd(a, compute_uv=False)
    return tuple(np.linalg.svd(a, full_matrices=full_matrices))


@standing
def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Singular values, the largest first."""
    return np.linalg.svd(numbers(a), compute_uv=False)


@standing
def qr(a: Any, overwrite_a: bool = False, lwork: Any = None, mode: str = "full", check_finite: bool = True) -> Any:
    """Q and R, economic."""
    a = numbers(a)
    if mode == "r":
        return (np.linalg.qr(a, mode="r"),)
    if mode == "full" and a.shape[0] > a.shape[1]:
        raise UnsupportedError(
            f"scipy.linalg.qr of a traced matrix of shape {tuple(a.shape)} has no derivative with mode='full', whose last columns "
            "are any; write mode='economic'."
        )
    return tuple(np.linalg.qr(a))


def _of_matrix(name: str) -> Callable[..., Any]:
    return lambda A: getattr(traced, name)(numbers(A))


for _name in ("expm", "logm", "sqrtm", "sinm", "cosm", "sinhm", "coshm"):
    standing.add(_name, _of_matrix(_name))


@standing
def solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    """The X with a·X + X·b = q."""
    return traced.solve_sylvester(numbers(a), numbers(b), numbers(q))


@standing
def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """The X with a·X + X·aᵀ = q."""
    a = numbers(a)
    return traced.solve_sylvester(a, a.T, numbers(q))


@standing
def solve_discrete_lyapunov(a: Any, q: Any) -> Any:
    """The X with X = a·X·aᵀ + q."""
    a, q = numbers(a), numbers(q)
    n = a.shape[0]
    squared = np.reshape(a[:, None, :, None] * a[None, :, None, :], (n * n, n * n))
    return np.reshape(np.linalg.solve(np.eye(n * n) - squared, np.reshape(q, n * n)), (n, n))


@standing
def block_diag(*arrs: Any) -> Any:
    """Matrices along the diagonal, 0 elsewhere."""
    blocks = [numbers(x) for x in arrs]
    blocks = [x if len(x.shape) == 2 else np.reshape(x, (1, -1)) for x in blocks]
    width, before, rows = sum(x.shape[1] for x in blocks), 0, []
    for x in blocks:
        rows.append(np.pad(x, ((0, 0), (before, width - before - x.shape[1]))))
        before += x.shape[1]
    return np.concatenate(rows)


@standing
def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix with c down the first column and r along the first row, the same along every diagonal."""
    c = numbers(c)
    r = c if r is None else numbers(r)
    whole = np.concatenate([np.flip(r)[:-1], c])
    return whole[np.arange(c.shape[0])[:, None] - np.arange(r.shape[0]) + r.shape[0] - 1]


@standing
def hankel(c: Any, r: Any = None) -> Any:
    """The matrix with c down the first column and r along the last row, the same along every antidiagonal."""
    c = numbers(c)
    r = np.zeros(c.shape) if r is None else numbers(r)
    return np.concatenate([c, r[1:]])[np.arange(c.shape[0])[:, None] + np.arange(r.shape[0])]


@standing
def circulant(c: Any) -> Any:
    """The matrix with c down the first column, turned by one with every column."""
    c = numbers(c)
    places = np.arange(c.shape[-1])
    return np.take(c, (places[:, None] - places) % c.shape[-1], axis=-1)


OPERATIONS = {op.name: op for op in vars(matrix_functions).values() if isinstance(op, Custom)}
"""The operations whose values SciPy computes, by name."""

globals().update(standing.functions)


def __getattr__(name: str) -> object:
    return getattr(linalg, name)


def __dir__() -> list[str]:
    return names_of(linalg, standing.functions)
