"""One compiled function carried out by several threads at the same time: each has a table and memory of its own."""

from __future__ import annotations

from typing import Any

from chainrule.engines.llvm.machine.machine import CompiledFunction, table
from chainrule.engines.llvm.planning import pages
from chainrule.engines.llvm.planning.buffers import barrier_counter

ARENA, THREAD, THREADS, WORKSPACE, REST = range(5)
"""The table's first places: the address of the arena, which thread this is and of how many, the address of its own memory."""


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

    def carry_out(self, threads: int, rest: list[int], kept: Any) -> None:
        """Carry it out in so many threads, with the rest of their tables.

        All that is at the rest's addresses is `kept` while threads run.
        """
        tables = [self.table(thread, threads, rest) for thread in range(threads)]
        if threads == 1:
            self.function(tables[0])
            return
        barrier_counter(self._arena)[0] = 0

        def gather(count: int) -> None:
            for numbers in tables:
                numbers[THREADS] = count

        self.function.together(tables, gather, (self, kept))
