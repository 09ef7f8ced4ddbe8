"""Products whose rows fill a quarter of a vector: four of them side by side in one, so that a multiplication has no empty lanes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.contractions.products import Operand, Product, multiply_add
from chainrule.engines.llvm.contractions.tile_writer import PIECE, WRITTEN_OUT, Tile
from chainrule.engines.llvm.contractions.tiles import Run, Tiles, equal_blocks
from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.planning.buffers import View
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.points import Point, strides_over
from chainrule.engines.llvm.writing.positions import Index
from chainrule.tracing import Variable

FOUR = 4
"""Rows in a vector."""

QUARTER = 16
"""Bytes of a row: within so many of a vector, numbers are repeated by one cheap instruction."""

MOST = 8
"""Vectors of sums in a tile: as many as are added to at the same time."""


def _sides(product: Product) -> tuple[Operand, Operand]:
    """The operand of the rows, and the one of the columns."""
    first, second = product.operands
    return (first, second) if product.rows in first.strides else (second, first)


class _FourRows(Point):
    """The values at four rows, each a quarter of a vector; rows lie one after the other in memory, or are all the same."""

    def read(self, view: View, strides: tuple[int, ...]) -> Vector:
        """The numbers of four rows."""
        if strides[-2:] != (0, 1):
            return super().read(view, strides)
        quarter = self.width // FOUR
        row = self.code.load(view, strides, self.point, quarter, quarter)
        lanes = _lanes([*range(quarter)] * FOUR)
        return self.code.number(self.code.builder.shuffle_vector(row.value, row.value, lanes), row.dtype, self.width)

    @staticmethod
    def fits(memory: MemoryPlan, product: Product) -> bool:
        """Whether all that is read and written with the results is so."""
        group, shape, width = product.group, product.equation.output.shape, product.width
        own = {(width, 1)}
        read = [x for e in group.pointwise for x in e.inputs if x.shape]
        outside = [x for x in read if not (isinstance(x, Variable) and memory.register(x) in group.values)]
        return (
            product.result[-2:-1] == [product.rows]
            and all(strides_over(memory.view(x), shape)[-2:] in {*own, (0, 1), (0, 0)} for x in outside)
            and all(strides_over(memory.view(x), shape)[-2:] in own for x in group.stored & group.values)
        )


class ShortRows(Tiles):
    """The tiles of one such contraction; rows that are left over are taken as others are."""

    def __init__(self, code: Code, memory: MemoryPlan, product: Product) -> None:
        super().__init__(code, memory, product)
        self.of_rows, self.of_columns = _sides(product)
        self.full = FOUR * product.width
        self.four_at_an_end = _FourRows.fits(memory, product)

    @staticmethod
    def takes(memory: MemoryPlan, product: Product) -> bool:
        """Whether rows are so short, and the numbers they are multiplied with lie along the sum."""
        if product.width * FOUR != memory.widest or not product.rows or len(product.summed) != 1:
            return False
        (summed,), (rows, columns) = product.summed, _sides(product)
        return (
            product.equation.output not in memory.parts
            and {product.dtype, rows.view.buffer.dtype, columns.view.buffer.dtype} == {product.dtype}
            and product.dtype.kind == "f"
            and product.width * product.dtype.itemsize == QUARTER
            and product.lengths[product.rows] >= 2 * FOUR
            and 2 * product.width <= product.lengths[summed] <= PIECE
            and rows.along(summed) == 1
            and columns.along(product.vector) == 1
        )

    def emit(self) -> None:
        """Write the loops."""
        count, column = self.product.lengths[self.product.rows], (0, 1, 1)
        most = max(1, min(MOST, WRITTEN_OUT // max(1, self.product.group.instructions)))
        for first, number, size in equal_blocks(count // FOUR, most if self.four_at_an_end else MOST):
            self._side_by_side((first * FOUR, number, size * FOUR), column)
        if rest := count % FOUR:
            self._side_by_side((count - rest, 1, rest), column)

    def _at_once(self, tile: Tile) -> None:
        if tile.rows % FOUR or not self.four_at_an_end:
            super()._at_once(tile)
            return
        code, memory, product = self.code, self.memory, self.product
        self.fetch(tile)
        for place, total in enumerate(self._sums(tile, self._starts(tile))):
            at = self.position(tile, place * FOUR, 0)
            point = _FourRows(code, memory, [at[c] for c in product.result], self.full, self.full)
            point.keep(
                self.known or product.equation.output, code.number(total, product.dtype, self.full), product.group
            )
            point.compute(product.group)

    def _accumulate(self, tile: Tile, totals: list[Any], run: Run) -> list[Any]:
        if tile.rows % FOUR:
            return super()._accumulate(tile, totals, run)
        width, builder = self.product.width, self.code.builder
        return [
            builder.shuffle_vector(total, total, _lanes(range(r * width, (r + 1) * width)))
            for total in self._sums(tile, totals)
            for r in range(FOUR)
        ]

    def _sums(self, tile: Tile, starts: list[Any]) -> list[Any]:
        """The sums of a tile, those of four rows side by side."""
        width, length = self.product.width, self.product.lengths[self.product.summed[0]]
        whole = length // width * width
        sums = [self._joined(starts[r : r + FOUR]) for r in range(0, tile.rows, FOUR)]
        sums = self.code.carried_loop(whole, sums, partial(self._some_terms, tile, width), step=width)
        return self._some_terms(tile, length - whole, whole, sums) if whole < length else sums

    def _some_terms(self, tile: Tile, count: int, first: Index, sums: list[Any]) -> list[Any]:
        """The sums with as many terms more as are read of a row at a time, or fewer."""
        code, product, width = self.code, self.product, self.product.width
        columns = [self._column(tile, code.sum((first, 1), (term, 1))) for term in range(count)]
        result = []
        for place, total in enumerate(sums):
            lines = self._joined([self._line(tile, place * FOUR + r, first) for r in range(FOUR)])
            for term, column in enumerate(columns):
                repeated = [r * width + term for r in range(FOUR) for _ in range(width)]
                own = code.builder.shuffle_vector(lines, lines, _lanes(repeated))
                a, b = (code.number(x, product.dtype, self.full) for x in (own, column))
                total = multiply_add(a, b, total)
            result.append(total)
        return result

    def _line(self, tile: Tile, r: int, first: Index) -> Any:
        """The next terms of a row; what is beyond its last one is not used."""
        row = self.code.sum((tile.row, 1), (r, 1))
        return self._read(self.of_rows, {**tile.at, self.product.rows: row, self.product.summed[0]: first})

    def _column(self, tile: Tile, term: Index) -> Any:
        """What rows are multiplied with at a term, once for every row."""
        value = self._read(self.of_columns, {**tile.at, self.product.vector: 0, self.product.summed[0]: term})
        return self.code.builder.shuffle_vector(value, value, _lanes([*range(self.product.width)] * FOUR))

    def _read(self, operand: Operand, at: dict[str, Index]) -> Any:
        """A quarter of a vector."""
        code, view, width = self.code, View(operand.view.buffer, 0, (1, 1), ()), self.product.width
        return code.load(view, (1, 1), (self.product.place(code, operand, at), 0), width, width).value

    def _joined(self, quarters: list[Any]) -> Any:
        """Four parts of a vector put together."""
        while len(quarters) > 1:
            lanes = _lanes(range(2 * quarters[0].type.count))
            quarters = [
                self.code.builder.shuffle_vector(a, b, lanes)
                for a, b in zip(quarters[::2], quarters[1::2], strict=True)
            ]
        return quarters[0]


def _lanes(places: Sequence[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(places)), list(places))
