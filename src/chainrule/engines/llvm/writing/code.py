"""Writing LLVM IR: addresses, loops, and vectors loaded from views and stored to them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.machine.target import Target
from chainrule.engines.llvm.mathematics import Mathematics, Vector
from chainrule.engines.llvm.mathematics.numbers import constant
from chainrule.engines.llvm.planning.buffers import Buffer, View, storage_type
from chainrule.engines.llvm.threads.thread_group import SingleThread
from chainrule.engines.llvm.writing.positions import Index, Positions, Sum
from chainrule.engines.llvm.writing.sizes import Size, smaller
from chainrule.tracing import Variable

i1, i8, i32, i64, pointer = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.PointerType()

SCALARS = {
    "float32": ir.FloatType(),
    "float64": ir.DoubleType(),
    "bool": i1,
    **{f"{sign}int{size}": ir.IntType(size) for sign in ("", "u") for size in (8, 16, 32, 64)},
}

ROUND = 16
"""Vectors computed in a round of a loop, up to which several rounds are written out one after another."""


@cache
def vector_type(dtype: np.dtype[Any], width: int) -> Any:
    """The IR type of a vector of numbers; of one number the number's own."""
    scalar = SCALARS[dtype.name]
    return scalar if width == 1 else ir.VectorType(scalar, width)


@cache
def _undefined(dtype: np.dtype[Any], width: int) -> Any:
    return ir.Value(vector_type(dtype, width), "undef")


@cache
def _first_lane(width: int) -> Any:
    return ir.Constant(ir.VectorType(i32, width), [0] * width)


