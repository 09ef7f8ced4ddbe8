"""All groups of a Program, written one after another, each when what it needs is there."""

from __future__ import annotations

from chainrule.engines.llvm import inner_loops, moves, nests, sharing
from chainrule.engines.llvm.code import Code
from chainrule.engines.llvm.contractions import Product
from chainrule.engines.llvm.dots import Dots
from chainrule.engines.llvm.groups import Grouping
from chainrule.engines.llvm.memory import MemoryPlan
from chainrule.engines.llvm.tiles import Tiles
from chainrule.ops import Contraction


def emit(code: Code, memory: MemoryPlan, grouping: Grouping) -> None:
    """Write the loops of every group, in order."""
    for group in grouping.groups:
        shared = sharing.partition_of(group) is not sharing.Partition.ALONE
        with code.threads.section(memory.read_by(group), memory.written_by(group), shared=shared):
            if group.root is None:
                nests.emit(code, memory, group)
            elif isinstance(group.root.op, Contraction):
                product = Product(memory, group)
                (Dots if product.is_dot else Tiles)(code, memory, product).emit()
            elif group.inner is not None:
                inner_loops.emit(code, memory, group, emit)
            else:
                moves.emit(code, memory, group)
