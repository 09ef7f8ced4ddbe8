"""Contractions as tiles of rows × vectors held in registers.

A tile adds up outer products: for every value of the summed axes the vectors of one operand are loaded, the numbers of
the other repeated, and multiplied into the accumulators.
A sum too long for the cache is taken in pieces, each for several tiles below each other before the next.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from math import prod
from typing import Any

from chainrule.engines.llvm.contractions.ahead import Ahead
from chainrule.engines.llvm.contractions.products import Operand, Product, finish, multiply_add
from chainrule.engines.llvm.contractions.tile_writer import PIECE, WRITTEN_OUT, Tile, TileWriter, reaching_back
from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.planning.block_choice import breadth_of, rows_first, tallest
from chainrule.engines.llvm.planning.buffers import View, long_strides
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.planning.sharing import BLOCKS
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.points import Point
from chainrule.engines.llvm.writing.positions import Index
from chainrule.engines.llvm.writing.sizes import Number, Size, decided
from chainrule.tracing.program import Atom

BELOW = 8
"""Tiles below each other that take a piece of a long sum one after another."""

SIDE_BY_SIDE = 8
"""Sums that are added to at the same time: an addition takes four steps, and two begin in each. With fewer, additions only wait."""

SHORT_SUM = 16
"""Terms of sums up to which all are written out, to be added up in parts side by side."""

Add = Callable[[tuple[Index, ...], list[Any]], list[Any]]
"""The tile's sums with what is at one position along the summed letters added."""

Run = Callable[[list[Any], Add], list[Any]]
"""Adds up over positions along the summed letters, from sums to begin with."""


