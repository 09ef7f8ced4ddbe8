"""The runner of the engine `llvm`: an arena of numbers, and one call for many steps."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from chainrule.engines import cores
from chainrule.engines.llvm.machine.machine import target
from chainrule.engines.llvm.planning import pages
from chainrule.engines.llvm.planning.buffers import Buffer, status
from chainrule.engines.llvm.runs.training import Compiled, compile_loop
from chainrule.engines.llvm.threads.crew import Crew, Work
from chainrule.engines.llvm.threads.team import Team
from chainrule.engines.llvm.threads.thread_choice import ThreadChoice, callers
from chainrule.engines.loop import Alone, TrainingLoop
from chainrule.engines.states import SMALL, ArrayState
from chainrule.errors import PositionError, ShapeError


class LlvmRunner(Alone):
    """A training loop as machine code, with its state in an arena of its own."""

    def __init__(
        self, loop: TrainingLoop, data: list[Any], threads: int | None = None, held_out: Sequence[Any] = ()
    ) -> None:
        self._loop, self._data = loop, [np.ascontiguousarray(x) for x in data]
        self._measured = _measured(loop, [np.ascontiguousarray(x) for x in held_out])
        self._places, self._measured_places = _places(self._data), _places(self._measured)
        for variable, x in zip(loop.step.inputs[loop.state :], self._data, strict=False):
            rows = len(self._data[0])
            if x.dtype != variable.dtype or x.shape != (rows, *variable.shape[1:]) or not loop.takes(rows):
                raise ShapeError(
                    f"{variable.name} needs rows of {variable.shape[1:]} in {variable.dtype}, as many as there are of the "
                    f"others and in whole batches of {loop.batch_size}, and has {x.shape} in {x.dtype}."
                )
        self._compiled: Compiled = compile_loop(loop, len(data), target())
        shared = self._compiled.plan.shared
        self._cores = cores.usable() if shared else 1
        self._threads = None if threads is None else cores.most(threads) if shared else 1
        self._choice = ThreadChoice(cores.most() if shared else 1)
        self._arena = pages.zeros(self._compiled.plan.arena_bytes)
        for buffer, value in self._compiled.plan.constants:
            _write(buffer.array(self._arena), value)
        self._team = Team(self._compiled.function, self._arena, self._compiled.plan.workspace_bytes)
        state = self._compiled.plan.state
        self._state = [(buffer.array(self._arena).reshape(buffer.shape), buffer.dtype) for buffer in state]
        self._numbers = _numbers(state, self._arena)

    @staticmethod
    def begin() -> None:
        """Make LLVM ready for this CPU."""
        target()

    @property
    def state(self) -> ArrayState:
        """The state after the last finished step."""
        seen = self._numbers is not None and bool(np.isfinite(self._numbers).all())
        return ArrayState([np.array(place, dtype) for place, dtype in self._state], seen_finite=seen)

    def load(self, state: Sequence[Any]) -> None:
        """Go on from another state."""
        for (place, _), value in zip(self._state, state, strict=True):
            place[...] = value

    def run(self, order: Any, first: int, count: int, scalars: list[Any]) -> Any:
        """Carry out steps; see `Runner`."""
        told = self._told(order, first, count, scalars)
        done = 0
        with callers() if self._cores > 1 else nullcontext(1) as trainings:
            if self._threads:
                self._team.carry_out(
                    min(self._threads, max(1, self._cores // trainings)), told.rest(0, count), (self, told)
                )
                return self.reported(told.metrics)
            for wanted, steps in self._choice.parts(count):
                threads = min(wanted, max(1, self._cores // trainings))
                started = time.perf_counter()
                carried = self._team.carry_out(threads, told.rest(done, steps), (self, told), self._choice.patience)
                steps = min(steps, carried.steps)
                self._choice.note(threads, steps, time.perf_counter() - started, held_up=carried.held_up)
                done += steps
        return self.reported(told.metrics)

    def crew(self, threads: int, works: int) -> Crew | None:
        """Threads for this one and others like it, unless steps are so long that Python between them is of no account."""
        return None if self._compiled.plan.shared else Crew(threads, works)

    def begun(self, order: Any, first: int, count: int, scalars: list[Any], before: Work | None = None) -> Begun:
        """The same as `run`, for a crew to be carried out."""
        return Begun(self, self._team, self._told(order, first, count, scalars), before)

    def reported(self, metrics: Any) -> Any:
        """The metrics of steps that have been carried out."""
        if status(self._arena)[0]:
            raise PositionError(
                "an index in the training step is out of bounds for the array it picks from; "
                "give positions that are there, counted from 0."
            )
        return metrics

    def _told(self, order: Any, first: int, count: int, scalars: list[Any]) -> Told:
        """What steps are told, checked."""
        epochs, rows = order.shape
        steps_per_epoch = self._loop.steps_per_epoch(rows)
        same = order.strides[0] == 0  # every epoch in the same order: one row of it will do
        order = np.ascontiguousarray(order[:1] if same else order, np.int32)
        known = len(self._data[0]) if self._data else rows
        if rows != known or (order.size and order.view(np.uint32).max() >= known):  # a negative one is a very large one
            raise ShapeError(
                f"the order of rows has shape {order.shape}; {known} rows are expected, all of them in the data."
            )
        if first < 0 or count < 0 or (first + count) > epochs * steps_per_epoch:
            raise ShapeError(
                f"steps {first} to {first + count} go beyond the {epochs} epochs of the order; give a longer order."
            )
        metrics = np.empty((count, self._loop.reported))
        metrics[:, self._loop.metrics :] = 0.0
        numbers = [np.ascontiguousarray(s) for s in scalars]
        given = self._loop.step.inputs[self._loop.state + len(self._data) :]
        for variable, array in zip(given, numbers, strict=True):
            if array.dtype != variable.dtype or array.shape != (count,):
                raise ShapeError(
                    f"{variable.name} needs {count} numbers of {variable.dtype} and has {array.dtype}{array.shape}."
                )
        status(self._arena)[0] = 0
        sizes = (0 if same else rows, steps_per_epoch, rows)
        return Told(order, sizes, metrics, first, numbers, self._places, self._measured_places)


class Told(NamedTuple):
    """What a call's steps are told: the order of rows, sizes, where metrics go, the first step, numbers, and where data lie."""

    order: Any
    sizes: tuple[int, int, int]
    metrics: Any
    first: int
    numbers: list[Any]
    data: list[int]
    measured: list[int]

    def rest(self, done: int, count: int) -> list[int]:
        """The table of so many steps behind those that are done, from the order of rows on."""
        own = [self.order, *self.sizes, self.metrics[done:], self.first + done, count]
        return [*_places(own), *self.data, *_places([x[done:] for x in self.numbers]), *self.measured]


