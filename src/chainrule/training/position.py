"""Where a training is within a block of epochs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from chainrule.engines import Runner
from chainrule.ops.lazy import cached_property
from chainrule.training.steps.blocks import Block


@dataclass(frozen=True)
class Position:
    """What the calls of a block reported, how many steps of it are done, the state after them.

    A step reports so many `metrics`, and as many numbers as `measured` behind them; `nest` gives a state its names. It is one value,
    so that Ctrl-C cannot come between its parts.
    """

    block: Block
    reports: list[Any]
    steps: int
    state: Sequence[Any]
    nest: Callable[[Sequence[Any]], Any]
    widths: tuple[int, int]

    @cached_property
    def nested(self) -> Any:
        """The state with its names: `learned`, `frozen`, `penalty`, `optimizer`."""
        return self.nest(self.state)

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
        if len(self.reports) == 1:
            return self.reports[0][: self.steps]
        return np.concatenate([np.empty((0, sum(self.widths))), *self.reports])[: self.steps]

    def learned(self, steps: int, began: Position | None, begun_with: Any) -> Any:
        """The learned parameters after so many steps of the block, or the `Moment` that they are found by.

        The block `began` at a position, and before its first step the parameters were `begun_with`.
        """
        if steps == self.steps:
            return self.nested["learned"]
        return begun_with if began is None or not steps else Moment(began, steps)

    def apart(self) -> Position:
        """The same with a state of its own."""
        return self._with(self.block, self.reports, self.steps, [np.array(x) for x in self.state])

    def after(self, report: Any, steps: int, state: Sequence[Any]) -> Position:
        """The position after a call."""
        self.reports.append(report)
        return self._with(self.block, self.reports, steps, state)

    def before(self, block: Block) -> Position:
        """The position at the end of this block as the beginning of another, or of what this one has begun of it."""
        begun = self.steps if self.block.count == 0 else 0
        return self._with(block, self.reports if begun else [], begun, self.state)

    def _with(self, block: Block, reports: list[Any], steps: int, state: Sequence[Any]) -> Position:
        return Position(block, reports, steps, state, self.nest, self.widths)


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
    learned = began.nest(runner.state)["learned"]
    runner.load(state)
    return learned