class Tiles(TileWriter):
    """The tiles of one contraction."""

    def __init__(self, code: Code, memory: MemoryPlan, product: Product) -> None:
        super().__init__(code, memory, product)
        self.ahead = [Ahead(code, product, operand) for operand in product.operands]
        lengths = [product.lengths[c] for c in product.result]
        self.vectors = prod(lengths[:-1]) * -(-max(lengths[-1:], default=1) // product.width)
        self.addend: Atom | None = None
        addition = product.addition(memory)
        if addition is not None and self.parts is None and prod(self.summed) <= SHORT_SUM // 2:
            self.addend, self.known = addition

    def emit(self) -> None:
        """Write the loops."""
        product = self.product
        rows, vector, width = product.rows, product.vector, product.width
        count = product.lengths[rows] if rows else 1
        vectors = -(-product.lengths[vector] // width) if vector else 1
        wide = 8 if count == 1 else 4 if count < 6 else decided(breadth_of, vectors)
        across = equal_blocks(vectors, min(wide, vectors))
        tall = tallest(self.code.target.accumulators // max(size for _, _, size in across), product.told)
        down = reaching_blocks(count, tall) if isinstance(count, Size) else equal_blocks(count, tall)
        for columns in across:
            for lines in down:
                self._side_by_side(lines, columns)
        if self.parts is not None:
            self.code.threads.barrier()
            self._join()

    def _side_by_side(self, lines: tuple[int, int, int], columns: tuple[int, int, int]) -> None:
        """Tiles of one size, side by side and below each other."""
        product, code, width = self.product, self.code, self.product.width
        outer = [c for c in product.result if c not in (product.rows, product.vector)]
        first_row, rows, height = lines
        first_vector, vectors, breadth = columns
        reaching = isinstance(rows, Size)

        def tile(block: Index, *positions: Index) -> Tile:
            *outside, v, k = positions
            lane = code.sum((v, breadth * width), (first_vector * width, 1))
            row, at = code.sum((k, height), (first_row, 1)), dict(zip(outer, outside, strict=True))
            found = Tile(at, row, height, lane, breadth, block)
            return reaching_back(code, found, product.lengths[product.rows]) if reaching else found

        counts = [*(product.lengths[c] for c in outer), vectors]
        if self.parts is None and max(self.summed[-1:], default=1) >= 6 * PIECE and rows > 1:
            groups = -(-rows // BELOW)
            code.shared_nest(
                [*counts, groups],
                lambda at: self._in_pieces(lambda k: tile(0, *at[:-1], k), *code.part(rows, at[-1], groups)),
            )
        else:
            blocks = 1 if self.parts is None else BLOCKS
            if decided(rows_first, prod(self.summed), product.equation.output.type.size):
                down = [blocks, *counts[:-1], rows, vectors]
                code.shared_nest(down, lambda at: self._at_once(tile(*at[:-2], at[-1], at[-2])))
            else:
                code.shared_nest([blocks, *counts, rows], lambda at: self._at_once(tile(*at)))

    # --- sums

    def _at_once(self, tile: Tile) -> None:
        """A tile whose whole sum is taken in registers."""
        code = self.code
        self.fetch(tile)
        run = self._all if self.parts is None else self._of_block(tile.block)
        totals = self._accumulate(tile, self._starts(tile), run)
        written_out = len(totals) * self.product.group.instructions <= WRITTEN_OUT
        if code.unrolled or (written_out and tile.fresh == 0):
            for r in range(tile.rows):
                self.end(tile, r, totals[r * tile.vectors : (r + 1) * tile.vectors])
            return
        spilled = self.scratch(len(totals))  # much less code than the ends of all lines, for a little more time
        self.spill(totals, spilled, 0)
        self.end_lines(tile, spilled, 0)

    def _in_pieces(self, tile: Callable[[Index], Tile], first: Index, last: Index) -> None:
        """Tiles below each other, whose sums are taken piece by piece."""
        code, (*others, length) = self.code, self.summed
        size = tile(0).rows * tile(0).vectors
        scratch, count = self.scratch(size * BELOW), code.sum((last, 1), (first, -1))
        zero = code.constant(0, self.product.dtype, self.product.width).value
        code.loop(size * BELOW, lambda i: code.builder.store(zero, self._vector(scratch, i), align=self.nbytes))
        pieces = -(-length // PIECE)

        def piece(outside: tuple[Index, ...], p: Index) -> None:
            begin, end = code.part(length, p, pieces)

            def run(totals: list[Any], step: Add) -> list[Any]:
                return code.carried_loop(
                    code.sum((end, 1), (begin, -1)),
                    totals,
                    lambda i, x: step((*outside, code.sum((i, 1), (begin, 1))), x),
                )

            def add(i: Index) -> None:
                here, place = tile(code.sum((i, 1), (first, 1))), code.sum((i, size))
                totals = [self.load(scratch, code.sum((place, 1), (v, 1))) for v in range(size)]
                own = self._accumulate(here, self.zeros(size), run)
                self.spill(self.sums(totals, own), scratch, place)

            code.loop(count, add)

        code.nest(others, lambda outside: code.loop(pieces, lambda p: piece(outside, p)))
        code.loop(count, lambda i: self.end_lines(tile(code.sum((i, 1), (first, 1))), scratch, code.sum((i, size))))

    def _starts(self, tile: Tile) -> list[Any]:
        """What sums begin with: nothing, or what is added to so few terms anyway that rounding beside it does not add up."""
        if self.addend is None:
            return self.zeros(tile.size)
        product, starts = self.product, []
        for r in range(tile.rows):
            for v in range(tile.vectors):
                point = product.point(self.code, self.memory, self.position(tile, r, v), product.width)
                value = point.value(self.addend, product.equation.output.shape)
                starts.append(point.of_type(value, product.dtype).value)
        return starts

    def _all(self, totals: list[Any], step: Add) -> list[Any]:
        code = self.code
        if self.vectors <= SIDE_BY_SIDE // 2 and prod(self.summed) <= SHORT_SUM:
            return self._in_parts(totals, step)
        if max(self.summed[:1], default=1) <= PIECE:
            return code.carried_nest(self.summed, totals, step, len(totals))
        first, *others = self.summed

        def piece(begin: Index, count: int, totals: list[Any]) -> list[Any]:
            """Some terms, added up by themselves before they are added to the others, so that rounding loses little."""

            def line(at: tuple[Index, ...], totals: list[Any]) -> list[Any]:
                return step((code.sum((begin, 1), (at[0], 1)), *at[1:]), totals)

            own = code.carried_nest([count, *others], self.zeros(len(totals)), line, len(totals))
            return self.sums(totals, own)

        whole = first // PIECE * PIECE
        totals = code.carried_loop(whole, totals, lambda begin, x: piece(begin, PIECE, x), step=PIECE)
        return piece(whole, first - whole, totals) if first > whole else totals

    def _in_parts(self, totals: list[Any], step: Add) -> list[Any]:
        """Few terms of few sums, each in several parts side by side that are added up in pairs."""
        terms = list(itertools.product(*map(range, self.summed)))
        count = 1
        while 4 * count <= len(terms) and 2 * count * len(totals) <= SIDE_BY_SIDE:
            count *= 2
        parts = [totals, *(self.zeros(len(totals)) for _ in range(1, count))]
        for i, at in enumerate(terms):
            parts[i % count] = step(at, parts[i % count])
        while len(parts) > 1:
            parts = [self.sums(a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)]
        return parts[0]

    def _of_block(self, block: Index) -> Run:
        """The positions of one block of a sum that is shared out."""
        code, (first, *others) = self.code, self.summed

        def run(totals: list[Any], step: Add) -> list[Any]:
            begin, end = code.part(first, block, BLOCKS)

            def line(i: Index, totals: list[Any]) -> list[Any]:
                here = code.sum((i, 1), (begin, 1))
                return code.carried_nest(others, totals, lambda rest, x: step((here, *rest), x), len(totals))

            count = code.sum((end, 1), (begin, -1))
            if first <= BLOCKS * PIECE:
                return code.carried_loop(count, totals, line)

            def piece(start: Index, totals: list[Any]) -> list[Any]:
                rest = code.smaller(code.sum((count, 1), (start, -1)), PIECE)
                own = code.carried_loop(
                    rest, self.zeros(len(totals)), lambda i, x: line(code.sum((start, 1), (i, 1)), x)
                )
                return self.sums(totals, own)

            return code.carried_loop(count, totals, piece, step=PIECE)

        return run

    def _accumulate(self, tile: Tile, totals: list[Any], run: Run) -> list[Any]:
        """The sums with the products at all positions of `run` added."""
        product = self.product

        def step(positions: tuple[Index, ...], totals: list[Any]) -> list[Any]:
            summed = {**tile.at, **dict(zip(product.summed, positions, strict=True))}
            for ahead in self.ahead:
                ahead.fetch(tile, summed)
            left, right = (self._reader(operand, summed, tile) for operand in product.operands)
            places = [divmod(place, tile.vectors) for place in range(len(totals))]
            return [multiply_add(left(r, v), right(r, v), x) for (r, v), x in zip(places, totals, strict=True)]

        return run(totals, step)

    def _reader(self, operand: Operand, at: dict[str, Index], tile: Tile) -> Callable[[int, int], Vector]:
        """A function from a place in the tile to the operand's vector there; each is loaded once."""
        product, code = self.product, self.code
        has_rows, along = product.rows in operand.strides, operand.along(product.vector)
        loaded: dict[tuple[int, int], Vector] = {}

        def read(r: int, v: int) -> Vector:
            key = (r if has_rows else 0, v if along else 0)
            if key not in loaded:
                positions = {**at, product.rows: code.sum((tile.row, 1), (key[0], 1)), product.vector: 0}
                place = product.place(code, operand, positions)
                view = View(operand.view.buffer, 0, (1, along), ())
                point = (place, code.sum((tile.lane, 1), (key[1] * product.width, 1)))
                length = product.lengths.get(product.vector, 1)
                number = code.load(view, (1, along), point, product.width, length)
                loaded[key] = Point(code, self.memory, (), product.width, length).of_type(number, product.dtype)
            return loaded[key]

        return read

    def _join(self) -> None:
        """The blocks' sums added in order, and finished."""
        product, code, parts = self.product, self.code, self.parts
        assert parts is not None
        *outer, last = [product.lengths[c] for c in product.result]

        def one(positions: tuple[Index, ...]) -> None:
            point = (*positions[:-1], code.sum((positions[-1], product.width)))
            total = code.load(parts, long_strides(parts), (0, *point), product.width, last)
            for block in range(1, BLOCKS):
                total = total + code.load(parts, long_strides(parts), (block, *point), product.width, last)
            finish(code, self.memory, product, dict(zip(product.result, point, strict=True)), total, product.width)

        code.shared_nest([*outer, -(-last // product.width)], one)


def reaching_blocks(count: Size, largest: int) -> list[tuple[int, Number, int]]:
    """The same for counts that are told, the last block reaching back where there is not so much left: the fewer sizes the better."""
    return [(0, 1, int(count))] if count <= largest else [(0, -(-count // largest), largest)]


def equal_blocks(count: int, largest: int) -> list[tuple[int, int, int]]:
    """`count` in blocks: (first, how many blocks, size of each); equal ones if possible, not too small."""
    if count <= largest:
        return [(0, 1, int(count))]
    for size in range(largest, max(1, largest // 2), -1):
        if count % size == 0:
            return [(0, count // size, size)]
    whole = count // largest
    rest = count - whole * largest
    return [(0, whole, largest), *([(whole * largest, 1, int(rest))] if rest else [])]
