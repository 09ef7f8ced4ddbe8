"""Training loops under one loop of XLA's: many steps a call, the state and the data on the device from one to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from chainrule.engines.jax.device_state import DeviceState
from chainrule.engines.jax.evaluation import Evaluation
from chainrule.engines.jax.executable import compiled
from chainrule.engines.jax.settings import Settings, types_of
from chainrule.engines.loop import Alone, StepRunner, TrainingLoop
from chainrule.engines.workers import uninterrupted
from chainrule.errors import ShapeError
from chainrule.ops.operation import ArrayType
from chainrule.tracing.passes.straight_line import compile_program

INDEX = np.dtype(np.int32)
NUMBERS = 2**17
"""About how many numbers of rows one call of XLA's takes, and half as many reported ones; longer ones are cut."""


LONGER = 3.0
"""Calls of XLA's take 0.3 ms, and the time to copy the state: some 0.1 s goes by in one, as long as people wait for Ctrl-C gladly."""


class JaxRunner(Alone):
    """A training loop as one of XLA's. Every call gives its state in new arrays: what is kept of earlier ones is never written to."""

    longer = LONGER

    def __init__(self, loop: TrainingLoop, data: Sequence[Any], held_out: Sequence[Any], settings: Settings) -> None:
        self._loop, self._data, self._held_out, self._settings = loop, list(data), list(held_out), settings
        for variable, x in zip(loop.step.inputs[loop.state :], self._data, strict=False):
            rows = len(self._data[0])
            if x.shape != (rows, *variable.shape[1:]) or not loop.takes(rows):
                raise ShapeError(
                    f"{variable.name} needs rows of {variable.shape[1:]}, as many as there are of the others and in whole "
                    f"batches of {loop.batch_size}, and has {x.shape}."
                )
        self._kept: dict[int, Any] = {}
        self._state = DeviceState((), settings)

    @property
    def state(self) -> DeviceState:
        """The state after the last finished step."""
        return self._state

    def load(self, state: Sequence[Any]) -> None:
        """Go on from another state."""
        kinds = [x.dtype for x in self._loop.step.inputs[: self._loop.state]]
        arrays = [np.array(x, kind) for x, kind in zip(state, kinds, strict=True)]
        self._state = DeviceState(self._on_device(arrays), self._settings)

    def run(self, order: Any, first: int, count: int, scalars: list[Any]) -> Any:
        """Carry out steps; see `Runner`."""
        known = len(self._data[0]) if self._data else order.shape[1]
        if order.shape[1] != known or (order.size and (order.min() < 0 or order.max() >= known)):
            raise ShapeError(
                f"the order of rows has shape {order.shape}; {known} rows are expected, all of them in the data."
            )
        report = np.zeros((count, self._loop.reported))
        # By a thread that no signal reaches: between the call and the keeping of what it gives the state would be nowhere.
        uninterrupted(self._carry_out, order, first, scalars, report)
        return report

    def _carry_out(self, order: Any, first: int, scalars: Sequence[Any], report: Any) -> None:
        rows = order.shape[1]
        loop, steps = self._loop, self._loop.steps_per_epoch(rows)
        most = capacity(loop)
        data = [self._sent(i, x) for i, x in enumerate(self._data)]
        held_out = [self._sent(len(data) + i, x) for i, x in enumerate(self._held_out)]
        step = _compiled(loop, rows, tuple(map(_type, data)), tuple(map(_type, held_out)), self._settings)
        done = 0
        while done < len(report):
            at, count = first + done, min(most, len(report) - done)
            epoch, batch = divmod(at, steps)
            taken = order[epoch : (at + count - 1) // steps + 1].reshape(-1)[batch * loop.batch_size :]
            places = _filled(taken[: most * loop.batch_size], most * loop.batch_size, INDEX)
            given = [
                _filled(s[done : done + count], most, x.dtype)
                for s, x in zip(scalars, loop.step.inputs[loop.state + len(data) :], strict=True)
            ]
            with self._settings.computing():
                carried, found, state = step(
                    self._state.arrays, tuple(data), tuple(held_out), places, given, np.int32(batch), np.int32(count)
                )
                self._state = DeviceState(state, self._settings)
                carried = int(carried)
                report[done : done + carried] = np.asarray(found)[:carried]
            done += carried
            if carried < count:
                self._one_by_numpy(order, first + done, [s[done : done + 1] for s in scalars], report[done : done + 1])
                done += 1

    def _one_by_numpy(self, order: Any, first: int, scalars: list[Any], report: Any) -> None:
        """The step that JAX doubts: NumPy says what is wrong with it, or has numbers for it."""
        runner = StepRunner(self._loop, self._data, compile_program, self._held_out)
        runner.load(self.state)
        report[...] = runner.run(order, first, 1, scalars)
        self.load(runner.state)

    def _sent(self, place: int, x: Any) -> Any:
        """An array on the device: sent again with every call, unless it is marked as not writeable."""
        found = self._kept.get(place)
        if found is None:
            (found,) = self._on_device([np.asarray(x, x.dtype.newbyteorder("="))])
            if not x.flags.writeable:
                self._kept[place] = found
        return found

    def _on_device(self, arrays: Sequence[Any]) -> list[Any]:
        with self._settings.computing():
            return list(jax.device_put(list(arrays), self._settings.chosen))


def capacity(loop: TrainingLoop) -> int:
    """How many steps one call of XLA's takes at most."""
    return max(1, min(NUMBERS // loop.batch_size, NUMBERS // (2 * max(loop.reported, 1))))


def _filled(x: Any, length: int, kind: Any) -> Any:
    found = np.zeros(length, kind)
    found[: len(x)] = x
    return found


def _type(x: Any) -> Any:
    return ArrayType(tuple(x.shape), np.dtype(x.dtype))


@lru_cache(maxsize=64)
def _compiled(loop: TrainingLoop, rows: int, data: Any, held_out: Any, settings: Settings) -> Any:
    """The loop, compiled for so many rows."""
    most = capacity(loop)
    state = types_of(loop.step.inputs[: loop.state])
    numbers = types_of([ArrayType((most,), x.dtype) for x in loop.step.inputs[loop.state + len(data) :]])
    places, number = types_of([ArrayType((most * loop.batch_size,), INDEX), ArrayType((), INDEX)])
    given = [tuple(state), tuple(types_of(data)), tuple(types_of(held_out)), places, numbers, number, number]
    function = partial(_steps, loop, rows, settings.rounded)
    return compiled(function, given, settings)


def _steps(
    loop: TrainingLoop,
    rows: int,
    rounded: bool,
    state: Any,
    data: Any,
    held_out: Any,
    places: Any,
    scalars: Any,
    begin: Any,
    count: Any,
) -> Any:
    """So many steps from batch `begin` of an epoch on, until one is doubted: how many, what they report, the state after them."""
    steps, size = loop.steps_per_epoch(rows), loop.batch_size
    doubtful: list[bool] = []

    def evaluated(program: Any, arrays: Sequence[Any]) -> tuple[list[Any], Any]:
        evaluation = Evaluation(rounded)
        found, doubt = evaluation.outputs(program, arrays), evaluation.doubt
        doubtful.append(doubt is not None)
        return found, jnp.bool_(False) if doubt is None else doubt

    def one(program: Any, state: Any, start: Any, i: Any) -> Any:
        length = program.inputs[loop.state].shape[0] if data else size
        order = lax.dynamic_slice_in_dim(places, start, length)
        batch = [x.at[order].get(mode="promise_in_bounds") for x in data]
        found, doubt = evaluated(program, [*state, *batch, *(s[i] for s in scalars)])
        kinds = [x.dtype for x in state]
        new = tuple(x.astype(kind) for x, kind in zip(found[: loop.state], kinds, strict=True))
        numbers = [jnp.ravel(x).astype(np.float64) for x in found[loop.state :]]
        return new, jnp.concatenate([jnp.zeros(0), *numbers]), doubt

    def body(carried: Any) -> Any:
        i, report, state, _ = carried
        number = begin + i
        batch = number % steps
        start = (number // steps) * rows + batch * size - begin * size
        is_last = batch == steps - 1
        if loop.last is None:
            new, metrics, doubt = one(loop.step, state, start, i)
        else:
            branches = [partial(one, program, state, start, i) for program in (loop.last, loop.step)]
            new, metrics, doubt = lax.cond(is_last, *branches)
        if loop.measurement is not None:
            measured, more = lax.cond(
                is_last, lambda: _measured(loop, new, held_out, evaluated), lambda: _nothing_measured(loop)
            )
            metrics, doubt = jnp.concatenate([metrics, measured]), doubt | more
        report = lax.dynamic_update_slice_in_dim(report, metrics[None], i, axis=0)
        if any(doubtful):
            new = tuple(jnp.where(doubt, old, x) for old, x in zip(state, new, strict=True))
        return jnp.where(doubt, i, i + 1), report, new, doubt

    report = jnp.zeros((capacity(loop), loop.reported))
    carried = jnp.int32(0), report, state, jnp.bool_(False)
    i, report, state, _ = lax.while_loop(lambda c: (c[0] < count) & ~c[3], body, carried)
    return i, report, list(state)


def _nothing_measured(loop: TrainingLoop) -> Any:
    return jnp.zeros(loop.reported - loop.metrics), jnp.bool_(False)


def _measured(loop: TrainingLoop, state: Any, held_out: Any, evaluated: Any) -> Any:
    """What is measured of the state, batch by batch."""
    assert loop.measurement is not None
    program, _, size = loop.measurement
    rows = held_out[0].shape[0]
    order, counted = loop.measurement.order(rows), loop.measurement.counted(rows)

    def one(total: Any, given: Any) -> Any:
        places, count = given
        batch = [x.at[places].get(mode="promise_in_bounds") for x in held_out]
        found, doubt = evaluated(program, [*state, *batch, count])
        return total + jnp.stack([x.astype(np.float64) for x in found]), doubt

    batches = jnp.asarray(order.reshape(-1, size)), jnp.asarray(counted)
    total, doubts = lax.scan(one, jnp.zeros(math.prod([len(program.outputs)])), batches)
    return total, jnp.any(doubts)
