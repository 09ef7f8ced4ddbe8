"""What tiles read next, asked for while they multiply: a core foresees what is read in order, not what is rows apart."""

from __future__ import annotations

from math import prod

from chainrule.engines.llvm.contractions.products import Operand, Product
from chainrule.engines.llvm.contractions.tile_writer import Tile
from chainrule.engines.llvm.writing.code import Code, i64
from chainrule.engines.llvm.writing.positions import Index

PRODUCTS = 1024
"""Vectors multiplied while a line of memory comes from far, about: two in each of some 500 cycles."""

FEW_ROWS = 4
"""Rows below which a tile multiplies as fast as it reads: then nothing is won by asking."""

MOST_TERMS = 64
"""Terms of a sum that are asked for ahead, at most."""

LINE = 64
"""Bytes that lie together in a cache."""


class Ahead:
    """The lines of one operand that a tile needs some terms later, and those of the tile beside it behind the last term."""

    def __init__(self, code: Code, product: Product, operand: Operand) -> None:
        self.code, self.product, self.operand = code, product, operand
        self.side = product.vector if operand.along(product.vector) else product.rows
        self.worth = self._is_far()

    def _is_far(self) -> bool:
        """Whether the operand is larger than a core's cache, and every term of a sum reads other lines of it."""
        product, operand, itemsize = self.product, self.operand, self.product.dtype.itemsize
        if len(product.summed) != 1 or operand.along(self.side) != 1:
            return False
        numbers = prod(product.lengths[c] for c in operand.strides)
        across = operand.along(product.summed[0]) * itemsize
        return across >= LINE and numbers * itemsize > self.code.target.second_cache

    def fetch(self, tile: Tile, at: dict[str, Index]) -> None:
        """Ask for what the tile reads some terms after those at these positions."""
        if not self.worth or tile.rows < FEW_ROWS:
            return
        code, product, (summed,) = self.code, self.product, self.product.summed
        along_vector = self.side == product.vector
        extent = tile.vectors * product.width if along_vector else tile.rows
        later = code.sum((at[summed], 1), (min(MOST_TERMS, PRODUCTS // tile.size), 1))
        jump = extent - product.lengths[summed] * self.operand.along(summed)
        start = {**at, self.side: tile.lane if along_vector else tile.row, summed: later}
        place = product.place(code, self.operand, start)
        place = code.sum((place, 1), (self._past(later, product.lengths[summed]), jump))
        step = LINE // product.dtype.itemsize
        for first in range(0, extent, step):
            code.prefetch(code.address(self.operand.view.buffer, code.sum((place, 1), (first, 1))))

    def _past(self, term: Index, count: int) -> Index:
        """1 for a term behind the last one, else 0."""
        if isinstance(term, int):
            return int(term >= count)
        builder = self.code.builder
        return self.code.positions.found(
            builder.zext(builder.icmp_signed(">=", self.code.value(term), self.code.value(count)), i64)
        )
