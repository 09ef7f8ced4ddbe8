"""Where a training is within a block of epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from chainrule.engines import Runner
from chainrule.tracing import trees
from chainrule.training.blocks import Block


@dataclass(frozen=True)
class Position:
    """What the calls of a block reported, how many steps of it are done, the state after them.

    A step reports so many `metrics`, and as many numbers as `measured` behind them. It is one value, so that Ctrl-C cannot
    come between its parts.
    """

    block: Block
    reports: list[Any]
    steps: int
    state: Sequence[Any]
    structure: trees.Structure
    widths: tuple[int, int]

    @cached_property
    def nested(self) -> Any:
        """The state with its names: `learned`, `frozen`, `penalty`, `optimizer`."""
        return trees.unflatten(self.structure, self.state)

    @property
    def metrics(self) -> Any:
        """The metrics of the steps of the block that are done, one row a step, one after the other: so are sums of them taken."""
        return np.ascontiguousarray(self.reported[:, : self.widths[0]])

    @property
    def measured(self) -> Any:
        """What was measured after the same steps, 0 where no epoch ends."""
        return self.reported[:, self.widths[0] :]

    @property
    def reported(self) -> Any:
        """Both, side by side."""
        return np.concatenate([np.empty((0, sum(self.widths))), *self.reports])[: self.steps]

    def learned(self, steps: int, began: Position, begun_with: Any) -> Any:
        """The learned parameters after so many steps of the block, or the `Moment` that they are found by.

        The block `began` at a position, and before its first step the parameters were `begun_with`.
        """
        if steps == self.steps:
            return self.nested["learned"]
        return Moment(began, steps) if steps else begun_with

    def begun(self, report: Any) -> Position:
        """The position with steps done already, which reported this."""
        return replace(self, reports=[report], steps=len(report))

    def after(self, report: Any, steps: int, state: Sequence[Any]) -> Position:
        """The position after a call."""
        self.reports.append(report)
        return replace(self, steps=steps, state=state)

    def before(self, block: Block) -> Position:
        """The position at the end of this block as the beginning of another, or of what this one has begun of it."""
        begun = self.steps if self.block.count == 0 else 0
        return replace(self, block=block, reports=self.reports if begun else [], steps=begun)


class Moment(NamedTuple):
    """The learned parameters after so many steps of a block, as what they are found by: where the block began."""

    began: Position
    steps: int


def found(learned: Any, runner: Runner, state: Sequence[Any]) -> Any:
    """The learned parameters: those there are, or a moment's, whose steps are carried out again; the runner goes on from `state`."""
    if not isinstance(learned, Moment):
        return learned
    began, steps = learned
    runner.load(began.state)
    runner.run(
        began.block.order, began.steps, steps - began.steps, [x[began.steps : steps] for x in began.block.scalars]
    )
    nested = trees.unflatten(began.structure, runner.state)
    runner.load(state)
    return nested["learned"]
