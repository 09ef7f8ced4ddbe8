"""Matrix products of every shape, all written as pairwise contractions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.errors import ShapeError, shortened
from chainrule.ops.functions.function import (
    adding,
    array,
    cast,
    function,
    ndim,
    one_axis,
    shape,
    together,
    whole,
    wholes,
)
from chainrule.ops.functions.shaping import diagonal, moveaxis, ravel, reshape
from chainrule.ops.kinds.contraction import LATIN
from chainrule.ops.operation import example


@function(
    example((3, 4), (4, 2)),
    example((4,), (4, 2)),
    example((3, 4), (4,)),
    example((4,), (4,)),
    example((2, 3, 4), (4, 5)),
    example((2, 1, 3, 4), (5, 4, 2)),
    numpy=(np.matmul, np.linalg.matmul),
)
def matmul(m: Any, x1: Any, x2: Any, /) -> Any:
    """The matrix product; leading axes are a batch and broadcast."""
    return _product(m, array(x1), array(x2))


def _product(m: Any, x1: Any, x2: Any) -> Any:
    s1, s2 = x1.shape, x2.shape
    n1, n2 = len(s1), len(s2)
    if n1 == 0 or n2 == 0:
        raise ShapeError("matmul needs arrays with axes; multiply by a number with *.")
    if s1[-1] != s2[-2 if n2 > 1 else -1]:
        raise ShapeError(
            f"cannot matrix-multiply shapes {tuple(s1)} and {tuple(s2)}: "
            f"the left has {s1[-1]} columns and the right {s2[-2 if n2 > 1 else -1]} rows, which must be as many."
        )
    if n1 <= 2 and n2 <= 2:
        return m.einsum(x1, x2, subscripts=_PLAIN[n1, n2])
    batch = LATIN[: max(n1, n2) - 2]
    rows, columns = "Y" if n1 > 1 else "", "X" if n2 > 1 else ""
    left = batch[len(batch) - max(n1 - 2, 0) :] + rows + "Z"
    right = batch[len(batch) - max(n2 - 2, 0) :] + "Z" + columns
    return contract(m, [x1, x2], [left, right], batch + rows + columns)


_PLAIN = {(2, 2): "ij,jk->ik", (1, 2): "j,jk->k", (2, 1): "ij,j->i", (1, 1): "j,j->"}


@function(example((3, 4), (4, 2)), example((4,), (4,)), example((), (3,)), example((2, 3), (4, 3, 2)))
def dot(m: Any, a: Any, b: Any) -> Any:
    """The product over the last axis of `a` and the last but one of `b`."""
    a, b = array(a), array(b)
    n_a, n_b = len(a.shape), len(b.shape)
    if n_a == 0 or n_b == 0:
        return a * b
    if n_a <= 2 and n_b <= 2:
        return _product(m, a, b)
    _check_summed(a, b, [ndim(a) - 1], [max(ndim(b) - 2, 0)])
    left, right = LATIN[: ndim(a)], list(LATIN[ndim(a) : ndim(a) + ndim(b)])
    right[-2 if ndim(b) > 1 else -1] = left[-1]
    return contract(m, [a, b], [left, "".join(right)], left[:-1] + "".join(c for c in right if c != left[-1]))


@function(example((2, 3), (2, 3)))
def vdot(m: Any, a: Any, b: Any, /) -> Any:
    """Σ of all products of corresponding elements, of complex numbers the first ones' conjugates."""
    a = ravel(m, array(a))
    return matmul(m, m.conjugate(a) if a.dtype.kind == "c" else a, ravel(m, array(b)))


@function(example((3,), (3,)), example((2, 3), (4, 3)), example((2,), 3.0))
def inner(m: Any, a: Any, b: Any, /) -> Any:
    """The product over the last axes of both."""
    a, b = array(a), array(b)
    if ndim(a) == 0 or ndim(b) == 0:
        return a * b
    _check_summed(a, b, [ndim(a) - 1], [ndim(b) - 1])
    left, right = LATIN[: ndim(a)], LATIN[ndim(a) : ndim(a) + ndim(b) - 1]
    return contract(m, [a, b], [left, right + left[-1]], left[:-1] + right)


@function(example((3,), (2,)), example((2, 2), (3,)))
def outer(m: Any, a: Any, b: Any) -> Any:
    """All products of an element of `a` with one of `b`; of 0 and −0, either."""
    return m.einsum(ravel(m, array(a)), ravel(m, array(b)), subscripts="i,j->ij")


