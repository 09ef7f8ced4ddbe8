"""Which contractions are taken in blocks, and how large the blocks are: by the letters' lengths and the machine's own caches.

How long the pieces of a sum are is the same everywhere, since it decides the bits of a result; the other sizes decide only where
numbers are when they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from chainrule.engines.llvm.block_choice import FEW_ROWS, panels_are_worth, turned_is_worth
from chainrule.engines.llvm.contractions import Operand, Product
from chainrule.engines.llvm.groups import Grouping
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.engines.llvm.target import Target
from chainrule.engines.llvm.tile_writer import PIECE
from chainrule.ops import Contraction

JOBS = 8
"""Blocks to be shared out among threads, at least, where there are as many."""


SIDES = 2
"""The same of columns, where rows are copied too, so that they are used for more panels than one."""


@dataclass(frozen=True)
class Blocking:
    """How a contraction is taken in blocks.

    `columns` is the operand that vectors are read of, in panels of `breadth` vectors; `rows` the other, in tiles of at most
    `height` rows. `turned` columns lie across, so their panels are made of squares turned over; `packed` rows lie across too,
    and are put one tile after the other.
    """

    columns: Operand
    rows: Operand
    turned: bool
    packed: bool
    batch: tuple[str, ...]
    repeats: tuple[str, ...]
    summed: str
    breadth: int
    height: int
    width: int
    itemsize: int
    panels: int
    tiles: int
    pieces: int
    piece: int
    second_cache: int

    @property
    def panel_bytes(self) -> int:
        """Bytes of one panel of a piece; a line more, so that panels do not all begin in the same place of the cache."""
        return (self.piece * self.breadth * self.width + 2 * self.width) * self.itemsize

    @property
    def most_panels(self) -> int:
        """Panels in a block: a quarter of the cache, or fewer if there would be too few blocks."""
        fitting = max(1, self.second_cache // 4 // self.panel_bytes)
        return min(fitting, max(1, self.panels // (SIDES if self.packed else JOBS)), self.panels)

    @property
    def tile_bytes(self) -> int:
        """Bytes of a tile's rows of a piece; a line more, as for panels."""
        return self.piece * self.row_bytes + self.width * self.itemsize

    @property
    def row_bytes(self) -> int:
        """Bytes of a tile's rows at one position of the sum: whole vectors where they are copied, which are stored fastest."""
        return (-(-self.height // self.width) * self.width if self.packed else self.height) * self.itemsize

    @property
    def most_tiles(self) -> int:
        """Tiles whose rows are used for all panels of a block, one after another: a quarter of the cache."""
        return max(1, min(self.tiles, self.second_cache // 4 // self.tile_bytes))

    @property
    def totals_bytes(self) -> int:
        """Bytes of a tile's totals, where a sum is of several pieces."""
        return self.height * self.breadth * self.width * self.itemsize if self.pieces > 1 else 0

    @property
    def groups(self) -> int:
        """Groups of tiles, so that totals fit and there are enough blocks for threads."""
        blocks = -(-self.panels // self.most_panels)
        totals = self.totals_bytes * self.most_panels
        fitting = max(1, self.second_cache // 4 // totals) if totals else self.tiles
        return min(self.tiles, max(-(-self.tiles // fitting), -(-JOBS // blocks) if self.tiles * self.height > FEW_ROWS else 1))

    @property
    def group_tiles(self) -> int:
        """Tiles in a group at most; those of two heights are shared out apart."""
        return -(-self.tiles // self.groups) + 1

    @property
    def bytes(self) -> int:
        """Memory that a thread needs: for panels, totals and tiles."""
        return self.panels_bytes + self.all_totals_bytes + self.tiles_bytes

    @property
    def panels_bytes(self) -> int:
        return _whole_lines(self.most_panels * self.panel_bytes)

    @property
    def all_totals_bytes(self) -> int:
        return _whole_lines(2 * self.group_tiles * self.most_panels * self.totals_bytes)

    @property
    def tiles_bytes(self) -> int:
        return _whole_lines(self.most_tiles * self.tile_bytes + self.width * self.itemsize) if self.packed else 0


def _whole_lines(nbytes: int) -> int:
    return -(-nbytes // 64) * 64


def blocking_of(memory: MemoryPlan, product: Product, target: Target) -> Blocking | None:
    """How to take a contraction in blocks, if that is worth it."""
    if product.equation.output in memory.parts:
        return None
    rows, vector = product.rows, product.vector
    if not rows or not vector or len(product.summed) != 1 or product.dtype.kind != "f":
        return None
    if any(o.view.buffer.dtype != product.dtype for o in product.operands):
        return None
    (summed,) = product.summed
    left, right = product.operands
    columns, others = (left, right) if rows in right.strides else (right, left)
    batch = tuple(c for c in product.result if c in columns.strides and c != vector)
    repeats = tuple(c for c in product.result if c not in columns.strides and c != rows)
    turned = columns.along(vector) != 1
    if (turned and columns.along(summed) != 1) or not columns.along(vector) or not columns.along(summed):
        return None
    length, count = product.lengths[summed], product.lengths[vector]
    high = product.lengths[rows] * prod(product.lengths[c] for c in repeats)
    itemsize = product.dtype.itemsize
    packed = others.along(summed) != 1 and others.along(rows) == 1
    worth = (
        turned_is_worth(high, length, count)
        if turned
        else panels_are_worth(high, length, count, itemsize, rows_across=packed)
    )
    if not worth:
        return None
    vectors = -(-count // product.width)
    breadth = min(2, vectors)
    tall = max(1, target.registers * 3 // 4 // breadth)
    tall = min(tall, 16)
    tiles = -(-product.lengths[rows] // tall)
    height = -(-product.lengths[rows] // tiles)
    pieces = -(-length // PIECE)
    piece = -(-length // pieces)
    if turned:
        piece = -(-piece // product.width) * product.width
    return Blocking(
        columns,
        others,
        turned,
        packed,
        batch,
        repeats,
        summed,
        breadth,
        height,
        product.width,
        itemsize,
        -(-vectors // breadth),
        tiles * prod(product.lengths[c] for c in repeats),
        pieces,
        piece,
        target.second_cache,
    )


def workspace_bytes(memory: MemoryPlan, grouping: Grouping, target: Target) -> int:
    """Memory that every thread needs for blocks, beside the arena."""
    most = 0
    for group in grouping.groups:
        if group.root is not None and isinstance(group.root.op, Contraction):
            blocking = blocking_of(memory, Product(memory, group), target)
            most = max(most, blocking.bytes if blocking else 0)
        elif group.inner is not None:
            most = max(most, workspace_bytes(memory.inner[group], group.inner.grouping, target))
    return most
