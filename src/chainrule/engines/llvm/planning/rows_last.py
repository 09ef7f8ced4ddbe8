"""Small steps with the rows of the data along the vectors: the same Program, with every value's axis of rows its last.

The units of a layer usually lie along the vectors. Where there are two of them and four rows, half of a vector of four is empty, and
every row takes a vector. With the rows along the vectors all lanes are used, no lane needs another's before the gradients of
weights are added up, and a layer's activation is computed on fewer vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.engines.llvm.planning.buffers import lanes
from chainrule.ops import Contraction, Elementwise, Reduction, layouts
from chainrule.ops.kinds.contraction import parse
from chainrule.ops.operation import ArrayType, Operation
from chainrule.tracing import Equation, Literal, Program, Variable
from chainrule.tracing.passes.rowwise import Rows, rows_of
from chainrule.tracing.program import Atom

SMALL = 400
"""Vectors, about, that the products of a step and their activations take, up to which rows may lie along the vectors."""

ON_EACH = 8
"""Vectors, about, that are computed on every one that is a layer's result: its activation above all."""

Order = Callable[[Atom, str], str]
"""The letters of an array's axes in the order in which they lie in memory."""


def with_rows_last(program: Program, data: Sequence[Variable], widest: int) -> Program | None:
    """The same for data whose rows are their last axis, where that takes fewer vectors of up to `widest` lanes; else nothing.

    The products alone decide, whatever else is computed: so a training keeps its bits when more is reported of it.
    """
    products = [e for e in program.equations if isinstance(e.op, Contraction)]
    least = sum(math.prod(_lengths(e).values()) for e in products) / widest
    if not data or any(x.shape[0] == 1 for x in data) or not 0 < least <= SMALL:
        return None
    rows = rows_of(program, data)
    as_they_are = _vectors(products, rows, widest, lambda x, letters: letters)
    turned = _vectors(products, rows, widest, lambda x, letters: _moved(letters, _axis(x, rows)))
    return with_axes_moved(program, rows) if turned < as_they_are <= SMALL else None


def with_axes_moved(program: Program, rows: Mapping[Variable, Rows]) -> Program:
    """The same with the axes of rows last, those of the data too; the outputs are as they were."""
    return _Turned(program, rows).program()


def _axis(x: Atom, rows: Mapping[Variable, Rows]) -> int:
    """The axis of rows, or the last one."""
    axis = rows[x].axis if isinstance(x, Variable) else None
    return len(x.shape) - 1 if axis is None else axis


def _moved(axes: Any, axis: int) -> Any:
    """Axes with one of them put last."""
    return axes[:axis] + axes[axis + 1 :] + axes[axis : axis + 1]


def _arrays(product: Equation) -> list[tuple[Atom, str]]:
    """The operands and the result of a product, with the letters of their axes."""
    parts = parse(product.attributes["subscripts"])
    return [*zip((*product.inputs, product.output), (parts.left, parts.right, parts.result), strict=True)]


def _lengths(product: Equation) -> dict[str, int]:
    """How long the axes of a product are, by letter."""
    return {c: n for x, letters in _arrays(product) for c, n in zip(letters, x.shape, strict=True)}


def _vectors(products: Sequence[Equation], rows: Mapping[Variable, Rows], widest: int, order: Order) -> int:
    """About how many vectors products and what is computed on them take, with axes in this order."""
    total = 0
    for product in products:
        lengths = _lengths(product)
        left, right, result = ([c for c in order(*own) if lengths[c] != 1] for own in _arrays(product))
        across = left[-1:] == right[-1:] and not set(left[-1:]) <= set(result)  # sums along vectors
        total += _count(list(lengths.values()), [lengths[c] for c in (left[-1:] if across else result[-1:])], widest)
        sizes = [lengths[c] for c in result]
        if across:
            total += 2 * math.prod(sizes) * (lanes(lengths[left[-1]], widest).bit_length() - 1)
        if rows[product.output].axis is not None:
            total += ON_EACH * _count(sizes, sizes[-1:], widest)
    return total


def _count(sizes: list[int], along: list[int], widest: int) -> int:
    """How many vectors hold an array with axes of these sizes, one of which lies along them."""
    length = math.prod(along)
    return math.prod(sizes) // length * -(-length // lanes(length, widest))


