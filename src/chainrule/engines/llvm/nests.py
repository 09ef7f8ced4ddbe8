"""Groups of elementwise equations and folds, as nests of loops over vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

import numpy as np
from llvmlite import ir

from chainrule.engines.llvm.buffers import View, lanes, long_axes, long_strides
from chainrule.engines.llvm.code import Code, Index, vector_type
from chainrule.engines.llvm.groups import Group
from chainrule.engines.llvm.mathematics import Number
from chainrule.engines.llvm.memory import Memory
from chainrule.engines.llvm.sharing import BLOCKS, Way, reduced_axes, way
from chainrule.ops import Reduction
from chainrule.tracing import Constant, Equation, Variable
from chainrule.tracing.program import Atom

ROWS_WRITTEN_OUT = 4
"""Vectors along a row up to which the loop over them is written out."""


class Point:
    """The values at one point of a group's space, in registers: `width` of them side by side."""

    def __init__(self, code: Code, memory: Memory, point: Sequence[Index], width: int, length: int) -> None:
        self.code, self.memory, self.point, self.width, self.length = code, memory, tuple(point), width, length
        self.m = code.mathematics(width)
        self.values: dict[Any, Number] = {}

    def compute(self, group: Group) -> None:
        """The group's elementwise equations, and stores of what others need."""
        for equation in group.pointwise:
            shape = equation.output.shape
            inputs = [self.value(x, shape) for x in equation.inputs]
            value = getattr(self.m, equation.op.name)(*inputs, **equation.attributes)
            self.keep(equation.output, self.of_type(value, equation.output.dtype), group)

    def keep(self, x: Variable, number: Number, group: Group) -> None:
        """A value computed here; stored if another group needs it."""
        self.values[x] = number
        if x in group.stored:
            view = self.memory.view(x)
            self.code.store(view, _strides(view, x.shape), self.point, number.value, self.width)

    def value(self, x: Atom, shape: tuple[int, ...]) -> Any:
        """An operand of an equation whose result has `shape`: from a register, from memory, or a constant."""
        if isinstance(x, Constant) and not hasattr(x.value, "dtype"):
            return x.value
        if isinstance(x, Constant) and x.shape == ():
            return self.code.constant(x.value, np.asarray(x.value).dtype, self.width)
        if isinstance(x, Variable):
            source = self.memory.register(x)
            if source in self.values:
                return self.values[source]
        view = self.memory.view(x)
        strides = _strides(view, shape)
        key = (view.buffer, view.start, strides)
        if key not in self.values:
            self.values[key] = self.code.load(view, strides, self.point, self.width, self.length)
        return self.values[key]

    def of_type(self, value: Any, dtype: np.dtype[Any]) -> Number:
        """A value as a number of this dtype; Python numbers become constants."""
        if not isinstance(value, Number):
            return self.code.constant(value, dtype, self.width)
        return value if value.dtype == dtype else self.m.convert(value, dtype)


