"""Matrices made of few numbers, and equations with them: along diagonals, around circles, in bands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import ShapeError
from chainrule.scipy.standing import in_double, numbers, one_of


def _vector(x: Any, function: str) -> Any:
    """One axis of numbers; a single number is one."""
    x = numbers(x)
    if len(x.shape) > 1:
        raise ShapeError(
            f"scipy.linalg.{function} of traced values was given shape {tuple(x.shape)}; give one axis, or use vmap."
        )
    return x if len(x.shape) else np.reshape(x, 1)


def block_diag(*arrs: Any) -> Any:
    """Matrices along the diagonal, 0 elsewhere."""
    blocks = [numbers(x) for x in arrs]
    blocks = [x if len(x.shape) >= 2 else np.reshape(x, (1, -1)) for x in blocks]
    stack = np.broadcast_shapes(*(tuple(x.shape[:-2]) for x in blocks))
    width, before, rows = sum(x.shape[-1] for x in blocks), 0, []
    for x in blocks:
        x = x if tuple(x.shape[:-2]) == stack else np.broadcast_to(x, (*stack, *x.shape[-2:]))
        beside = (before, width - before - x.shape[-1])
        rows.append(np.pad(x, (*((0, 0) for _ in x.shape[:-1]), beside)))
        before += x.shape[-1]
    return np.concatenate(rows, axis=-2)


def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix with c down the first column and r, or c̄, along the first row, the same along every diagonal."""
    c = _vector(c, "toeplitz")
    r = c.conj() if r is None else _vector(r, "toeplitz")
    whole = np.concatenate([np.flip(r)[:-1], c])
    return whole[np.arange(c.shape[0])[:, None] - np.arange(r.shape[0]) + r.shape[0] - 1]


def hankel(c: Any, r: Any = None) -> Any:
    """The matrix with c down the first column and r along the last row, the same along every antidiagonal."""
    c = _vector(c, "hankel")
    r = np.zeros(c.shape, c.dtype) if r is None else _vector(r, "hankel")
    return np.concatenate([c, r[1:]])[np.arange(c.shape[0])[:, None] + np.arange(r.shape[0])]


def circulant(c: Any) -> Any:
    """The matrix with c down the first column, turned by one with every column."""
    c = numbers(c)
    c = c if len(c.shape) else np.reshape(c, 1)
    places = np.arange(c.shape[-1])
    return np.take(c, (places[:, None] - places) % c.shape[-1], axis=-1)


def companion(a: Any) -> Any:
    """The matrix whose eigenvalues are the roots of the polynomial with these coefficients, the highest power's first."""
    a = _vector(a, "companion")
    first = np.reshape(-a[1:] / a[0], (1, -1))
    return np.concatenate([first, np.eye(a.shape[0] - 2, a.shape[0] - 1, dtype=first.dtype)])


def leslie(f: Any, s: Any) -> Any:
    """The matrix with f along the first row, and s below the diagonal."""
    f, s = _vector(f, "leslie"), _vector(s, "leslie")
    return np.concatenate([np.reshape(f, (1, -1)), np.pad(np.diag(s), ((0, 0), (0, 1)))])


def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    """The matrix whose product with a vector of n numbers is its convolution with a."""
    one_of(mode, ("full", "valid", "same"), "mode", "scipy.linalg.convolution_matrix")
    a = _vector(a, "convolution_matrix")
    whole = toeplitz(np.pad(a, (0, n - 1)), np.pad(a[:1], (0, n - 1)))
    short, long = sorted((a.shape[0], n))
    if mode == "same":
        first = (whole.shape[0] - long) // 2
        return whole[first : first + long]
    return whole[short - 1 : long] if mode == "valid" else whole


def khatri_rao(a: Any, b: Any) -> Any:
    """Kronecker's products of the columns."""
    a, b = numbers(a), numbers(b)
    return np.reshape(a[..., :, None, :] * b[..., None, :, :], (*a.shape[:-2], a.shape[-2] * b.shape[-2], a.shape[-1]))


def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> Any:
    """The x with T·x = b, T with c down the first column and r along the first row."""
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    return np.linalg.solve(in_double(toeplitz(c, r)), numbers(b))


def matmul_toeplitz(c_or_cr: Any, x: Any, check_finite: bool = False, workers: Any = None) -> Any:
    """T·x, T with c down the first column and r along the first row."""
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    return in_double(toeplitz(c, r)) @ numbers(x)


def solve_circulant(c: Any, b: Any) -> Any:
    """The x with C·x = b, C with c down the first column."""
    return np.linalg.solve(circulant(_vector(c, "solve_circulant")), numbers(b))


def _from_bands(ab: Any, below: int, above: int) -> Any:
    """The matrix whose diagonals are the rows given, the uppermost first."""
    columns = np.arange(ab.shape[1])
    row = columns[:, None] - columns + above
    inside = np.logical_and(row >= 0, row <= above + below)
    return np.where(inside, ab[np.where(inside, row, 0), columns[None, :]], 0.0)


def solve_banded(
    l_and_u: Any, ab: Any, b: Any, overwrite_ab: bool = False, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """The x with a·x = b, of the diagonals of a."""
    return np.linalg.solve(_from_bands(numbers(ab), int(l_and_u[0]), int(l_and_u[1])), numbers(b))


def solveh_banded(
    ab: Any,
    b: Any,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    lower: bool = False,
    check_finite: bool = True,
) -> Any:
    """The x with a·x = b, of the diagonals of one triangle of a symmetric or Hermitian a."""
    ab = numbers(ab)
    count = ab.shape[0] - 1
    triangle = _from_bands(ab, count if lower else 0, 0 if lower else count)
    half = triangle - 0.5 * np.diag(np.diagonal(triangle))
    return np.linalg.solve(half + half.conj().T, numbers(b))


FUNCTIONS: tuple[Callable[..., Any], ...] = (
    block_diag, toeplitz, hankel, circulant, companion, leslie, convolution_matrix, khatri_rao, solve_toeplitz, matmul_toeplitz,
    solve_circulant, solve_banded, solveh_banded,
)  # fmt: skip
"""Those that stand for SciPy's functions of the same name."""
