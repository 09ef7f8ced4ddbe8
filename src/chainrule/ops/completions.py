"""Columns that complete those of a tall matrix to a basis of the whole space, as full singular vectors and a full Q have them.

One such column is known up to its sign. Of several, any basis of their space is as good as another, as it is with eigenvectors of
equal eigenvalues, and NumPy gives one of them. Forward mode carries it along with the space. In reverse mode what depends on the
space alone has its derivative, as N·Nᴴ, and what depends on the choice of the basis is an error, `MatrixError`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.ops.decompositions import TALL, gaps, over_values, remembered
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.matrices import (
    adjoint,
    by_numpy,
    conjugated,
    dtype_of_matrices,
    matrix_links,
    product,
    real_dtype,
    together,
    transposed,
)
from chainrule.ops.operation import ArrayType, example, shape_of

_full_svd = remembered(np.linalg.svd)
_full_qr = remembered(lambda a: np.linalg.qr(a, "complete"))


def _conjugate_transpose(a: Any) -> Any:
    return np.ascontiguousarray(np.conj(np.swapaxes(a, -1, -2)))


@by_numpy("It must have finite numbers.")
def _completing(a: Any, by: str = "svd") -> Any:
    if by == "svd of rows":
        whole = _conjugate_transpose(_full_svd(_conjugate_transpose(a))[2])
    else:
        whole = {"svd": _full_svd, "qr": _full_qr}[by](a)[0]
    return np.ascontiguousarray(whole[..., shape_of(a)[-1] :])


def _type(a: Any, by: str = "svd") -> ArrayType:
    shape = shape_of(a)
    return ArrayType((*shape[:-1], shape[-2] - shape[-1]), dtype_of_matrices(a))


def _forward(m: Any, tangents: Any, y: Any, a: Any, by: str = "svd") -> Any:
    u, s, v = m.left_singular_vectors(a), m.singular_values(a), m.right_singular_vectors(a)
    leaving = over_values(m, product(m, adjoint(m, y), product(m, tangents[0], v)), s)
    return -product(m, u, adjoint(m, leaving))


def _refused_turning(m: Any, own: Any) -> Any:
    """0, and an error if the columns matter one by one: if turning them, by Ω with Ωᴴ = −Ω, would change the result."""
    *lead, n, _ = own.shape
    last = (len(lead), len(lead) + 1)
    size = m.sum(m.absolute(own), axis=last, keepdims=True) * np.eye(n, dtype=real_dtype(own))
    none = np.zeros((*lead, n), size.dtype)
    turning = m.quotient_of_gaps(own - adjoint(m, own) + size, gaps(m, none), none)
    return 0.0 * m.sum(turning, axis=last, keepdims=True)


def _reverse(m: Any, g: Any, y: Any, a: Any, by: str = "svd") -> list[Any]:
    u, s, v = m.left_singular_vectors(a), m.singular_values(a), m.right_singular_vectors(a)
    if y.shape[-1] > 1:
        g = g + _refused_turning(m, product(m, transposed(m, y), g))
    entering = over_values(m, product(m, adjoint(m, g), conjugated(m, u)), s)
    return [-product(m, product(m, conjugated(m, y), entering), transposed(m, v))]


completing_columns = Custom(
    "completing_columns",
    value=_completing,
    type=_type,
    forward=_forward,
    reverse=_reverse,
    links=lambda a, by="svd": matrix_links((a, 2), last=2),
    batched=together("completing_columns"),
    latex=r"N\left({0}\right)",
    differential=r"-\left({0}^+\right)^H d{0}^H \, y",
    doc="""Orthonormal columns N with Aᴴ·N = 0, of a matrix with more rows than columns; dN = −(A⁺)ᴴ·dAᴴ·N.

    They are those of the last columns of U by `np.linalg.svd(A)`, with `by="svd of rows"` of the V of Aᴴ, or with `by="qr"` of the Q
    of a complete QR. For several see the module's first lines.""",
    examples=(
        example(TALL), example(TALL, by="svd of rows"), example(TALL, by="qr"), example(np.stack([TALL, TALL[::-1]])),
    ),
    complex=True,
    any_phase=True,
)  # fmt: skip
