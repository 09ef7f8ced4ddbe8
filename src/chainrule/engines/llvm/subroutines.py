"""Functions of the arena, called where code is being written: what is written once, or would make another function too long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llvmlite import ir

from chainrule.engines.llvm.buffers import Buffer
from chainrule.engines.llvm.code import Code, i8, i64, pointer


def subroutine(code: Code, name: str, buffers: Iterable[Buffer] = ()) -> Code:
    """A function to be written, told the threads of `code`, their own memory and the places of buffers; it has no end yet."""
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


def call(code: Code, function: ir.Function, buffers: Sequence[Buffer] = ()) -> None:
    """Call it, for buffers that lie where they were planned."""
    offsets = [i64(x.offset) for x in buffers]
    code.builder.call(function, [code.memory, code.workspace, *code.threads.values, *offsets])