class _Turned:
    """The Program being written: `own` has for every value the one with its rows last."""

    def __init__(self, program: Program, rows: Mapping[Variable, Rows]) -> None:
        self.given, self.rows = program, rows
        self.equations: list[Equation] = []
        self.own: dict[Variable, Variable] = {}
        self.moves: dict[tuple[object, str, tuple[int, ...]], Atom] = {}

    def program(self) -> Program:
        """All of it; the outputs are as they were."""
        inputs = tuple(self._of_its_own(x) for x in self.given.inputs)
        for equation in self.given.equations:
            self._write(equation)
        outputs = tuple(self._as_it_was(x) for x in self.given.outputs)
        return replace(self.given, inputs=inputs, equations=tuple(self.equations), outputs=outputs)

    def _of_its_own(self, x: Variable) -> Variable:
        axis = _axis(x, self.rows)
        moved = axis < len(x.shape) - 1
        self.own[x] = Variable(x.name, ArrayType(_moved(x.shape, axis), x.dtype), x.step) if moved else x
        return self.own[x]

    def _write(self, equation: Equation) -> None:
        op, output, (first, *_) = equation.op, equation.output, (*equation.inputs, None)
        if isinstance(op, Contraction):
            left, right, result = (_moved(letters, _axis(x, self.rows)) for x, letters in _arrays(equation))
            inputs = [self.own[x] if isinstance(x, Variable) else x for x in equation.inputs]
            self._add(equation, inputs, {"subscripts": f"{left},{right}->{result}"})
        elif isinstance(op, Elementwise) and self.rows[output].axis is not None:
            self._add(equation, [self._beside(x, output) for x in equation.inputs], equation.attributes)
        elif isinstance(op, Reduction) and isinstance(first, Variable) and self._goes_on(equation):
            order = _moved(tuple(range(len(first.shape))), _axis(first, self.rows))
            axis = tuple(sorted(order.index(i) for i in equation.attributes["axis"]))
            self._add(equation, [self.own[first]], {**equation.attributes, "axis": axis})
        else:
            self.equations.append(equation.replace(inputs=tuple(map(self._as_it_was, equation.inputs))))
            order = _moved(tuple(range(len(output.shape))), _axis(output, self.rows))
            self.own[output] = output if order == tuple(sorted(order)) else self._transposed(output, order)

    def _add(self, equation: Equation, inputs: Sequence[Atom], attributes: Mapping[str, Any]) -> None:
        """The equation of what has its rows last, for an output that has."""
        own = self._of_its_own(equation.output)
        self.equations.append(equation.replace(output=own, inputs=tuple(inputs), attributes=attributes))

    def _goes_on(self, reduction: Equation) -> bool:
        """Whether a reduction has its rows last if its input has, or no rows and the shape that it is to have."""
        return self.rows[reduction.output].axis is not None or not reduction.attributes.get("keepdims")

    def _beside(self, x: Any, output: Variable) -> Any:
        """An operand of an elementwise operation, with the axis that lies along the output's rows last."""
        axis = _axis(output, self.rows) - len(output.shape) + len(x.shape)
        if isinstance(x, Variable) and self.rows[x].axis is not None:
            return self.own[x]
        if x.shape == ():
            return x
        if axis < 0:
            return self._move(x, layouts.reshape, "shape", (*x.shape, 1), (*x.shape, 1))
        return self._transposed(x, _moved(tuple(range(len(x.shape))), axis))

    def _as_it_was(self, x: Any) -> Any:
        if not isinstance(x, Variable) or self.own[x] is x:
            return x
        last = len(x.shape) - 1
        order = tuple(range(last))
        axis = _axis(x, self.rows)
        return self._transposed(self.own[x], (*order[:axis], last, *order[axis:]))

    def _transposed(self, x: Any, order: tuple[int, ...]) -> Any:
        return self._move(x, layouts.transpose, "axes", order, tuple(x.shape[i] for i in order))

    def _move(self, x: Atom, op: Operation, name: str, attribute: tuple[int, ...], shape: tuple[int, ...]) -> Any:
        """The elements of a value in another order of axes; of a constant, now."""
        key = (x if isinstance(x, Variable) else id(x.value), name, attribute)
        if key not in self.moves:
            if isinstance(x, Literal):
                self.moves[key] = Literal(np.ascontiguousarray(op.evaluate(x.value, **{name: attribute})))
            else:
                self.moves[key] = moved = Variable(x.name, ArrayType(shape, x.dtype))
                self.equations.append(Equation(moved, op, (x,), {name: attribute}))
        return self.moves[key]
