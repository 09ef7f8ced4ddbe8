"""All groups of a Program, written one after another, each when what it needs is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

from llvmlite import ir

from chainrule.engines.llvm import inner_loops, moves, nests, sharing
from chainrule.engines.llvm.blocking import blocking_of
from chainrule.engines.llvm.blocks import Blocks
from chainrule.engines.llvm.buffers import Buffer
from chainrule.engines.llvm.code import Code, i8, i64, pointer
from chainrule.engines.llvm.contractions import Product
from chainrule.engines.llvm.dots import Dots
from chainrule.engines.llvm.groups import Group, Grouping
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.engines.llvm.repeats import Likeness
from chainrule.engines.llvm.target import Target
from chainrule.engines.llvm.tiles import Tiles
from chainrule.ops import Contraction

PART = 64
"""Groups that are written into one function: LLVM takes six times as long for thousands in one as for as many in parts."""


def emit(code: Code, memory: MemoryPlan, grouping: Grouping) -> None:
    """Write the loops of every group, in order; of a long Program in functions of their own, one for all groups that are alike."""
    groups, module = grouping.groups, code.builder.module
    if len(groups) <= 2 * PART or code.unrolled or code.threads.dividing:
        _emit_groups(code, memory, groups)
        return
    likenesses = [Likeness(memory, group) for group in groups]
    times = Counter(likeness.key for likeness in likenesses)
    written: dict[Hashable, ir.Function] = {}
    for begin in range(0, len(groups), PART):
        part = _function(module, code.target, "part")
        for group, alike in zip(groups[begin : begin + PART], likenesses[begin : begin + PART], strict=True):
            if alike.key is None or times[alike.key] == 1:
                _emit_groups(part, memory, [group])
                continue
            if alike.key not in written:
                own = _function(module, code.target, "alike", alike.buffers)
                _emit_groups(own, memory, [group])
                own.builder.ret_void()
                written[alike.key] = own.builder.function
            part.builder.call(written[alike.key], [part.memory, part.workspace, *(i64(x.offset) for x in alike.buffers)])
        part.builder.ret_void()
        code.builder.call(part.builder.function, [code.memory, code.workspace])


def _function(module: ir.Module, target: Target, name: str, buffers: Iterable[Buffer] = ()) -> Code:
    """A function of the arena, and of the places of buffers in it, to be written."""
    own = [*buffers]
    kind = ir.FunctionType(ir.VoidType(), [pointer, pointer, *[i64] * len(own)])
    function = ir.Function(module, kind, module.get_unique_name(name))
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    arena, workspace, *offsets = function.args
    places = {x: builder.gep(arena, [offset], source_etype=i8) for x, offset in zip(own, offsets, strict=True)}
    begin = function.append_basic_block("begin")
    builder.branch(begin)
    builder.position_at_end(begin)
    return Code(builder, arena, target, unrolled=False, workspace=workspace, places=places)


def _emit_groups(code: Code, memory: MemoryPlan, groups: Sequence[Group]) -> None:
    for group in groups:
        shared = sharing.partition_of(group) is not sharing.Partition.ALONE
        with code.threads.section(memory.read_by(group), memory.written_by(group), shared=shared):
            if group.root is None:
                nests.emit(code, memory, group)
            elif isinstance(group.root.op, Contraction):
                product = Product(memory, group)
                blocking = None if code.unrolled else blocking_of(memory, product, code.target)
                if blocking is not None:
                    Blocks(code, memory, product, blocking).emit()
                else:
                    (Dots if product.is_dot else Tiles)(code, memory, product).emit()
            elif group.inner is not None:
                inner_loops.emit(code, memory, group, emit)
            else:
                moves.emit(code, memory, group)
