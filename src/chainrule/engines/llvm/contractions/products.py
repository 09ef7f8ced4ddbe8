"""Groups rooted in a contraction: what is multiplied with what, and what becomes of a finished sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chainrule.engines.llvm.mathematics import Vector
from chainrule.engines.llvm.planning.buffers import View, lanes
from chainrule.engines.llvm.planning.groups import Group
from chainrule.engines.llvm.planning.memory import MemoryPlan
from chainrule.engines.llvm.writing.code import Code
from chainrule.engines.llvm.writing.points import Point
from chainrule.engines.llvm.writing.positions import Index
from chainrule.engines.llvm.writing.sizes import Size
from chainrule.ops.kinds.contraction import parse
from chainrule.tracing import Variable
from chainrule.tracing.program import Atom


@dataclass(frozen=True)
class Operand:
    """One side of a contraction: its view, and its stride along every letter."""

    view: View
    strides: dict[str, int]

    def along(self, letter: str) -> int:
        """The stride along a letter, 0 if the operand has none of it."""
        return self.strides.get(letter, 0)


class Product:
    """A contraction with its letters' roles worked out; letters of length 1 are left out."""

    def __init__(self, memory: MemoryPlan, group: Group) -> None:
        assert group.root is not None
        self.equation, self.group = group.root, group
        parts = parse(self.equation.attributes["subscripts"])
        terms = (parts.left, parts.right)
        shapes = [x.shape for x in self.equation.inputs]
        self.lengths = {c: n for t, shape in zip(terms, shapes, strict=True) for c, n in zip(t, shape, strict=True)}
        self.operands = [self._operand(memory, x, t) for x, t in zip(self.equation.inputs, terms, strict=True)]
        self.result = [c for c in parts.result if self.lengths[c] != 1]
        self.summed = [c for c in parts.summed if self.lengths[c] != 1]
        self.told = any(isinstance(n, Size) for n in self.lengths.values())
        self.dtype = self.equation.output.dtype
        self.vector = self.result[-1] if self.result else ""
        self.width = lanes(self.lengths[self.vector], memory.widest) if self.vector else 1

    def _operand(self, memory: MemoryPlan, x: Atom, term: str) -> Operand:
        view = memory.view(x)
        return Operand(view, {c: s for c, s, n in zip(term, view.strides, view.shape, strict=True) if n != 1})

    @property
    def rows(self) -> str:
        """The letter of the tile's rows: of the result, and in one operand alone that lacks the vector's letter."""
        for letter in reversed(self.result[:-1]):
            holders = [o for o in self.operands if letter in o.strides]
            if len(holders) == 1 and self.vector not in holders[0].strides:
                return letter
        return ""

    @property
    def rows_and_columns(self) -> tuple[Operand, Operand]:
        """The operand that has the tile's rows, and the other."""
        first, second = self.operands
        return (second, first) if self.rows in second.strides else (first, second)

    @property
    def inner(self) -> str:
        """The summed letter both operands run along without steps, if the vector's letter is not there to run along."""
        for letter in reversed(self.summed):
            if all(o.along(letter) == 1 for o in self.operands):
                return letter
        return ""

    @property
    def is_dot(self) -> bool:
        """Whether rows are multiplied with rows, and vectors run along what is summed."""
        side_by_side = any(o.along(self.vector) == 1 for o in self.operands) if self.vector else False
        return bool(self.inner) and not side_by_side

    def addition(self, memory: MemoryPlan) -> tuple[Atom, Variable] | None:
        """What its sums may begin with, and what they then are, if that is there before the group's own equations are."""
        found = self.group.addition
        if found is not None and isinstance(found[0], Variable) and memory.register(found[0]) in self.group.values:
            return None
        return found

    def point(self, code: Code, memory: MemoryPlan, at: dict[str, Index], width: int) -> Point:
        """Where the group's elementwise equations are computed on a sum."""
        position = tuple(at[c] for c in self.result)
        return Point(code, memory, position, width, self.lengths.get(self.vector, 1))

    def place(self, code: Code, operand: Operand, at: dict[str, Index]) -> Index:
        """Where the operand's number for these positions is."""
        return code.sum((operand.view.start, 1), *((at[c], s) for c, s in operand.strides.items()))


def multiply_add(a: Vector, b: Vector, total: Any) -> Any:
    """a·b + total, in one instruction where the machine has one; of truth values whether both hold, or any did before."""
    before = a.mathematics.wrap(total, a.dtype)
    return (a.mathematics.intrinsic("fmuladd", a, b, before) if a.dtype.kind == "f" else a * b + before).value


def finish(
    code: Code,
    memory: MemoryPlan,
    product: Product,
    at: dict[str, Index],
    total: Vector,
    width: int,
    known: Variable | None = None,
) -> None:
    """The group's elementwise equations on a finished sum, and stores; the sum is the value of `known`, or the product's."""
    point = product.point(code, memory, at, width)
    point.keep(known or product.equation.output, total, product.group)
    point.compute(product.group)
