"""Contractions as tiles of rows × vectors held in registers.

A tile adds up outer products: for every value of the summed axes the vectors of one operand are loaded, the numbers of
the other repeated, and multiplied into the accumulators. At the end of a tile the group's elementwise equations are
computed on the accumulators, so that a bias, an activation or an optimizer's update costs no trip through memory.
A sum too long for the cache is taken in pieces, each for several tiles below each other before the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from llvmlite import ir

from chainrule.engines.llvm.buffers import View, long_strides
from chainrule.engines.llvm.code import Code, pointer, vector_type
from chainrule.engines.llvm.contractions import Operand, Product, finish, multiply_add
from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.engines.llvm.points import Point
from chainrule.engines.llvm.positions import Index
from chainrule.engines.llvm.sharing import BLOCKS
from chainrule.tracing import Variable

ACCUMULATORS = 24
"""Vectors in a tile; the machine has 32 vector registers with AVX-512 and NEON."""

WRITTEN_OUT = 48
"""Vectors computed at the end of a tile up to which its end is written out instead of looped over."""

PIECE = 512
"""Terms of a long sum taken at a time: a piece of two vectors of columns then takes 64 KB of the cache."""

FAR = 2**16
"""Numbers in a result from which on what belongs to it is not expected in the cache."""

BELOW = 8
"""Tiles below each other that take a piece of a long sum one after another."""


@dataclass(frozen=True)
class Tile:
    """One tile: the positions around it, its first row and lane, its size, and which block of the sum it collects."""

    at: dict[str, Index]
    row: Index
    rows: int
    lane: Index
    vectors: int
    block: Index


Add = Callable[[tuple[Index, ...], list[Any]], list[Any]]
"""The tile's sums with what is at one position along the summed letters added."""

Run = Callable[[list[Any], Add], list[Any]]
"""Adds up over positions along the summed letters, from sums to begin with."""