@function(example((2, 3, 4), (3, 4, 5)), example((2, 3), (4, 2), axes=([0], [1])), example((2,), (3,), axes=0))
def tensordot(m: Any, a: Any, b: Any, axes: Any = 2) -> Any:
    """The product summed over pairs of axes."""
    a, b = array(a), array(b)
    if ndim(axes) == 0:
        axes = whole(axes, "axes")
        of_a, of_b = list(range(ndim(a) - axes, ndim(a))), list(range(axes))
    else:
        of_a, of_b = (list(wholes(side, "axes")) for side in axes)
    of_a, of_b = [one_axis(i, ndim(a)) for i in of_a], [one_axis(i, ndim(b)) for i in of_b]
    _check_summed(a, b, of_a, of_b)
    left = LATIN[: ndim(a)]
    right = list(LATIN[ndim(a) : ndim(a) + ndim(b)])
    for i, k in zip(of_a, of_b, strict=True):
        right[k] = left[i]
    kept = [c for i, c in enumerate(left) if i not in of_a] + [c for k, c in enumerate(right) if k not in of_b]
    return contract(m, [a, b], [left, "".join(right)], "".join(kept))


@function(example((3, 4)), example((3, 3), offset=1), example((2, 3, 4), 0, 1, 2))
def trace(m: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """The sum of the diagonal."""
    found = diagonal(m, adding(m, a, dtype), offset, axis1, axis2)
    return cast(m, m.sum(found, axis=(ndim(found) - 1,), keepdims=False), dtype)


@function(
    example("ij,jk->ik", (2, 3), (3, 4)),
    example("ij,jk,kl", (2, 3), (3, 4), (4, 2)),
    example("ii->i", (3, 3)),
    example("ii", (3, 3)),
    example("ij->j", (2, 3)),
    example("...ij,...jk->...ik", (2, 3, 4), (4, 2)),
    example("i,i,i->", (3,), (3,), (3,)),
    example("ij,k->jk", (2, 3), (4,)),
    example("ij->ji", (2, 3)),
    example("ij,ij->i", (2, 1), (2, 3)),
    example("ij,ij->i", (2, 3), (2, 1)),
    example("ij,ij,j->i", (2, 1), (2, 1), (3,)),
    example((2, 3), [0, 1], (3, 4), [1, 2], [2, 0]),
    example((2, 3), [0, 1], (3,), [1]),
    numpys_is_a_view=True,
)
def einsum(m: Any, subscripts: Any, *operands: Any, optimize: Any = None, dtype: Any = None) -> Any:
    """The product of any number of arrays told by subscripts, as in `numpy.einsum`."""
    if not isinstance(subscripts, str):
        subscripts, operands = _as_text((subscripts, *operands))
    if dtype is not None:
        operands = tuple(cast(m, array(x), dtype) for x in operands)
    terms, result = _read(subscripts, tuple(map(shape, operands)))
    given = [array(x) for x in operands]
    if any(x.dtype != given[0].dtype for x in given):  # before sums, which make other integers of integers
        given = together(m, *given)
    return contract(m, given, terms, result)


@lru_cache(maxsize=4096)
def _read(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[tuple[str, ...], str]:
    """Subscripts taken apart: the letters of every operand and of the result."""
    text, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = text.split(",")
    if len(terms) != len(shapes):
        raise ShapeError(
            f"einsum {shortened(subscripts)} names {len(terms)} operands and was given {len(shapes)}; give one for each."
        )
    free = [c for c in LATIN if c not in subscripts]
    extra = max((len(own) - len(t) + 3 for t, own in zip(terms, shapes, strict=True) if "..." in t), default=0)
    dots = "".join(free[:extra])
    for i, (term, own) in enumerate(zip(terms, shapes, strict=True)):
        if "..." in term:
            terms[i] = term.replace("...", dots[extra - (len(own) - len(term) + 3) :])
        if len(terms[i]) != len(own):
            raise ShapeError(
                f"einsum {shortened(subscripts)}: operand {i} has shape {own}, which does not fit {term!r}."
            )
    joined = "".join(terms)
    if arrow:
        result = result.replace("...", dots)
    else:
        result = dots + "".join(sorted(c for c in set(joined) if joined.count(c) == 1 and c not in dots))
    missing = [c for c in result if c not in joined]
    if missing or len(set(result)) != len(result):
        raise ShapeError(
            f"einsum {shortened(subscripts)}: every letter of the result must be in an operand, and there once."
        )
    return tuple(terms), result


def _as_text(given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Subscripts as text, of operands that are each followed by a list of numbers of axes, the result's last."""
    lists = [*given[1::2], *(given[-1:] if len(given) % 2 else ())]
    numbers = sorted({i for part in lists if isinstance(part, list | tuple) for i in part if i is not Ellipsis})
    if not all(isinstance(part, list | tuple) for part in lists) or not all(type(i) is int for i in numbers):
        raise ShapeError(
            "einsum was given neither text nor lists of numbers of axes as subscripts; write them as in 'ij,jk->ik'."
        )
    letter = dict(zip(numbers, LATIN, strict=False))
    words = ["".join("..." if i is Ellipsis else letter[i] for i in part) for part in lists]
    operands = given[: len(given) // 2 * 2 : 2]
    result = f"->{words[-1]}" if len(given) % 2 else ""
    return ",".join(words[: len(operands)]) + result, operands


def _check_summed(a: Any, b: Any, of_a: list[int], of_b: list[int]) -> None:
    """Axes that are summed over together must be equally long."""
    if [a.shape[i] for i in of_a] != [b.shape[k] for k in of_b]:
        raise ShapeError(
            f"cannot multiply shapes {a.shape} and {b.shape}: axes {of_a} of the first meet {of_b} of the second, "
            "and must be as long."
        )


def contract(m: Any, operands: list[Any], terms: Sequence[str], result: str) -> Any:
    """The product of operands with lettered axes, two at a time from the left."""
    _check_lengths(operands, terms)
    ready: list[tuple[Any, str]] = []
    for i, (x, term) in enumerate(zip(operands, terms, strict=True)):
        others = "".join(t for k, t in enumerate(terms) if k != i)
        ready.append(_own_axes(m, x, term, others, result))
    x, term = ready[0]
    for i, (y, other) in enumerate(ready[1:], start=1):
        later = result + "".join(t for _, t in ready[i + 1 :])
        kept = "".join(dict.fromkeys(c for c in term + other if c in later))
        x, y, term, other = _drop_broadcast_axes(m, x, y, term, other)
        for operand in (0, 1):  # letters that no other array needs are summed away first
            mine, yours = (term, other) if operand == 0 else (other, term)
            gone = tuple(k for k, c in enumerate(mine) if c not in yours and c not in later)
            if gone and operand == 0:
                x, term = _summed(m, x, gone), "".join(c for k, c in enumerate(mine) if k not in gone)
            elif gone:
                y, other = _summed(m, y, gone), "".join(c for k, c in enumerate(mine) if k not in gone)
        final = result if i == len(ready) - 1 else kept
        product = m.multiply(x, y) if term == other == final else m.einsum(x, y, subscripts=f"{term},{other}->{final}")
        x, term = product, final
    if term != result:
        x = m.transpose(x, axes=tuple(term.index(c) for c in result))
    return x


def _check_lengths(operands: Sequence[Any], terms: Sequence[str]) -> None:
    """Axes of the same letter must be equally long, or 1."""
    lengths: dict[str, int] = {}
    for x, term in zip(operands, terms, strict=True):
        for letter, n in zip(term, x.shape, strict=True):
            if lengths.setdefault(letter, n) == 1:
                lengths[letter] = n
            elif n not in (1, lengths[letter]):
                raise ShapeError(
                    f"cannot multiply shapes {' and '.join(str(tuple(x.shape)) for x in operands)}: "
                    f"an axis of length {lengths[letter]} meets one of length {n}, and must be as long, or 1."
                )


def _own_axes(m: Any, x: Any, term: str, others: str, result: str) -> tuple[Any, str]:
    """An operand with repeated letters taken along the diagonal and private letters summed away."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            i = term.index(letter)
            k = term.index(letter, i + 1)
            if x.shape[i] != x.shape[k]:
                raise ShapeError(
                    f"einsum: the diagonal {letter!r} of an array of shape {tuple(x.shape)} needs two axes of one length."
                )
            x = moveaxis(m, diagonal(m, x, 0, i, k), -1, 0)
            term = letter + "".join(c for axis, c in enumerate(term) if axis not in (i, k))
    private = tuple(i for i, c in enumerate(term) if c not in others and c not in result)
    if private:
        x = _summed(m, x, private)
        term = "".join(c for i, c in enumerate(term) if i not in private)
    return x, term


def _summed(m: Any, x: Any, axis: tuple[int, ...]) -> Any:
    """What a product sums of one array alone, in its dtype, where `sum` takes wider integers; of truth values whether any holds."""
    if x.dtype.kind == "b":
        return m.any(x, axis=axis, keepdims=False)
    return cast(m, m.sum(x, axis=axis, keepdims=False), x.dtype)


def _drop_broadcast_axes(m: Any, x: Any, y: Any, left: str, right: str) -> tuple[Any, Any, str, str]:
    """Axes of length 1 that meet a longer one are left out: broadcasting needs no multiplication."""
    lengths_x, lengths_y = dict(zip(left, x.shape, strict=True)), dict(zip(right, y.shape, strict=True))
    drop_x = [c for c in left if lengths_x[c] == 1 and lengths_y.get(c, 1) != 1]
    drop_y = [c for c in right if lengths_y[c] == 1 and lengths_x.get(c, 1) != 1]
    if drop_x:
        left = "".join(c for c in left if c not in drop_x)
        x = reshape(m, x, tuple(lengths_x[c] for c in left))
    if drop_y:
        right = "".join(c for c in right if c not in drop_y)
        y = reshape(m, y, tuple(lengths_y[c] for c in right))
    return x, y, left, right
