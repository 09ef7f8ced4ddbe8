"""Folds: reductions being collected over a group's space, in registers along a row and from row to row, or in memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.planning.buffers import View, lanes, long_axes, long_strides
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.planning.sharing import BLOCKS, reduced_axes
from chainrule.engines.llvm.writing.code import Code, vector_type
from chainrule.engines.llvm.writing.long_sums import losses, settled, with_losses
from chainrule.engines.llvm.writing.points import Point
from chainrule.engines.llvm.writing.positions import Index
from chainrule.ops import REGISTRY, Elementwise, Reduction
from chainrule.tracing import Equation


@dataclass
class Fold:
    """A reduction being collected: where it goes, and which of the space's axes it sums.

    `block` is empty, or the number of the block of rows whose sums are collected: then `view` has an axis of blocks first.
    """

    equation: Equation
    op: Reduction
    reduced: tuple[bool, ...]
    view: View
    count: int
    block: tuple[Index, ...] = ()

    @property
    def along_row(self) -> bool:
        """Whether the lanes of a row are joined."""
        return bool(self.reduced) and self.reduced[-1]

    @property
    def across_rows(self) -> bool:
        """Whether rows are joined with each other."""
        return any(self.reduced[:-1])

    @property
    def strides(self) -> tuple[int, ...]:
        """Strides of the result over the whole space: 0 along what is summed."""
        rest = iter(self.result_strides)
        blocks = tuple(next(rest) for _ in self.block)
        return (*blocks, *(0 if gone else next(rest) for gone in self.reduced))

    @property
    def result_strides(self) -> tuple[int, ...]:
        """Strides of the result along its own long axes."""
        return long_strides(self.view)

    @property
    def result_space(self) -> tuple[int, ...]:
        """The long axes of the result."""
        return long_axes(self.equation.output.shape)

    def join(self, m: Any, a: Vector, b: Vector) -> Vector:
        """Two totals as one."""
        return getattr(m, self.op.combine or "")(a, b)  # type: ignore[no-any-return]

    def start(self, code: Code, width: int) -> Vector:
        """The number every total begins with, as NumPy's: 0 for sums, so that the sum of −0.0 is 0.0."""
        identity = getattr(np, self.op.combine or "").identity
        if identity is None:
            return neutral(code, self.op.combine or "", self.equation.output.dtype, width)
        return _constant(code, identity, self.equation.output.dtype, width)

    def alone(self, code: Code, m: Any, value: Vector) -> Vector:
        """The result where one element is all that is collected."""
        return self.finished(m, self.join(m, self.start(code, m.width), value))

    def source(self, point: Point) -> Vector:
        """What is collected at this point, in the dtype of the result."""
        x = self.equation.inputs[0]
        return point.of_type(point.value(x, x.shape), self.equation.output.dtype)

    def finished(self, m: Any, total: Vector) -> Vector:
        """A total, with what remains to be done to it."""
        return total if self.op.finish is None else self.op.finish(total, int(self.count))

    def numbers(self, count: int, block: int = 1) -> int:
        """How many numbers make up a running total of `count` vectors, joined in blocks one after the other."""
        return losses(count, block) if self.op.combine == "add" and self.equation.output.dtype.kind == "f" else 1

    def starts(self, code: Code, width: int, count: int, block: int = 1) -> list[Any]:
        """A running total of `count` vectors to begin with; after it what rounding loses, where that is much."""
        zero = code.constant(0, self.equation.output.dtype, width)
        return [self.start(code, width).value, *[zero.value] * (self.numbers(count, block) - 1)]

    def joined_to(self, code: Code, totals: list[Any], value: Vector) -> list[Any]:
        """A running total with one more vector."""
        before = [code.number(x, value.dtype, _width(value)) for x in totals]
        if len(before) == 1:
            return [self.join(value.mathematics, before[0], value).value]
        return [x.value for x in with_losses(before, value)]

    def settled(self, code: Code, totals: list[Any], width: int) -> Vector:
        """A running total as one vector."""
        return settled([code.number(x, self.equation.output.dtype, width) for x in totals])

    def slots(self, code: Code, width: int, count: int = 1, block: int = 1) -> list[Any]:
        """Registers for a running total of `count` vectors, joined in blocks."""
        slots = []
        for start in self.starts(code, width, count, block):
            with code.builder.goto_entry_block():
                slots.append(code.builder.alloca(start.type))
            code.builder.store(start, slots[-1])
        return slots

    def of_slots(self, code: Code, slots: list[Any], width: int) -> Vector:
        """A running total as one vector."""
        return self.settled(code, self.loaded(code, slots, width), width)

    def loaded(self, code: Code, slots: list[Any], width: int) -> list[Any]:
        """The running total in registers."""
        kind = vector_type(self.equation.output.dtype, width)
        return [code.builder.load(slot, typ=kind) for slot in slots]

    def collect(self, code: Code, point: Point, slots: list[Any], j: Index, length: int) -> None:
        """Join what is at a point: to the running total in `slots`, or to the result."""
        value, width = self.source(point), point.width
        if not self.along_row:
            strides, place = self.strides, (*self.block, *point.point)
            if self.across_rows:
                before = code.load(self.view, strides, place, width, length)
                value = self.join(point.m, before, value)
            else:
                value = self.alone(code, point.m, value)
            code.store(self.view, strides, place, value.value, width)
            return
        value = self.in_row(code, value, j, length, width)
        self.join_slots(code, slots, value)

    def join_slots(self, code: Code, slots: list[Any], value: Vector) -> None:
        """Join one more vector to a running total."""
        before = self.loaded(code, slots, _width(value))
        for slot, total in zip(slots, self.joined_to(code, before, value), strict=True):
            code.builder.store(total, slot)

    def in_row(self, code: Code, value: Vector, j: Index, length: int, width: int) -> Vector:
        """The value in lanes that exist, and a number that changes nothing in those past the end of the row."""
        if length % width == 0 or (isinstance(j, int) and j + width <= length):
            return value
        i64 = ir.IntType(64)
        numbers = ir.Constant(ir.VectorType(i64, width), list(range(width)))
        bound = code.splat(code.value(code.sum((length, 1), (j, -1))), np.dtype(np.int64), width).value
        mask = code.builder.icmp_signed("<", numbers, bound)
        return code.number(code.builder.select(mask, value.value, self.start(code, width).value), value.dtype, width)

    def end_of_row(self, code: Code, slots: list[Any], outer: tuple[Index, ...], width: int) -> None:
        """The lanes of a row's total joined into one number, and that stored."""
        dtype = self.equation.output.dtype
        total = across(code, self.of_slots(code, slots, width), width, self.join)
        m, strides, point = code.mathematics(1), self.strides[:-1], (*self.block, *outer)
        if self.across_rows:
            place = code.place(self.view, strides, point)
            total = self.join(m, code.number(code.load_scalar(self.view.buffer, place), dtype, 1), total)
        else:
            total = self.finished(m, total)
        code.store(self.view, strides, point, total.value, 1)

    def over(
        self,
        code: Code,
        widest: int,
        along: Any,
        number: Callable[[Code, tuple[Index, ...], int], Vector],
        outer: tuple[Index, ...] = (),
    ) -> None:
        """A number at every place of the result, or at those inside these positions of its first axes."""
        space = self.result_space[len(outer) :]
        width = lanes(space[-1], widest) if space else 1

        def write(inner: tuple[Index, ...]) -> None:
            point = (*outer, *inner)
            code.store(self.view, self.result_strides, (*self.block, *point), number(code, point, width).value, width)

        if not space:
            along(1, lambda _: write(()))
        else:
            code.nest(space[:-1], lambda inner: along(space[-1], lambda j: write((*inner, j)), step=width))

    def neutral(self, code: Code, point: tuple[Index, ...], width: int) -> Vector:
        """The number every total begins with."""
        return self.start(code, width)

    def total(self, code: Code, point: tuple[Index, ...], width: int) -> Vector:
        """What is in the result, finished."""
        total = code.load(self.view, self.result_strides, point, width, max(self.result_space[-1:], default=1))
        return self.finished(code.mathematics(width), total)

    def joined(self, parts: Fold, code: Code, point: tuple[Index, ...], width: int) -> Vector:
        """The sums of all blocks joined, in their order."""
        m, length = code.mathematics(width), max(self.result_space[-1:], default=1)
        numbers = (code.load(parts.view, parts.result_strides, (b, *point), width, length) for b in range(BLOCKS))
        return self.finished(m, reduce(partial(self.join, m), numbers))


