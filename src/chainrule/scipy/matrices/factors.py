"""Factors of matrices, and equations by them: triangles, Cholesky's, LU, QR, singular values, polar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import ShapeError, UnsupportedError
from chainrule.scipy.closures import plain
from chainrule.scipy.standing import numbers, one_of
from scipy import linalg


def turned(a: Any) -> Any:
    """Rows and columns exchanged, of a matrix or a stack of such."""
    return np.swapaxes(a, -1, -2)


def adjoint(a: Any) -> Any:
    """Rows and columns exchanged, and all numbers conjugated."""
    return turned(a).conj()


def transposed_as(a: Any, trans: Any) -> Any:
    """The matrix as LAPACK's `trans` says."""
    return adjoint(a) if trans in (2, "C") else turned(a) if trans in (1, "T") else a


def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    """The x with a·x = b, of a triangle of a."""
    a, b = numbers(a), numbers(b)
    inner = -1 if lower and unit_diagonal else 1 if unit_diagonal else 0
    triangle = np.tril(a, inner) if lower else np.triu(a, inner)
    if unit_diagonal:
        triangle = triangle + np.eye(a.shape[-1], dtype=a.dtype)
    return np.linalg.solve(transposed_as(triangle, trans), b)


def cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """The triangle with a = L·Lᴴ, or a = Uᴴ·U."""
    a = numbers(a)
    return np.linalg.cholesky(a) if lower else turned(np.linalg.cholesky(turned(a)))


def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Cholesky's triangle, the other triangle 0, and which it is."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """The x with a·x = b, given Cholesky's factor of a."""
    c, lower = c_and_lower
    first, second = ("N", "C") if lower else ("C", "N")
    return solve_triangular(c, solve_triangular(c, b, first, lower), second, lower)


def _eliminated(a: Any) -> Any:
    """U, and the strict triangle of L below it, of a matrix whose rows need no exchange."""
    rows, columns = tuple(a.shape)
    upper, lower = [], []
    for _ in range(min(rows, columns)):
        upper.append(np.pad(a[0], (columns - a.shape[1], 0)))
        factors = a[1:, 0] / a[0, 0]
        lower.append(np.pad(factors, (rows - factors.shape[0], 0)))
        a = a[1:, 1:] - factors[:, None] * a[0, 1:]
    return np.stack(lower, axis=1), np.stack(upper)


def _order(a: Any, called: str) -> Any:
    """How LAPACK exchanges the rows."""
    exchanges = linalg.lu_factor(plain(a, f"scipy.linalg.{called}"))[1]
    order = np.arange(a.shape[0])
    for i, j in enumerate(exchanges):
        order[[i, j]] = order[[j, i]]
    return exchanges, order


def _of_every(function: Callable[[Any], tuple[Any, ...]], a: Any) -> tuple[Any, ...]:
    """The parts that a function gives of one matrix, of a stack of such."""
    if len(a.shape) == 2:
        return function(a)
    every = [_of_every(function, a[i]) for i in range(a.shape[0])]
    return tuple(np.stack(parts) for parts in zip(*every, strict=True))


def _matrices(a: Any, called: str) -> Any:
    a = numbers(a)
    if len(a.shape) < 2 or not all(a.shape):
        raise ShapeError(
            f"scipy.linalg.{called} of traced values was given shape {tuple(a.shape)}; give matrices that have elements."
        )
    return a if a.dtype.kind in "fc" else a * 1.0


def lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True, p_indices: bool = False
) -> Any:
    """The P, L and U with a = P·L·U; exchanges of rows are taken as they are."""

    def parts(a: Any) -> tuple[Any, ...]:
        _, order = _order(a, "lu")
        lower, upper = _eliminated(a[order])
        lower, back = lower + np.eye(*lower.shape, dtype=a.dtype), np.argsort(order).astype(np.int32)
        if permute_l:
            return lower[back], upper
        return back if p_indices else np.eye(a.shape[0], dtype=a.real.dtype)[:, order], lower, upper

    return _of_every(parts, _matrices(a, "lu"))


def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """L and U of a matrix in one, and the exchanges of rows."""

    def parts(a: Any) -> tuple[Any, ...]:
        exchanges, order = _order(a, "lu_factor")
        lower, upper = _eliminated(a[order])
        rows, columns = tuple(a.shape)
        lower = np.pad(lower, ((0, 0), (0, columns - lower.shape[1])))
        return lower + np.pad(upper, ((0, rows - upper.shape[0]), (0, 0))), exchanges

    return _of_every(parts, _matrices(a, "lu_factor"))


def lu_solve(lu_and_piv: Any, b: Any, trans: Any = 0, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """The x with a·x = b, given `lu_factor(a)`."""
    factors, exchanges = lu_and_piv
    order = np.arange(len(exchanges))
    for i, j in enumerate(exchanges):
        order[[i, j]] = order[[j, i]]
    b = numbers(b)
    if trans in (1, 2, "T", "C"):
        inner = solve_triangular(factors, b, "T")
        return solve_triangular(factors, inner, "T", lower=True, unit_diagonal=True)[np.argsort(order)]
    return solve_triangular(factors, solve_triangular(factors, b[order], lower=True, unit_diagonal=True))


def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, overwrite_a: bool = False, check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:  # fmt: skip
    """Singular values and vectors."""
    one_of(lapack_driver, ("gesdd", "gesvd"), "lapack_driver", "scipy.linalg.svd")
    a = numbers(a)
    if not compute_uv:
        return np.linalg.svd(a, compute_uv=False)
    return tuple(np.linalg.svd(a, full_matrices=full_matrices))


def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Singular values, the largest first."""
    return np.linalg.svd(numbers(a), compute_uv=False)


