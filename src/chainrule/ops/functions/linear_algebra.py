"""NumPy's functions of square matrices: equations, inverses, determinants, powers, Cholesky's factor."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.functions.function import array, function, ndim, one_axis, whole, wholes
from chainrule.ops.functions.products import matmul
from chainrule.ops.functions.shaping import reshape, swapaxes, transpose
from chainrule.ops.linear_algebra import PAIR, POSITIVE, A
from chainrule.ops.matrices import dtype_of_matrices
from chainrule.ops.operation import example


def matrices(x: Any, called: str) -> Any:
    """An argument of at least two axes, of numbers that numpy.linalg computes with."""
    x = array(x)
    if ndim(x) < 2:
        raise ShapeError(
            f"{called} was given shape {tuple(x.shape)}; give a matrix, or several along further first axes."
        )
    dtype = dtype_of_matrices(x)
    return x if x.dtype.kind in "fc" else np.asarray(x, dtype) if isinstance(x, np.ndarray) else x


def square(x: Any, called: str) -> Any:
    """An argument of square matrices."""
    x = matrices(x, called)
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(
            f"{called} was given shape {tuple(x.shape)}; the last two axes must be equally long, as those of a square matrix are."
        )
    return x


@function(
    example(A, (3,)),
    example(A, (3, 2)),
    example(PAIR, (3, 2)),
    example(A, (2, 3, 1)),
    name="linalg.solve",
    numpy=(np.linalg.solve,),
)
def solve(m: Any, a: Any, b: Any) -> Any:
    """The solution x of a·x = b: of one vector where b has one axis, and else of matrices."""
    a, b = square(a, "solve"), array(b)
    vector = ndim(b) == 1
    n = a.shape[-1]
    if not ndim(b) or b.shape[-1 if vector else -2] != n:
        raise ShapeError(
            f"solve was given matrices of {n} rows and a right-hand side of shape {tuple(b.shape)}; give b of shape ({n},), or "
            f"matrices of {n} rows; several vectors are columns, b[..., None]."
        )
    try:
        lead = np.broadcast_shapes(a.shape[:-2], () if vector else b.shape[:-2])
    except ValueError:
        raise ShapeError(
            f"solve was given shapes {tuple(a.shape)} and {tuple(b.shape)}, whose first axes do not fit; each must be 1 or equal."
        ) from None
    own = b.shape[-1 if vector else -2 :]
    return m.solve(_spread(m, a, (*lead, n, n)), _spread(m, b, (*lead, *own)))


def _spread(m: Any, x: Any, shape: tuple[int, ...]) -> Any:
    return x if tuple(x.shape) == shape else m.broadcast_to(x, shape=shape)


@function(example(A), example(PAIR), name="linalg.inv", numpy=(np.linalg.inv,))
def inv(m: Any, a: Any) -> Any:
    """The inverse of a matrix."""
    return m.inv(square(a, "inv"))


@function(example(A), example(PAIR), name="linalg.det", numpy=(np.linalg.det,))
def det(m: Any, a: Any) -> Any:
    """The determinant; it has derivatives also where it is 0."""
    return m.det(square(a, "det"))


class SlogdetResult(NamedTuple):
    """Sign and logarithm of a determinant."""

    sign: Any
    logabsdet: Any


@function(example(A), example(PAIR), name="linalg.slogdet", numpy=(np.linalg.slogdet,))
def slogdet(m: Any, a: Any) -> SlogdetResult:
    """The sign of the determinant, or z/|z| of a complex one, and the logarithm of its absolute value."""
    a = square(a, "slogdet")
    size = m.log_abs_det(a)
    if a.dtype.kind != "c":
        return SlogdetResult(m.sign_of_det(a), size)
    scale = m.exp(m.stop_gradient(size) * (-1.0 / max(a.shape[-1], 1)))  # so that no determinant overflows
    turn = m.det(a * m.reshape(scale, shape=(*scale.shape, 1, 1)))
    return SlogdetResult(turn / m.absolute(turn), size)


@function(example(POSITIVE), example(POSITIVE, upper=True), name="linalg.cholesky", numpy=(np.linalg.cholesky,))
def cholesky(m: Any, a: Any, /, *, upper: bool = False) -> Any:
    """The triangle L with L·Lᵀ = A, read from the lower triangle of A; with `upper` Lᵀ, read from the upper one."""
    a = square(a, "cholesky")
    return swapaxes(m, m.cholesky(swapaxes(m, a, -1, -2)), -1, -2) if upper else m.cholesky(a)


@function(
    example(A, 3), example(PAIR, 2), example(A, 5), example(A, 1), example(A, -1), example(A, -3),
    name="linalg.matrix_power", numpy=(np.linalg.matrix_power,),
)  # fmt: skip
def matrix_power(m: Any, a: Any, n: int) -> Any:
    """The n-th power of a matrix, by repeated squaring; of its inverse for negative n."""
    a, n = square(a, "matrix_power"), whole(n, "n")
    if n == 0:
        return m.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), shape=tuple(a.shape))
    if n < 0:
        a, n = m.inv(a), -n
    if n == 3:
        return matmul(m, matmul(m, a, a), a)
    power, result = a, None
    while n:
        if n % 2:
            result = power if result is None else matmul(m, result, power)
        n //= 2
        if n:
            power = matmul(m, power, power)
    return result


@function(
    example([np.ones((2, 3)), A]), example([A[0], A, A[:, 1]]), example([A[:2], A, A[:, :1], A[:1]]),
    name="linalg.multi_dot", numpy=(np.linalg.multi_dot,),
)  # fmt: skip
def multi_dot(m: Any, arrays: Any) -> Any:
    """The product of several matrices, in the order that takes the fewest multiplications; the outer two may be vectors."""
    parts = [array(x) for x in arrays]
    if len(parts) < 2:
        raise ShapeError(f"multi_dot was given {len(parts)} arrays; give two or more.")
    inside = (ndim(x) == 2 for x in parts[1:-1])
    if not all(inside) or not {ndim(parts[0]), ndim(parts[-1])} <= {1, 2}:
        raise ShapeError(
            f"multi_dot was given shapes {', '.join(str(tuple(x.shape)) for x in parts)}; give matrices, of which the first and "
            "the last may be vectors."
        )
    sizes = [1 if ndim(parts[0]) == 1 else parts[0].shape[0], *(x.shape[0] for x in parts[1:]), parts[-1].shape[-1]]
    if ndim(parts[-1]) == 1:
        sizes[-1] = 1
    order = _cheapest(sizes)

    def between(first: int, last: int) -> Any:
        if first == last:
            return parts[first]
        middle = order[first, last]
        return matmul(m, between(first, middle), between(middle + 1, last))

    return between(0, len(parts) - 1)


def _cheapest(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to split every run of a chain of matrices, by dynamic programming (Cormen et al., 15.2)."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    order: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            k = i + length
            cost[i, k], order[i, k] = min(
                (cost[i, j] + cost[j + 1, k] + sizes[i] * sizes[j + 1] * sizes[k + 1], j) for j in range(i, k)
            )
    return order


_SIX = np.sin(np.arange(36.0) ** 2).reshape(2, 3, 6) + np.eye(6).reshape(2, 3, 6) * 3.0
"""Six numbers by six, in axes of two, three and six."""


@function(
    example(_SIX, (2, 3)),
    example(np.moveaxis(_SIX, 2, 0).reshape(3, 2, 2, 3), (2, 3), axes=(1, 0)),
    name="linalg.tensorsolve",
    numpy=(np.linalg.tensorsolve,),
)
def tensorsolve(m: Any, a: Any, b: Any, axes: Any = None) -> Any:
    """The x with tensordot(a, x, x.ndim) = b."""
    a, b = array(a), array(b)
    if axes is not None:
        moved = [one_axis(i, ndim(a)) for i in wholes(axes, "axes")]
        a = transpose(m, a, [i for i in range(ndim(a)) if i not in moved] + moved)
    unknown = tuple(a.shape[ndim(b) :])
    size = math.prod(unknown)
    if math.prod(a.shape) != size * size or math.prod(b.shape) != size:
        raise ShapeError(
            f"tensorsolve was given shapes {tuple(a.shape)} and {tuple(b.shape)}; the product of the first {ndim(b)} lengths of a "
            "must be that of the others, and b have as many elements."
        )
    return reshape(m, m.solve(square(reshape(m, a, (size, size)), "tensorsolve"), reshape(m, b, (size,))), unknown)


@function(example(_SIX), example(_SIX.reshape(6, 2, 3), ind=1), name="linalg.tensorinv", numpy=(np.linalg.tensorinv,))
def tensorinv(m: Any, a: Any, ind: int = 2) -> Any:
    """The inverse of tensordot(a, ·, ind)."""
    a, ind = array(a), whole(ind, "ind")
    if ind <= 0:
        raise ShapeError(f"tensorinv was given ind={ind}; give how many of the first axes belong together, from 1 on.")
    first, last = tuple(a.shape[:ind]), tuple(a.shape[ind:])
    if math.prod(first) != math.prod(last):
        raise ShapeError(
            f"tensorinv was given shape {tuple(a.shape)} and ind={ind}; the product of the first {ind} lengths must be that "
            "of the others."
        )
    size = math.prod(first)
    return reshape(m, m.inv(square(reshape(m, a, (size, size)), "tensorinv")), (*last, *first))
