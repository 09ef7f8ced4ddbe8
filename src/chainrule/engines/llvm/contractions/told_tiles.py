"""Contractions whose code is told the sizes: tiles of one size, whose sums are taken by a function that all such products share."""

from __future__ import annotations

from math import prod
from typing import Any

from chainrule.engines.llvm.contractions.ahead import Ahead
from chainrule.engines.llvm.contractions.kernels import Terms, tile_sums
from chainrule.engines.llvm.contractions.products import Product
from chainrule.engines.llvm.contractions.tile_writer import PIECE, Tile, TileWriter, reaching_back
from chainrule.engines.llvm.planning.block_choice import BROAD_TOLD, rows_first, tallest
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.positions import Index
from chainrule.engines.llvm.writing.sizes import decided

FEW_ROWS, FEW_TERMS = 6, 8
"""Rows below which tiles are wider, and terms up to which sums begin with what is added to them."""

MANY_TERMS = 6 * PIECE
"""Terms from which on several tiles take a piece of the sums one after another."""


class ToldTiles(TileWriter):
    """The tiles of one contraction, the last of which reach back over rows of the one before."""

    def __init__(self, code: Code, memory: MemoryPlan, product: Product) -> None:
        super().__init__(code, memory, product)
        self.left, self.right = product.rows_and_columns
        self.vectors = -(-product.lengths[product.vector] // product.width)
        self.height = tallest(code.target.accumulators // BROAD_TOLD, True)

    @staticmethod
    def takes(code: Code, memory: MemoryPlan, product: Product) -> bool:
        """Whether it is a product of many rows and not few terms, with columns that lie side by side near the core."""
        if not product.told or not product.rows or product.equation.output in memory.parts or not product.summed:
            return False
        left, right = product.rows_and_columns
        terms = [product.lengths[c] for c in product.summed]
        return bool(
            right.along(product.vector) == 1
            and {left.view.buffer.dtype, right.view.buffer.dtype} == {product.dtype}
            and product.dtype.kind == "f"
            and product.lengths[product.rows] >= FEW_ROWS
            and prod(terms) > FEW_TERMS
            and terms[-1] < MANY_TERMS
            and not any(Ahead(code, product, operand).worth for operand in product.operands)
        )

    def emit(self) -> None:
        """Write the loops."""
        product, code = self.product, self.code
        count = product.lengths[product.rows]
        height = decided(min, count, self.height)
        outer = [c for c in product.result if c not in (product.rows, product.vector)]
        down, across = -(-count // height), -(-self.vectors // BROAD_TOLD)

        def tile(outside: tuple[Index, ...], k: Index, v: Index) -> None:
            found = Tile(
                dict(zip(outer, outside, strict=True)),
                code.sum((k, height)),
                height,
                code.sum((v, BROAD_TOLD * product.width)),
                BROAD_TOLD,
                there=code.smaller(code.sum((self.vectors, 1), (v, -BROAD_TOLD)), BROAD_TOLD),
            )
            self._tile(reaching_back(code, found, count))

        lengths = [product.lengths[c] for c in outer]
        if decided(rows_first, prod(self.summed), product.equation.output.type.size):
            code.shared_nest([*lengths, down, across], lambda at: tile(at[:-2], at[-2], at[-1]))
        else:
            code.shared_nest([*lengths, across, down], lambda at: tile(at[:-2], at[-1], at[-2]))

    def _tile(self, tile: Tile) -> None:
        """A tile from its sums to what becomes of them, the sums in pieces where they are long."""
        code, length = self.code, self.summed[0]
        self.fetch(tile)
        totals = self.scratch(tile.size)
        if length <= PIECE:
            self._sums(tile, 0, length, totals)
        else:
            self.clear(tile.size, totals, 0)
            own = self.scratch(tile.size)

            def piece(begin: Index) -> None:
                self._sums(tile, begin, code.smaller(code.sum((length, 1), (begin, -1)), PIECE), own)
                self.join(tile.size, own, totals, 0)

            code.loop(length, piece, step=PIECE)
        self.end_lines(tile, totals, 0)

    def _sums(self, tile: Tile, begin: Index, count: Index, sums: Any) -> None:
        """The sums over some terms."""
        assert tile.there is not None
        product, code, itemsize = self.product, self.code, self.product.dtype.itemsize
        at = {**tile.at, **dict.fromkeys(product.summed, 0), product.summed[0]: begin}
        at |= {product.rows: tile.row, product.vector: tile.lane}
        left, right = (code.address(o.view.buffer, product.place(code, o, at)) for o in (self.left, self.right))
        counts = [count, *self.summed[1:]]
        strides = [(self.left.along(c) * itemsize, self.right.along(c) * itemsize) for c in product.summed]
        terms = [Terms(n, *both) for n, both in zip(counts, strides, strict=True)]
        rows = left, self.left.along(product.rows) * itemsize
        tile_sums(code, product, (tile.rows, tile.there), rows, right, terms, sums)
