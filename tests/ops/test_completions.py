"""Bases completed by full singular vectors and a complete QR: NumPy's numbers, derivatives of what depends on the space alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import check_grads
from chainrule.errors import MatrixError
from chainrule.scipy import linalg

RANDOM = np.random.default_rng(0)
SHAPES = [(4, 3), (3, 4), (5, 3), (3, 5), (2, 4, 3), (2, 3, 5)]


def matrix(shape: tuple[int, ...], dtype: type) -> Any:
    real = RANDOM.normal(size=shape)
    return real + 1j * RANDOM.normal(size=shape) if dtype is complex else real


def adjoint(x: Any) -> Any:
    return np.swapaxes(np.conj(x), -1, -2)


def projector(a: Any, by_svd: bool) -> Any:
    """On all that is orthogonal to the columns of a tall matrix, or to the rows of a wide one; both parts."""
    *_, rows, columns = a.shape
    n, tall = min(rows, columns), rows > columns
    if by_svd:
        u, _, vh = np.linalg.svd(a)
        whole = u if tall else adjoint(vh)
    else:
        whole = np.linalg.qr(a if tall else adjoint(a), "complete")[0]
    found = whole[..., n:] @ adjoint(whole[..., n:])
    return np.real(found), np.imag(found)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", SHAPES)
def test_bases(shape: tuple[int, ...], dtype: type) -> None:
    a = matrix(shape, dtype)
    for function in (lambda a: tuple(np.linalg.svd(a)), lambda a: tuple(np.linalg.qr(a, "complete"))):
        for found, expected in zip(cr.vjp(function, a)[0], function(a), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    for by_svd in (True, False):
        check_grads(lambda a, by_svd=by_svd: projector(a, by_svd), (a,), order=2)
    weights = RANDOM.normal(size=projector(a, True)[0].shape)
    slope = lambda a: cr.grad(lambda a: np.sum(weights * projector(a, True)[0]))(a)  # noqa: E731
    np.testing.assert_allclose(cr.jit(slope, engine="numpy")(a), slope(a), rtol=1e-9, atol=1e-11)
    if dtype is float:
        check_grads(lambda a: np.linalg.svd(a)[0][..., :3], (a,), order=2)


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (2, 4, 3)])
def test_one_vector_that_is_missing_is_known(shape: tuple[int, ...]) -> None:
    """The direct linear transformation: a homography is the vector that four points leave."""
    a = matrix(shape, float)
    check_grads(lambda a: tuple(np.linalg.svd(a)), (a,), order=2)
    check_grads(lambda a: tuple(np.linalg.qr(a, "complete")), (a,), order=2)
    if len(shape) == 2:
        check_grads(lambda a: tuple(linalg.svd(a)), (a,))
        check_grads(lambda a: tuple(linalg.qr(a)), (a,))
        for found, expected in zip(cr.vjp(linalg.qr, a)[0], linalg.qr(a), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
def test_of_several_a_single_one_is_not(shape: tuple[int, ...], dtype: type) -> None:
    a = matrix(shape, dtype)

    def single(a: Any) -> Any:
        u, _, vh = np.linalg.svd(a)
        return np.abs((u if shape[0] > shape[1] else adjoint(vh))[0, -1]) ** 2

    for gradient in (cr.grad(single), cr.jit(cr.grad(single), engine="numpy")):
        with pytest.raises(MatrixError, match=r"no derivatives one by one.*full_matrices=False"):
            gradient(a)


def test_dependent_columns_leave_more_than_the_shape_says() -> None:
    a = np.ones((4, 3))
    with pytest.raises(MatrixError):
        cr.grad(lambda a: np.linalg.svd(a)[0][0, -1])(a)
    assert np.isfinite(cr.grad(lambda a: np.linalg.svd(a)[1][0])(a)).all()
