"""The kind `Contraction`: products of two arrays summed over shared axes, told by subscripts alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from chainrule.errors import ShapeError
from chainrule.ops.axes import Kept, Links, Mixed
from chainrule.ops.lazy import cached_property
from chainrule.ops.operation import ArrayType, Namespace, Operation, cast, dtype_of, exemplar, lets_through, shape_of

LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = LATIN + "".join(map(chr, range(0x3B1, 0x3C9)))
"""What axes may be called: Greek letters when Latin ones run out."""


class Subscripts:
    """`"ij,jk->ik"`, taken apart: the axes of both operands and of the result, each letter once per array.

    Every letter of an operand is in the other operand or in the result, so that the derivative of a
    contraction by either operand is again a contraction.
    """

    def __init__(self, left: str, right: str, result: str) -> None:
        self.left, self.right, self.result = left, right, result

    @cached_property
    def by_left(self) -> str:
        """The contraction of the result's cotangent and the right operand that gives the left one's cotangent."""
        return f"{self.result},{self.right}->{self.left}"

    @cached_property
    def by_right(self) -> str:
        """The contraction of the left operand and the result's cotangent that gives the right one's cotangent."""
        return f"{self.left},{self.result}->{self.right}"

    @property
    def shared(self) -> str:
        """Axes in both operands and in the result (a batch of products)."""
        return "".join(c for c in self.left if c in self.right and c in self.result)

    @property
    def summed(self) -> str:
        """Axes in both operands and not in the result."""
        return "".join(c for c in self.left if c in self.right and c not in self.result)

    @property
    def rows(self) -> str:
        """Axes of the left operand alone."""
        return "".join(c for c in self.left if c not in self.right)

    @property
    def columns(self) -> str:
        """Axes of the right operand alone."""
        return "".join(c for c in self.right if c not in self.left)


@cache
def parse(subscripts: str) -> Subscripts:
    """The parts of `"ij,jk->ik"`."""
    operands, result = subscripts.split("->")
    left, right = operands.split(",")
    return Subscripts(left, right, result)


@dataclass(init=False, eq=False, repr=False, kw_only=True)
class Contraction(Operation):
    """Σ left·right over the axes that the result does not have: matrix products and their relatives."""

    complex: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.even = _of_square

    def evaluate(self, left: Any, right: Any, subscripts: str) -> Any:
        """The product, by NumPy's matrix product wherever the subscripts allow it."""
        return _evaluator(subscripts)(left, right)

    def bind(self, attributes: Mapping[str, Any]) -> Callable[..., Any]:
        """The evaluator for these subscripts."""
        return _evaluator(attributes["subscripts"])

    def meets(self, *, subscripts: str) -> bool:  # type: ignore[override]
        """Products along the same axes of both."""
        return parse(subscripts).left == parse(subscripts).right

    def infer(self, left: Any, right: Any, subscripts: str) -> ArrayType:
        """Axis lengths by letter; the dtype NumPy gives."""
        parts = parse(subscripts)
        lengths: dict[str, int] = {}
        for letters, x in ((parts.left, left), (parts.right, right)):
            shape = shape_of(x)
            if len(letters) != len(shape):
                raise ShapeError(f"einsum {subscripts!r} expects {len(letters)} axes and was given shape {shape}.")
            for letter, n in zip(letters, shape, strict=True):
                if lengths.setdefault(letter, n) != n:
                    raise ShapeError(
                        f"cannot multiply shapes {shape_of(left)} and {shape_of(right)} as {subscripts!r}: "
                        f"axis {letter!r} has length {lengths[letter]} in one and {n} in the other, and must be as long."
                    )
        dtype = _result_dtype(dtype_of(left), dtype_of(right))
        return ArrayType(tuple(lengths[c] for c in parts.result), dtype)

    def axes(self, *inputs: Any, **attributes: Any) -> tuple[Links, ...]:
        """By letter: kept where the result has it, summed where it has not."""
        parts = parse(attributes["subscripts"])
        return tuple(
            tuple(Kept(i, parts.result.index(c)) if c in parts.result else Mixed(i) for i, c in enumerate(term))
            for term in (parts.left, parts.right)
        )

    def batch(self, m: Namespace, size: int, batched: Sequence[bool], inputs: Sequence[Any], **attributes: Any) -> Any:
        """A letter more."""
        subscripts = attributes["subscripts"]
        parts = parse(subscripts)
        letter = next(c for c in LETTERS if c not in subscripts)
        left, right = (letter * mine + term for mine, term in zip(batched, (parts.left, parts.right), strict=True))
        return getattr(m, self.name)(*inputs, subscripts=f"{left},{right}->{letter}{parts.result}")

    def uses(
        self, m: Namespace, used: Any, inputs: Sequence[Any], wanted: Sequence[Any], **attributes: Any
    ) -> list[Any]:
        """Those that are multiplied into a used one, by anything but a plain 0."""
        return self.pullback(m, used, None, tuple(map(lets_through, inputs, wanted)), wanted, **attributes)

    def pullback(
        self,
        m: Namespace,
        cotangent: Any,
        output: Any,
        inputs: Sequence[Any],
        wanted: Sequence[Any],
        **attributes: Any,
    ) -> list[Any]:
        """The cotangent contracted with the other operand."""
        parts = parse(attributes["subscripts"])
        left, right = inputs
        by_left = m.einsum(cotangent, right, subscripts=parts.by_left) if wanted[0] else None
        by_right = m.einsum(left, cotangent, subscripts=parts.by_right) if wanted[1] else None
        if by_left is not None and by_left.dtype != left.dtype:
            by_left = cast(m, by_left, left.dtype)
        if by_right is not None and by_right.dtype != right.dtype:
            by_right = cast(m, by_right, right.dtype)
        return [by_left, by_right]

    def pushforward(
        self, m: Namespace, tangents: Sequence[Any], output: Any, inputs: Sequence[Any], **attributes: Any
    ) -> Any:
        """The product rule: each operand's tangent contracted with the other operand."""
        subscripts = attributes["subscripts"]
        (dleft, dright), (left, right) = tangents, inputs
        terms = []
        if dleft is not None:
            terms.append(m.einsum(dleft, right, subscripts=subscripts))
        if dright is not None:
            terms.append(m.einsum(left, dright, subscripts=subscripts))
        return None if not terms else terms[0] if len(terms) == 1 else terms[0] + terms[1]


