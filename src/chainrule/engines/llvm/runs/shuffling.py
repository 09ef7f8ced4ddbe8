"""Orders of rows shuffled as NumPy's generators do it, to the bit, in machine code.

NumPy takes 7 ns for every row of an epoch, longer than a small network takes to learn from it. Most of that is waiting: a number that
is drawn too large is drawn anew, and which that will be no CPU can foretell. Here it makes a place change with itself instead.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.machine.machine import CompiledFunction, target
from chainrule.engines.llvm.threads.crew import Work
from chainrule.engines.llvm.writing.code import Code, i32, i64, pointer
from chainrule.engines.llvm.writing.positions import Index

KIND = "PCG64"
"""The bit generator that is written here: a state of 128 bits, of which 64 come out, by the rule XSL-RR (O'Neill 2014)."""

MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
"""What its state is multiplied by at every step, before an increment of its own is added."""

WORD = 2**64 - 1

i128 = ir.IntType(128)

STATE, ORDERS, STRIDE, EPOCHS, ROWS = range(5)
"""The table's places: the addresses of the generator's state and of the orders, how far apart these are, how many, how long."""

LOW, INCREMENT, IS_LEFT, LEFT = 0, 1, 4, 5
"""The places of the generator's state: itself and its increment, 128 bits each; whether half of the last output is left, and it."""


def shuffle(random: np.random.Generator, orders: Any) -> bool:
    """Shuffle every row of an int32 array in place, as `random.permuted(orders, axis=1)`; the generator goes on.

    `False` if NumPy's generators draw in another way than is known here; then nothing is done.
    """
    if not _is_known():
        return False
    _shuffle(random, orders)
    return True


@lru_cache(maxsize=1)
def _is_known() -> bool:
    """Whether NumPy, whose generators may change from one version to the next, draws the same."""
    ours, theirs = np.random.default_rng(0), np.random.default_rng(0)
    if ours.bit_generator.state["bit_generator"] != KIND:
        return False
    for rows in (1, 37, 64):
        given = np.tile(np.arange(rows, dtype=np.int32), (3, 1))
        expected = theirs.permuted(given, axis=1)
        _shuffle(ours, given)
        if not np.array_equal(given, expected):
            return False
    return bool(ours.bit_generator.state == theirs.bit_generator.state)


def shuffling(random: np.random.Generator, orders: Any) -> Shuffling | None:
    """The same as a work; `None` if NumPy's generators draw in another way."""
    return Shuffling(random, orders) if _is_known() else None


class Shuffling(Work):
    """Orders that are to be shuffled; the generator itself stays where it is."""

    def __init__(self, random: np.random.Generator, orders: Any) -> None:
        self._begin = state = random.bit_generator.state
        own, stride = state["state"], orders.strides[0] // orders.itemsize
        words = [own["state"] & WORD, own["state"] >> 64, own["inc"] & WORD, own["inc"] >> 64]
        self._memory = memory = np.array([*words, state["has_uint32"], state["uinteger"]], np.uint64)
        super().__init__(_function(), [memory.ctypes.data, orders.ctypes.data, stride, *orders.shape], orders)

    @property
    def state(self) -> dict[str, Any]:
        """Where the generator is to go on, once this was carried out; before, where it stands."""
        low, high, *_, is_left, left = self._memory.tolist()
        own = {**self._begin["state"], "state": low | high << 64}
        return {**self._begin, "state": own, "has_uint32": is_left, "uinteger": left}


def _shuffle(random: np.random.Generator, orders: Any) -> None:
    work = Shuffling(random, orders)
    work.carry_out()
    random.bit_generator.state = work.state


@lru_cache(maxsize=1)
def _function() -> CompiledFunction:
    return CompiledFunction(_text, "shuffle", target(), f"shuffle {MULTIPLIER}")


def _text() -> str:
    """The function: Fisher and Yates, from the last place to the first; each changes with one that is not behind it."""
    module = ir.Module("shuffling")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer]), "shuffle")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    given = [_load(builder, function.args[0], place, i64) for place in range(5)]
    state, orders = (builder.inttoptr(given[place], pointer) for place in (STATE, ORDERS))
    begins = [_load(builder, state, LOW, i128), *(_load(builder, state, place, i64) for place in (IS_LEFT, LEFT))]
    draws = _Draws(builder, _load(builder, state, INCREMENT, i128))
    code = Code(builder, orders, target(), unrolled=False)

    def epoch(number: Index, generator: list[Any]) -> list[Any]:
        order = builder.gep(orders, [builder.mul(code.value(number), given[STRIDE])], source_etype=i32)
        return draws.shuffled(order, given[ROWS], generator)

    ends = code.carried_loop(code.positions.found(given[EPOCHS]), begins, epoch)
    for place, value in zip((LOW, IS_LEFT, LEFT), ends, strict=True):
        builder.store(value, builder.gep(state, [i64(place)], source_etype=value.type), align=8)
    builder.ret_void()
    return str(module)


