"""Threads that carry out one function together: each takes a share of a loop, and waits where it needs the others' work.

All threads run the same code. What a thread computes of a result never depends on how many there are, so neither do the
bits of the result. A wait is a counter in the arena that every thread raises once; they spin until all have.

One that waits for so long that another must have lost its core says so, and after the step all leave: whoever called them
may go on with fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.machine.machine import YIELD, pause
from chainrule.engines.llvm.planning.buffers import ARRIVALS, BARRIER, END, HELD_UP, PATIENCE, REST, Buffer

i64, pointer = ir.IntType(64), ir.PointerType()


class SingleThread:
    """One thread: all of every loop is its share, and it waits for nobody."""

    dividing = False
    values: tuple[Any, ...] = ()
    """What a function is told by the one that calls it, so that the same threads carry it out."""

    def within(self, builder: Any, values: Sequence[Any]) -> SingleThread:
        """The same threads in another function, which was told these values."""
        return self

    def sharing(self, dividing: bool) -> SingleThread:
        """The same, where each takes a share of loops, or where they do not."""
        return self

    @contextmanager
    def section(self, reads: Iterable[Buffer], writes: Iterable[Buffer], *, shared: bool) -> Iterator[None]:
        """A part of the work, which may begin when what it reads and writes is no longer in use."""
        yield

    def awaited(self, reads: Iterable[Buffer], writes: Iterable[Buffer], *, shared: bool) -> bool:
        """Whether all are to meet before such a part of the work; then they do."""
        return False

    def used(self, reads: Iterable[Buffer], writes: Iterable[Buffer], *, shared: bool) -> None:
        """Note what a part of the work reads and writes."""

    def carry_out(self, meeting: Any, alone: Any, function: Callable[[Sequence[Any]], None]) -> None:
        """A part of the work that `function` writes, told these values: after a meeting, and by the first alone, or not."""
        function(())

    def barrier(self) -> None:
        """Wait until all threads are here."""

    def end_if_held_up(self, step: Any) -> None:
        """Where a step begins: let it be the last one if a thread was held up."""

    def have_parted(self, steps: Any) -> Any:
        """Where a step has ended: whether so many were all."""
        return ir.IntType(1)(0)

    def share(self, count: Any) -> tuple[Any, Any]:
        """Where this thread's share of so many pieces begins and ends."""
        return i64(0), count


@dataclass
class _Use:
    """Places in the arena read and written since the last barrier."""

    reads: list[tuple[int, int]] = field(default_factory=list)
    writes: list[tuple[int, int]] = field(default_factory=list)

    def in_the_way_of(self, other: _Use) -> bool:
        return (
            _overlap(self.writes, other.reads)
            or _overlap(self.writes, other.writes)
            or _overlap(self.reads, other.writes)
        )

    def add(self, other: _Use) -> None:
        self.reads += other.reads
        self.writes += other.writes


@dataclass
class _Work:
    """What was done since the last barrier, by all threads and by the first alone, in whichever functions."""

    together: _Use = field(default_factory=_Use)
    first: _Use = field(default_factory=_Use)


