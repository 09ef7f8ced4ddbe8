"""Blocks of operands copied into a thread's own memory, in the order in which tiles read them.

Columns go into panels as wide as a tile, a row of a panel for every term of the sum; rows that lie across go into tiles of their own.
"""

from __future__ import annotations

from typing import Any

from chainrule.engines.llvm.contractions.blocking import LINE, Blocking
from chainrule.engines.llvm.contractions.products import Operand, Product
from chainrule.engines.llvm.contractions.tile_writer import Tile
from chainrule.engines.llvm.writing.code import Code, vector_type
from chainrule.engines.llvm.writing.positions import Index
from chainrule.engines.llvm.writing.sizes import Size
from chainrule.engines.llvm.writing.squares import turn

Terms = tuple[Index, Index]
"""Some terms of a sum: the first, and how many."""

AHEAD = 8
"""Terms by which what is copied is asked for ahead: each lies in another row, which a core does not foresee."""


class Panels:
    """The panels of some columns: of `breadth` vectors each, from vector `first` and panel `begin` on, `count` of them.

    `at` are the positions along letters that both operands and the result have.
    """

    def __init__(
        self,
        code: Code,
        product: Product,
        plan: Blocking,
        at: dict[str, Index],
        first: int,
        breadth: int,
        begin: Index,
        count: Index,
    ) -> None:
        self.code, self.product, self.plan, self.at = code, product, plan, at
        self.first, self.breadth, self.begin, self.count = first, breadth, begin, count
        self.width, self.itemsize = product.width, product.dtype.itemsize
        self.kind = vector_type(product.dtype, product.width)

    def lane(self, panel: Index) -> Index:
        """The first lane of a panel."""
        across = self.breadth * self.width
        return self.code.sum((self.begin, across), (panel, across), (self.first * self.width, 1))

    def vectors(self, panel: Index, i: Index) -> list[Any]:
        """A row of a panel."""
        builder = self.code.builder
        addresses = [self._in_panel(panel, v, i) for v in range(self.breadth)]
        return [builder.load(address, typ=self.kind, align=self.itemsize) for address in addresses]

    def rows(self, panel: Index) -> tuple[Any, int]:
        """Where a panel's rows begin, and how many bytes lie between two."""
        return self._in_panel(panel, 0, 0), self.breadth * self.width * self.itemsize

    def there(self, panel: Index) -> Index:
        """How many of a panel's vectors there are in the operand: in the last one it may be fewer than there is room for."""
        vectors = -(-self.product.lengths[self.product.vector] // self.width)
        before = self.code.sum((self.begin, self.breadth), (panel, self.breadth))
        return self.code.smaller(self.code.sum((vectors, 1), (before, -1)), self.breadth)

    def pack(self, terms: Terms) -> None:
        """Put columns into panels, for some terms of the sum."""
        (self._turn if self.plan.turned else self._copy)(*terms)

    def _copy(self, begin: Index, length: Index) -> None:
        """Row by row, each a part of every panel: so memory is read in order."""

        def row(i: Index) -> None:
            def panel(p: Index) -> None:
                for first in range(0, self.breadth * self.width, LINE // self.itemsize):
                    self.code.prefetch(self._place(p, 0, self.code.sum((begin, 1), (i, 1), (AHEAD, 1)), first))
                self.copy(p, begin, i)

            self.code.loop(self.count, panel)

        self.code.loop(length, row)

    def copy(self, panel: Index, begin: Index, i: Index) -> list[Any]:
        """Put one row into a panel; gives the row."""
        vectors = [self._column(panel, v, self.code.sum((begin, 1), (i, 1)), 0) for v in range(self.breadth)]
        for v, vector in enumerate(vectors):
            self.code.builder.store(vector, self._in_panel(panel, v, i), align=self.itemsize)
        return vectors

    def _turn(self, begin: Index, length: Index) -> None:
        """By squares of vectors turned over in registers. Lanes past the last column repeat it."""
        code, width, last = self.code, self.width, self.product.lengths[self.product.vector] - 1
        across = self.plan.columns.along(self.product.vector) * self.itemsize

        def vector(p: Index, v: Index) -> None:
            past = None
            if isinstance(last, Size) or (last + 1) % width:
                past = code.sum((last, 1), (self.lane(p), -1), (v, -width))

            def square(i: Index) -> None:
                source = self._place(p, v, code.sum((begin, 1), (i, 1)), 0), across
                target = self._in_panel(p, v, i), self.breadth * width * self.itemsize
                turn(code, width, self.product.dtype, source, target, past)

            code.loop(length, square, step=width)

        code.loop(self.count, lambda p: code.loop(self.breadth, lambda v: vector(p, v)))

    def _column(self, panel: Index, v: Index, term: Index, offset: Index) -> Any:
        """A vector of the operand, from a lane of a panel's vector on."""
        return self.code.builder.load(self._place(panel, v, term, offset), typ=self.kind, align=self.itemsize)

    def _place(self, panel: Index, v: Index, term: Index, offset: Index) -> Any:
        """The address of such a vector."""
        lane = self.code.sum((self.lane(panel), 1), (v, self.width), (offset, 1))
        return _place(self, self.plan.columns, {**self.at, self.product.vector: lane, self.plan.summed: term})

    def _in_panel(self, panel: Index, v: Index, i: Index) -> Any:
        """The address of a vector in a panel."""
        code, own = self.code, self.width * self.itemsize
        return code.at_byte(code.workspace, code.sum((panel, self.plan.panel_bytes), (i, self.breadth * own), (v, own)))


class Rows:
    """The rows of tiles: read where they are, or copied if they lie across."""

    def __init__(self, code: Code, product: Product, plan: Blocking) -> None:
        self.code, self.product, self.plan = code, product, plan
        self.width, self.itemsize = product.width, product.dtype.itemsize
        self.kind = vector_type(product.dtype, product.width)

    def number(self, tile: Tile, place: Index, r: int, begin: Index, i: Index) -> Any:
        """The number of a tile's row at term `i` from `begin` on; the tile is the one at `place` of those copied."""
        code, plan = self.code, self.plan
        if plan.packed:
            at = code.at_byte(code.workspace, self._place(place, i, r))
            return code.builder.load(at, typ=vector_type(self.product.dtype, 1), align=self.itemsize)
        at = {**tile.at, self.product.rows: code.sum((tile.row, 1), (r, 1)), plan.summed: code.sum((begin, 1), (i, 1))}
        return code.load_scalar(plan.rows.view.buffer, self.product.place(code, plan.rows, at))

    def strides(self, tile: Tile, place: Index, begin: Index) -> tuple[Any, Index, Index]:
        """Where a tile's rows begin at a term of the sum, and how many bytes lie between two rows, and between two terms."""
        code, plan, rows = self.code, self.plan, self.product.rows
        if plan.packed:
            return code.at_byte(code.workspace, self._place(place, 0, 0)), self.itemsize, plan.row_bytes
        address = _place(self, plan.rows, {**tile.at, rows: tile.row, plan.summed: begin})
        return address, plan.rows.along(rows) * self.itemsize, plan.rows.along(plan.summed) * self.itemsize

    def pack(self, tile: Tile, place: Index, begin: Index, i: Index) -> None:
        """Copy a tile's rows at one term of the sum, by whole vectors: the next term's take the place of what is too much."""
        code, plan = self.code, self.plan

        def source(r: int, later: int) -> Any:
            row, term = code.sum((tile.row, 1), (r, 1)), code.sum((begin, 1), (i, 1), (later, 1))
            return _place(self, plan.rows, {**tile.at, self.product.rows: row, plan.summed: term})

        for r in range(0, tile.rows, LINE // self.itemsize):
            code.prefetch(source(r, AHEAD))
        for r in range(0, tile.rows, self.width):
            vector = code.builder.load(source(r, 0), typ=self.kind, align=self.itemsize)
            code.builder.store(vector, code.at_byte(code.workspace, self._place(place, i, r)), align=self.itemsize)

    def _place(self, tile: Index, i: Index, r: int) -> Index:
        plan = self.plan
        first = plan.panels_bytes + plan.totals_bytes + r * self.itemsize
        return self.code.sum((tile, plan.tile_bytes), (i, plan.row_bytes), (first, 1))


def _place(here: Panels | Rows, operand: Operand, at: dict[str, Index]) -> Any:
    """The address of an operand's number at a position."""
    return here.code.address(operand.view.buffer, here.product.place(here.code, operand, at))
