"""Functions of the arena, called where code is being written: what is written once, or would make another function too long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.planning.buffers import Buffer
from chainrule.engines.llvm.writing.code import Code, i8, i64, pointer, vector_type
from chainrule.tracing import Variable


def subroutine(
    code: Code, name: str, buffers: Iterable[Buffer] = (), numbers: Sequence[Variable] = (), *, recorded: bool = False
) -> Code:
    """A function to be written, told the threads of `code`, their own memory, the places of buffers and numbers; it has no end yet.

    If it is `recorded`, it is told a record as well.

    Buffers whose places `code` is told have those there too.
    """
    module, own, told = code.builder.module, [*buffers], [x.type for x in (*code.threads.values, *code.places.values())]
    kinds = [vector_type(x.dtype, 1) for x in numbers]
    kind = ir.FunctionType(ir.VoidType(), [*[pointer] * (3 + recorded), *told, *[i64] * len(own), *kinds])
    function = ir.Function(module, kind, module.get_unique_name(name))
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    arena, workspace, private, *others = function.args
    record = others.pop(0) if recorded else None
    values, offsets, given = others[: len(told)], others[len(told) :][: len(own)], others[len(told) + len(own) :]
    places: dict[Buffer, Any] = dict(zip(code.places, values[len(code.threads.values) :], strict=True))
    places |= {x: builder.gep(arena, [offset], source_etype=i8) for x, offset in zip(own, offsets, strict=True)}
    begin = function.append_basic_block("begin")
    builder.branch(begin)
    builder.position_at_end(begin)
    threads = code.threads.within(builder, values[: len(code.threads.values)])
    return Code(
        builder,
        arena,
        code.target,
        unrolled=False,
        threads=threads,
        workspace=workspace,
        own=private,
        places=places,
        numbers=dict(zip(numbers, given, strict=True)),
        record=record,
    )


def call(
    code: Code,
    function: ir.Function,
    offsets: Sequence[Any] = (),
    numbers: Sequence[Any] = (),
    record: Sequence[int] | None = None,
) -> None:
    """Call it from code that is told the same places, for buffers that lie so many bytes behind the arena's beginning."""
    memory = [
        code.memory,
        code.workspace,
        code.own or code.workspace,
        *([] if record is None else [_kept(code, record)]),
    ]
    code.builder.call(function, [*memory, *code.threads.values, *code.places.values(), *offsets, *numbers])


def _kept(code: Code, record: Sequence[int]) -> Any:
    """The address of numbers that lie in the module."""
    kind, module = ir.ArrayType(i64, len(record)), code.builder.module
    found = ir.GlobalVariable(module, kind, module.get_unique_name("record"))
    found.linkage, found.global_constant, found.initializer = "internal", True, ir.Constant(kind, record)
    return found
