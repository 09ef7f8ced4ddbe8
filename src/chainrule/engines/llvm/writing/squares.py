"""Squares of vectors turned over in registers, by one function for all of a size: LLVM takes long to choose how lanes are moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.writing.code import Code, i8, i64, pointer, vector_type
from chainrule.engines.llvm.writing.positions import Index


def turn(
    code: Code,
    size: int,
    dtype: np.dtype[Any],
    source: tuple[Any, Index],
    target: tuple[Any, Index],
    last: Index | None = None,
) -> None:
    """Copy a square of so many numbers on each side, its columns to lines.

    `source` and `target` are an address, and how many bytes lie between two lines. Lines after the `last` there is repeat it.
    """
    function = _function(code, size, dtype, bounded=last is not None)
    numbers = [code.value(n) for n in (source[1], target[1], *([] if last is None else [last]))]
    code.builder.call(function, [source[0], target[0], *numbers])


def _function(code: Code, size: int, dtype: np.dtype[Any], *, bounded: bool) -> ir.Function:
    """What does it, written where it is called first."""
    name = "turn" + ".bounded" * bounded + f".{dtype.name}x{size}" + ".inline" * code.unrolled
    module = code.builder.module
    if name in module.globals:
        return module.globals[name]  # type: ignore[no-any-return]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer] * 2 + [i64] * (2 + bounded)), name)
    function.linkage = "internal"
    function.attributes.append("alwaysinline" if code.unrolled else "noinline")
    builder, kind = ir.IRBuilder(function.append_basic_block("entry")), vector_type(dtype, size)
    source, target, across, below, *last = function.args

    def line(base: Any, number: Any, distance: Any) -> Any:
        return builder.gep(base, [builder.mul(number, distance)], source_etype=i8)

    def place(k: int) -> Any:
        return i64(k) if not last else builder.select(builder.icmp_signed("<", i64(k), last[0]), i64(k), last[0])

    lines = [builder.load(line(source, place(k), across), typ=kind, align=dtype.itemsize) for k in range(size)]
    for k, turned in enumerate(_turned(builder, lines)):
        builder.store(turned, line(target, i64(k), below), align=dtype.itemsize)
    builder.ret_void()
    return function


def _turned(builder: ir.IRBuilder, lines: list[Any]) -> list[Any]:
    """Rows and columns exchanged: at each stage blocks twice as large change places."""
    width, stage = len(lines), 1
    while stage < width:
        lower = [lane if not lane & stage else width + lane - stage for lane in range(width)]
        upper = [lane + stage if not lane & stage else width + lane for lane in range(width)]
        masks = [ir.Constant(ir.VectorType(ir.IntType(32), width), mask) for mask in (lower, upper)]
        turned = list(lines)
        for k in range(width):
            if not k & stage:
                for place, mask in zip((k, k + stage), masks, strict=True):
                    turned[place] = builder.shuffle_vector(lines[k], lines[k + stage], mask)
        lines, stage = turned, 2 * stage
    return lines