def polar(a: Any, side: str = "right") -> Any:
    """An orthogonal u and a symmetric p with a = u·p, or p·u with `side="left"`."""
    one_of(side, ("right", "left"), "side", "scipy.linalg.polar")
    u, values, v = np.linalg.svd(numbers(a), full_matrices=False)
    symmetric = (adjoint(v) * values) @ v if side == "right" else (u * values) @ adjoint(u)
    return u @ v, symmetric


def orthogonal_procrustes(A: Any, B: Any, check_finite: bool = True) -> Any:
    """The orthogonal R with the least |A·R − B|, and the sum of the singular values of Aᴴ·B."""
    u, values, v = np.linalg.svd(turned(turned(numbers(B)) @ numbers(A).conj()))
    return u @ v, np.sum(values)


def qr(
    a: Any, overwrite_a: bool = False, lwork: Any = None, mode: str = "full", pivoting: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    """Q and R."""
    a = numbers(a)
    one_of(mode, ("full", "qr", "r", "economic", "raw"), "mode", "scipy.linalg.qr")
    mode = "full" if mode == "qr" else mode
    if pivoting or mode == "raw":
        raise UnsupportedError(
            f"scipy.linalg.qr of traced values was given mode={mode!r}, pivoting={pivoting}; it takes mode='full', 'r' or "
            "'economic' and no pivoting. Exchange columns before, by positions from scipy.linalg.qr of plain numbers."
        )
    if mode == "r":
        r: Any = np.linalg.qr(a, mode="r")
        missing = a.shape[-2] - r.shape[-2]
        return (np.pad(r, ((0, 0),) * (len(a.shape) - 2) + ((0, missing), (0, 0))) if missing else r,)
    return tuple(np.linalg.qr(a, "complete" if mode == "full" else "reduced"))


FUNCTIONS: tuple[Callable[..., Any], ...] = (
    solve_triangular, cholesky, cho_factor, cho_solve, lu, lu_factor, lu_solve, svd, svdvals, polar, orthogonal_procrustes, qr,
)  # fmt: skip
"""Those that stand for SciPy's functions of the same name."""
