"""Roots of polynomials, complex numbers, by the implicit function theorem: p(r) = 0, so dr = −Σₖ rⁿ⁻ᵏ·dpₖ/p′(r).

Where a root is a multiple one it has no derivative, as √x has none at 0: an error, `MatrixError`, wherever one is asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import MatrixError, ShapeError
from chainrule.ops.kinds.custom import Custom
from chainrule.ops.matrices import by_numpy, dtype_of_matrices, like, times_vector, transposed
from chainrule.ops.operation import ArrayType, at, dtype_of, example, shape_of

COEFFICIENTS = (example(np.array([2.0, -1.0, 3.0])), example(np.array([1.0, 0.5, -2.0, 0.25, 3.0])))
"""Of polynomials with complex roots."""


# --- slopes that are not 0


def _regular(d: Any, size: Any) -> Any:
    few = np.abs(d) <= 4 * max(np.size(d), 1) * np.finfo(d.dtype).eps ** 0.5 * np.abs(size)
    if np.any(few):
        raise MatrixError(
            "a polynomial has a multiple root to working precision, which has no derivative: where coefficients change, it becomes "
            "several, as ±√x does near 0. Write what is wanted of all roots together by the coefficients (their sum is -p[1]/p[0], "
            "their product ±p[-1]/p[0]), or divide the polynomial by its common factor with np.polyder(p) first."
        )
    return d


regular_slope = Custom(
    "regular_slope",
    value=_regular,
    type=lambda d, size: ArrayType(shape_of(d), np.dtype(dtype_of(d))),
    forward=lambda m, tangents, y, d, size: tangents[0],
    reverse=lambda m, g, y, d, size: [g, None],
    undefined=(at("{0} = 0", np.zeros(2), np.ones(2)),),
    differential="d{0}",
    doc="The slopes of a polynomial at its roots; an error where one is 0 beside the size of its terms.",
    examples=(example(np.array([30.0, -40.0, 50.0]), np.array([3, 4, 5])),),
    complex=True,
)


# --- roots


def _powers(m: Any, y: Any, count: int) -> Any:
    """rⁿ⁻ᵏ, a row for every root r, the highest power first."""
    rows = tuple(y.shape)
    columns: list[Any] = [np.ones(rows, y.dtype)]
    for _ in range(count - 1):
        columns.append(columns[-1] * y)
    return m.concatenate(*(m.reshape(c, shape=(*rows, 1)) for c in reversed(columns)), axis=1)


def _slopes(m: Any, powers: Any, p: Any) -> Any:
    """p′ at every root."""
    n = p.shape[0] - 1
    start, stop = (None, 1), (None, n + 1)
    terms = m.slice(powers, start=start, stop=stop, step=(1, 1))
    counts = np.arange(n, 0.0, -1.0).astype(p.dtype)
    inner = m.slice(p, start=(None,), stop=(n,), step=(1,)) * counts
    return m.regular_slope(times_vector(m, terms, inner), times_vector(m, m.absolute(terms), m.absolute(inner)))


def _forward(m: Any, tangents: Any, y: Any, p: Any) -> Any:
    powers = _powers(m, y, p.shape[0])
    return -(times_vector(m, powers, tangents[0]) / _slopes(m, powers, p))


def _reverse(m: Any, g: Any, y: Any, p: Any) -> list[Any]:
    powers = _powers(m, y, p.shape[0])
    return [like(m, -times_vector(m, transposed(m, powers), g / _slopes(m, powers, p)), p)]


def _complex(p: Any) -> np.dtype[Any]:
    return np.result_type(dtype_of_matrices(p), np.complex64)


@by_numpy("It must have finite numbers.")
def _value(p: Any) -> Any:
    found = np.roots(p).astype(_complex(p))
    if found.shape[0] != p.shape[0] - 1:
        raise ShapeError(
            f"np.roots was given a polynomial whose first coefficient is 0, of shape {p.shape}; its degree is that of the first that "
            "is not. Leave leading zeros out, as np.trim_zeros(p, 'f') does."
        )
    return found


polynomial_roots = Custom(
    "polynomial_roots",
    value=_value,
    type=lambda p: ArrayType((max(shape_of(p)[0] - 1, 0),), _complex(p)),
    forward=_forward,
    reverse=_reverse,
    latex=r"\operatorname{{roots}} {0}",
    differential=r"-\frac{{\sum_k y^{{n-k}} \, d{0}_k}}{{{0}'\left(y\right)}}",
    kinks=(at("{0} with multiple roots", np.array([1.0, -2.0, 1.0])),),
    undefined=(at("{0} that starts with 0", np.array([0.0, 1.0, 2.0])),),
    doc="The roots of the polynomial with these coefficients, the highest power's first; complex numbers, in NumPy's order.",
    examples=COEFFICIENTS,
    complex=True,
    to_complex=True,
)