class Begun(Work):
    """A call of a runner that a crew carries out, in one thread."""

    def __init__(self, runner: LlvmRunner, team: Team, told: Told, before: Work | None) -> None:
        super().__init__(team.function, team.numbers(0, 1, told.rest(0, len(told.metrics))), (runner, told), before)
        self._runner, self._told = runner, told

    @property
    def report(self) -> Any:
        """The metrics of its steps."""
        return self._runner.reported(self._told.metrics)


def _numbers(state: Sequence[Buffer], arena: Any) -> Any:
    """All numbers of a small state where they lie, with what is between them, to be looked at in one call; `None` of others."""
    begin, end = state[0].offset, max(buffer.offset + buffer.nbytes for buffer in state)
    kinds = {buffer.dtype for buffer in state}
    if len(kinds) > 1 or state[0].dtype.kind != "f" or end - begin > SMALL * state[0].dtype.itemsize:
        return None
    return arena[begin:end].view(state[0].dtype)


def _measured(loop: TrainingLoop, held_out: list[Any]) -> list[Any]:
    """What the table says of what is measured: the order of rows, how many batches there are, the data, the rows counted."""
    if loop.measurement is None:
        return []
    rows = len(held_out[0])
    counted = loop.measurement.counted(rows)
    return [loop.measurement.order(rows), len(counted), *held_out, counted]


def _places(told: Sequence[Any]) -> list[int]:
    """What the table says of arrays and numbers: where the arrays lie, and the numbers themselves."""
    return [x if isinstance(x, int) else x.ctypes.data for x in told]


def _write(place: Any, value: Any) -> None:
    """A value to its place, whose shape is the value's without axes of length 1."""
    place[...] = np.asarray(value).reshape(place.shape)
