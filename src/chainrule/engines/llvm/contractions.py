"""Groups rooted in a contraction: tiles of rows × vectors held in registers, or products of rows.

A tile adds up outer products: for every value of the summed axes the vectors of one operand are loaded, the numbers of
the other repeated, and multiplied into the accumulators. At the end of a tile the group's elementwise equations are
computed on the accumulators, so that a bias, an activation or an optimizer's update costs no trip through memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from chainrule.engines.llvm.buffers import View, lanes, long_strides
from chainrule.engines.llvm.code import Code, Index, pointer, vector_type
from chainrule.engines.llvm.groups import Group
from chainrule.engines.llvm.mathematics import Number
from chainrule.engines.llvm.memory import Memory
from chainrule.engines.llvm.nests import Point, across
from chainrule.engines.llvm.sharing import BLOCKS
from chainrule.ops.kinds.contraction import parse
from chainrule.tracing.program import Atom

ACCUMULATORS = 24
"""Vectors in a tile; the machine has 32 vector registers with AVX-512 and NEON."""

WRITTEN_OUT = 48
"""Vectors computed at the end of a tile up to which its end is written out instead of looped over."""

DOT_ROWS = 8
"""Rows whose products are summed side by side, to hide the time an addition takes."""


@dataclass(frozen=True)
class Operand:
    """One side of a contraction: its view, and its stride along every letter."""

    view: View
    strides: dict[str, int]

    def along(self, letter: str) -> int:
        """The stride along a letter, 0 if the operand has none of it."""
        return self.strides.get(letter, 0)


class Product:
    """A contraction with its letters' roles worked out; letters of length 1 are left out."""

    def __init__(self, memory: Memory, group: Group) -> None:
        assert group.root is not None
        self.equation, self.group = group.root, group
        parts = parse(self.equation.attributes["subscripts"])
        terms = (parts.left, parts.right)
        shapes = [x.shape for x in self.equation.inputs]
        self.lengths = {c: n for t, shape in zip(terms, shapes, strict=True) for c, n in zip(t, shape, strict=True)}
        self.operands = [self._operand(memory, x, t) for x, t in zip(self.equation.inputs, terms, strict=True)]
        self.result = [c for c in parts.result if self.lengths[c] != 1]
        self.summed = [c for c in parts.summed if self.lengths[c] != 1]
        self.dtype = self.equation.output.dtype
        self.vector = self.result[-1] if self.result else ""
        self.width = lanes(self.lengths[self.vector], memory.widest) if self.vector else 1

    def _operand(self, memory: Memory, x: Atom, term: str) -> Operand:
        view = memory.view(x)
        return Operand(view, {c: s for c, s, n in zip(term, view.strides, view.shape, strict=True) if n != 1})

    @property
    def rows(self) -> str:
        """The letter of the tile's rows: of the result, and in one operand alone that lacks the vector's letter."""
        for letter in reversed(self.result[:-1]):
            holders = [o for o in self.operands if letter in o.strides]
            if len(holders) == 1 and self.vector not in holders[0].strides:
                return letter
        return ""

    @property
    def inner(self) -> str:
        """The summed letter both operands run along without steps, if the vector's letter is not there to run along."""
        for letter in reversed(self.summed):
            if all(o.along(letter) == 1 for o in self.operands):
                return letter
        return ""

    @property
    def is_dot(self) -> bool:
        """Whether rows are multiplied with rows, and vectors run along what is summed."""
        side_by_side = any(o.along(self.vector) == 1 for o in self.operands) if self.vector else False
        return bool(self.inner) and not side_by_side

    def place(self, code: Code, operand: Operand, at: dict[str, Index]) -> Index:
        """Where the operand's number for these positions is."""
        return code.sum((operand.view.start, 1), *((at[c], s) for c, s in operand.strides.items()))


def emit(code: Code, memory: Memory, group: Group) -> None:
    """Write the loops of a group rooted in a contraction."""
    product = Product(memory, group)
    if product.is_dot:
        _Dots(code, memory, product).emit()
    else:
        _Tiles(code, memory, product).emit()


def multiply_add(code: Code, a: Number, b: Number, total: Any) -> Any:
    """a·b + total, in one instruction where the machine has one."""
    if a.dtype.kind != "f":
        return code.builder.add(code.builder.mul(a.value, b.value), total)
    return a.mathematics.intrinsic("fmuladd", a, b, a.mathematics.wrap(total, a.dtype)).value


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