def _strides(view: View, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides along the long axes of a shape the view broadcasts to."""
    return tuple(s for s, n in zip(view.along(shape), shape, strict=True) if n != 1)


@dataclass
class _Fold:
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
        return bool(self.reduced) and self.reduced[-1]

    @property
    def across_rows(self) -> bool:
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

    def join(self, m: Any, a: Number, b: Number) -> Number:
        return getattr(m, self.op.combine or "")(a, b)  # type: ignore[no-any-return]

    def start(self, code: Code, width: int) -> Number:
        """The number that changes nothing when joined."""
        dtype = self.equation.output.dtype
        info = (
            (-np.inf, np.inf)
            if dtype.kind == "f"
            else (False, True)
            if dtype.kind == "b"
            else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        )
        neutral = {"add": 0, "multiply": 1, "maximum": info[0], "minimum": info[1], "logical_or": 0, "logical_and": 1}
        return code.constant(neutral[self.op.combine or ""], dtype, width)


def emit(code: Code, memory: Memory, group: Group) -> None:
    """Write the loops of a group without root."""
    folds = [_fold(memory, equation) for equation in group.folds]
    if not group.space:
        point = Point(code, memory, (), 1, 1)
        point.compute(group)
        for fold in folds:
            point.keep(fold.equation.output, _finished(fold, point.m, _source(point, fold)), group)
        return
    chosen = way(group) if code.team.dividing else Way.ALONE
    if chosen is Way.BLOCKS:
        _Nest(code, memory, group, folds).by_blocks()
    else:
        _Nest(code, memory, group, folds).emit(chosen)


class _Nest:
    """The loops over a group's space, and the folds collected in them."""

    def __init__(self, code: Code, memory: Memory, group: Group, folds: list[_Fold]) -> None:
        self.code, self.memory, self.group, self.folds = code, memory, group, folds
        self.length, self.width = group.space[-1], lanes(group.space[-1], memory.widest)

    def emit(self, chosen: Way) -> None:
        """All rows, shared out among threads in the way chosen."""
        code, outer_axes = self.code, self.group.space[:-1]
        along = code.shared if chosen is Way.COLUMNS or not outer_axes else code.loop
        across_rows = [f for f in self.folds if f.across_rows]
        for fold in across_rows:
            _over(code, self.memory, fold, along, partial(_neutral, code, fold))
        if chosen is Way.ROWS and across_rows:
            code.shared(
                outer_axes[0], lambda i: code.nest(outer_axes[1:], lambda rest: self._row((i, *rest), code.loop))
            )
        elif chosen is Way.ROWS and outer_axes:
            code.shared_nest(outer_axes, lambda outer: self._row(outer, code.loop))
        else:
            code.nest(outer_axes, lambda outer: self._row(outer, along))
        for fold in across_rows:
            if fold.op.finish is not None:
                _over(code, self.memory, fold, along, partial(_total, code, fold))

    def by_blocks(self) -> None:
        """Blocks of rows shared out among threads: each collects sums of its own, which are joined in order."""
        code, (rows, *inner) = self.code, self.group.space[:-1]
        finals = [fold for fold in self.folds if fold.across_rows]

        def block(b: Index) -> None:
            begin, end = code.part(rows, b, BLOCKS)
            parts = [replace(f, view=self.memory.parts[f.equation.output].view(), block=(b,)) for f in finals]
            for part in parts:
                _over(code, self.memory, part, code.loop, partial(_neutral, code, part))
            nest = _Nest(code, self.memory, self.group, [*(f for f in self.folds if f not in finals), *parts])
            code.loop(
                code.sum((end, 1), (begin, -1)),
                lambda i: code.nest(inner, lambda rest: nest._row((code.sum((i, 1), (begin, 1)), *rest), code.loop)),
            )

        code.shared(BLOCKS, block)
        code.team.meet()
        for fold in finals:
            part = replace(fold, view=self.memory.parts[fold.equation.output].view())
            _over(code, self.memory, fold, code.shared, partial(_joined, code, fold, part))

    def _row(self, outer: tuple[Index, ...], loop: Any) -> None:
        """One row of vectors."""
        code, width = self.code, self.width
        totals = {id(f): _slot(code, f, width) for f in self.folds if f.along_row}

        def piece(j: Index) -> None:
            point = Point(code, self.memory, (*outer, j), width, self.length)
            point.compute(self.group)
            for fold in self.folds:
                _collect(code, point, fold, totals.get(id(fold)), j, self.length)

        vectors = -(-self.length // width)
        loop(self.length, piece, step=width, unroll=vectors <= ROWS_WRITTEN_OUT)
        for fold in self.folds:
            if fold.along_row:
                _end_of_row(code, fold, totals[id(fold)], outer, width)


def _fold(memory: Memory, equation: Equation) -> _Fold:
    assert isinstance(equation.op, Reduction)
    shape, axis = equation.inputs[0].shape, equation.attributes["axis"]
    count = int(np.prod([shape[i] for i in axis], dtype=np.int64))
    return _Fold(equation, equation.op, reduced_axes(equation), memory.view(equation.output), count)


def _source(point: Point, fold: _Fold) -> Number:
    """What is collected at this point, in the dtype of the result."""
    x = fold.equation.inputs[0]
    return point.of_type(point.value(x, x.shape), fold.equation.output.dtype)


def _finished(fold: _Fold, m: Any, total: Number) -> Number:
    return total if fold.op.finish is None else fold.op.finish(total, fold.count)


def _slot(code: Code, fold: _Fold, width: int) -> Any:
    """A register for a row's running total."""
    kind = vector_type(fold.equation.output.dtype, width)
    with code.builder.goto_entry_block():
        slot = code.builder.alloca(kind)
    code.builder.store(fold.start(code, width).value, slot)
    return slot


def _collect(code: Code, point: Point, fold: _Fold, slot: Any, j: Index, length: int) -> None:
    value, dtype, width = _source(point, fold), fold.equation.output.dtype, point.width
    if not fold.along_row:
        strides, place = fold.strides, (*fold.block, *point.point)
        if fold.across_rows:
            before = code.load(fold.view, strides, place, width, length)
            value = fold.join(point.m, before, value)
        else:
            value = _finished(fold, point.m, value)
        code.store(fold.view, strides, place, value.value, width)
        return
    if length % width and not (isinstance(j, int) and j + width <= length):
        value = _masked(code, value, fold.start(code, width), j, length, width)
    before = code.number(code.builder.load(slot, typ=vector_type(dtype, width)), dtype, width)
    code.builder.store(fold.join(point.m, before, value).value, slot)


def _masked(code: Code, value: Number, other: Number, j: Index, length: int, width: int) -> Number:
    """The value in lanes that exist, another in those past the end of the row."""
    if width == 1:
        return value
    i64 = ir.IntType(64)
    numbers = ir.Constant(ir.VectorType(i64, width), list(range(width)))
    left = length - j if isinstance(j, int) else code.builder.sub(i64(length), j)
    bound = code.splat(i64(left) if isinstance(left, int) else left, np.dtype(np.int64), width).value
    mask = code.builder.icmp_signed("<", numbers, bound)
    return code.number(code.builder.select(mask, value.value, other.value), value.dtype, width)


def _end_of_row(code: Code, fold: _Fold, slot: Any, outer: tuple[Index, ...], width: int) -> None:
    """The lanes of a row's total joined into one number, and that stored."""
    dtype = fold.equation.output.dtype
    vector = code.number(code.builder.load(slot, typ=vector_type(dtype, width)), dtype, width)
    total = across(code, vector, width, fold.join)
    m, strides, point = code.mathematics(1), fold.strides[:-1], (*fold.block, *outer)
    if fold.across_rows:
        place = code.place(fold.view, strides, point)
        total = fold.join(m, code.number(code.load_scalar(fold.view.buffer, place), dtype, 1), total)
    else:
        total = _finished(fold, m, total)
    code.store(fold.view, strides, point, total.value, 1)


def across(code: Code, vector: Number, width: int, join: Any) -> Number:
    """All lanes of a vector joined, halves at a time."""
    while width > 1:
        width //= 2
        undefined = ir.Constant(vector.value.type, ir.Undefined)
        i32 = ir.IntType(32)
        halves = [
            code.builder.shuffle_vector(
                vector.value, undefined, ir.Constant(ir.VectorType(i32, width), list(range(begin, begin + width)))
            )
            for begin in (0, width)
        ]
        if width == 1:
            halves = [code.builder.extract_element(vector.value, i32(lane)) for lane in (0, 1)]
        vector = join(code.mathematics(width), *(code.number(half, vector.dtype, width) for half in halves))
    return vector


def _neutral(code: Code, fold: _Fold, point: tuple[Index, ...], width: int) -> Number:
    """The number every total begins with."""
    return fold.start(code, width)


def _total(code: Code, fold: _Fold, point: tuple[Index, ...], width: int) -> Number:
    """A total, with what remains to be done to it."""
    total = code.load(fold.view, fold.result_strides, point, width, max(fold.result_space[-1:], default=1))
    return _finished(fold, code.mathematics(width), total)


def _joined(code: Code, fold: _Fold, parts: _Fold, point: tuple[Index, ...], width: int) -> Number:
    """The sums of all blocks joined, in their order."""
    m, length = code.mathematics(width), max(fold.result_space[-1:], default=1)
    numbers = (code.load(parts.view, parts.result_strides, (b, *point), width, length) for b in range(BLOCKS))
    return _finished(fold, m, reduce(partial(fold.join, m), numbers))


def _over(code: Code, memory: Memory, fold: _Fold, along: Any, number: Any) -> None:
    """A number at every place of a fold's result."""
    space = fold.result_space
    width = lanes(space[-1], memory.widest) if space else 1

    def write(point: tuple[Index, ...]) -> None:
        code.store(fold.view, fold.result_strides, (*fold.block, *point), number(point, width).value, width)

    if not space:
        along(1, lambda _: write(()))
    else:
        code.nest(space[:-1], lambda outer: along(space[-1], lambda j: write((*outer, j)), step=width))
