"""Norms of vectors and matrices, and condition numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.errors import SettingError, shortened
from chainrule.ops.arithmetic import square_of_size
from chainrule.ops.functions.function import all_axes, array, floating, function, ndim, one_axis, wholes
from chainrule.ops.functions.linear_algebra import matrices, square
from chainrule.ops.functions.shaping import expand_dims, moveaxis
from chainrule.ops.linear_algebra import PAIR, A
from chainrule.ops.operation import example

Axis = int | tuple[int, ...] | None
_FROBENIUS = ("fro", "f", None)


@function(
    example((4,)),
    example((3, 4), axis=1),
    example((3, 4), ord=1, axis=0),
    example((3, 4), ord=np.inf, axis=0),
    example((3, 4), ord=-np.inf, axis=0),
    example((3, 4), ord=3, axis=1, keepdims=True),
    example((3, 4), ord=-2, axis=1),
    example((3, 4), ord="fro"),
    example((3, 4), ord="nuc"),
    example((3, 4), ord=2),
    example((3, 4), ord=-2),
    example((2, 4, 3), ord=1, axis=(1, 2)),
    example((2, 4, 3), ord=-1, axis=(2, 0), keepdims=True),
    example((2, 4, 3), ord=np.inf, axis=(-1, 1)),
    example((2, 4, 3), ord=-np.inf, axis=(0, 1)),
    example((2, 4, 3), ord="nuc", axis=(0, 1), keepdims=True),
    numpy=(np.linalg.norm,),
)
def norm(m: Any, x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """The length of vectors, √Σx² or (Σ|x|ᵒʳᵈ)^(1/ord), or a norm of matrices; derivatives where it is 0 are taken as 0.

    Even powers of it are differentiated as those of Σx²; second derivatives at 0 of what else bends it are nan.
    """
    x = array(x)
    every = all_axes(axis, ndim(x))
    if ord is None and (axis is None or len(every) == 2):
        return _length(m, x, None, every, keepdims)
    if len(every) == 2:
        rows, columns = (0, 1) if axis is None else (one_axis(i, ndim(x)) for i in wholes(axis, "axis"))
        return _of_matrices(m, x, ord, rows, columns, keepdims)
    if len(every) != 1:
        raise SettingError(
            f"norm was given ord={shortened(ord)} and shape {tuple(x.shape)}; name one axis or two, or take np.ravel(x) first."
        )
    if isinstance(ord, str):
        raise SettingError(
            f"norm was given ord={shortened(ord)}, which is for matrices, and axis={axis} of shape {tuple(x.shape)}; leave ord out."
        )
    return _length(m, x, ord, every, keepdims)


@function(
    example((4,)),
    example((3, 4), ord=1),
    example((2, 3, 2), axis=(0, 2), ord=3, keepdims=True),
    numpy=(np.linalg.vector_norm,),
)
def vector_norm(m: Any, x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The length of vectors, √Σx² or (Σ|x|ᵒʳᵈ)^(1/ord), along all axes named together."""
    if isinstance(ord, str):
        raise SettingError(f"vector_norm was given ord={shortened(ord)}; use a number or infinity.")
    return _length(m, x, ord, all_axes(axis, ndim(x)), keepdims)


