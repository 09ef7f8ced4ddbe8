"""The sums of one tile by a function that is told where operands lie, written once for all products whose code is told sizes.

(The micro-kernel of Van Zee and van de Geijn, BLIS, 2015.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.contractions.products import Product, multiply_add
from chainrule.engines.llvm.planning.block_choice import BROAD_TOLD
from chainrule.engines.llvm.writing.code import Code, i8, i64, pointer, vector_type
from chainrule.engines.llvm.writing.positions import Index


@dataclass(frozen=True)
class Terms:
    """A loop over terms of sums: how many there are, and how many bytes lie between those of the rows, and of the columns."""

    count: Index
    rows: Index
    columns: Index


def tile_sums(
    code: Code,
    product: Product,
    size: tuple[int, Index],
    rows: tuple[Any, Index],
    columns: Any,
    terms: Sequence[Terms],
    sums: Any,
) -> None:
    """Write a tile's sums to memory, a row of `BROAD_TOLD` vectors after the other, of which only so many need be there.

    The `size` are rows and vectors; `rows` an address and the bytes between two rows, `columns` an address, `terms` the loops over
    what is summed, the outermost first.
    """
    height, vectors = size
    numbers = [code.value(n) for n in (rows[1], *(n for t in terms for n in (t.count, t.rows, t.columns)))]

    def call(breadth: int) -> None:
        code.builder.call(_kernel(code, product, height, breadth, len(terms)), [rows[0], columns, sums, *numbers])

    whole = code.builder.icmp_signed("==", code.value(vectors), i64(BROAD_TOLD))
    with code.builder.if_else(whole) as (yes, no):
        with yes:
            call(BROAD_TOLD)
        with no:
            call(1)


def _kernel(code: Code, product: Product, height: int, breadth: int, depth: int) -> ir.Function:
    """The function for tiles of this size and sums over so many axes, written where it is called first."""
    module, width, dtype = code.builder.module, product.width, product.dtype
    name = f"sums.{dtype.name}x{width}.{height}x{breadth}.{depth}"
    if name in module.globals:
        return module.globals[name]  # type: ignore[no-any-return]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer] * 3 + [i64] * (1 + 3 * depth)), name)
    function.linkage = "internal"
    function.attributes.append("noinline")
    builder, kind = ir.IRBuilder(function.append_basic_block("entry")), vector_type(dtype, width)
    own = Code(builder, None, code.target, unrolled=False)
    rows, columns, sums, apart, *numbers = function.args
    loops = [numbers[i : i + 3] for i in range(0, len(numbers), 3)]
    lines = [builder.mul(apart, i64(r)) for r in range(1, height)]
    nbytes = width * dtype.itemsize

    def behind(base: Any, distance: Any) -> Any:
        return builder.gep(base, [distance], source_etype=i8)

    def term(row: Any, column: Any, totals: list[Any]) -> list[Any]:
        at = [behind(column, i64(v * nbytes)) if v else column for v in range(breadth)]
        vectors = [own.number(builder.load(x, typ=kind, align=dtype.itemsize), dtype, width) for x in at]
        found = []
        for r in range(height):
            number = builder.load(
                behind(row, lines[r - 1]) if r else row, typ=vector_type(dtype, 1), align=dtype.itemsize
            )
            for v, vector in enumerate(vectors):
                found.append(multiply_add(own.splat(number, dtype, width), vector, totals[r * breadth + v]))
        return found

    def nest(level: int, carried: list[Any]) -> list[Any]:
        if level == depth:
            return term(carried[0], carried[1], carried[2:])
        count, *steps = loops[level]
        head, after, entry = (*map(builder.append_basic_block, ("loop", "after")), builder.block)
        builder.branch(head)
        builder.position_at_end(head)
        begins = [builder.phi(x.type) for x in (*carried, i64(0))]
        ends = nest(level + 1, begins[:-1])
        at = [behind(x, step) for x, step in zip(begins, steps, strict=False)]
        following = builder.add(begins[-1], i64(1))
        for phi, before, value in zip(begins, (*carried, i64(0)), (*at, *ends, following), strict=True):
            phi.add_incoming(before, entry)
            phi.add_incoming(value, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, count), head, after)
        builder.position_at_end(after)
        return ends

    zero = own.constant(0, dtype, width).value
    for place, total in enumerate(nest(0, [rows, columns, *[zero] * (height * breadth)])):
        r, v = divmod(place, breadth)
        builder.store(total, behind(sums, i64((r * BROAD_TOLD + v) * nbytes)), align=nbytes)
    builder.ret_void()
    return function
