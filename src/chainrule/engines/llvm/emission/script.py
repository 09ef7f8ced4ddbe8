"""What is carried out one after another as a table, which one loop goes through: of every group its function, and what that is told.

LLVM takes a quarter of a millisecond for a call with what it hands over, and nothing for a line of a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.engines.llvm import ir
from chainrule.engines.llvm.writing.code import Code, i64, pointer
from chainrule.engines.llvm.writing.positions import Index

MEETING, ALONE = 1, 2
"""That threads meet before, and that the first alone carries it out: bits of a line."""


class Script:
    """The lines of the table, for code that is told the places of `code`."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self._functions: dict[ir.Function, int] = {}
        self._lines: list[int] = []
        self._records: list[int] = []

    def add(self, function: ir.Function, record: Sequence[int], *, meeting: bool, alone: bool) -> None:
        """One line more: a function that is told a record, whether threads meet before, and whether it is one's alone."""
        number = self._functions.setdefault(function, len(self._functions))
        self._lines += [number, len(self._records), MEETING * meeting + ALONE * alone]
        self._records += record

    def write(self) -> None:
        """The loop that goes through them."""
        code, builder = self.code, self.code.builder
        functions = self._kept("functions", pointer, [*self._functions])
        lines = self._kept("lines", i64, self._lines)
        records = self._kept("records", i64, self._records or [0])

        def word(table: Any, place: Any, kind: Any = i64) -> Any:
            return builder.load(builder.gep(table, [place], source_etype=kind), typ=kind)

        def one(i: Index) -> None:
            number, begin, how = (word(lines, code.value(code.sum((i, 3), (k, 1)))) for k in range(3))
            function, record = word(functions, number, pointer), builder.gep(records, [begin], source_etype=i64)
            meeting, alone = (
                builder.icmp_signed("!=", builder.and_(how, i64(bit)), i64(0)) for bit in (MEETING, ALONE)
            )
            code.threads.carry_out(
                meeting,
                alone,
                lambda threads: builder.call_at(function, [*code.bases, *threads, record]),
            )

        code.loop(len(self._lines) // 3, one)

    def _kept(self, name: str, kind: Any, values: Sequence[Any]) -> Any:
        """The address of numbers, or of addresses, that lie in the module."""
        module, several = self.code.builder.module, ir.ArrayType(kind, len(values))
        found = ir.GlobalVariable(module, several, module.get_unique_name(name))
        found.linkage, found.global_constant, found.initializer = "internal", True, ir.Constant(several, values)
        return found
