"""Rows of the data taken a block at a time through all equations that keep them apart, so that a block stays in the cache.

A step over many rows computes a value of every row, then the next, and each passes through memory on its way. Here the equations
whose rows depend on themselves alone become the body of a loop over blocks of rows. What they are summed up to is collected block
by block, and joined afterwards in the order of the blocks; rows that fill no block go through the same equations by themselves.
Which equations these are is read off the axes (`tracing/passes/rowwise.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from chainrule.engines.llvm.machine.target import Target
from chainrule.engines.llvm.planning.lowering import Lowered
from chainrule.engines.llvm.planning.sharing import BLOCKS
from chainrule.ops import REGISTRY, Contraction, Reduction, layouts
from chainrule.ops.axes import Kept
from chainrule.ops.kinds.contraction import parse
from chainrule.ops.operation import ArrayType, cast
from chainrule.tracing import Equation, Program, RecordedValue, Recorder, Variable, check, trees
from chainrule.tracing.apply import apply, traced
from chainrule.tracing.loops.body import Body
from chainrule.tracing.loops.loop import LOOP
from chainrule.tracing.passes.rowwise import Rows, rows_of
from chainrule.tracing.program import Atom, Literal, axes_of, bodies_of, infer

SHARE = 4
"""A block is to take this part of the second cache; and the sums of all blocks are this many times fewer numbers than rows have."""


class _WholeOnlyError(Exception):
    """An equation that cannot be had for fewer rows."""


@dataclass
class Region:
    """The equations of a Program by how they go with the rows of the data, each list in order.

    `apart` keep rows apart, `sums` join the rows of such; of the others those of `before` are needed by these. `axis` is, for
    every value with rows, the axis they lie along.
    """

    rows: int
    data: list[Variable]
    axis: dict[Variable, int]
    before: list[Equation]
    apart: list[Equation]
    sums: list[Equation]
    after: list[Equation]

    @property
    def large(self) -> list[Variable]:
        """What has most of the numbers of a row: data and products."""
        return [*self.data, *(e.output for e in self.apart if isinstance(e.op, Contraction))]

    @property
    def shared(self) -> list[Variable]:
        """What is the same for all rows and is computed with them."""
        inside = {*self.data, *(e.output for e in self.apart)}
        found = (x for e in (*self.apart, *self.sums) for x in e.inputs if isinstance(x, Variable) and x not in inside)
        return list(dict.fromkeys(found))

    def of_rows(self, count: int, given: Mapping[Variable, Variable]) -> tuple[list[Equation], list[Variable]]:
        """The equations of so many rows, with what stands for other variables in them; and their sums."""
        known, equations = dict(given), list[Equation]()
        for e in (*self.apart, *self.sums):
            shape = _with_length(e.output.shape, self.axis.get(e.output), count)
            attributes = {name: shape if x == e.output.shape else x for name, x in e.attributes.items()}
            inputs = tuple(self._of_rows(e, place, count, known) for place in range(len(e.inputs)))
            op = _part(e) if e in self.sums else e.op
            kind = infer(op, inputs, attributes)
            if kind.shape != shape:
                raise _WholeOnlyError
            known[e.output] = Variable(e.output.name, kind)
            equations.append(Equation(known[e.output], op, inputs, attributes, e.scope))
        return equations, [known[e.output] for e in self.sums]

    def _of_rows(self, equation: Equation, place: int, count: int, known: Mapping[Variable, Variable]) -> Atom:
        """An input of an equation, for so many rows."""
        x, axis = equation.inputs[place], self.axis.get(equation.output)
        if isinstance(x, Variable) and x in self.axis:
            return known[x]
        links = (axes_of(equation) or ())[place]
        long = [k.source for k in links if isinstance(k, Kept) and k.target == axis and x.shape[k.source] == self.rows]
        if isinstance(x, Literal):  # what is the same for all rows is equal along them
            return Literal(np.take(x.value, range(count), axis=long[0])) if long else x
        if long:
            raise _WholeOnlyError
        return known.get(x, x)


def in_blocks(lowered: Lowered, data: Iterable[Variable], target: Target) -> Lowered:
    """The same with the rows of the data, which are along its first axis, in blocks, if that is possible and worth it."""
    arrays = [x for x in data if x.shape]
    region = None if fits(lowered.program, arrays, target) else _region(lowered.program, arrays, target)
    if region is None:
        return lowered
    blocks = blocks_of(region, target)
    try:
        return replace(lowered, program=_looped(lowered.program, region, blocks)) if blocks else lowered
    except _WholeOnlyError:
        return lowered


def fits(program: Program, data: Sequence[Variable], target: Target) -> bool:
    """Whether the data and all products together are no more than the second cache holds."""
    products = [e.output for e in program.equations if isinstance(e.op, Contraction)]
    return _bytes([*data, *products]) <= target.second_cache


def blocks_of(region: Region, target: Target) -> int:
    """How many blocks there are to be, none if that is not worth it: fewer and larger ones where there is much to sum up, but none
    that is larger than the cache.
    """
    numbers, nbytes = _numbers(region.large), _bytes(region.large)
    if nbytes <= target.second_cache:
        return 0
    wanted = -(-nbytes * SHARE // target.second_cache)
    collected = _numbers(e.output for e in region.sums)
    most = min(numbers // (SHARE * collected), region.rows // BLOCKS)
    blocks = min(-(-wanted // BLOCKS), most // BLOCKS) * BLOCKS
    return blocks if blocks * target.second_cache >= nbytes else 0


def _numbers(arrays: Iterable[Variable]) -> int:
    return sum(x.type.size for x in arrays)


def _bytes(arrays: Iterable[Variable]) -> int:
    return sum(x.type.size * x.dtype.itemsize for x in arrays)


def _region(program: Program, data: Sequence[Variable], target: Target) -> Region | None:
    """The equations of one pass over the rows; `None` where a row is needed outside of it, or there is nothing to sum up.

    Sums that rows need again, as that of their weights, are computed before, of whole columns, unless they need products.
    """
    if not data or any(x.shape[0] != data[0].shape[0] for x in data) or data[0].shape[0] == 1:
        return None
    rows, rest, totals = rows_of(program, data), program, set[Variable]()
    while again := _needed_again(rest, rows):
        totals |= again
        if any(isinstance(e.op, Contraction) for e in _wanted(program.equations, totals)):
            return None
        later = tuple(e for e in program.equations if e.output not in totals)
        rest = replace(program, inputs=(*program.inputs, *totals), equations=later)
        rows = rows_of(rest, data)
    axis = {x: found.axis for x, found in rows.items() if found.axis is not None and not found.mixed}
    region, sums = Region(data[0].shape[0], list(data), axis, [], [], [], []), set[Variable]()
    for e in rest.equations:
        given = [x for x in e.inputs if isinstance(x, Variable)]
        with_rows = [x for x in given if x in axis]
        if not with_rows or not sums.isdisjoint(given):
            region.after.append(e)
            if not sums.isdisjoint(given):
                sums.add(e.output)
        elif e.output in axis and not bodies_of(e):
            region.apart.append(e)
        elif _joins(e) and len(with_rows) == len(e.inputs):
            total, *others = _lengthened(e, target)
            region.sums.append(total)
            region.after += others
            sums |= {total.output, e.output}
        else:
            return None
    early = _wanted(program.equations, totals)
    inside = {e.output for e in region.apart} - {e.output for e in early}
    needed = {x for e in region.after for x in e.inputs} | set(program.outputs)
    if not region.sums or not needed.isdisjoint(inside):
        return None
    first = {*early, *_wanted(region.after, region.shared)}
    region.before = [e for e in program.equations if e in first]
    region.after = [e for e in region.after if e not in first]
    return region


def _needed_again(program: Program, rows: Mapping[Variable, Rows]) -> set[Variable]:
    """What rows are joined to and rows need again."""
    joined: dict[Atom, frozenset[Variable]] = {}
    again = set[Variable]()
    for e in program.equations:
        own = frozenset[Variable]().union(*(joined.get(x, ()) for x in e.inputs))
        if any(isinstance(x, Variable) and rows[x].axis is not None for x in e.inputs):
            again |= own
            if not own and rows[e.output].axis is None:
                own = frozenset({e.output})
        joined[e.output] = own
    return again


def _wanted(equations: Sequence[Equation], results: Iterable[Atom]) -> list[Equation]:
    """Those of the equations, in order, that these results need."""
    wanted, found = set(results), list[Equation]()
    for e in reversed(equations):
        if e.output in wanted:
            wanted.update(e.inputs)
            found.append(e)
    return found[::-1]


def _joins(equation: Equation) -> bool:
    """Whether rows are added up, or joined otherwise, to something that has none."""
    if isinstance(equation.op, Contraction):
        return True
    return isinstance(equation.op, Reduction) and (equation.op.finish is None or equation.op.combine == "add")


def _lengthened(equation: Equation, target: Target) -> list[Equation]:
    """A product whose results have short rows, half a vector at most, with its longest axis last, and what turns it back."""
    shape = equation.output.shape
    if (
        not isinstance(equation.op, Contraction)
        or not shape
        or 2 * shape[-1] > target.lanes(equation.output.dtype.itemsize)
    ):
        return [equation]
    longest = max(range(len(shape)), key=shape.__getitem__)
    if shape[longest] < 2 * shape[-1]:
        return [equation]
    order = [*(i for i in range(len(shape)) if i != longest), longest]
    parts = parse(equation.attributes["subscripts"])
    subscripts = f"{parts.left},{parts.right}->{''.join(parts.result[i] for i in order)}"
    kind = ArrayType(tuple(shape[i] for i in order), equation.output.dtype)
    turned = Variable(f"{equation.output.name}_turned", kind)
    back = tuple(order.index(i) for i in range(len(shape)))
    return [
        equation.replace(output=turned, attributes={"subscripts": subscripts}),
        Equation(equation.output, layouts.transpose, (turned,), {"axes": back}, equation.scope),
    ]


def _part(equation: Equation) -> Any:
    """The operation that joins a part of the rows."""
    finished = isinstance(equation.op, Reduction) and equation.op.finish is not None
    return REGISTRY["sum"] if finished else equation.op


def _with_length(shape: tuple[int, ...], axis: int | None, count: int) -> tuple[int, ...]:
    """A shape with so many places along an axis."""
    return shape if axis is None else (*shape[:axis], count, *shape[axis + 1 :])


def _looped(program: Program, region: Region, blocks: int) -> Program:
    """The Program with its rows in so many blocks, and what is left of them."""
    size, rest = divmod(region.rows, blocks)
    shared = region.shared
    with Recorder() as recorder:
        recorder.equations += region.before

        def value(x: Atom) -> Any:
            return RecordedValue(recorder, x) if isinstance(x, Variable) else x.value

        def rows(x: Variable, begin: int, end: int) -> Any:
            other = x.shape[1:]
            start, stop = (begin, *(0 for _ in other)), (end, *other)
            return traced.slice(value(x), start=start, stop=stop, step=(1,) * len(stop), drop=())

        body = _body(region, size, shared)
        sequences = [traced.reshape(rows(x, 0, blocks * size), shape=(blocks, size, *x.shape[1:])) for x in region.data]
        result = apply(LOOP, *sequences, *map(value, shared), body=body, length=blocks, reverse=False)
        found = []
        for begin, end, kind in body.parts(blocks):
            part = traced.slice(result, start=(begin,), stop=(end,), step=(1,), drop=())
            found.append(cast(traced, traced.reshape(part, shape=kind.shape), kind.dtype))
        last: list[Variable] = []
        if rest:
            tails = {x: recorder.atom(rows(x, blocks * size, region.rows)) for x in region.data}
            equations, last = region.of_rows(rest, tails)
            recorder.equations += equations
        totals = {}
        for i, (e, parts) in enumerate(zip(region.sums, found, strict=True)):
            totals[e.output] = recorder.atom(_total(e, parts, value(last[i]) if rest else None))
        for e in region.after:
            inputs = tuple(totals.get(x, x) if isinstance(x, Variable) else x for x in e.inputs)
            recorder.equations.append(e.replace(inputs=inputs))
    outputs = tuple(totals.get(x, x) if isinstance(x, Variable) else x for x in program.outputs)
    return check(replace(program, equations=tuple(recorder.equations), outputs=outputs))


def _body(region: Region, size: int, shared: Sequence[Variable]) -> Body:
    """What is done with a block."""
    data = {x: Variable(x.name, ArrayType((size, *x.shape[1:]), x.dtype)) for x in region.data}
    given = {**data, **{x: Variable(x.name, x.type) for x in shared}}
    equations, sums = region.of_rows(size, given)
    structures = trees.row(len(given)), trees.row(len(sums))
    program = Program((*given.values(),), tuple(equations), tuple(sums), *structures, name="rows")
    return Body(check(program), 0, len(data))


def _total(equation: Equation, parts: Any, last: Any) -> Any:
    """What the blocks' parts are together, and the part of the rows after them."""
    op = equation.op
    if isinstance(op, Contraction):
        total = traced.sum(parts, axis=(0,), keepdims=False)
        return total if last is None else traced.add(total, last)
    assert isinstance(op, Reduction)
    total = getattr(traced, _part(equation).name)(parts, axis=(0,), keepdims=False)
    if last is not None:
        total = getattr(traced, op.combine or "")(total, last)
    if op.finish is not None:
        total = op.finish(total, prod(equation.inputs[0].shape[i] for i in equation.attributes["axis"]))
    return cast(traced, total, equation.output.dtype)