class Code:
    """A function being written: the builder, the memory's base, the CPU, whether loops are written out, and the threads.

    `own` is memory that a thread has for itself, for values, and `workspace` more of it for panels; `places` are the addresses of
    buffers that the running code is told, those of others are known, and `numbers` are values without axes that it is told. The
    `record` has sizes that it is told.
    """

    def __init__(
        self,
        builder: Any,
        memory: Any,
        target: Target,
        *,
        unrolled: bool,
        threads: SingleThread | None = None,
        workspace: Any = None,
        own: Any = None,
        places: Mapping[Buffer, Any] = MappingProxyType({}),
        numbers: Mapping[Variable, Any] = MappingProxyType({}),
        record: Any = None,
    ) -> None:
        self.places, self.numbers, self.target, self.workspace, self.own = places, numbers, target, workspace, own
        self.builder, self.memory, self.unrolled, self.threads = builder, memory, unrolled, threads or SingleThread()
        self._record, self.positions = record, Positions(builder, self._told)
        self._mathematics: dict[tuple[int, bool], Mathematics] = {}

    def mathematics(self, width: int, *, inline: bool = False) -> Mathematics:
        """The namespace of vectors of this width, whose functions are called, or written where they are used."""
        kind = width, inline or self.unrolled
        if kind not in self._mathematics:
            self._mathematics[kind] = Mathematics(self.builder, *kind, self.target.lacks)
        return self._mathematics[kind]

    def number(self, value: Any, dtype: np.dtype[Any], width: int) -> Vector:
        """An IR value as a number to compute with."""
        return self.mathematics(width).wrap(value, dtype)

    def constant(self, value: Any, dtype: np.dtype[Any], width: int) -> Vector:
        """A known number in every lane."""
        return self.number(constant(np.asarray(value, dtype)[()].item(), dtype, width), dtype, width)

    # --- loops

    def loop(self, count: Index, body: Callable[[Index], None], *, step: int = 1, unroll: bool = False) -> None:
        """`body(0)`, `body(step)`, … below `count`; written out when short programs ask for it."""

        def without(i: Index, carried: list[Any]) -> list[Any]:
            body(i)
            return carried

        self.carried_loop(count, [], without, step=step, unroll=unroll)

    def carried_loop(
        self,
        count: Index,
        carried: list[Any],
        body: Callable[[Index, list[Any]], list[Any]],
        *,
        step: int = 1,
        unroll: bool = False,
        leave: Callable[[Any], Any] | None = None,
    ) -> list[Any]:
        """A loop whose body takes IR values and gives those the next round takes; gives the last ones.

        It ends early after so many rounds of which `leave` is true.
        """
        told = isinstance(count, Size)
        known = not isinstance(count, Sum) and (not told or bool(carried and count > 0))
        if not isinstance(count, Sum) and (unroll or self.unrolled or (not told and count <= step)):
            for i in range(-(-count // step)):
                carried = body(i * step, carried)
            return carried
        builder = self.builder
        head = builder.append_basic_block("loop")
        after = builder.append_basic_block("after")
        limit = self.value(count)
        entry = builder.block
        if known:
            builder.branch(head)
        else:
            builder.cbranch(builder.icmp_signed("<", i64(0), limit), head, after)
        builder.position_at_end(head)
        begins = [builder.phi(x.type) for x in carried]
        index = builder.phi(i64, name="i")
        for phi, value in zip((*begins, index), (*carried, i64(0)), strict=True):
            phi.add_incoming(value, entry)
        ends = body(self.positions.found(index), list(begins))
        following = builder.add(index, self.value(step))
        for phi, value in zip((*begins, index), (*ends, following), strict=True):
            phi.add_incoming(value, builder.block)
        last, goes_on = builder.block, builder.icmp_signed("<", following, limit)
        if leave is not None:
            goes_on = builder.and_(goes_on, builder.not_(leave(following)))
        builder.cbranch(goes_on, head, after)
        builder.position_at_end(after)
        if known:
            return ends
        results = [builder.phi(x.type) for x in carried]
        for phi, value, first in zip(results, ends, carried, strict=True):
            phi.add_incoming(first, entry)
            phi.add_incoming(value, last)
        return results

    def carried_nest(
        self,
        counts: Sequence[int],
        carried: list[Any],
        body: Callable[[tuple[Index, ...], list[Any]], list[Any]],
        work: int = ROUND,
    ) -> list[Any]:
        """Loops inside each other that carry values; where a round is little work, several of the innermost are written out."""
        if not counts:
            return body((), carried)
        if len(counts) > 1:
            return self.carried_loop(
                counts[0],
                carried,
                lambda i, x: self.carried_nest(counts[1:], x, lambda rest, y: body((i, *rest), y), work),
            )
        several = () if isinstance(counts[0], Size) else (4, 3, 2)
        rounds = next((n for n in several if n * work <= ROUND and counts[0] % n == 0), 1)

        def some(i: Index, carried: list[Any]) -> list[Any]:
            for k in range(rounds):
                carried = body((self.sum((i, 1), (k, 1)),), carried)
            return carried

        return self.carried_loop(counts[0], carried, some, step=rounds)

    def nest(self, counts: Sequence[int], body: Callable[[tuple[Index, ...]], None]) -> None:
        """Loops inside each other, one for every count."""
        if not counts:
            body(())
            return
        self.loop(counts[0], lambda i: self.nest(counts[1:], lambda rest: body((i, *rest))))

    def shared(self, count: int, body: Callable[[Index], None], *, step: int = 1, unroll: bool = False) -> None:
        """A loop of which every thread takes its share."""
        if not self.threads.dividing:
            self.loop(count, body, step=step, unroll=unroll)
            return
        begin, end = map(self.positions.found, self.threads.share(self.value(-(-count // step))))
        self.loop(self.sum((end, 1), (begin, -1)), lambda k: body(self.sum((k, step), (begin, step))))

    def shared_nest(self, counts: Sequence[int], body: Callable[[tuple[Index, ...]], None]) -> None:
        """A nest of loops of whose points every thread takes its share."""
        if not self.threads.dividing:
            self.nest(counts, body)
            return
        long = [n for n in counts if isinstance(n, Size) or n != 1]

        def point(place: Index) -> None:
            rest, positions = place, []
            for n in reversed(long[1:]):
                whole = self.divide(rest, n)
                positions.append(self.sum((rest, 1), (whole, -n)))
                rest = whole
            found = iter([rest, *reversed(positions)])
            body(tuple(next(found) if isinstance(n, Size) or n != 1 else 0 for n in counts))

        self.shared(math.prod(long), point)

    def shared_ranges(
        self, counts: Sequence[int], length: int, most: int, body: Callable[[tuple[Index, ...], Index, Index], None]
    ) -> None:
        """A nest of loops inside of which positions below `length` are taken together, as many as are a thread's, `most` at once.

        The body is told the positions of the nest, the first of those taken together, and how many they are.
        """

        def ranges(at: tuple[Index, ...], begin: Index, end: Index) -> None:
            def some(k: Index) -> None:
                first = self.sum((begin, 1), (k, 1))
                body(at, first, self.smaller(self.sum((end, 1), (first, -1)), most))

            self.loop(self.sum((end, 1), (begin, -1)), some, step=most)

        if not self.threads.dividing:
            self.nest(counts, lambda at: ranges(at, 0, length))
            return
        if not isinstance(length, Size) and length == 1:
            self.shared_nest(counts, lambda at: body(at, 0, 1))
            return
        begin, end = map(self.positions.found, self.threads.share(self.value(math.prod(counts) * length)))
        start = self.divide(begin, length)

        def one(k: Index) -> None:
            place = self.sum((start, 1), (k, 1))
            rest, positions = place, []
            for n in reversed(counts[1:]):
                whole = self.divide(rest, n)
                positions.append(self.sum((rest, 1), (whole, -n)))
                rest = whole
            before = self.smaller(self.sum((place, length), (begin, -1)), 0)
            behind = self.smaller(self.sum((end, 1), (place, -length)), length)
            ranges((rest, *reversed(positions)), self.sum((before, -1)), behind)

        self.loop(self.sum((self.divide(self.sum((end, 1), (length - 1, 1)), length), 1), (start, -1)), one)

    def _told(self, place: int) -> Any:
        """A number of the record, read in the function's first block."""
        with self.builder.goto_entry_block():
            return self.builder.load(self.builder.gep(self._record, [i64(place)], source_etype=i64), typ=i64)

    # --- addresses

    def sum(self, *terms: tuple[Index, int]) -> Index:
        """Σ index · stride."""
        return self.positions.sum(*terms)

    def value(self, index: Index) -> Any:
        """A position as an IR value."""
        return self.positions.value(index)

    def divide(self, index: Index, divisor: int) -> Index:
        """The whole part of a quotient."""
        if not isinstance(index, Sum):
            return index // divisor
        return self.positions.found(self.builder.udiv(self.value(index), self.value(divisor)))

    def part(self, count: int, i: Index, parts: int) -> tuple[Index, Index]:
        """Where part `i` of `count` things in so many parts begins and ends."""
        begin = self.sum((i, count))
        return self.divide(begin, parts), self.divide(self.sum((begin, 1), (count, 1)), parts)

    def address(self, buffer: Buffer, place: Index) -> Any:
        """Where the number at `place` of a buffer lies."""
        size = storage_type(buffer.dtype).itemsize
        if buffer in self.places:
            return self.at_byte(self.places[buffer], self.sum((place, size)))
        base = self.own if buffer.private else self.memory
        return self.at_byte(base, self.sum((place, size), (buffer.offset, 1)))

    @property
    def bases(self) -> tuple[Any, ...]:
        """What places are counted from: the arena, the thread's memory for panels and for values, and all places it is told."""
        return self.memory, self.workspace, self.own or self.workspace, *self.places.values()

    def base(self, buffer: Buffer, place: int = 0) -> tuple[int, int]:
        """Which of these the number at `place` of a buffer is counted from, and how many bytes it lies behind."""
        behind = place * storage_type(buffer.dtype).itemsize
        if buffer in self.places:
            return 3 + [*self.places].index(buffer), behind
        return 2 * buffer.private, buffer.offset + behind

    def offset(self, buffer: Buffer, place: int = 0) -> Any:
        """How many bytes behind the arena's beginning the number at `place` of a buffer lies, as an IR value."""
        if buffer not in self.places and not buffer.private:
            return i64(buffer.offset + place * storage_type(buffer.dtype).itemsize)
        ends = (self.builder.ptrtoint(x, i64) for x in (self.address(buffer, place), self.memory))
        return self.builder.sub(*ends)

    def at_byte(self, base: Any, offset: Index) -> Any:
        """The address so many bytes from one that is known since the function's first block."""
        return self.positions.pointer(base, offset)

    def prefetch(self, address: Any) -> None:
        """Ask for a line of memory that will be read soon."""
        name, module = "llvm.prefetch.p0", self.builder.module
        if name not in module.globals:
            ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer, i32, i32, i32]), name)
        reading, keep, data = i32(0), i32(3), i32(1)
        self.builder.call(module.globals[name], [address, reading, keep, data])

    def place(self, view: View, space_strides: Sequence[int], point: Sequence[Index]) -> Index:
        """The number of a view that belongs to a point."""
        return self.sum((view.start, 1), *zip(point, space_strides, strict=True))

    # --- numbers in and out

    def load(self, view: View, strides: Sequence[int], point: Sequence[Index], width: int, length: int) -> Vector:
        """`width` numbers from a point on, along the last axis of the space, which has `length` points."""
        dtype = view.buffer.dtype
        along = strides[-1] if strides else 0
        place = self.place(view, strides, point)
        if width == 1 or along == 0:
            return self.splat(self.load_scalar(view.buffer, place), dtype, width)
        if along == 1:
            stored = storage_type(dtype)
            value = self.builder.load(
                self.address(view.buffer, place), typ=vector_type(stored, width), align=stored.itemsize
            )
            return self.number(self._from_storage(value, dtype, width), dtype, width)
        return self._gathered(view, strides, point, width, length)

    def _gathered(self, view: View, strides: Sequence[int], point: Sequence[Index], width: int, length: int) -> Vector:
        """Numbers that do not lie side by side, one by one; lanes past the end repeat the last."""
        dtype = view.buffer.dtype
        vector = ir.Constant(vector_type(dtype, width), ir.Undefined)
        for lane in range(width):
            last: Index = self.sum((point[-1], 1), (lane, 1))
            if length % width:
                last = self.smaller(last, length - 1)
            place = self.place(view, strides, (*point[:-1], last))
            vector = self.builder.insert_element(vector, self.load_scalar(view.buffer, place), i32(lane))
        return self.number(vector, dtype, width)

    def smaller(self, index: Index, bound: int) -> Index:
        """The smaller of a position and a number."""
        if not isinstance(index, Sum):
            return smaller(index, bound)
        value, most = self.value(index), self.value(bound)
        return self.positions.found(self.builder.select(self.builder.icmp_signed("<", value, most), value, most))

    def load_scalar(self, buffer: Buffer, place: Index) -> Any:
        """One number."""
        stored = storage_type(buffer.dtype)
        value = self.builder.load(self.address(buffer, place), typ=vector_type(stored, 1), align=stored.itemsize)
        return self._from_storage(value, buffer.dtype, 1)

    def store(self, view: View, strides: Sequence[int], point: Sequence[Index], number: Any, width: int) -> None:
        """Write numbers side by side."""
        dtype = view.buffer.dtype
        value = number
        if dtype == np.bool_:
            value = self.builder.zext(value, vector_type(np.dtype(np.uint8), width))
        place = self.place(view, strides, point)
        self.builder.store(value, self.address(view.buffer, place), align=storage_type(dtype).itemsize)

    def _from_storage(self, value: Any, dtype: np.dtype[Any], width: int) -> Any:
        if dtype != np.bool_:
            return value
        zero = ir.Constant(vector_type(np.dtype(np.uint8), width), None if width > 1 else 0)
        return self.builder.icmp_unsigned("!=", value, zero)

    def splat(self, scalar: Any, dtype: np.dtype[Any], width: int) -> Vector:
        """One number in every lane."""
        if width == 1:
            return self.number(scalar, dtype, 1)
        nothing, lanes = _undefined(dtype, width), _first_lane(width)
        first = self.builder.insert_element(nothing, scalar, i32(0))
        return self.number(self.builder.shuffle_vector(first, nothing, lanes), dtype, width)