def _load(builder: Any, base: Any, place: int, kind: Any) -> Any:
    return builder.load(builder.gep(base, [i64(place)], source_etype=kind), typ=kind, align=8)


class _Draws:
    """Numbers of a generator, which is its state, whether half of its last output is left, and that half."""

    def __init__(self, builder: Any, increment: Any) -> None:
        self.builder, self.increment = builder, increment

    def shuffled(self, order: Any, rows: Any, generator: list[Any]) -> list[Any]:
        """Write the loop over an order's places; gives the generator after it.

        Every round draws a number among so many as the next power of two, `mask` + 1, and is done with a place or, if it was too
        large, not yet. Each power has a loop of its own: what every round had to wait for would be twice as long with its finding.
        """
        b = self.builder
        before, (power, head, down, after) = b.block, map(b.append_basic_block, ("power", "draw", "down", "shuffled"))
        first = b.sub(rows, i64(1))
        several = b.icmp_signed("<", i64(0), first)
        zeros = b.ctlz(b.or_(first, i64(1)), ir.IntType(1)(1))
        begins = [b.lshr(i64(-1), zeros), first, *generator]
        b.cbranch(several, power, after)
        b.position_at_end(power)
        mask, *carried = [b.phi(x.type) for x in begins]
        half = b.lshr(mask, i64(1))
        b.branch(head)
        b.position_at_end(head)
        place, *own = inner = [b.phi(x.type) for x in carried]
        number, own = self._next(own)
        drawn = b.and_(number, mask)
        fits = b.icmp_unsigned("<=", drawn, place)
        ends = [b.gep(order, [x], source_etype=i32) for x in (place, b.select(fits, drawn, place))]
        numbers = [b.load(x, typ=i32, align=4) for x in ends]
        for end, value in zip(ends, reversed(numbers), strict=True):
            b.store(value, end, align=4)
        following = b.sub(place, b.zext(fits, i64))
        for phi, begin, end in zip(inner, carried, [following, *own], strict=True):
            phi.add_incoming(begin, power)
            phi.add_incoming(end, b.block)
        b.cbranch(b.icmp_unsigned(">", following, half), head, down)
        b.position_at_end(down)
        for phi, begin, end in zip([mask, *carried], begins, [half, following, *own], strict=True):
            phi.add_incoming(begin, before)
            phi.add_incoming(end, down)
        b.cbranch(b.icmp_unsigned("!=", following, i64(0)), power, after)
        b.position_at_end(after)
        results = [b.phi(x.type) for x in generator]
        for phi, none, some in zip(results, generator, own, strict=True):
            phi.add_incoming(none, before)
            phi.add_incoming(some, down)
        return results

    def _next(self, generator: list[Any]) -> tuple[Any, list[Any]]:
        """The next 32 bits, with others above them, and the generator after: the lower half of an output, then the upper one."""
        b, (state, is_left, left) = self.builder, generator
        before = b.block
        fresh, after = (b.append_basic_block(name) for name in ("fresh", "drawn"))
        b.cbranch(b.icmp_unsigned("!=", is_left, i64(0)), after, fresh)
        b.position_at_end(fresh)
        stepped = b.add(b.mul(state, i128(MULTIPLIER)), self.increment)
        low, high = b.trunc(stepped, i64), b.trunc(b.lshr(stepped, i128(64)), i64)
        mixed, turn = b.xor(high, low), b.lshr(high, i64(58))
        back = b.and_(b.sub(i64(0), turn), i64(63))
        output = b.or_(b.lshr(mixed, turn), b.shl(mixed, back))
        upper = b.lshr(output, i64(32))
        b.branch(after)
        b.position_at_end(after)
        found = []
        for was, now in ((left, output), (state, stepped), (i64(0), i64(1)), (left, upper)):
            found.append(b.phi(was.type))
            found[-1].add_incoming(was, before)
            found[-1].add_incoming(now, fresh)
        number, *own = found
        return number, own