def _of_square(m: Namespace, square: Callable[[], Any], left: Any, right: Any, subscripts: str) -> Any:
    """The product of an array with itself, place by place, as sums of its square."""
    parts = parse(subscripts)
    if (
        left is not right
        or parts.left != parts.right
        or [c for c in parts.left if c in parts.result] != [*parts.result]
    ):
        return None
    return m.sum(square(), axis=tuple(i for i, c in enumerate(parts.left) if c not in parts.result), keepdims=False)


@cache
def _evaluator(subscripts: str) -> Callable[[Any, Any], Any]:
    """The fastest NumPy code for these subscripts; the commonest need no transposed copy."""
    ready = _COMMON.get(_canonical(subscripts))
    return ready if ready is not None else _general(parse(subscripts))


_COMMON: dict[str, Callable[[Any, Any], Any]] = {
    "ab,bc->ac": np.matmul,
    "ab,cb->ac": lambda x, y: np.matmul(x, y.T),
    "ab,ac->bc": lambda x, y: np.matmul(x.T, y),
    "ab,bc->ca": lambda x, y: np.matmul(x, y).T,
    "ab,b->a": np.matmul,
    "ab,a->b": lambda x, y: np.matmul(y, x),
    "a,ab->b": np.matmul,
    "a,ba->b": lambda x, y: np.matmul(y, x),
    "a,a->": np.dot,
    "a,b->ab": lambda x, y: x[:, None] * y,
    "abc,acd->abd": np.matmul,
    "ab,ac->abc": lambda x, y: x[:, :, None] * y[:, None, :],
}


@cache
def _canonical(subscripts: str) -> str:
    names: dict[str, str] = {}
    return "".join(c if c in ",->" else names.setdefault(c, chr(ord("a") + len(names))) for c in subscripts)


def _general(parts: Subscripts) -> Callable[[Any, Any], Any]:
    """Both operands as stacks of matrices, multiplied, and the axes put in the order asked for."""
    shared, summed, rows, columns = parts.shared, parts.summed, parts.rows, parts.columns
    left_order = [parts.left.index(c) for c in shared + rows + summed]
    right_order = [parts.right.index(c) for c in shared + summed + columns]
    result_order = [(shared + rows + columns).index(c) for c in parts.result]

    def contract(left: Any, right: Any) -> Any:
        a, b = np.asarray(left).transpose(left_order), np.asarray(right).transpose(right_order)
        s, r = len(shared), len(shared) + len(rows)
        batch, row, column = a.shape[:s], a.shape[s:r], b.shape[s + len(summed) :]
        inner = math.prod(a.shape[r:])
        product = np.matmul(a.reshape(*batch, math.prod(row), inner), b.reshape(*batch, inner, math.prod(column)))
        return product.reshape(batch + row + column).transpose(result_order)[()]

    return contract


@cache
def _result_dtype(left: Any, right: Any) -> np.dtype[Any]:
    return np.asarray(np.multiply(exemplar(left), exemplar(right))).dtype
