"""Which contractions are taken in blocks, and how large the blocks are: by the letters' lengths and the machine's own caches.

How long the pieces of a sum are is the same everywhere, since it decides the bits of a result; the other sizes decide only where
numbers are when they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from chainrule.engines.llvm.contractions.products import Operand, Product
from chainrule.engines.llvm.contractions.tile_writer import PIECE
from chainrule.engines.llvm.machine.target import Target
from chainrule.engines.llvm.planning.block_choice import (
    BROAD_TOLD,
    breadth_of,
    panels_are_worth,
    rows_first,
    tallest,
    turned_is_worth,
)
from chainrule.engines.llvm.planning.groups import Grouping
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing.sizes import decided, worked_out
from chainrule.ops import Contraction

JOBS = 8
"""Blocks to be shared out among threads, at least, where there are as many."""

SIDES = 2
"""The same of columns, where rows are copied too, so that they are used for more panels than one."""

ENOUGH_ROWS = 192
"""Rows from which on they are shared out too, so that each share makes panels of its own."""

LINE = 64
"""Bytes that lie together in a cache."""


@dataclass(frozen=True)
class Blocking:
    """How a contraction is taken in blocks.

    `columns` is the operand that vectors are read of, in panels of `breadth` vectors; `rows` the other, in tiles of at most
    `height` rows. `turned` columns lie across, so their panels are made of squares turned over; `packed` rows lie across too,
    and are copied. The result's letters are those of a `batch`, which both operands have, those of `repeats`, which the columns
    have not, and the tile's own two. A sum over the letter `summed` is taken in so many `pieces` of at most `piece` terms.

    A block is `most_panels` panels at most and of the `groups` of tiles, which threads may share, as many as are one thread's, but
    no more than `most_groups`: so many have `block_tiles` of each height at most. Of these `most_tiles` are taken at a time,
    `rows_first` each with all panels or all with each. All that is counted in bytes is in a thread's own memory.
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
    rows_first: bool
    in_pieces: bool
    tiles: int
    pieces: int
    piece: int
    most_panels: int
    most_tiles: int
    groups: int
    most_groups: int
    panel_bytes: int
    row_bytes: int
    tile_bytes: int
    total_bytes: int

    @property
    def block_tiles(self) -> int:
        """Tiles of one height in a block, at most."""
        return -(-self.tiles * self.most_groups // self.groups)

    @property
    def panels_bytes(self) -> int:
        """Bytes of a block's panels."""
        return _whole_lines(self.most_panels * self.panel_bytes)

    @property
    def totals_bytes(self) -> int:
        """Bytes of the totals of a group's tiles, of both heights."""
        return 2 * self.block_tiles * self.most_panels * self.total_bytes

    @property
    def bytes(self) -> int:
        """All memory that a thread needs."""
        tiles = self.most_tiles * self.tile_bytes if self.packed else 0
        return self.panels_bytes + self.totals_bytes + _whole_lines(tiles)


def blocking_of(memory: MemoryPlan, product: Product, target: Target, *, told: bool) -> Blocking | None:
    """How to take a contraction in blocks, if that is worth it, by code that is told the sizes or knows them."""
    rows, vector = product.rows, product.vector
    alone = len(product.summed) == 1 and product.equation.output not in memory.parts
    kinds = {product.dtype, *(o.view.buffer.dtype for o in product.operands)}
    if not rows or not alone or len(kinds) > 1 or product.dtype.kind != "f":
        return None
    (summed,), lengths, width, itemsize = product.summed, product.lengths, product.width, product.dtype.itemsize
    first, second = product.operands
    columns, others = (first, second) if rows in second.strides else (second, first)
    turned = columns.along(vector) != 1
    if turned and columns.along(summed) != 1:
        return None
    batch = tuple(c for c in product.result if c in columns.strides and c != vector)
    repeats = tuple(c for c in product.result if c not in columns.strides and c != rows)
    packed = others.along(summed) != 1 and others.along(rows) == 1
    repeated, vectors = prod(lengths[c] for c in repeats), -(-lengths[vector] // width)
    sizes = lengths[rows], lengths[summed], lengths[vector], repeated
    machine = width, itemsize, target.accumulators, target.second_cache
    if not decided(_is_worth, *sizes, *machine, turned, packed):
        return None
    breadth = BROAD_TOLD if told else breadth_of(vectors)
    tall = tallest(target.accumulators // breadth, told)
    height = decided(min, lengths[rows], tall) if told else _height(lengths[rows], tall)
    in_pieces = lengths[summed] > PIECE
    along_rows = decided(rows_first, lengths[summed], product.equation.output.type.size)
    numbers = worked_out(
        _numbers,
        *sizes,
        prod(lengths[c] for c in batch),
        *machine,
        breadth,
        height,
        turned,
        packed,
        along_rows,
    )
    return Blocking(
        columns, others, turned, packed, batch, repeats, summed, breadth, height, along_rows, in_pieces, *numbers
    )


def _is_worth(
    rows: int,
    terms: int,
    columns: int,
    repeated: int,
    width: int,
    itemsize: int,
    accumulators: int,
    cache: int,
    turned: bool,
    packed: bool,
) -> bool:
    """Whether it is worth it with tiles of known sizes: where sizes are told as well, so that sums have the same order."""
    if turned:
        return turned_is_worth(rows * repeated, terms, columns)
    vectors = -(-columns // width)
    breadth = breadth_of(vectors)
    times = -(-rows // tallest(accumulators // breadth, False)) * repeated, -(-vectors // breadth)
    return panels_are_worth((rows * repeated, terms, columns), times, itemsize, cache, across=packed)


def _height(rows: int, tall: int) -> int:
    """Rows of tiles that are as even as can be."""
    return -(-rows // -(-rows // tall))


def _numbers(
    rows: int,
    terms: int,
    columns: int,
    repeated: int,
    batches: int,
    width: int,
    itemsize: int,
    accumulators: int,
    cache: int,
    breadth: int,
    height: int,
    turned: bool,
    packed: bool,
    along_rows: bool,
) -> tuple[int, ...]:
    """The numbers of a `Blocking`, from `tiles` on."""
    tiles, panels = -(-rows // height) * repeated, -(-columns // (width * breadth))
    # Each copy of rows is to serve many panels, which need not be near then.
    space = cache if packed else cache // 4
    pieces = -(-terms // PIECE)
    piece = -(-terms // pieces)
    if turned:
        piece = -(-piece // width) * width
    panel_bytes = piece * breadth * width * itemsize + 2 * LINE  # so that panels begin in other places of the cache
    row_bytes = height * itemsize
    tile_bytes = piece * row_bytes + LINE  # whole vectors are stored fastest, the last one over the end
    total_bytes = height * breadth * width * itemsize if pieces > 1 else 0

    jobs = -(-JOBS // batches)
    many = tiles * height > ENOUGH_ROWS
    sides = 1 if along_rows or (packed and many) else min(SIDES, jobs) if packed else jobs
    most_panels = max(1, min(space // panel_bytes, panels // sides))
    fitting = max(1, space // (total_bytes * most_panels)) if total_bytes else tiles
    enough = -(-jobs // -(-panels // most_panels)) if many else 1
    groups = min(tiles, max(-(-tiles // fitting), enough))
    most_groups = max(1, min(groups, fitting * groups // tiles))
    most_tiles = max(1, min(tiles, cache // 2 // tile_bytes))
    return (
        tiles,
        pieces,
        piece,
        most_panels,
        most_tiles,
        groups,
        most_groups,
        panel_bytes,
        row_bytes,
        tile_bytes,
        total_bytes,
    )


def workspace_bytes(memory: MemoryPlan, grouping: Grouping, target: Target) -> int:
    """Memory that every thread needs for blocks, beside the arena."""
    most, known_or_told = 0, (False, True) if grouping.is_long else (False,)
    for group in grouping.groups:
        if group.root is not None and isinstance(group.root.op, Contraction):
            product = Product(memory, group)
            plans = [blocking_of(memory, product, target, told=told) for told in known_or_told]
            most = max([most, *(plan.bytes for plan in plans if plan)])
        elif group.inner is not None:
            inside = memory.inner[group]
            most = max(most, inside.own_bytes + workspace_bytes(inside, group.inner.grouping, target))
    return most


def _whole_lines(nbytes: int) -> int:
    return -(-nbytes // LINE) * LINE
