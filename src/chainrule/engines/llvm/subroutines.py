"""Functions of the arena, called where code is being written: what is written once, or would make another function too long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from llvmlite import ir

from chainrule.engines.llvm.buffers import Buffer
from chainrule.engines.llvm.code import Code, pointer


def subroutine(code: Code, name: str, buffers: Iterable[Buffer] = ()) -> Code:
    """A function to be written, told the threads of `code`, their own memory and the places of buffers; it has no end yet.

    Buffers whose places `code` is told have those there too.
    """
    module, own, told = code.builder.module, [*code.places, *buffers], [x.type for x in code.threads.values]
    kind = ir.FunctionType(ir.VoidType(), [*[pointer] * 3, *told, *[pointer] * len(own)])
    function = ir.Function(module, kind, module.get_unique_name(name))
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    arena, workspace, private, *others = function.args
    values, places = others[: len(told)], dict(zip(own, others[len(told) :], strict=True))
    begin = function.append_basic_block("begin")
    builder.branch(begin)
    builder.position_at_end(begin)
    threads = code.threads.within(builder, values)
    return Code(
        builder, arena, code.target, unrolled=False, threads=threads, workspace=workspace, own=private, places=places
    )


def call(code: Code, function: ir.Function, places: Sequence[Any] = ()) -> None:
    """Call it, for buffers at these addresses, from code that is told as many places as the code it was made in."""
    memory = code.memory, code.workspace, code.own or code.workspace
    code.builder.call(function, [*memory, *code.threads.values, *code.places.values(), *places])
