"""A crew: threads that carry out one piece of work after the other in machine code, from a list that one thread of Python fills.

Python has one lock. Threads that are each in Python for a third of a millisecond, then in machine code, wait for it and wake each
other, and two of them came to hardly more than one. So one thread does all that is done in Python, for many trainings by turns, and
the others never leave machine code: they take from the list whatever is next, and look again when nothing is. The thread that
fills it helps while there is nothing else to do.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.machine.machine import YIELD, CompiledFunction, pause, target
from chainrule.engines.llvm.threads.thread_choice import callers
from chainrule.engines.workers import Job

PUT, TAKEN, ENDED, CLOSED, PLACES = 0, 8, 16, 24, 32
"""Where the list counts the works put there, taken from it and ended, each in a line of the cache of its own; whether it is closed;
where the addresses of works begin, which go round."""

FUNCTION, HAS_ENDED, BEFORE, TABLE = range(4)
"""A work's places: the address of its function, whether it has ended, the address of a work to be carried out before it, and from
here on the table that the function is given."""

LIST, TASK, TOLD = range(3)
"""The places of what a thread is told: where the list is, what it is to do, and the number or address that belongs to it."""

SERVE, PUT_THERE, HELP = range(3)
"""What there is to do: take works until there has been none for long; put one there; carry one out, or wait until one has ended,
unless more than so many have."""

YIELDS_AFTER, RETURNS_AFTER = 2**10, 2**15
"""Looks at an empty list after which others may run in this thread's place, and after which it goes back to Python."""

NAP = 0.0005
"""Seconds that a thread sleeps which has found nothing to do for long."""

i64, pointer = ir.IntType(64), ir.PointerType()


class Work:
    """A call of a compiled function with a table, as a crew carries it out; what lies at the table's addresses is kept with it.

    Another work may be carried out before it, by the same thread.
    """

    def __init__(self, function: CompiledFunction, table: list[int], keeping: Any, before: Work | None = None) -> None:
        self.record = np.array([function.address, 0, 0 if before is None else before.place, *table], np.int64)
        self.place: int = self.record.ctypes.data
        self._function, self._keeping = function, (keeping, before)

    def carry_out(self) -> None:
        """Do it now, in this thread."""
        self._function.at(self.place + TABLE * self.record.itemsize)

    @property
    def has_ended(self) -> bool:
        """Whether it was carried out."""
        return bool(self.record[HAS_ENDED])


class Crew:
    """So many threads, with the one that makes it; it is for no more works at the same time than is said.

    What works read and write is kept until the threads have left, also where the one that made it is interrupted.
    """

    def __init__(self, threads: int, works: int) -> None:
        places = 1 << max(1, works).bit_length()
        self._list = np.zeros(PLACES + places, np.int64)
        self._own = np.array([self._list.ctypes.data, HELP, 0, places - 1], np.int64)
        self._function, self._place = _function(), self._own.ctypes.data
        self._under_way: list[Work] = []
        self._seen = 0
        self._others = threads - 1
        self._job: Job | None = None

    def put(self, work: Work) -> None:
        """Have it carried out."""
        self._under_way.append(work)
        self._do(PUT_THERE, work.place)
        if self._job is None and self._others:
            self._job = Job([self._serve] * self._others, keeping=self)
            self._job.hand_over()

    def ended(self) -> list[Work]:
        """Those that have ended and were not told yet, if there are any; otherwise one is carried out, or waited for."""
        self._do(HELP, self._seen)
        self._seen = int(self._list[ENDED])
        found = [work for work in self._under_way if work.has_ended]
        for work in found:
            self._under_way.remove(work)
        return found

    def close(self) -> None:
        """Let the threads go; what is still in the list is not begun."""
        self._list[CLOSED] = 1
        if self._job is not None:
            self._job.wait()

    def _do(self, task: int, told: int) -> None:
        self._own[TASK], self._own[TOLD] = task, told
        self._function.at(self._place)

    def _serve(self) -> None:
        """What every other thread does."""
        told = self._own.copy()
        told[TASK] = SERVE
        with callers():
            while not self._list[CLOSED]:
                self._function(told)
                if not self._list[CLOSED]:
                    time.sleep(NAP)