class _Tiles:
    """The tiles of one contraction."""

    def __init__(self, code: Code, memory: Memory, product: Product) -> None:
        self.code, self.memory, self.product = code, memory, product
        parts = memory.parts.get(product.equation.output)
        self.parts = None if parts is None else parts.view()

    def emit(self) -> None:
        product = self.product
        rows, vector, width = product.rows, product.vector, product.width
        outer = [c for c in product.result if c not in (rows, vector)]
        count = product.lengths[rows] if rows else 1
        vectors = -(-product.lengths[vector] // width) if vector else 1
        wide = 8 if count == 1 else 4 if count < 6 else 3 if vectors % 3 == 0 and vectors % 2 else 2
        across_ = _blocks(vectors, min(wide, vectors))
        tall = max(1, ACCUMULATORS // max(size for _, _, size in across_))
        down = _blocks(count, min(tall, 16))

        for columns in across_:
            for lines in down:
                self._block(outer, lines, columns)
        if self.parts is not None:
            self.code.team.meet()
            self._join()

    def _block(self, outer: list[str], lines: tuple[int, int, int], columns: tuple[int, int, int]) -> None:
        """Tiles of one size, side by side and below each other."""
        product, code, width = self.product, self.code, self.product.width
        first_row, rows, height = lines
        first_vector, vectors, breadth = columns

        def tile(positions: tuple[Index, ...]) -> None:
            block, *outside, v, k = positions
            lane = code.sum((v, breadth * width), (first_vector * width, 1))
            row = code.sum((k, height), (first_row, 1))
            self._tile(dict(zip(outer, outside, strict=True)), row, height, lane, breadth, block)

        blocks = 1 if self.parts is None else BLOCKS
        code.shared_nest([blocks, *(product.lengths[c] for c in outer), vectors, rows], tile)

    def _tile(self, at: dict[str, Index], row: Index, rows: int, lane: Index, vectors: int, block: Index) -> None:
        """One tile: accumulate over the summed letters, then finish and store."""
        product, code = self.product, self.code
        width, kind = product.width, vector_type(product.dtype, product.width)
        slots = []
        with code.builder.goto_entry_block():
            slots = [[code.builder.alloca(kind) for _ in range(vectors)] for _ in range(rows)]
        zero = code.constant(0, product.dtype, width).value
        for line in slots:
            for slot in line:
                code.builder.store(zero, slot)

        def step(positions: tuple[Index, ...]) -> None:
            summed = {**at, **dict(zip(product.summed, positions, strict=True))}
            left, right = (self._read(o, summed, row, rows, lane, vectors) for o in product.operands)
            for r in range(rows):
                for v in range(vectors):
                    total = code.builder.load(slots[r][v], typ=kind)
                    code.builder.store(multiply_add(code, left(r, v), right(r, v), total), slots[r][v])

        self._sum(step, block)

        def end(r: Index, totals: list[Any]) -> None:
            for v, total in enumerate(totals):
                lanes_ = code.sum((lane, 1), (v * width, 1))
                positions = {**at, product.rows: code.sum((row, 1), (r, 1)), product.vector: lanes_}
                self._end(code.number(total, product.dtype, width), positions, block)

        totals = [[code.builder.load(slot, typ=kind) for slot in line] for line in slots]
        if code.unrolled or rows * vectors * len(product.group.pointwise) <= WRITTEN_OUT:
            for r in range(rows):
                end(r, totals[r])
        else:
            self._line_by_line(totals, end)

    def _sum(self, step: Any, block: Index) -> None:
        """`step` for every place along the summed letters; where sums are shared out, for those of one block."""
        product, code = self.product, self.code
        first, *others = [product.lengths[c] for c in product.summed] or [1]
        if self.parts is None:
            code.nest([product.lengths[c] for c in product.summed], step)
            return
        begin, end = (code.divide(code.sum((block, first), (k * first, 1)), BLOCKS) for k in (0, 1))
        code.loop(
            code.sum((end, 1), (begin, -1)),
            lambda i: code.nest(others, lambda rest: step((code.sum((i, 1), (begin, 1)), *rest))),
        )

    def _end(self, total: Number, at: dict[str, Index], block: Index) -> None:
        """What becomes of a tile's sum."""
        product = self.product
        if self.parts is None:
            finish(self.code, self.memory, product, at, total, product.width)
        else:
            point = (block, *(at[c] for c in product.result))
            self.code.store(self.parts, long_strides(self.parts), point, total.value, product.width)

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

    def _line_by_line(self, totals: list[list[Any]], end: Any) -> None:
        """`end` in a loop over the tile's rows, whose sums go through memory: much less code, a little more time."""
        code, kind = self.code, totals[0][0].type
        rows, vectors = len(totals), len(totals[0])
        nbytes = self.product.width * self.product.dtype.itemsize
        with code.builder.goto_entry_block():
            spilled = code.builder.alloca(ir.ArrayType(kind, rows * vectors))
        spilled.align, spilled.type = nbytes, pointer

        def place(r: Index, v: int) -> Any:
            return code.at_byte(spilled, code.sum((r, vectors * nbytes), (v * nbytes, 1)))

        for r, line in enumerate(totals):
            for v, total in enumerate(line):
                code.builder.store(total, place(r, v), align=nbytes)
        code.loop(
            rows,
            lambda r: end(r, [code.builder.load(place(r, v), typ=kind, align=nbytes) for v in range(vectors)]),
        )

    def _read(self, operand: Operand, at: dict[str, Index], row: Index, rows: int, lane: Index, vectors: int) -> Any:
        """A function from a place in the tile to the operand's vector there; each is loaded once."""
        product, code = self.product, self.code
        has_rows, along = product.rows in operand.strides, operand.along(product.vector)
        loaded: dict[tuple[int, int], Number] = {}

        def read(r: int, v: int) -> Number:
            key = (r if has_rows else 0, v if along else 0)
            if key not in loaded:
                positions = {**at, product.rows: code.sum((row, 1), (key[0], 1)), product.vector: 0}
                place = product.place(code, operand, positions)
                view = View(operand.view.buffer, 0, (1, along), ())
                point = (place, code.sum((lane, 1), (key[1] * product.width, 1)))
                length = product.lengths.get(product.vector, 1)
                number = code.load(view, (1, along), point, product.width, length)
                loaded[key] = Point(code, self.memory, (), product.width, length).of_type(number, product.dtype)
            return loaded[key]

        return read


class _Dots:
    """Results that are sums of products along rows, one number each."""

    def __init__(self, code: Code, memory: Memory, product: Product) -> None:
        self.code, self.memory, self.product = code, memory, product

    def emit(self) -> None:
        product, code = self.product, self.code
        if not product.vector:
            code.shared(1, lambda _: finish(code, self.memory, product, {}, *self._sums([{}]), 1))
            return
        outer = product.result[:-1]

        def block(positions: tuple[Index, ...], begin: Index, known: int) -> None:
            at = dict(zip(outer, positions, strict=True))
            numbers: list[Number] = []
            for first in range(0, known, DOT_ROWS):
                lanes_ = range(first, min(first + DOT_ROWS, known))
                numbers += self._sums([{**at, product.vector: code.sum((begin, 1), (lane, 1))} for lane in lanes_])
            vector = numbers[0].value
            if product.width > 1:
                vector = ir.Constant(vector_type(product.dtype, product.width), ir.Undefined)
                for lane, number in enumerate(numbers):
                    vector = code.builder.insert_element(vector, number.value, ir.IntType(32)(lane))
            finish(
                code,
                self.memory,
                product,
                {**at, product.vector: begin},
                code.number(vector, product.dtype, product.width),
                product.width,
            )

        length, width = product.lengths[product.vector], product.width

        whole, counts = length // width, [product.lengths[c] for c in outer]
        code.shared_nest([*counts, whole], lambda at: block(at[:-1], code.sum((at[-1], width)), width))
        if length % width:
            code.shared_nest(counts, lambda at: block(at, whole * width, length % width))

    def _sums(self, places: list[dict[str, Index]]) -> list[Number]:
        """The sums at several places of the result, side by side."""
        product, code = self.product, self.code
        inner = product.inner
        others = [c for c in product.summed if c != inner]
        length, width = product.lengths[inner], lanes(product.lengths[inner], self.memory.widest)
        kind = vector_type(product.dtype, width)
        with code.builder.goto_entry_block():
            slots = [code.builder.alloca(kind) for _ in places]
        zero = code.constant(0, product.dtype, width)
        for slot in slots:
            code.builder.store(zero.value, slot)

        def piece(positions: tuple[Index, ...], j: Index, exact: bool) -> None:
            summed = dict(zip(others, positions, strict=True))
            for slot, place in zip(slots, places, strict=True):
                numbers = []
                for operand in product.operands:
                    start = product.place(code, operand, {**place, **summed, inner: j})
                    view = View(operand.view.buffer, 0, (1,), ())
                    number = code.load(view, (1,), (start,), width, length)
                    if not exact:
                        number = self._cut(number, length % width, width)
                    numbers.append(Point(code, self.memory, (), width, length).of_type(number, product.dtype))
                total = code.builder.load(slot, typ=kind)
                code.builder.store(multiply_add(code, numbers[0], numbers[1], total), slot)

        def row(positions: tuple[Index, ...]) -> None:
            whole = length // width
            code.loop(whole * width, lambda j: piece(positions, j, True), step=width)
            if length % width:
                piece(positions, whole * width, False)

        code.nest([product.lengths[c] for c in others], row)
        sums = []
        for slot in slots:
            total = code.number(code.builder.load(slot, typ=kind), product.dtype, width)
            sums.append(across(code, total, width, lambda m, a, b: a + b))
        return sums

    def _cut(self, number: Number, count: int, width: int) -> Number:
        """The first lanes, and zeros in those past the end of the row."""
        zero = self.code.constant(0, number.dtype, width)
        mask = ir.Constant(ir.VectorType(ir.IntType(1), width), [lane < count for lane in range(width)])
        return self.code.number(self.code.builder.select(mask, number.value, zero.value), number.dtype, width)


def finish(code: Code, memory: Memory, product: Product, at: dict[str, Index], total: Number, width: int) -> None:
    """The group's elementwise equations on a finished sum, and stores."""
    point = Point(code, memory, tuple(at[c] for c in product.result), width, product.lengths.get(product.vector, 1))
    point.keep(product.equation.output, total, product.group)
    point.compute(product.group)
