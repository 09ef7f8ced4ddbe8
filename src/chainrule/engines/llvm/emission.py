"""All groups of a Program, written one after another, each when what it needs is there."""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir

from chainrule.engines.llvm import inner_loops, moves, nests, sharing
from chainrule.engines.llvm.code import Code, pointer
from chainrule.engines.llvm.contractions import Product
from chainrule.engines.llvm.dots import Dots
from chainrule.engines.llvm.groups import Group, Grouping
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.engines.llvm.tiles import Tiles
from chainrule.ops import Contraction

PART = 64
"""Groups that are written into one function: LLVM takes six times as long for thousands in one as for as many in parts."""


def emit(code: Code, memory: MemoryPlan, grouping: Grouping) -> None:
    """Write the loops of every group, in order; of a long Program in functions of their own."""
    groups = grouping.groups
    if len(groups) <= 2 * PART or code.unrolled or code.threads.dividing:
        _emit_groups(code, memory, groups)
        return
    for begin in range(0, len(groups), PART):
        code.builder.call(_function(code, memory, groups[begin : begin + PART]), [code.memory])


def _function(code: Code, memory: MemoryPlan, groups: Sequence[Group]) -> ir.Function:
    """A function of the arena that computes some groups."""
    module = code.builder.module
    part = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer]), module.get_unique_name("part"))
    part.linkage = "internal"
    builder = ir.IRBuilder(part.append_basic_block("entry"))
    begin = part.append_basic_block("begin")
    builder.branch(begin)
    builder.position_at_end(begin)
    _emit_groups(Code(builder, part.args[0], unrolled=False), memory, groups)
    builder.ret_void()
    return part


def _emit_groups(code: Code, memory: MemoryPlan, groups: Sequence[Group]) -> None:
    for group in groups:
        shared = sharing.partition_of(group) is not sharing.Partition.ALONE
        with code.threads.section(memory.read_by(group), memory.written_by(group), shared=shared):
            if group.root is None:
                nests.emit(code, memory, group)
            elif isinstance(group.root.op, Contraction):
                product = Product(memory, group)
                (Dots if product.is_dot else Tiles)(code, memory, product).emit()
            elif group.inner is not None:
                inner_loops.emit(code, memory, group, emit)
            else:
                moves.emit(code, memory, group)
