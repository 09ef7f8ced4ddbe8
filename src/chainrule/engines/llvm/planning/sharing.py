"""How the loops of a group are shared out among threads: by rows, by columns, by blocks of what is summed, or not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum, auto

from chainrule.engines.llvm.planning.groups import Group
from chainrule.engines.llvm.planning.layouts import leaves_zeros
from chainrule.ops import Contraction, Custom
from chainrule.tracing import Equation, Variable

WORTH_SHARING = 50_000
"""Numbers computed, about, from which a group is shared out; a barrier takes as long as some thousands."""

BLOCKS = 16
"""Blocks of a long sum that are collected apart and then joined in order, whatever the number of threads."""

FEW = 2048
"""Numbers in the result of a contraction up to which long sums are shared out, instead of places in the result."""


class Partition(Enum):
    """A way to share out a group's loops."""

    ALONE = auto()
    ROWS = auto()
    COLUMNS = auto()
    BLOCKS = auto()


def partition_of(group: Group) -> Partition:
    """How a group is shared out among threads."""
    if not group.space or work(group) < WORTH_SHARING:
        return Partition.ALONE
    if group.root is not None and isinstance(group.root.op, Contraction):
        points = _points(group.space)
        return Partition.BLOCKS if points <= FEW and work(group) >= BLOCKS * BLOCKS * points else Partition.ROWS
    if group.root is not None:
        if group.inner is not None:
            return Partition.ROWS if group.inner.apart else Partition.ALONE
        in_order = isinstance(group.root.op, Custom) or leaves_zeros(group.root)
        return Partition.ALONE if in_order else Partition.ROWS
    reduced = [reduced_axes(fold) for fold in group.folds]
    if not any(axes[0] for axes in reduced):
        return Partition.ROWS
    if not any(axes[-1] for axes in reduced) and group.space[-1] >= 64:
        return Partition.COLUMNS
    collected = sum(fold.output.type.size for fold, axes in zip(group.folds, reduced, strict=True) if any(axes[:-1]))
    if len(group.space) > 1 and group.space[0] >= BLOCKS and collected * BLOCKS * 4 <= _points(group.space):
        return Partition.BLOCKS
    return Partition.ALONE


def collected_by_blocks(group: Group) -> list[Variable]:
    """The results that blocks collect apart, in a group shared out by blocks."""
    if partition_of(group) is not Partition.BLOCKS:
        return []
    if group.root is not None:
        return [group.root.output]
    return [fold.output for fold in group.folds if any(reduced_axes(fold)[:-1])]


def reduced_axes(fold: Equation) -> tuple[bool, ...]:
    """Which of the long axes of its input a fold sums."""
    axis = fold.attributes["axis"]
    return tuple(i in axis for i, n in enumerate(fold.inputs[0].shape) if n != 1)


def work(group: Group) -> float:
    """About how many numbers a group computes."""
    summed = 1.0
    if group.root is not None and group.inner is not None:
        length: int = group.root.attributes["length"]
        return length * (1 + sum(map(work, group.inner.grouping.groups)))
    if group.root is not None:
        inputs = [_points(x.shape) for x in group.root.inputs]
        output = _points(group.root.output.shape)
        contraction = isinstance(group.root.op, Contraction) and output
        summed = (inputs[0] * inputs[-1] / output) ** 0.5 if contraction else max(inputs, default=1)
        if not contraction:
            return summed
    return _points(group.space) * (summed + len(group.pointwise) + len(group.folds))


def _points(shape: Sequence[int]) -> int:
    return math.prod(shape)