def _width(vector: Vector) -> int:
    kind = vector.value.type
    return kind.count if isinstance(kind, ir.VectorType) else 1


def neutral(code: Code, combine: str, dtype: np.dtype[Any], width: int) -> Vector:
    """The number that changes nothing when an elementwise operation joins it to another."""
    op = REGISTRY[combine]
    assert isinstance(op, Elementwise)
    number = op.neutral[0]
    assert number is not None
    return _constant(code, number, dtype, width)


def _constant(code: Code, number: float, dtype: np.dtype[Any], width: int) -> Vector:
    """A number, where infinity stands for the largest integer, or for True."""
    if dtype.kind == "b":
        number = number > 0
    if dtype.kind in "iu" and abs(number) == np.inf:
        number = np.iinfo(dtype).max if number > 0 else np.iinfo(dtype).min
    return code.constant(number, dtype, width)


def fold_of(memory: MemoryPlan, equation: Equation) -> Fold:
    """A reduction, to be collected where its result belongs."""
    assert isinstance(equation.op, Reduction)
    shape, axis = equation.inputs[0].shape, equation.attributes["axis"]
    count = math.prod([shape[i] for i in axis])
    return Fold(equation, equation.op, reduced_axes(equation), memory.view(equation.output), count)


def across(code: Code, vector: Vector, width: int, join: Any) -> Vector:
    """All lanes of a vector joined, halves at a time."""
    return across_each(code, [vector], width, join)


