"""Finding moments of a recorded training at which something happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from chainrule.errors import SettingError, UnknownNameError, shortened
from chainrule.nn.readings import names_of_calls
from chainrule.training.evaluation import in_chunks, samples_are_apart
from chainrule.training.history import History
from chainrule.training.objective import Batch
from chainrule.training.run import Run
from chainrule.training.steps.step import TrainingStep

LOOKS = 128
"""How often a training is looked at from its beginning to its end, before what happened between two looks is halved."""

Unit = tuple[str, int]
"""A layer's name and the unit's number in it."""


@dataclass(frozen=True)
class Event:
    """What happened, and the step from which on it is so."""

    step: int
    what: str


class Recorded(Protocol):
    """What is asked of a recording."""

    first: int
    steps: int

    @property
    def rule(self) -> TrainingStep:
        """The step that was taken again and again."""

    @property
    def history(self) -> History:
        """Of all epochs completed."""

    @property
    def data(self) -> Batch:
        """The rows that were learned from."""

    def at(self, step: int) -> Run:
        """All that the training was after so many steps."""

    def step_of_epoch(self, epoch: int) -> int:
        """The first step of an epoch."""


def find(recording: Recorded, what: str, after: int | None, before: int | None) -> Event | None:
    """The first event of a kind after a step, or the last before one."""
    if what not in EVENTS:
        raise UnknownNameError.among("event", what, EVENTS)
    for name, bound in (("after", after), ("before", before)):
        if bound is not None:
            SettingError.unless_count("find", name, bound, at_least=0)
    if after is not None and before is not None and after >= before:
        raise SettingError(
            f"find was given after={shortened(after)} and before={shortened(before)}; give after less than before."
        )
    low = recording.first if after is None else max(after, recording.first)
    high = recording.steps + 1 if before is None else before
    return EVENTS[what](recording, low, high, before is not None and after is None)


def loss_rose(recording: Recorded, after: int, before: int, last: bool) -> Event | None:
    """An epoch whose loss is higher than that of the epoch before it."""
    losses = recording.history.column("loss")
    epochs = np.flatnonzero(losses[1:] > losses[:-1]) + 1
    found = [e for e in epochs.tolist() if after < recording.step_of_epoch(e) < before]
    if not found:
        return None
    epoch = found[-1 if last else 0]
    return Event(recording.step_of_epoch(epoch), f"the loss rose from {losses[epoch - 1]:.4g} to {losses[epoch]:.4g}")


def unit_died(recording: Recorded, after: int, before: int, last: bool) -> Event | None:
    """A unit that no row's derivative goes through any more, while it did before.

    Looked for between ends of epochs, of many epochs `LOOKS` of them; and then for the very step by halving.
    """
    end = min(before - 1, recording.steps)
    ends = [recording.step_of_epoch(e) for e in range(recording.history.epochs + 1)]
    inside = [step for step in ends if after < step < end]
    some = {inside[i] for i in np.linspace(0, len(inside) - 1, min(len(inside), LOOKS)).round().astype(int)}
    stops = sorted({after, end, *some}) if after < end else []
    known: dict[int, frozenset[Unit]] = {}

    def dead(step: int) -> frozenset[Unit]:
        if step not in known:
            known[step] = dead_units(recording, step)
        return known[step]

    pairs = list(pairwise(stops))
    for low, high in reversed(pairs) if last else pairs:
        died = {unit: _between(low, high, unit, dead) for unit in dead(high) - dead(low)}
        if died:
            step = (max if last else min)(died.values())
            (layer, unit), *others = sorted(one for one, when in died.items() if when == step)
            return Event(step, f"unit {unit} of {layer}{f' and {len(others)} more' if others else ''} died")
    return None


def _between(low: int, high: int, unit: Unit, dead: Callable[[int], frozenset[Unit]]) -> int:
    """A step with which a unit is dead and before which it is not, found by halving."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if unit in dead(middle) else (middle, high)
    return high


def dead_units(recording: Recorded, step: int) -> frozenset[Unit]:
    """The units of layers with an activation function whose derivative is 0 for all rows, though the loss depends on them."""
    run, rule = recording.at(step), recording.rule
    learned = {layer: {name: run.parameters[layer][name] for name in own} for layer, own in run.optimizer_state.items()}
    frozen = {
        layer: {name: x for name, x in own.items() if name not in learned.get(layer, {})}
        for layer, own in run.parameters.items()
    }
    state, data = rule.initial_state(learned, frozen), recording.data
    reached: dict[str, Any] = {}
    through: dict[str, Any] = {}
    for rows in in_chunks(len(data.inputs[0]), lambda: samples_are_apart(rule.objective, data)):
        batch = data.like([x[rows] for x in data.arrays()])
        with np.errstate(all="ignore"):
            taken = rule.carry_out(state, batch, 0.0, 1, None)
        for name, (_, z, _, dz, da) in zip(names_of_calls(taken.layers), taken.calls, strict=True):
            if z is not None and dz is not None and da is not None:
                for found, x in ((reached, da), (through, dz)):
                    found[name] = found.get(name, False) | np.any(np.reshape(x, (-1, x.shape[-1])) != 0, axis=0)
        if all(x.all() for x in through.values()):
            break  # no unit is dead, whatever other rows say
    return frozenset((name, n) for name in through for n in np.flatnonzero(reached[name] & ~through[name]).tolist())


EVENTS: dict[str, Callable[[Recorded, int, int, bool], Event | None]] = {
    "loss rose": loss_rose,
    "unit died": unit_died,
}
"""What can be found, by name."""