class Tiles:
    """The tiles of one contraction."""

    def __init__(self, code: Code, memory: MemoryPlan, product: Product) -> None:
        self.code, self.memory, self.product = code, memory, product
        self.kind = vector_type(product.dtype, product.width)
        self.nbytes = product.width * product.dtype.itemsize
        self.summed = [product.lengths[c] for c in product.summed]
        parts = memory.parts.get(product.equation.output)
        self.parts = None if parts is None else parts.view()

    def emit(self) -> None:
        """Write the loops."""
        product = self.product
        rows, vector, width = product.rows, product.vector, product.width
        count = product.lengths[rows] if rows else 1
        vectors = -(-product.lengths[vector] // width) if vector else 1
        wide = 8 if count == 1 else 4 if count < 6 else 3 if vectors % 3 == 0 and vectors % 2 else 2
        across = _blocks(vectors, min(wide, vectors))
        tall = max(1, ACCUMULATORS // max(size for _, _, size in across))
        down = _blocks(count, min(tall, 16))
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

        def tile(block: Index, *positions: Index) -> Tile:
            *outside, v, k = positions
            lane = code.sum((v, breadth * width), (first_vector * width, 1))
            row = code.sum((k, height), (first_row, 1))
            return Tile(dict(zip(outer, outside, strict=True)), row, height, lane, breadth, block)

        counts = [*(product.lengths[c] for c in outer), vectors]
        if self.parts is None and rows > 1 and max(self.summed[-1:], default=1) >= 6 * PIECE:
            groups = -(-rows // BELOW)
            code.shared_nest(
                [*counts, groups],
                lambda at: self._in_pieces(lambda k: tile(0, *at[:-1], k), *code.part(rows, at[-1], groups)),
            )
        else:
            blocks = 1 if self.parts is None else BLOCKS
            code.shared_nest([blocks, *counts, rows], lambda at: self._at_once(tile(*at)))

    # --- sums

    def _at_once(self, tile: Tile) -> None:
        """A tile whose whole sum is taken in registers."""
        code = self.code
        zero = code.constant(0, self.product.dtype, self.product.width).value
        self._fetch(tile)
        run = self._all if self.parts is None else self._of_block(tile.block)
        totals = self._accumulate(tile, [zero] * (tile.rows * tile.vectors), run)
        if code.unrolled or len(totals) * len(self.product.group.pointwise) <= WRITTEN_OUT:
            for r in range(tile.rows):
                self._end(tile, r, totals[r * tile.vectors : (r + 1) * tile.vectors])
            return
        spilled = self._scratch(len(totals))  # much less code than the ends of all lines, for a little more time
        self._spill(totals, spilled, 0)
        self._end_lines(tile, spilled, 0)

    def _in_pieces(self, tile: Callable[[Index], Tile], first: Index, last: Index) -> None:
        """Tiles below each other, whose sums are taken piece by piece."""
        code, (*others, length) = self.code, self.summed
        size = tile(0).rows * tile(0).vectors
        scratch, count = self._scratch(size * BELOW), code.sum((last, 1), (first, -1))
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
                totals = [self._load(scratch, code.sum((place, 1), (v, 1))) for v in range(size)]
                self._spill(self._accumulate(here, totals, run), scratch, place)

            code.loop(count, add)

        code.nest(others, lambda outside: code.loop(pieces, lambda p: piece(outside, p)))
        code.loop(count, lambda i: self._end_lines(tile(code.sum((i, 1), (first, 1))), scratch, code.sum((i, size))))

    def _all(self, totals: list[Any], step: Add) -> list[Any]:
        return self.code.carried_nest(self.summed, totals, step, len(totals))

    def _of_block(self, block: Index) -> Run:
        """The positions of one block of a sum that is shared out."""
        code, (first, *others) = self.code, self.summed

        def run(totals: list[Any], step: Add) -> list[Any]:
            begin, end = code.part(first, block, BLOCKS)

            def line(i: Index, totals: list[Any]) -> list[Any]:
                here = code.sum((i, 1), (begin, 1))
                return code.carried_nest(others, totals, lambda rest, x: step((here, *rest), x), len(totals))

            return code.carried_loop(code.sum((end, 1), (begin, -1)), totals, line)

        return run

    def _accumulate(self, tile: Tile, totals: list[Any], run: Run) -> list[Any]:
        """The sums with the products at all positions of `run` added."""
        product, code = self.product, self.code

        def step(positions: tuple[Index, ...], totals: list[Any]) -> list[Any]:
            summed = {**tile.at, **dict(zip(product.summed, positions, strict=True))}
            left, right = (self._reader(operand, summed, tile) for operand in product.operands)
            places = [divmod(place, tile.vectors) for place in range(len(totals))]
            return [multiply_add(code, left(r, v), right(r, v), x) for (r, v), x in zip(places, totals, strict=True)]

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

    def _fetch(self, tile: Tile) -> None:
        """Ask for what the ends of the tile's lines will read, while its sums are taken, if that is far from the cache."""
        product, code = self.product, self.code
        result, own = product.equation.output, product.group.values
        if result.type.size < FAR:
            return
        read = {self.memory.register(x) for e in product.group.pointwise for x in e.inputs if isinstance(x, Variable)}
        for x in sorted(read - own, key=lambda x: x.name):
            view = self.memory.view(x)
            if x.shape == result.shape and 0 not in long_strides(view):
                code.loop(tile.rows, partial(self._fetch_line, tile, view))

    def _fetch_line(self, tile: Tile, view: View, r: Index) -> None:
        for v in range(tile.vectors):
            at = self._position(tile, r, v)
            place = self.code.place(view, long_strides(view), [at[c] for c in self.product.result])
            self.code.prefetch(self.code.address(view.buffer, place))

    # --- the ends of sums

    def _end(self, tile: Tile, r: Index, totals: list[Any]) -> None:
        """What becomes of one line of a tile's sums."""
        product, code = self.product, self.code
        for v, total in enumerate(totals):
            at = self._position(tile, r, v)
            if self.parts is None:
                number = code.number(total, product.dtype, product.width)
                finish(code, self.memory, product, at, number, product.width)
            else:
                point = (tile.block, *(at[c] for c in product.result))
                code.store(self.parts, long_strides(self.parts), point, total, product.width)

    def _position(self, tile: Tile, r: Index, v: int) -> dict[str, Index]:
        """Positions of a vector of the tile, along every letter of the result."""
        product, code = self.product, self.code
        lane = code.sum((tile.lane, 1), (v * product.width, 1))
        return {**tile.at, product.rows: code.sum((tile.row, 1), (r, 1)), product.vector: lane}

    def _end_lines(self, tile: Tile, scratch: Any, first: Index) -> None:
        """The lines of a tile whose sums lie in memory, from vector `first` on."""
        code, vectors = self.code, tile.vectors

        def line(r: Index) -> None:
            place = code.sum((r, vectors), (first, 1))
            self._end(tile, r, [self._load(scratch, code.sum((place, 1), (v, 1))) for v in range(vectors)])

        code.loop(tile.rows, line)

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

    # --- registers, and memory for what they held

    def _scratch(self, vectors: int) -> Any:
        with self.code.builder.goto_entry_block():
            scratch = self.code.builder.alloca(ir.ArrayType(self.kind, vectors))
        scratch.align, scratch.type = self.nbytes, pointer
        return scratch

    def _vector(self, scratch: Any, place: Index) -> Any:
        return self.code.at_byte(scratch, self.code.sum((place, self.nbytes)))

    def _load(self, scratch: Any, place: Index) -> Any:
        return self.code.builder.load(self._vector(scratch, place), typ=self.kind, align=self.nbytes)

    def _spill(self, values: list[Any], scratch: Any, first: Index) -> None:
        for place, value in enumerate(values):
            at = self._vector(scratch, self.code.sum((first, 1), (place, 1)))
            self.code.builder.store(value, at, align=self.nbytes)


def _blocks(count: int, largest: int) -> list[tuple[int, int, int]]:
    """`count` in blocks: (first, how many blocks, size of each); equal ones if possible, not too small."""
    if count <= largest:
        return [(0, 1, count)]
    for size in range(largest, max(1, largest // 2), -1):
        if count % size == 0:
            return [(0, count // size, size)]
    whole = count // largest
    rest = count - whole * largest
    return [(0, whole, largest), *([(whole * largest, 1, rest)] if rest else [])]
