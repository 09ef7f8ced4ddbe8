"""All groups of a Program, written one after another, each when what it needs is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from chainrule.engines.llvm.contractions.blocking import blocking_of
from chainrule.engines.llvm.contractions.blocks import Blocks
from chainrule.engines.llvm.contractions.dots import Dots
from chainrule.engines.llvm.contractions.products import Product
from chainrule.engines.llvm.contractions.short_rows import ShortRows
from chainrule.engines.llvm.contractions.tiles import Tiles
from chainrule.engines.llvm.emission import inner_loops
from chainrule.engines.llvm.emission.repeats import Alike
from chainrule.engines.llvm.planning import sharing
from chainrule.engines.llvm.planning.groups import Group, Grouping
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing import moves, nests
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.subroutines import call, subroutine
from chainrule.ops import Contraction

PART = 256
"""Equations that are written into one function: LLVM takes six times as long for thousands in one as for as many in parts."""


def emit(code: Code, memory: MemoryPlan, grouping: Grouping) -> None:
    """Write the loops of every group, in order; of a long Program in functions of their own, one for all groups that are alike."""
    groups = grouping.groups
    if code.unrolled or not grouping.is_long:
        for group in groups:
            with _section(code, memory, group):
                _emit_group(code, memory, group)
        return
    alike = Alike(memory, groups)
    for together in _parts(groups):
        part = subroutine(code, "part")
        for group in together:
            with _section(part, memory, group):
                if not alike.call(part, group, _emit_group):
                    _emit_group(part, memory, group)
        part.builder.ret_void()
        call(code, part.builder.function)


def _parts(groups: Sequence[Group]) -> Iterator[Sequence[Group]]:
    """The groups of one function after the other."""
    begin, size = 0, 0
    for end, group in enumerate(groups):
        if size and size + group.size > PART:
            yield groups[begin:end]
            begin, size = end, 0
        size += group.size
    yield groups[begin:]


def _section(code: Code, memory: MemoryPlan, group: Group) -> AbstractContextManager[None]:
    """Where threads may carry out the group, all of them or the first alone."""
    if not code.threads.values:
        return nullcontext()
    shared = sharing.partition_of(group) is not sharing.Partition.ALONE
    return code.threads.section(memory.read_by(group), memory.written_by(group), shared=shared)


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
            (Dots if product.is_dot else ShortRows if short else Tiles)(code, memory, product).emit()
    elif group.inner is not None:
        inner_loops.emit(code, memory, group, emit)
    else:
        moves.emit(code, memory, group)
