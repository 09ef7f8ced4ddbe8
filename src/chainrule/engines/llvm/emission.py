"""All groups of a Program, written one after another."""

from __future__ import annotations

from chainrule.engines.llvm import contractions, moves, nests
from chainrule.engines.llvm.code import Code
from chainrule.engines.llvm.groups import Grouping
from chainrule.engines.llvm.memory import Memory
from chainrule.ops import Contraction


def emit(code: Code, memory: Memory, grouping: Grouping) -> None:
    """Write the loops of every group, in order."""
    for group in grouping.groups:
        if group.root is None:
            nests.emit(code, memory, group)
        elif isinstance(group.root.op, Contraction):
            contractions.emit(code, memory, group)
        else:
            moves.emit(code, memory, group)
