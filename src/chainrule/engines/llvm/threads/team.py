"""One compiled function carried out by several threads at the same time: each has a table and memory of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

from chainrule.engines.llvm.machine.machine import CompiledFunction, table
from chainrule.engines.llvm.planning import pages
from chainrule.engines.llvm.planning.buffers import END, HELD_UP, PATIENCE, meeting

NO_END = 2**62
"""More than any number of steps or looks."""

ARENA, THREAD, THREADS, WORKSPACE, REST = range(5)
"""The table's first places: the address of the arena, which thread this is and of how many, the address of its own memory."""


class Carried(NamedTuple):
    """What became of a call: after how many of its steps the threads left, if it had more, and whether one was held up."""

    steps: int
    held_up: bool


class Team:
    """The threads that carry out one function on one arena."""

    def __init__(self, function: CompiledFunction, arena: Any, workspace_bytes: int) -> None:
        self.function, self._arena, self._workspace_bytes = function, arena, workspace_bytes
        self.workspaces: list[Any] = []
        self._places = [arena.ctypes.data]

    def numbers(self, thread: int, threads: int, rest: list[int]) -> list[int]:
        """What a thread is told."""
        while len(self.workspaces) <= thread:
            self.workspaces.append(pages.zeros(self._workspace_bytes))
            self._places.append(self.workspaces[-1].ctypes.data)
        return [self._places[0], thread, threads, self._places[1 + thread], *rest]

    def table(self, thread: int, threads: int, rest: list[int]) -> Any:
        """The same as a table."""
        return table(self.numbers(thread, threads, rest))

    def carry_out(self, threads: int, rest: list[int], kept: Any, patience: int = NO_END) -> Carried:
        """Carry it out in so many threads, with the rest of their tables.

        All that is at the rest's addresses is `kept` while threads run. If one has waited for another for more looks than
        its `patience`, they leave after a step.
        """
        tables = [self.table(thread, threads, rest) for thread in range(threads)]
        told = meeting(self._arena)
        told[:] = 0
        told[PATIENCE], told[END] = patience, NO_END
        if threads == 1:
            self.function(tables[0])
            return Carried(NO_END, held_up=False)

        def gather(count: int) -> None:
            for numbers in tables:
                numbers[THREADS] = count

        self.function.together(tables, gather, (self, kept))
        return Carried(int(told[END]), held_up=bool(told[HELD_UP]))