class ThreadGroup(SingleThread):
    """Several threads; `thread` says which one this is."""

    def __init__(self, builder: Any, arena: Any, thread: Any, threads: Any) -> None:
        self.builder, self.thread, self.threads = builder, thread, threads
        self._counter = builder.gep(arena, [i64(BARRIER)], source_etype=ir.IntType(8))
        self._wait = _waiting(builder.module)
        self._goal = builder.alloca(i64)
        builder.store(i64(0), self._goal)
        self._done = _Work()
        self.dividing = False

    @property
    def values(self) -> tuple[Any, ...]:  # type: ignore[override]
        """Which thread this is, how many there are, and where they count their arrivals."""
        return self.thread, self.threads, self._counter, self._goal

    def within(self, builder: Any, values: Sequence[Any]) -> ThreadGroup:
        """The same threads in another function, which was told these values."""
        other = copy(self)
        other.builder = builder
        other.thread, other.threads, other._counter, other._goal = values
        return other

    def sharing(self, dividing: bool) -> ThreadGroup:
        """The same, where each takes a share of loops, or where they do not."""
        found = copy(self)
        found.dividing = dividing
        return found

    @contextmanager
    def section(self, reads: Iterable[Buffer], writes: Iterable[Buffer], *, shared: bool) -> Iterator[None]:
        """A part of the work, done by all threads together or by the first one alone."""
        if self.awaited(reads, writes, shared=shared):
            self._meet()
        if shared:
            self.dividing = True
            yield
            self.dividing = False
        else:
            with self.builder.if_then(self.builder.icmp_signed("==", self.thread, i64(0))):
                yield
        self.used(reads, writes, shared=shared)

    def awaited(self, reads: Iterable[Buffer], writes: Iterable[Buffer], *, shared: bool) -> bool:
        """Whether all are to meet before such a part of the work; then they do."""
        use = _use(reads, writes)
        if self._done.together.in_the_way_of(use) or (shared and self._done.first.in_the_way_of(use)):
            self._done.together, self._done.first = _Use(), _Use()
            return True
        return False

    def used(self, reads: Iterable[Buffer], writes: Iterable[Buffer], *, shared: bool) -> None:
        """Note what a part of the work reads and writes."""
        (self._done.together if shared else self._done.first).add(_use(reads, writes))

    def carry_out(self, meeting: Any, alone: Any, function: Callable[[Sequence[Any]], None]) -> None:
        """A part of the work that `function` writes, told these values: after a meeting, and by the first alone, or not."""
        builder = self.builder
        with builder.if_then(meeting):
            self._meet()
        with builder.if_then(builder.or_(builder.not_(alone), builder.icmp_signed("==", self.thread, i64(0)))):
            thread, threads = (builder.select(alone, i64(n), x) for n, x in enumerate((self.thread, self.threads)))
            function((thread, threads, self._counter, self._goal))

    def barrier(self) -> None:
        """Wait until all threads are here."""
        self._meet()
        self._done.together, self._done.first = _Use(), _Use()

    def _meet(self) -> None:
        goal = self.builder.add(self.builder.load(self._goal, typ=i64), self.threads)
        self.builder.store(goal, self._goal)
        self.builder.call(self._wait, [self._counter, goal])

    def end_if_held_up(self, step: Any) -> None:
        """Where a step begins: let it be the last one if a thread was held up.

        The first thread says so, before it meets the others in this step, so that they all leave after the same one.
        """
        builder = self.builder
        held_up = builder.icmp_signed("!=", _told(builder, self._counter, HELD_UP, "monotonic"), i64(0))
        with builder.if_then(builder.and_(builder.icmp_signed("==", self.thread, i64(0)), held_up)):
            following = builder.add(step, i64(1))
            builder.atomic_rmw("min", _place_of(builder, self._counter, END), following, "monotonic")

    def have_parted(self, steps: Any) -> Any:
        """Where a step has ended: whether so many were all."""
        return self.builder.icmp_signed("<=", _told(self.builder, self._counter, END, "monotonic"), steps)

    def share(self, count: Any) -> tuple[Any, Any]:
        """Where this thread's share of so many pieces begins and ends."""
        begin = self.builder.mul(self.thread, count)
        end = self.builder.add(begin, count)
        return self.builder.sdiv(begin, self.threads), self.builder.sdiv(end, self.threads)


def _use(reads: Iterable[Buffer], writes: Iterable[Buffer]) -> _Use:
    return _Use([*map(_place, reads)], [*map(_place, writes)])


def _place(buffer: Buffer) -> tuple[int, int]:
    return buffer.offset, buffer.offset + buffer.nbytes


def _overlap(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> bool:
    return any(a < d and c < b for a, b in some for c, d in others)


def _place_of(builder: Any, counter: Any, place: int) -> Any:
    """Where threads that meet tell each other something, from where they count their arrivals."""
    return builder.gep(counter, [i64(place - ARRIVALS)], source_etype=i64)


def _told(builder: Any, counter: Any, place: int, ordering: str) -> Any:
    """What they tell each other there."""
    return builder.load_atomic(_place_of(builder, counter, place), ordering, 8, typ=i64)


def _waiting(module: Any) -> Any:
    """The function that raises the counter and returns when it has reached the goal; after too many looks it says so."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer, i64]), "wait")
    function.linkage = "internal"
    function.attributes.append("noinline")
    counter, goal = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    builder.atomic_rmw("add", counter, i64(1), "acq_rel")
    names = "look", "again", "tired", "late", "rest", "done"
    look, again, tired, late, rest, done = (function.append_basic_block(name) for name in names)
    entry = builder.block
    builder.branch(look)
    builder.position_at_end(look)
    looks = builder.phi(i64)
    looks.add_incoming(i64(1), entry)
    reached = builder.icmp_signed(">=", _told(builder, counter, ARRIVALS, "acquire"), goal)
    builder.cbranch(reached, done, again)
    builder.position_at_end(again)
    pause(builder)
    following = builder.add(looks, i64(1))
    is_tired = builder.icmp_signed("==", builder.srem(following, i64(REST)), i64(0))
    looks.add_incoming(following, again)
    looks.add_incoming(following, rest)
    builder.cbranch(is_tired, tired, look)
    builder.position_at_end(tired)
    builder.cbranch(builder.icmp_signed(">", following, _told(builder, counter, PATIENCE, "monotonic")), late, rest)
    builder.position_at_end(late)
    builder.atomic_rmw("xchg", _place_of(builder, counter, HELD_UP), i64(1), "monotonic")
    builder.branch(rest)
    builder.position_at_end(rest)
    builder.call(ir.Function(module, ir.FunctionType(ir.IntType(32), []), YIELD), [])
    builder.branch(look)
    builder.position_at_end(done)
    builder.ret_void()
    return function
