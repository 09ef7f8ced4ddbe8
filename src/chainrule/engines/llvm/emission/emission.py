"""All groups of a Program, written one after another, each when what it needs is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.contractions.blocking import blocking_of
from chainrule.engines.llvm.contractions.blocks import Blocks
from chainrule.engines.llvm.contractions.dots import Dots
from chainrule.engines.llvm.contractions.products import Product
from chainrule.engines.llvm.contractions.short_rows import ShortRows
from chainrule.engines.llvm.contractions.tiles import Tiles
from chainrule.engines.llvm.contractions.told_tiles import ToldTiles
from chainrule.engines.llvm.emission import inner_loops
from chainrule.engines.llvm.emission.repeats import Alike
from chainrule.engines.llvm.emission.script import Script
from chainrule.engines.llvm.planning import sharing
from chainrule.engines.llvm.planning.buffers import Buffer
from chainrule.engines.llvm.planning.groups import Group, Grouping
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing import moves, nests
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.subroutines import recorded
from chainrule.ops import Contraction

PART = 256
"""Equations that are written into one function: LLVM takes six times as long for thousands in one as for as many in parts, and for
every function a third of a millisecond."""


def emit(code: Code, memory: MemoryPlan, grouping: Grouping) -> None:
    """Write the loops of every group, in order; of a long Program as a script of functions, one for all groups that are alike."""
    groups = grouping.groups
    if code.unrolled or not grouping.is_in_functions:
        for group in groups:
            with _section(code, memory, group):
                _emit_group(code, memory, group)
        return
    alike, script = Alike(code, memory, groups), Script(code)
    for has_others, together in groupby(groups, alike.has_others):
        if has_others:
            for group in together:
                reads, writes, shared = _use(memory, group)
                meeting = code.threads.awaited(reads, writes, shared=shared)
                script.add(*alike.written(group, shared, _emit_group), meeting=meeting, alone=not shared)
                code.threads.used(reads, writes, shared=shared)
        else:
            for part in _parts([*together]):
                script.add(_written(code, memory, part), [], meeting=False, alone=False)
    script.write()


def _parts(groups: Sequence[Group]) -> Iterator[Sequence[Group]]:
    """Groups that are like no others, as many as go well into one function."""
    begin, size = 0, 0
    for end, group in enumerate(groups):
        if size and size + group.size > PART:
            yield groups[begin:end]
            begin, size = end, 0
        size += group.size
    yield groups[begin:]


def _written(code: Code, memory: MemoryPlan, groups: Sequence[Group]) -> ir.Function:
    """Some groups as one function."""
    own = recorded(code, "groups", {})
    for group in groups:
        with _section(own, memory, group):
            _emit_group(own, memory, group)
    own.builder.ret_void()
    written: ir.Function = own.builder.function
    return written


def _use(memory: MemoryPlan, group: Group) -> tuple[list[Buffer], list[Buffer], bool]:
    """What a group reads and writes, and whether threads share it out."""
    return (
        [*memory.read_by(group)],
        [*memory.written_by(group)],
        sharing.partition_of(group) is not sharing.Partition.ALONE,
    )


def _section(code: Code, memory: MemoryPlan, group: Group) -> AbstractContextManager[None]:
    """Where threads may carry out the group, all of them or the first alone."""
    if not code.threads.values:
        return nullcontext()
    reads, writes, shared = _use(memory, group)
    return code.threads.section(reads, writes, shared=shared)


def _emit_group(code: Code, memory: MemoryPlan, group: Group) -> None:
    if group.root is None:
        nests.emit(code, memory, group)
    elif isinstance(group.root.op, Contraction):
        product = Product(memory, group)
        blocking = None if code.unrolled else blocking_of(memory, product, code.target, told=product.told)
        if blocking is not None:
            Blocks(code, memory, product, blocking).emit()
        else:
            short = not code.unrolled and ShortRows.takes(memory, product)
            told = ToldTiles.takes(code, memory, product)
            (Dots if product.is_dot else ShortRows if short else ToldTiles if told else Tiles)(
                code, memory, product
            ).emit()
    elif group.inner is not None:
        inner_loops.emit(code, memory, group, emit)
    else:
        moves.emit(code, memory, group)