@lru_cache(maxsize=1)
def _function() -> CompiledFunction:
    return CompiledFunction(_text, "crew", target(), f"crew {YIELDS_AFTER} {RETURNS_AFTER}")


def _text() -> str:
    """The function."""
    module = ir.Module("crew")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer]), "crew")
    b = ir.IRBuilder(function.append_basic_block("entry"))
    own = function.args[0]

    def at(base: Any, place: Any) -> Any:
        return b.gep(base, [i64(place) if isinstance(place, int) else place], source_etype=i64)

    def counted(place: int) -> Any:
        return b.load_atomic(at(works, place), "acquire", 8, typ=i64)

    def call(work: Any) -> None:
        b.call_at(b.load(at(work, FUNCTION), typ=pointer, align=8), [at(work, TABLE)])

    works, told = b.load(own, typ=pointer, align=8), at(own, TOLD)
    task, mask = (b.load(at(own, place), typ=i64, align=8) for place in (TASK, TOLD + 1))

    def place_of(number: Any) -> Any:
        return at(works, b.add(b.and_(number, mask), i64(PLACES)))

    with b.if_then(b.icmp_signed("==", task, i64(PUT_THERE))):
        b.store(b.load(told, typ=i64, align=8), place_of(counted(PUT)), align=8)
        b.atomic_rmw("add", at(works, PUT), i64(1), "release")
        b.ret_void()
    helps, known = b.icmp_signed("==", task, i64(HELP)), b.load(told, typ=i64, align=8)
    names = ("look", "some", "mine", "none", "again", "waits", "tired", "done")
    look, some, mine, none, again, waits, tired, done = map(b.append_basic_block, names)
    entry = b.block
    b.branch(look)

    b.position_at_end(look)
    looks = b.phi(i64)
    looks.add_incoming(i64(1), entry)
    is_told = b.and_(helps, b.icmp_signed("!=", counted(ENDED), known))
    b.cbranch(is_told, done, again)
    b.position_at_end(again)
    number = counted(TAKEN)
    b.cbranch(b.icmp_signed("<", number, counted(PUT)), some, none)

    b.position_at_end(some)
    work = b.load(place_of(number), typ=pointer, align=8)
    is_mine = b.compare_exchange(at(works, TAKEN), number, b.add(number, i64(1)), "acq_rel")
    looks.add_incoming(looks, b.block)
    b.cbranch(is_mine, mine, look)
    b.position_at_end(mine)
    before = b.load(at(work, BEFORE), typ=pointer, align=8)
    with b.if_then(b.icmp_unsigned("!=", b.ptrtoint(before, i64), i64(0))):
        call(before)
    call(work)
    b.atomic_rmw("xchg", at(work, HAS_ENDED), i64(1), "release")
    b.atomic_rmw("add", at(works, ENDED), i64(1), "acq_rel")
    looks.add_incoming(i64(1), b.block)
    b.cbranch(helps, done, look)

    b.position_at_end(none)
    ends = b.or_(b.icmp_signed("!=", counted(CLOSED), i64(0)), b.icmp_signed("==", looks, i64(RETURNS_AFTER)))
    b.cbranch(ends, done, waits)
    b.position_at_end(waits)
    pause(b)
    following = b.add(looks, i64(1))
    is_tired = b.icmp_signed("==", b.srem(following, i64(YIELDS_AFTER)), i64(0))
    looks.add_incoming(following, b.block)
    b.cbranch(is_tired, tired, look)
    b.position_at_end(tired)
    b.call(ir.Function(module, ir.FunctionType(ir.IntType(32), []), YIELD), [])
    looks.add_incoming(following, b.block)
    b.branch(look)
    b.position_at_end(done)
    b.ret_void()
    return str(module)