def across_each(code: Code, vectors: list[Vector], width: int, join: Any) -> Vector:
    """The lanes of some vectors joined, halves at a time: a vector of as many numbers, which are a power of two up to `width`.

    Two vectors become one that has half as many numbers of each, so that for several it takes little more than for one. In 16
    bytes the numbers of both take turns, which are moved fastest, else those of one are beside each other.
    """
    size, turns = width, width * vectors[0].dtype.itemsize <= 16
    while size > 1:
        pairs = [*zip(vectors[::2], vectors[1::2], strict=True)] if len(vectors) > 1 else [(vectors[0],)]
        lanes_ = range(width * len(pairs[0]))
        own = width // size  # numbers of how many of the first vectors are in each
        places = [i % width // own if turns else i % size for i in lanes_]
        low, high = ([i for i in lanes_ if places[i] // (size // 2) == half] for half in (0, 1))
        if turns:
            low.sort(key=lambda i: i % width // own)
            high.sort(key=lambda i: i % width // own)
        width, size = len(lanes_) // 2, size // 2
        m = code.mathematics(width)
        vectors = [join(m, *(_picked(code, pair, half) for half in (low, high))) for pair in pairs]
    return vectors[0]


def _picked(code: Code, vectors: tuple[Vector, ...], lanes_: list[int]) -> Vector:
    """Some lanes of one vector, or of two."""
    values, i32 = [x.value for x in vectors], ir.IntType(32)
    if len(lanes_) == 1:
        return code.number(code.builder.extract_element(values[0], i32(lanes_[0])), vectors[0].dtype, 1)
    other = values[1] if len(values) > 1 else ir.Constant(values[0].type, ir.Undefined)
    mask = ir.Constant(ir.VectorType(i32, len(lanes_)), lanes_)
    return code.number(code.builder.shuffle_vector(values[0], other, mask), vectors[0].dtype, len(lanes_))
