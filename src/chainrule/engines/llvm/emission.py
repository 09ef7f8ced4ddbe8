"""All groups of a Program, written one after another, each when what it needs is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

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
from chainrule.engines.llvm.tiles import Tiles
from chainrule.ops import Contraction

PART = 256
"""Equations that are written into one function: LLVM takes six times as long for thousands in one as for as many in parts."""


def emit(code: Code, memory: MemoryPlan, grouping: Grouping) -> None:
    """Write the loops of every group, in order; of a long Program in functions of their own, one for all groups that are alike."""
    groups = grouping.groups
    if code.unrolled or sum(map(_size, groups)) <= 2 * PART:
        for group in groups:
            with _section(code, memory, group):
                _emit_group(code, memory, group)
        return
    likenesses = {group: Likeness(memory, group) for group in groups}
    times = Counter(likeness.key for likeness in likenesses.values())
    written: dict[Hashable, ir.Function] = {}
    for together in _parts(groups):
        part = _function(code, "part")
        for group in together:
            alike = likenesses[group]
            with _section(part, memory, group):
                if alike.key is None or times[alike.key] == 1:
                    _emit_group(part, memory, group)
                    continue
                if alike.key not in written:
                    own = _function(part, "alike", alike.buffers)
                    _emit_group(own, memory, group)
                    own.builder.ret_void()
                    written[alike.key] = own.builder.function
                _call(part, written[alike.key], [i64(x.offset) for x in alike.buffers])
        part.builder.ret_void()
        _call(code, part.builder.function)


def _size(group: Group) -> int:
    return len(group.pointwise) + len(group.folds) + (group.root is not None)


def _parts(groups: Sequence[Group]) -> Iterator[Sequence[Group]]:
    """The groups of one function after the other."""
    begin, size = 0, 0
    for end, group in enumerate(groups):
        if size and size + _size(group) > PART:
            yield groups[begin:end]
            begin, size = end, 0
        size += _size(group)
    yield groups[begin:]


def _function(code: Code, name: str, buffers: Iterable[Buffer] = ()) -> Code:
    """A function to be written, which is called where `code` is: of the arena, a thread's own memory, what is shared, and places."""
    module, own, told = code.builder.module, [*buffers], [x.type for x in code.threads.values]
    kind = ir.FunctionType(ir.VoidType(), [pointer, pointer, *told, *[i64] * len(own)])
    function = ir.Function(module, kind, module.get_unique_name(name))
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    arena, workspace, *others = function.args
    values, offsets = others[: len(told)], others[len(told) :]
    places = {x: builder.gep(arena, [offset], source_etype=i8) for x, offset in zip(own, offsets, strict=True)}
    begin = function.append_basic_block("begin")
    builder.branch(begin)
    builder.position_at_end(begin)
    threads = code.threads.within(builder, values)
    return Code(builder, arena, code.target, unrolled=False, threads=threads, workspace=workspace, places=places)


def _call(code: Code, function: ir.Function, places: Sequence[Any] = ()) -> None:
    code.builder.call(function, [code.memory, code.workspace, *code.threads.values, *places])


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
        blocking = None if code.unrolled else blocking_of(memory, product, code.target)
        if blocking is not None:
            Blocks(code, memory, product, blocking).emit()
        else:
            (Dots if product.is_dot else Tiles)(code, memory, product).emit()
    elif group.inner is not None:
        inner_loops.emit(code, memory, group, emit)
    else:
        moves.emit(code, memory, group)
