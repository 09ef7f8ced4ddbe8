"""A tile of a contraction: rows × vectors of its result, held in registers, and what becomes of them.

At the end of a tile the group's elementwise equations are computed on the accumulators, so that a bias, an activation or an
optimizer's update costs no trip through memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.contractions.products import Product, finish
from chainrule.engines.llvm.planning.block_choice import FAR
from chainrule.engines.llvm.planning.buffers import View, long_strides, storage_type
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing.code import Code, vector_type
from chainrule.engines.llvm.writing.positions import Index
from chainrule.engines.llvm.writing.sizes import Size
from chainrule.tracing import Variable

WRITTEN_OUT = 48
"""Vectors computed at the end of a tile, functions counted for several, up to which its end is written out instead of looped over."""

PIECE = 512
"""Terms of a long sum taken at a time: a piece of two vectors of columns then takes 64 KB of the cache."""


@dataclass(frozen=True)
class Tile:
    """One tile: the positions around it, its first row and lane, its size, and which block of the sum it collects.

    The rows before `fresh` are those of the tile before it. Its sums lie in memory by lines of `vectors`, of which only so many may
    be `there`.
    """

    at: dict[str, Index]
    row: Index
    rows: int
    lane: Index
    vectors: int
    block: Index = 0
    fresh: Index = 0
    there: Index | None = None

    @property
    def size(self) -> int:
        """Vectors in it."""
        return self.rows * self.vectors


def reaching_back(code: Code, tile: Tile, length: int | Size) -> Tile:
    """The tile, or where it would go beyond so many rows the last ones, of which some are another's too."""
    row = code.smaller(tile.row, length - tile.rows)
    return replace(tile, row=row, fresh=code.sum((tile.row, 1), (row, -1)))


class TileWriter:
    """Accumulators of tiles, the ends of their sums, and memory for what registers held."""

    def __init__(self, code: Code, memory: MemoryPlan, product: Product) -> None:
        self.code, self.memory, self.product = code, memory, product
        self.kind = vector_type(product.dtype, product.width)
        self.nbytes = product.width * product.dtype.itemsize
        self.summed = [product.lengths[c] for c in product.summed]
        parts = memory.parts.get(product.equation.output)
        self.parts = None if parts is None else parts.view()
        self.known: Variable | None = None
        """What a finished sum is the value of, where it is more than the product."""

    def zeros(self, count: int) -> list[Any]:
        """Accumulators of nothing yet."""
        return [self.code.constant(0, self.product.dtype, self.product.width).value] * count

    def sums(self, totals: list[Any], others: list[Any]) -> list[Any]:
        """Accumulators added to others."""
        dtype, width, number = self.product.dtype, self.product.width, self.code.number
        return [(number(a, dtype, width) + number(b, dtype, width)).value for a, b in zip(totals, others, strict=True)]

    def fetch(self, tile: Tile) -> None:
        """Ask for what the ends of the tile's lines will read, while its sums are taken, if that is far from the cache."""
        product, code = self.product, self.code
        result, own = product.equation.output, product.group.values
        if result.type.size < FAR:
            return
        read = {self.memory.register(x) for e in product.group.pointwise for x in e.inputs if isinstance(x, Variable)}
        for x in sorted(read - own, key=lambda x: x.name):
            if x.shape != result.shape:
                continue
            view = self.memory.view(x)
            if 0 not in long_strides(view):
                code.loop(tile.rows, partial(self._fetch_line, tile, view))

    def _fetch_line(self, tile: Tile, view: View, r: Index) -> None:
        for v in range(tile.vectors):
            at = self.position(tile, r, v)
            place = self.code.place(view, long_strides(view), [at[c] for c in self.product.result])
            self.code.prefetch(self.code.address(view.buffer, place))

    # --- the ends of sums

    def end(self, tile: Tile, r: Index, totals: list[Any]) -> None:
        """What becomes of one line of a tile's sums."""
        for v, total in enumerate(totals):
            self._end(tile, r, v, total)

    def _end(self, tile: Tile, r: Index, v: Index, total: Any) -> None:
        product, code, at = self.product, self.code, self.position(tile, r, v)
        if self.parts is None:
            number = code.number(total, product.dtype, product.width)
            finish(code, self.memory, product, at, number, product.width, self.known)
        else:
            point = (tile.block, *(at[c] for c in product.result))
            code.store(self.parts, long_strides(self.parts), point, total, product.width)

    def position(self, tile: Tile, r: Index, v: Index) -> dict[str, Index]:
        """Positions of a vector of the tile, along every letter of the result."""
        product, code = self.product, self.code
        lane = code.sum((tile.lane, 1), (v, product.width))
        return {**tile.at, product.rows: code.sum((tile.row, 1), (r, 1)), product.vector: lane}

    def end_lines(self, tile: Tile, scratch: Any, first: Index) -> None:
        """The lines of a tile whose sums lie in memory, from vector `first` on."""
        code, vectors = self.code, tile.vectors

        def line(k: Index) -> None:
            r = code.sum((tile.fresh, 1), (k, 1))
            place = code.sum((r, vectors), (first, 1))
            if tile.there is not None:
                code.loop(tile.there, lambda v: self._end(tile, r, v, self.load(scratch, code.sum((place, 1), (v, 1)))))
                return
            self.end(tile, r, [self.load(scratch, code.sum((place, 1), (v, 1))) for v in range(vectors)])

        code.loop(code.sum((tile.rows, 1), (tile.fresh, -1)), line)

    # --- registers, and memory for what they held

    def scratch(self, vectors: int) -> Any:
        """The address of memory for so many vectors, those of truth values with a byte for each."""
        stored = vector_type(storage_type(self.product.dtype), self.product.width)
        with self.code.builder.goto_entry_block():
            scratch = self.code.builder.alloca(ir.ArrayType(stored, vectors))
        scratch.align = self.nbytes
        return scratch

    def _vector(self, scratch: Any, place: Index) -> Any:
        return self.code.at_byte(scratch, self.code.sum((place, self.nbytes)))

    def load(self, scratch: Any, place: Index) -> Any:
        """A vector from memory, by its number."""
        return self.code.builder.load(self._vector(scratch, place), typ=self.kind, align=self.nbytes)

    def clear(self, count: int, scratch: Any, first: Index) -> None:
        """Nothing yet in so many vectors of memory, from a number on."""
        code, zero = self.code, self.zeros(1)
        code.loop(count, lambda i: self.spill(zero, scratch, code.sum((first, 1), (i, 1))))

    def join(self, count: int, own: Any, totals: Any, first: Index) -> None:
        """So many sums added to totals, both in memory."""
        code = self.code

        def one(i: Index) -> None:
            place = code.sum((first, 1), (i, 1))
            self.spill(self.sums([self.load(totals, place)], [self.load(own, i)]), totals, place)

        code.loop(count, one)

    def spill(self, values: list[Any], scratch: Any, first: Index) -> None:
        """Vectors to memory, side by side from a number on."""
        for place, value in enumerate(values):
            at = self._vector(scratch, self.code.sum((first, 1), (place, 1)))
            self.code.builder.store(value, at, align=self.nbytes)