@function(
    example((3, 4)),
    example((2, 3, 4), ord=1, keepdims=True),
    example((2, 3, 2), ord="nuc"),
    name="linalg.matrix_norm",
    numpy=(np.linalg.matrix_norm,),
)
def matrix_norm(m: Any, x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """A norm of the matrices in the last two axes."""
    x = matrices(x, "matrix_norm")
    return _of_matrices(m, x, ord, ndim(x) - 2, ndim(x) - 1, keepdims)


@function(
    example(A), example(PAIR), example(A, p=-2), example(A, p=1), example(PAIR, p="fro"), example(A, p="nuc"),
    name="linalg.cond",
    numpy=(np.linalg.cond,),
)  # fmt: skip
def cond(m: Any, x: Any, p: Any = None) -> Any:
    """How many times larger relative errors can become: ‖A‖·‖A⁻¹‖, by default the quotient of the outermost singular values."""
    if p not in (None, 2, -2):
        x = square(x, "cond")
        rows, columns = ndim(x) - 2, ndim(x) - 1
        return _of_matrices(m, x, p, rows, columns, False) * _of_matrices(m, m.inv(x), p, rows, columns, False)
    s = m.singular_values(matrices(x, "cond"), alone=True)
    last = (ndim(s) - 1,)
    largest, least = m.max(s, axis=last, keepdims=False), m.min(s, axis=last, keepdims=False)
    return least / largest if p == -2 else largest / least


def _length(m: Any, x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The norm of all elements along the axes."""
    x, keepdims = floating(m, x), bool(keepdims)
    if ord in (None, 2):
        return m.root(m.sum(square_of_size(m, x), axis=axes, keepdims=keepdims))
    if ord == 1:
        return m.sum(m.absolute(x), axis=axes, keepdims=keepdims)
    if ord == np.inf:
        return m.max(m.absolute(x), axis=axes, keepdims=keepdims)
    if ord == -np.inf:
        return m.min(m.absolute(x), axis=axes, keepdims=keepdims)
    if not isinstance(ord, int | float | np.integer | np.floating):
        raise SettingError(f"norm was given ord={shortened(ord)}; use None, a number or infinity.")
    if ord == 0:
        return m.sum(m.astype(m.not_equal(x, 0), dtype=np.dtype(x.dtype.char.lower())), axis=axes, keepdims=keepdims)
    if ord < 0:  # one 0 among the elements makes it 0
        zero = m.equal(x, 0)
        some = m.any(zero, axis=axes, keepdims=keepdims)
        total = m.sum(m.power(m.absolute(m.where(zero, 1.0, x)), ord), axis=axes, keepdims=keepdims)
        return m.where(some, 0.0, m.power(total, 1.0 / ord))
    total = m.sum(m.power(m.absolute(x), ord), axis=axes, keepdims=keepdims)
    return m.where(total == 0, 0.0, m.power(m.where(total == 0, 1.0, total), 1.0 / ord))


def _of_matrices(m: Any, x: Any, ord: Any, rows: int, columns: int, keepdims: bool) -> Any:
    """The norm of the matrices in two axes."""
    if rows == columns:
        raise SettingError(f"norm was given axis {rows} twice; name two axes.")
    x, both = floating(m, x), tuple(sorted((rows, columns)))
    if isinstance(ord, str | None) and ord in _FROBENIUS:
        return _length(m, x, None, both, keepdims)
    if isinstance(ord, str) and ord != "nuc":
        raise SettingError(
            f"norm of a matrix was given ord={shortened(ord)}; use 'fro', 'nuc', 1, 2, -1, -2 or infinity."
        )
    if ord in (1, -1, np.inf, -np.inf) and not isinstance(ord, str):
        along, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = m.sum(m.absolute(x), axis=(along,), keepdims=True)
        found = (m.max if ord > 0 else m.min)(sums, axis=(other,), keepdims=True)
        return (
            found if keepdims else m.reshape(found, shape=tuple(n for i, n in enumerate(found.shape) if i not in both))
        )
    if ord in ("nuc", 2, -2):
        s = m.singular_values(moveaxis(m, x, (rows, columns), (-2, -1)), alone=True)
        last = (ndim(s) - 1,)
        s = m.absolute(s)  # which has the derivative 0 where a singular value is 0
        found = (m.sum if ord == "nuc" else m.max if ord > 0 else m.min)(s, axis=last, keepdims=False)
        return expand_dims(m, found, both) if keepdims else found
    raise SettingError(f"norm of a matrix was given ord={shortened(ord)}; use 'fro', 'nuc', 1, 2, -1, -2 or infinity.")
