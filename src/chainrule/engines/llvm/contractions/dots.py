"""Contractions whose results are sums of products along rows, one number each."""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.contractions.products import Product, finish, multiply_add
from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.planning.buffers import View, lanes
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.folds import across_each
from chainrule.engines.llvm.writing.long_sums import BLOCK, losses, settled, with_losses
from chainrule.engines.llvm.writing.points import Point
from chainrule.engines.llvm.writing.positions import Index

ROWS = 8
"""Rows whose products are summed side by side, to hide the time an addition takes."""


class Dots:
    """The products of rows of one contraction."""

    def __init__(self, code: Code, memory: MemoryPlan, product: Product) -> None:
        self.code, self.memory, self.product = code, memory, product
        self.lanes = lanes(product.lengths[product.inner], memory.widest)

    def emit(self) -> None:
        """Write the loops."""
        product, code = self.product, self.code
        if not product.vector:
            code.shared(1, lambda _: finish(code, self.memory, product, {}, self._across(self._sums([{}])), 1))
            return
        outer = product.result[:-1]

        def block(positions: tuple[Index, ...], begin: Index, known: int) -> None:
            at = dict(zip(outer, positions, strict=True))
            vectors: list[Vector] = []
            for first in range(0, known, ROWS):
                lanes_ = range(first, min(first + ROWS, known))
                vectors += self._sums([{**at, product.vector: code.sum((begin, 1), (lane, 1))} for lane in lanes_])
            vectors += vectors[-1:] * (product.width - known)
            finish(code, self.memory, product, {**at, product.vector: begin}, self._across(vectors), product.width)

        length, width = product.lengths[product.vector], product.width

        whole, counts = length // width, [product.lengths[c] for c in outer]
        code.shared_nest([*counts, whole], lambda at: block(at[:-1], code.sum((at[-1], width)), width))
        if length % width:
            code.shared_nest(counts, lambda at: block(at, whole * width, length % width))

    def _across(self, vectors: list[Vector]) -> Vector:
        """The lanes of every vector added up, and the sums side by side."""
        code, dtype = self.code, self.product.dtype
        count = min(self.lanes, len(vectors))
        found = [
            across_each(code, vectors[i : i + count], self.lanes, lambda m, a, b: a + b)
            for i in range(0, len(vectors), count)
        ]
        while len(found) > 1:
            count *= 2
            every = ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(count)))
            pairs = zip(found[::2], found[1::2], strict=True)
            found = [code.number(_joined(code, a, b, every), dtype, count) for a, b in pairs]
        return found[0]

    def _sums(self, places: list[dict[str, Index]]) -> list[Vector]:
        """The sums at several places of the result, side by side, each in the lanes of a vector."""
        product, code = self.product, self.code
        inner, width = product.inner, self.lanes
        others = [c for c in product.summed if c != inner]
        length = product.lengths[inner]

        def piece(positions: tuple[Index, ...], j: Index, exact: bool, totals: list[Any]) -> list[Any]:
            summed = dict(zip(others, positions, strict=True))
            added = []
            for total, place in zip(totals, places, strict=True):
                numbers = []
                for operand in product.operands:
                    start = product.place(code, operand, {**place, **summed, inner: j})
                    view = View(operand.view.buffer, 0, (1,), ())
                    number = code.load(view, (1,), (start,), width, length)
                    if not exact:
                        number = self._cut(number, length % width, width)
                    numbers.append(Point(code, self.memory, (), width, length).of_type(number, product.dtype))
                added.append(multiply_add(numbers[0], numbers[1], total))
            return added

        zero = code.constant(0, product.dtype, width).value
        whole, counts = length // width * width, [product.lengths[c] for c in others]

        def block(positions: tuple[Index, ...], begin: Index, count: int, exact: bool, totals: list[Any]) -> list[Any]:
            """Some vectors' products added up by themselves, and that to every total and what it has lost."""
            parts = [zero for _ in places]
            for k in range(count):
                parts = piece(positions, code.sum((begin, 1), (k, width)), exact, parts)
            before, results = numbers(totals), []
            for place, part in enumerate(numbers(parts)):
                results += [x.value for x in with_losses(before[size * place : size * (place + 1)], part)]
            return results

        def numbers(values: list[Any]) -> list[Vector]:
            return [code.number(x, product.dtype, width) for x in values]

        def long_row(positions: tuple[Index, ...], totals: list[Any]) -> list[Any]:
            step, rest = BLOCK * width, whole // width % BLOCK
            end = whole - rest * width
            totals = code.carried_loop(end, totals, lambda j, x: block(positions, j, BLOCK, True, x), step=step)
            totals = block(positions, end, rest, True, totals) if rest else totals
            return block(positions, whole, 1, False, totals) if length % width else totals

        def row(positions: tuple[Index, ...], totals: list[Any]) -> list[Any]:
            totals = code.carried_loop(whole, totals, lambda j, x: piece(positions, j, True, x), step=width)
            return piece(positions, whole, False, totals) if length % width else totals

        size = losses(prod(counts) * length // width, BLOCK) if product.dtype.kind == "f" else 1
        totals = numbers(code.carried_nest(counts, [zero] * size * len(places), row if size == 1 else long_row))
        return [settled(totals[i : i + size]) for i in range(0, len(totals), size)]

    def _cut(self, number: Vector, count: int, width: int) -> Vector:
        """The first lanes, and zeros in those past the end of the row."""
        zero = self.code.constant(0, number.dtype, width)
        mask = ir.Constant(ir.VectorType(ir.IntType(1), width), [lane < count for lane in range(width)])
        return self.code.number(self.code.builder.select(mask, number.value, zero.value), number.dtype, width)


def _joined(code: Code, a: Vector, b: Vector, every: Any) -> Any:
    """The lanes of two vectors, or two numbers, in one vector."""
    if not isinstance(a.value.type, ir.VectorType):
        nothing = ir.Constant(ir.VectorType(a.value.type, 2), ir.Undefined)
        first = code.builder.insert_element(nothing, a.value, ir.IntType(32)(0))
        return code.builder.insert_element(first, b.value, ir.IntType(32)(1))
    return code.builder.shuffle_vector(a.value, b.value, every)
