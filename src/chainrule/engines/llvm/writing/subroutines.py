"""Functions of the arena, called where code is being written: what is written once, or would make another function too long."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.planning.buffers import Buffer
from chainrule.engines.llvm.writing.code import Code, i8, i64, pointer, vector_type
from chainrule.tracing import Variable

WORD = 8
"""Bytes of everything in a record."""


def subroutine(code: Code, name: str, buffers: Iterable[Buffer] = ()) -> Code:
    """A function to be written, told the threads of `code`, their own memory and the places of buffers; it has no end yet.

    Buffers whose places `code` is told have those there too.
    """
    own = [*buffers]
    builder, inherited, offsets = _begun(code, name, [i64] * len(own))
    told = {x: builder.gep(inherited[0], [offset], source_etype=i8) for x, offset in zip(own, offsets, strict=True)}
    return _code(code, builder, inherited, told)


def recorded(
    code: Code, name: str, buffers: Mapping[Buffer, Buffer], numbers: Sequence[Variable] = (), *, sized: bool = False
) -> Code:
    """A function to be written that is told a record: how far behind its base each buffer lies, numbers, and sizes if it is `sized`.

    Its base is that of the buffer that it stands for in `code`.
    """
    builder, inherited, (record,) = _begun(code, name, [pointer])

    def word(place: int, kind: Any) -> Any:
        return builder.load(builder.gep(record, [i64(place)], source_etype=i64), typ=kind)

    bases = [inherited[code.base(x)[0]] for x in buffers.values()]
    told = {
        x: builder.gep(base, [word(i, i64)], source_etype=i8)
        for i, (x, base) in enumerate(zip(buffers, bases, strict=True))
    }
    values = {x: word(len(told) + i, vector_type(x.dtype, 1)) for i, x in enumerate(numbers)}
    rest = builder.gep(record, [i64(len(told) + len(values))], source_etype=i64) if sized else None
    return _code(code, builder, inherited, told, values, rest)


def word_of(number: Any, dtype: np.dtype[Any]) -> int:
    """A number as it lies in a record."""
    return int.from_bytes(np.asarray(number, dtype).tobytes().ljust(WORD, b"\0"), sys.byteorder, signed=True)


def call(code: Code, function: ir.Function, offsets: Sequence[Any] = ()) -> None:
    """Call it from code that is told the same places, for buffers that lie so many bytes behind the arena's beginning."""
    code.builder.call(function, [*code.bases, *code.threads.values, *offsets])


def _begun(code: Code, name: str, kinds: Sequence[Any]) -> tuple[ir.IRBuilder, list[Any], list[Any]]:
    """A function in its first block; what it is told of its caller's, and the rest, which is of these types."""
    module, inherited = code.builder.module, [*code.bases, *code.threads.values]
    kind = ir.FunctionType(ir.VoidType(), [*(x.type for x in inherited), *kinds])
    function = ir.Function(module, kind, module.get_unique_name(name))
    function.linkage = "internal"
    return ir.IRBuilder(function.append_basic_block("entry")), *_parted(function.args, len(inherited))


def _parted(values: Sequence[Any], count: int) -> tuple[list[Any], list[Any]]:
    return [*values[:count]], [*values[count:]]


def _code(
    code: Code,
    builder: ir.IRBuilder,
    inherited: Sequence[Any],
    told: Mapping[Buffer, Any],
    numbers: Mapping[Variable, Any] | None = None,
    record: Any = None,
) -> Code:
    """What writes the function's body."""
    bases, threads = _parted(inherited, len(code.bases))
    arena, workspace, private, *places = bases
    begin = builder.append_basic_block("begin")
    builder.branch(begin)
    builder.position_at_end(begin)
    return Code(
        builder,
        arena,
        code.target,
        unrolled=False,
        threads=code.threads.within(builder, threads),
        workspace=workspace,
        own=private,
        places={**dict(zip(code.places, places, strict=True)), **told},
        numbers=numbers or {},
        record=record,
    )
