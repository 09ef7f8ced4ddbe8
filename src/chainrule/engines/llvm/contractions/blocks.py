"""Large contractions in blocks, so that the innermost loop reads memory in order and from the nearest cache.

A block of one operand's columns is copied into panels as wide as a tile; tiles below each other then use it, a piece of the sum
at a time. (Goto and van de Geijn, Anatomy of high-performance matrix multiplication, 2008; Van Zee and van de Geijn, BLIS, 2015.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from chainrule.engines.llvm.contractions.ahead import Ahead
from chainrule.engines.llvm.contractions.blocking import Blocking
from chainrule.engines.llvm.contractions.kernels import Terms as Loop
from chainrule.engines.llvm.contractions.kernels import tile_sums
from chainrule.engines.llvm.contractions.panels import Panels, Rows, Terms
from chainrule.engines.llvm.contractions.products import Product, multiply_add
from chainrule.engines.llvm.contractions.tile_writer import WRITTEN_OUT, Tile, TileWriter, reaching_back
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.positions import Index


@dataclass(frozen=True)
class Stack:
    """Tiles of one height: how many rows each has, the first row, how many there are below each other and in all."""

    height: int
    first: int
    below: int
    count: int


@dataclass(frozen=True)
class Share:
    """Some tiles of a stack: the first, how many, and where their totals begin."""

    stack: Stack
    first: Index
    count: Index
    totals: int


class Blocks(TileWriter):
    """The blocks of one contraction."""

    def __init__(self, code: Code, memory: MemoryPlan, product: Product, plan: Blocking) -> None:
        super().__init__(code, memory, product)
        self.plan, self.rows = plan, Rows(code, product, plan)
        self.ahead = Ahead(code, product, plan.columns)
        self.length = product.lengths[plan.summed]

    def emit(self) -> None:
        """Write the loops."""
        plan, vectors = self.plan, -(-self.product.lengths[self.product.vector] // self.product.width)
        whole, rest = divmod(vectors, plan.breadth)
        if self.product.told:  # of the last panel not all vectors need be there
            self._side_by_side(0, -(-vectors // plan.breadth), plan.breadth)
            return
        self._side_by_side(0, whole, plan.breadth)
        if rest:
            self._side_by_side(whole * plan.breadth, 1, rest)

    def _side_by_side(self, first: int, panels: int, breadth: int) -> None:
        """All panels of one breadth, from a vector on."""
        plan, code, product = self.plan, self.code, self.product
        blocks = -(-panels // plan.most_panels)

        def block(place: tuple[Index, ...], group: Index, groups: Index) -> None:
            *outside, b = place
            begin, end = code.part(panels, b, blocks)
            at = dict(zip(plan.batch, outside, strict=True))
            found = Panels(code, product, plan, at, first, breadth, begin, code.sum((end, 1), (begin, -1)))
            self._block(found, group, groups)

        counts = [*(product.lengths[c] for c in plan.batch), blocks]
        code.shared_ranges(counts, plan.groups, plan.most_groups, block)

    def _stacks(self) -> list[Stack]:
        """Tiles of two heights at most, which differ by a row; first those of which there are more. Of one where lengths are told."""
        plan, length = self.plan, self.product.lengths[self.product.rows]
        below = -(-length // plan.height)
        repeats = plan.tiles // below
        if self.product.told:
            return [Stack(plan.height, 0, below, below * repeats)]
        low, higher = divmod(length, below)
        stacks = [Stack(low + 1, 0, higher, higher * repeats)] if higher else []
        stacks.append(Stack(low, higher * (low + 1), below - higher, (below - higher) * repeats))
        return sorted(stacks, key=lambda stack: -stack.count)

    # --- a block: some panels, and some groups of the tiles

    def _block(self, panels: Panels, group: Index, groups: Index) -> None:
        code, plan = self.code, self.plan
        shares = []
        for k, stack in enumerate(self._stacks()):
            begin, end = (
                code.divide(code.sum((g, stack.count)), plan.groups) for g in (group, code.sum((group, 1), (groups, 1)))
            )
            totals = (plan.panels_bytes + k * plan.block_tiles * plan.most_panels * plan.total_bytes) // self.nbytes
            shares.append(Share(stack, begin, code.sum((end, 1), (begin, -1)), totals))
        if not plan.in_pieces:
            self._piece(panels, shares, (0, self.length))
            return
        for share in shares:
            self._each(panels, share, lambda tile, place: self.clear(tile.size, code.workspace, place))

        def piece(p: Index) -> None:
            begin, end = code.part(self.length, p, plan.pieces)
            self._piece(panels, shares, (begin, code.sum((end, 1), (begin, -1))))

        code.loop(plan.pieces, piece)
        for share in shares:
            self._each(panels, share, lambda tile, place: self.end_lines(tile, code.workspace, place))

    def _each(self, panels: Panels, share: Share, body: Callable[[Tile, Index], None]) -> None:
        """`body` for all tiles of a share and all panels, and where the tile's totals are."""
        code = self.code

        def tile(t: Index) -> None:
            code.loop(panels.count, lambda p: body(self._tile(panels, share, t, p), self._totals(share, t, p)))

        code.loop(share.count, tile)

    def _totals(self, share: Share, tile: Index, panel: Index) -> Index:
        """The first vector of a tile's totals."""
        size = self.plan.total_bytes // self.nbytes
        return self.code.sum((tile, self.plan.most_panels * size), (panel, size), (share.totals, 1))

    def _tile(self, panels: Panels, share: Share, tile: Index, panel: Index) -> Tile:
        """A tile by its number in a share, as the result knows it."""
        code, stack = self.code, share.stack
        rest, places = code.sum((share.first, 1), (tile, 1)), list[Index]()
        for length in (stack.below, *(self.product.lengths[c] for c in reversed(self.plan.repeats[1:]))):
            if self.plan.repeats:
                whole = code.divide(rest, length)
                places.append(code.sum((rest, 1), (whole, -length)))
                rest = whole
        number, *outside = [*places, rest]
        at = {**panels.at, **dict(zip(reversed(self.plan.repeats), outside, strict=True))}
        row, length = code.sum((number, stack.height), (stack.first, 1)), self.product.lengths[self.product.rows]
        found = Tile(at, row, stack.height, panels.lane(panel), panels.breadth)
        if not self.product.told:
            return found
        return replace(reaching_back(code, found, length), there=panels.there(panel))

    # --- a piece of the sum

    def _piece(self, panels: Panels, shares: list[Share], terms: Terms) -> None:
        """All tiles of a block, for some terms of the sum."""
        if self.product.told or self.plan.turned or self.plan.rows_first or shares[0].stack.count < self.plan.groups:
            panels.pack(terms)
        else:
            shares = [self._first_tile(panels, shares[0], terms), *shares[1:]]
        for share in shares:
            self.code.loop(share.count, partial(self._rows, panels, share, terms), step=self.plan.most_tiles)

    def _first_tile(self, panels: Panels, share: Share, terms: Terms) -> Share:
        """The first tile, which makes the panels while it multiplies what they are made of; gives the other tiles."""
        code, (begin, length) = self.code, terms
        if self.plan.packed:
            tile = self._tile(panels, share, 0, 0)
            code.loop(length, lambda k: self.rows.pack(tile, 0, begin, k))

        def one(p: Index) -> None:
            self._product(panels, self._tile(panels, share, 0, p), p, 0, self._totals(share, 0, p), terms, new=True)

        code.loop(panels.count, one)
        first, count = code.sum((share.first, 1), (1, 1)), code.sum((share.count, 1), (-1, 1))
        return Share(
            share.stack, first, count, share.totals + self.plan.most_panels * self.plan.total_bytes // self.nbytes
        )

    def _rows(self, panels: Panels, share: Share, terms: Terms, start: Index) -> None:
        """As many tiles as fit into the cache, for all panels."""
        code, plan = self.code, self.plan
        count = code.smaller(code.sum((share.count, 1), (start, -1)), plan.most_tiles)
        begin, length = terms

        def here(i: Index) -> Index:
            return code.sum((start, 1), (i, 1))

        if plan.packed:

            def term(k: Index) -> None:
                code.loop(count, lambda i: self.rows.pack(self._tile(panels, share, here(i), 0), i, begin, k))

            code.loop(length, term)

        def one(p: Index, i: Index) -> None:
            totals = self._totals(share, here(i), p)
            self._product(panels, self._tile(panels, share, here(i), p), p, i, totals, terms)

        if plan.rows_first:
            code.loop(count, lambda i: code.loop(panels.count, lambda p: one(p, i)))
        else:
            code.loop(panels.count, lambda p: code.loop(count, lambda i: one(p, i)))

    def _product(
        self, panels: Panels, tile: Tile, panel: Index, place: Index, totals: Index, terms: Terms, *, new: bool = False
    ) -> None:
        """A tile's sums for some terms, finished if these are all; of a `new` panel what it multiplies is put there."""
        code, (begin, length) = self.code, terms
        if not self.plan.in_pieces:
            self.fetch(tile)
        if self.product.told:
            self._by_kernel(panels, tile, panel, place, totals, terms)
            return

        def term(i: Index, sums: list[Any]) -> list[Any]:
            dtype, width = self.product.dtype, self.product.width
            if new:
                self.ahead.fetch(tile, {**tile.at, self.plan.summed: code.sum((begin, 1), (i, 1))})
            vectors = panels.copy(panel, begin, i) if new else panels.vectors(panel, i)
            columns = [code.number(x, dtype, width) for x in vectors]
            found = []
            for r in range(tile.rows):
                number = code.splat(self.rows.number(tile, place, r, begin, i), dtype, width)
                for v, column in enumerate(columns):
                    found.append(multiply_add(number, column, sums[r * tile.vectors + v]))
            return found

        sums = code.carried_loop(length, self.zeros(tile.size), term)
        if self.plan.in_pieces:
            before = [self.load(code.workspace, code.sum((totals, 1), (v, 1))) for v in range(tile.size)]
            self.spill(self.sums(before, sums), code.workspace, totals)
        elif tile.fresh == 0 and len(sums) * self.product.group.instructions <= WRITTEN_OUT:
            for r in range(tile.rows):
                self.end(tile, r, sums[r * tile.vectors : (r + 1) * tile.vectors])
        else:
            spilled = self.scratch(len(sums))
            self.spill(sums, spilled, 0)
            self.end_lines(tile, spilled, 0)

    def _by_kernel(self, panels: Panels, tile: Tile, panel: Index, place: Index, totals: Index, terms: Terms) -> None:
        """The same by the function that all products share whose code is told the sizes."""
        code, (begin, length) = self.code, terms
        sums = self.scratch(tile.size)
        rows, apart, later = self.rows.strides(tile, place, begin)
        columns, below = panels.rows(panel)
        tile_sums(
            code,
            self.product,
            (tile.rows, panels.there(panel)),
            (rows, apart),
            columns,
            [Loop(length, later, below)],
            sums,
        )
        if self.plan.in_pieces:
            self.join(tile.size, sums, code.workspace, totals)
        else:
            self.end_lines(tile, sums, 0)
