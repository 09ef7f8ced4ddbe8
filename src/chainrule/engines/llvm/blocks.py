"""Large contractions in blocks, so that the innermost loop reads memory in order and from the nearest cache.

A block of one operand's columns is copied into panels as wide as a tile; tiles below each other then use it, a piece of the sum
at a time. (Goto and van de Geijn, Anatomy of high-performance matrix multiplication, 2008; Van Zee and van de Geijn, BLIS, 2015.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chainrule.engines.llvm.blocking import Blocking
from chainrule.engines.llvm.code import Code, vector_type
from chainrule.engines.llvm.contractions import Product, multiply_add
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.engines.llvm.moves import turned
from chainrule.engines.llvm.positions import Index
from chainrule.engines.llvm.tile_writer import WRITTEN_OUT, Tile, TileWriter


@dataclass(frozen=True)
class Height:
    """Tiles of one height: how many rows each has, the first row, how many there are below each other and in all."""

    rows: int
    first: int
    below: int
    count: int


class Blocks(TileWriter):
    """The blocks of one contraction."""

    def __init__(self, code: Code, memory: MemoryPlan, product: Product, blocking: Blocking) -> None:
        super().__init__(code, memory, product)
        self.blocking = blocking
        self.length = product.lengths[blocking.summed]
        self.totals = blocking.panels_bytes // self.nbytes
        self.packed = blocking.panels_bytes + blocking.all_totals_bytes
        self.heights = self._heights()

    def _heights(self) -> list[Height]:
        """Tiles of two heights at most, which differ by a row."""
        plan, length = self.blocking, self.product.lengths[self.product.rows]
        below = -(-length // plan.height)
        low, higher = divmod(length, below)
        repeats = plan.tiles // below
        found = [Height(low + 1, 0, higher, higher * repeats)] if higher else []
        return [*found, Height(low, higher * (low + 1), below - higher, (below - higher) * repeats)]

    def emit(self) -> None:
        """Write the loops."""
        plan, vectors = self.blocking, -(-self.product.lengths[self.product.vector] // self.product.width)
        whole = vectors // plan.breadth
        self._side_by_side(0, whole, plan.breadth)
        if vectors % plan.breadth:
            self._side_by_side(whole * plan.breadth, 1, vectors % plan.breadth)

    def _side_by_side(self, first: int, panels: int, breadth: int) -> None:
        """All panels of one breadth, from a vector on."""
        plan, code = self.blocking, self.code
        blocks = -(-panels // plan.most_panels)

        def block(place: tuple[Index, ...]) -> None:
            *outside, b, g = place
            begin, end = code.part(panels, b, blocks)
            at = dict(zip(plan.batch, outside, strict=True))
            _Block(self, at, first, breadth, (begin, code.sum((end, 1), (begin, -1))), g).emit()

        code.shared_nest([*(self.product.lengths[c] for c in plan.batch), blocks, plan.groups], block)


class _Block:
    """Some panels of one breadth, and a group of the tiles."""

    def __init__(
        self, writer: Blocks, at: dict[str, Index], first: int, breadth: int, panels: tuple[Index, Index], group: Index
    ) -> None:
        self.writer, self.at, self.first, self.breadth = writer, at, first, breadth
        self.begin, self.count = panels
        self.group = group
        self.code, self.plan, self.product = writer.code, writer.blocking, writer.product

    def emit(self) -> None:
        code, plan = self.code, self.plan
        ranges = []
        for height in self.writer.heights:
            begin, end = code.part(height.count, self.group, plan.groups)
            ranges.append((height, begin, code.sum((end, 1), (begin, -1))))
        if plan.pieces == 1:
            self._piece(ranges, 0, self.writer.length)
            return
        for place, (height, _, count) in enumerate(ranges):
            self._each(height, place, count, self._clear)

        def piece(p: Index) -> None:
            begin, end = code.part(self.writer.length, p, plan.pieces)
            self._piece(ranges, begin, code.sum((end, 1), (begin, -1)))

        code.loop(plan.pieces, piece)
        for place, (height, begin, count) in enumerate(ranges):
            self._each(height, place, count, lambda t, p, at, h=height, b=begin: self._end(h, b, t, p, at))

    def _each(self, height: Height, place: int, count: Index, body: Callable[[Index, Index, Index], None]) -> None:
        """`body(tile, panel, totals)` for all tiles of a height and all panels, and where their totals are."""
        code = self.code

        def tile(t: Index) -> None:
            code.loop(self.count, lambda p: body(t, p, self._totals(place, t, p)))

        code.loop(count, tile)

    def _totals(self, place: int, tile: Index, panel: Index) -> Index:
        """The first vector of a tile's totals."""
        plan = self.plan
        size = plan.height * plan.breadth
        first = self.writer.totals + place * plan.group_tiles * plan.most_panels * size
        return self.code.sum((tile, plan.most_panels * size), (panel, size), (first, 1))

    def _clear(self, tile: Index, panel: Index, at: Index) -> None:
        writer = self.writer
        zero = writer.zeros(1)[0]
        self.code.loop(self.plan.height * self.breadth, lambda i: writer.spill([zero], self.code.workspace, self.code.sum((at, 1), (i, 1))))

    def _end(self, height: Height, begin: Index, tile: Index, panel: Index, at: Index) -> None:
        self.writer.end_lines(self._tile(height, begin, tile, panel), self.code.workspace, at)

    def _tile(self, height: Height, begin: Index, tile: Index, panel: Index) -> Tile:
        """A tile by its number in this block, as the result knows it."""
        code, plan, lengths = self.code, self.plan, self.product.lengths
        number, at = code.sum((begin, 1), (tile, 1)), dict(self.at)
        for c in reversed(plan.repeats):
            below = height.below if c == plan.repeats[-1] else lengths[plan.repeats[plan.repeats.index(c) + 1]]
            whole = code.divide(number, below)
            if c == plan.repeats[-1]:
                rest = code.sum((number, 1), (whole, -below))
            else:
                at[plan.repeats[plan.repeats.index(c) + 1]] = code.sum((number, 1), (whole, -below))
            number = whole
        if plan.repeats:
            at[plan.repeats[0]] = number
            number = rest
        row = code.sum((number, height.rows), (height.first, 1))
        width = self.product.width
        lane = code.sum((self.begin, self.breadth * width), (panel, self.breadth * width), (self.first * width, 1))
        return Tile(at, row, height.rows, lane, self.breadth)

    # --- a piece of the sum

    def _piece(self, ranges: list[tuple[Height, Index, Index]], begin: Index, length: Index) -> None:
        """All tiles of this block, for some terms of the sum."""
        code, plan = self.code, self.plan
        (self._pack_turned if plan.turned else self._pack)(begin, length)
        for place, (height, first, count) in enumerate(ranges):

            def rows(start: Index, height: Height = height, first: Index = first, count: Index = count, place: int = place) -> None:
                size = code.smaller(code.sum((count, 1), (start, -1)), plan.most_tiles)
                if plan.packed:
                    self._pack_rows(height, code.sum((first, 1), (start, 1)), size, begin, length)

                def panel(p: Index) -> None:
                    def one(i: Index) -> None:
                        t = code.sum((start, 1), (i, 1))
                        tile = self._tile(height, first, t, p)
                        self._product(tile, p, i, self._totals(place, t, p), begin, length)

                    code.loop(size, one)

                code.loop(self.count, panel)

            code.loop(count, rows, step=plan.most_tiles)

    def _product(self, tile: Tile, panel: Index, packed: Index, totals: Index, begin: Index, length: Index) -> None:
        """A tile's sums for some terms, finished if these are all."""
        writer, plan = self.writer, self.plan
        if plan.pieces == 1:
            writer.fetch(tile)
        sums = self.code.carried_loop(
            length, writer.zeros(tile.size), lambda i, x: self._term(tile, panel, packed, begin, i, x)
        )
        if plan.pieces > 1:
            before = [writer.load(self.code.workspace, self.code.sum((totals, 1), (v, 1))) for v in range(tile.size)]
            writer.spill(writer.sums(before, sums), self.code.workspace, totals)
        elif len(sums) * len(self.product.group.pointwise) <= WRITTEN_OUT:
            for r in range(tile.rows):
                writer.end(tile, r, sums[r * tile.vectors : (r + 1) * tile.vectors])
        else:
            spilled = writer.scratch(len(sums))
            writer.spill(sums, spilled, 0)
            writer.end_lines(tile, spilled, 0)

    def _term(self, tile: Tile, panel: Index, packed: Index, begin: Index, i: Index, totals: list[Any]) -> list[Any]:
        """The products at one position of the sum added."""
        code, plan, product = self.code, self.plan, self.product
        dtype, width, size = product.dtype, product.width, plan.itemsize
        row = code.sum((panel, plan.panel_bytes), (i, self.breadth * width * size))
        kind = vector_type(dtype, width)
        columns = [
            code.number(
                code.builder.load(
                    code.at_byte(code.workspace, code.sum((row, 1), (v * width * size, 1))), typ=kind, align=size
                ),
                dtype,
                width,
            )
            for v in range(self.breadth)
        ]
        found = []
        for r in range(tile.rows):
            number = code.splat(self._row(tile, packed, begin, i, r), dtype, width)
            found += [
                multiply_add(code, number, column, totals[r * tile.vectors + v]) for v, column in enumerate(columns)
            ]
        return found

    def _row(self, tile: Tile, packed: Index, begin: Index, i: Index, r: int) -> Any:
        """The number of a tile's row at one position of the sum."""
        code, plan, product = self.code, self.plan, self.product
        if plan.packed:
            place = code.sum(
                (packed, plan.tile_bytes), (i, plan.row_bytes), (self.writer.packed + r * plan.itemsize, 1)
            )
            at = code.at_byte(code.workspace, place)
            return code.builder.load(at, typ=vector_type(product.dtype, 1), align=plan.itemsize)
        at = {**tile.at, product.rows: code.sum((tile.row, 1), (r, 1)), plan.summed: code.sum((begin, 1), (i, 1))}
        return code.load_scalar(plan.rows.view.buffer, product.place(code, plan.rows, at))

    # --- panels

    def _column(self, panel: Index, v: int, begin: Index, i: Index, lane: Index | None = None) -> Index:
        """Where the numbers of a panel's vector lie in the operand."""
        code, plan, product = self.code, self.plan, self.product
        if lane is None:
            lane = self._lane(panel, v)
        at = {**self.at, product.vector: lane, plan.summed: code.sum((begin, 1), (i, 1))}
        return product.place(code, plan.columns, at)

    def _lane(self, panel: Index, v: int) -> Index:
        """The first lane of a panel's vector."""
        across = self.breadth * self.product.width
        return self.code.sum(
            (self.begin, across), (panel, across), ((self.first + v) * self.product.width, 1)
        )

    def _in_panel(self, panel: Index, v: int, i: Index) -> Any:
        """The address of a vector in a panel."""
        plan, width = self.plan, self.product.width
        row, own = self.breadth * width * plan.itemsize, v * width * plan.itemsize
        return self.code.at_byte(self.code.workspace, self.code.sum((panel, plan.panel_bytes), (i, row), (own, 1)))

    def _load(self, place: Index) -> Any:
        kind = vector_type(self.product.dtype, self.product.width)
        address = self.code.address(self.plan.columns.view.buffer, place)
        return self.code.builder.load(address, typ=kind, align=self.plan.itemsize)

    def _pack(self, begin: Index, length: Index) -> None:
        """Columns copied row by row, each a part of every panel."""
        code = self.code

        def row(i: Index) -> None:
            def panel(p: Index) -> None:
                vectors = [self._load(self._column(p, v, begin, i)) for v in range(self.breadth)]
                for v, vector in enumerate(vectors):
                    code.builder.store(vector, self._in_panel(p, v, i), align=self.plan.itemsize)

            code.loop(self.count, panel)

        code.loop(length, row)

    def _pack_turned(self, begin: Index, length: Index) -> None:
        """Columns that lie across, by squares of vectors turned over in registers."""
        code, product, width = self.code, self.product, self.product.width
        last = product.lengths[product.vector] - 1

        def vector(p: Index, v: int) -> None:
            lane = self._lane(p, v)
            lanes = [code.sum((lane, 1), (k, 1)) for k in range(width)]
            if (last + 1) % width:
                lanes = [code.smaller(k, last) for k in lanes]

            def square(i: Index) -> None:
                lines = [self._load(self._column(p, v, begin, i, k)) for k in lanes]
                for k, line in enumerate(turned(code, lines)):
                    code.builder.store(line, self._in_panel(p, v, code.sum((i, 1), (k, 1))), align=self.plan.itemsize)

            code.loop(length, square, step=width)

        def panel(p: Index) -> None:
            for v in range(self.breadth):
                vector(p, v)

        code.loop(self.count, panel)

    def _pack_rows(self, height: Height, first: Index, count: Index, begin: Index, length: Index) -> None:
        """Rows that lie across, one tile after the other; what is written past a tile's last row is written over by what follows."""
        code, plan, product = self.code, self.plan, self.product
        kind, width = vector_type(product.dtype, product.width), product.width

        def term(i: Index) -> None:
            def tile(t: Index) -> None:
                here = self._tile(height, first, t, 0)
                for r in range(0, height.rows, width):
                    at = {**here.at, product.rows: code.sum((here.row, 1), (r, 1)), plan.summed: code.sum((begin, 1), (i, 1))}
                    source = code.address(plan.rows.view.buffer, product.place(code, plan.rows, at))
                    place = code.sum((t, plan.tile_bytes), (i, plan.row_bytes), (self.writer.packed + r * plan.itemsize, 1))
                    vector = code.builder.load(source, typ=kind, align=plan.itemsize)
                    code.builder.store(vector, code.at_byte(code.workspace, place), align=plan.itemsize)

            code.loop(count, tile)

        code.loop(length, term)
