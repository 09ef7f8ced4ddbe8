"""Training loops shared out over devices, of one process or many: each has its part of every batch, and XLA adds up the rest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from chainrule.engines.jax.device_state import DeviceState
from chainrule.engines.jax.evaluation import Evaluation
from chainrule.engines.jax.mesh import agreed, fetched, put, put_rows
from chainrule.engines.jax.runner import LONGER
from chainrule.engines.jax.settings import Settings
from chainrule.engines.jax.shared_evaluation import SharedEvaluation
from chainrule.engines.loop import StepRunner, TrainingLoop
from chainrule.engines.workers import uninterrupted
from chainrule.errors import ChainruleError, LostProcessError, SettingError, shortened
from chainrule.forks import compiling
from chainrule.tracing.passes.straight_line import compile_program
from chainrule.tracing.program import Program

AT_ONCE, BYTES = (64, 8, 1), 2**24
"""For how many steps rows are sent to the devices at a time, and of how many bytes they are at the most, unless for one step."""


class SharedRunner:
    """A training loop over a grid of devices.

    Rows are read where they lie, batch by batch, by the process whose devices are to have them: of data on disk every process
    reads its share. All processes make the same calls.
    """

    longer = LONGER

    def __init__(self, loop: TrainingLoop, data: Sequence[Any], held_out: Sequence[Any], settings: Settings) -> None:
        self._loop, self._data, self._held_out = loop, list(data), list(held_out)
        self._settings, self._grid = settings, settings.grid
        if loop.batch_size % self._grid.shares:
            raise SettingError(
                f"fit was given batch_size={loop.batch_size}, which {self._grid.shares} devices cannot share out evenly; give a "
                "multiple of that."
            )
        a_step = max(1, sum(loop.batch_size * x.nbytes // max(1, len(x)) for x in self._data))
        self._at_once = [size for size in AT_ONCE if size * a_step <= BYTES or size == 1]
        self._state = DeviceState((), settings)

    def agreed(self, steps: int) -> int:
        """The steps of the next call, whose number follows the clock of the first process."""
        with _together():
            return agreed(steps)

    def share(self, rows: int) -> tuple[int, int]:
        """From the first to the last row that a device of this process has of a batch."""
        places = self._grid.of_batches(rows).addressable_devices_indices_map((1, rows)).values()
        parts = [place[1].indices(rows) for place in places if place is not None]
        return min(first for first, *_ in parts), max(end for _, end, _ in parts)

    @property
    def state(self) -> DeviceState:
        """The state after the last finished step."""
        if not all(x.is_fully_replicated or x.is_fully_addressable for x in self._state.arrays):
            with _together():  # now, when all processes ask for it: later some may look at it and others not
                _ = self._state.as_numpy
        return self._state

    def load(self, state: Sequence[Any]) -> None:
        """Go on from another state."""
        self._state = DeviceState(self._on_devices(state), self._settings)

    def run(self, order: Any, first: int, count: int, scalars: list[Any]) -> Any:
        """Carry out steps; see `Runner`."""
        report = np.zeros((count, self._loop.reported))
        with _together():
            uninterrupted(self._carry_out, order, first, scalars, report)
        return report

    def _carry_out(self, order: Any, first: int, scalars: Sequence[Any], report: Any) -> None:
        loop, width = self._loop, self._loop.metrics
        steps = loop.steps_per_epoch(order.shape[1])
        done, state = (
            0,
            _copied(self._state.arrays, self._settings),
        )  # whose memory every piece of steps gives to the next
        while done < len(report):
            epoch, batch = divmod(first + done, steps)
            program, count = self._next(batch, steps, len(report) - done)
            rows = order[epoch, batch * loop.batch_size : (batch + count) * loop.batch_size].reshape(count, -1)
            given = [np.ascontiguousarray(s[done : done + count]) for s in scalars]
            carried, found, state = self._stepped(state, program, rows, given)
            report[done : done + carried, :width] = found[:carried]
            if carried < count:  # JAX doubts this step: NumPy says what is wrong with it, or has numbers for it
                one = [s[carried : carried + 1] for s in given]
                state = self._one_by_numpy(state, order, first + done + carried, one, report[done + carried])
                carried += 1
            done += carried
            if loop.measurement is not None and (first + done) % steps == 0:
                report[done - 1, width:] = self._measured(state)
        self._state = DeviceState(state, self._settings)

    def _next(self, batch: int, steps: int, left: int) -> tuple[Program, int]:
        """What is carried out from this batch on, and for how many steps: of few numbers, so that few functions do."""
        if self._loop.last is not None and batch == steps - 1:
            return self._loop.last, 1
        whole = min(left, steps - batch - (self._loop.last is not None))
        return self._loop.step, next(size for size in self._at_once if size <= whole)

    def _stepped(self, state: Any, program: Program, rows: Any, scalars: Sequence[Any]) -> tuple[int, Any, Any]:
        where = self._grid.of_batches(rows.shape[1])
        with self._settings.held():
            batches = [put_rows(x, rows, where) for x in self._data]
            given = [
                put(np.asarray(s, kind.dtype), self._grid.whole())
                for s, kind in zip(scalars, program.inputs[self._loop.state + len(batches) :], strict=True)
            ]
            types = tuple([(x.shape, x.dtype, x.sharding) for x in batches])
            function = _compiled_steps(program, self._loop.state, len(rows), types, self._settings)
            carried, found, state = function(state, batches, given)
            return int(fetched(carried)), fetched(found), state

    def _measured(self, state: Any) -> Any:
        measurement = self._loop.measurement
        assert measurement is not None
        order = measurement.order(len(self._held_out[0])).reshape(-1, measurement.batch_size)
        where = self._grid.of_batches(measurement.batch_size)
        with self._settings.held():
            batches = [put_rows(x, order, where) for x in self._held_out]
            counted = put(measurement.counted(len(self._held_out[0])), self._grid.whole())
            types = tuple([(x.shape, x.dtype, x.sharding) for x in batches])
            function = _compiled_measurement(measurement.program, self._loop.state, types, self._settings)
            total, doubt = function(state, batches, counted)
            if not fetched(doubt):
                return fetched(total)
        runner = StepRunner(self._loop, self._data, compile_program, self._held_out)
        runner.load(DeviceState(state, self._settings))
        return runner.measured(measurement)

    def _one_by_numpy(self, state: Any, order: Any, first: int, scalars: list[Any], report: Any) -> Any:
        size, steps = self._loop.batch_size, self._loop.steps_per_epoch(order.shape[1])
        epoch, batch = divmod(first, steps)
        rows = order[epoch : epoch + 1, batch * size : (batch + 1) * size]
        with self._settings.held():  # of each row one of the processes has it
            data = [fetched(put_rows(x, rows, self._grid.of_batches(rows.shape[1])))[0] for x in self._data]
        runner = StepRunner(self._loop.unmeasured, data, compile_program)
        runner.load(DeviceState(state, self._settings))
        report[: self._loop.metrics] = runner.run(np.arange(rows.shape[1])[None], 0, 1, scalars)[0]
        return self._on_devices(runner.state)

    def _on_devices(self, state: Sequence[Any]) -> list[Any]:
        with self._settings.held():
            arrays = [np.array(x, kind.dtype) for x, kind in zip(state, self._loop.step.inputs, strict=False)]
            return [put(x, self._grid.of_state(x.shape)) for x in arrays]


def _copied(arrays: Sequence[Any], settings: Settings) -> list[Any]:
    with settings.computing():
        return [jax.device_put(x, x.sharding, may_alias=False) for x in arrays]


@contextmanager
def _together() -> Iterator[None]:
    """What goes wrong where processes meet goes wrong because one of them is gone, and that is said."""
    try:
        yield
    except (ValueError, RuntimeError) as error:  # JAX's own, from one version to the next
        if jax.process_count() == 1 or isinstance(error, ChainruleError):
            raise
        raise LostProcessError(
            f"another of the {jax.process_count()} processes that train together is gone ({shortened(str(error))}). Look for "
            "what it said itself; cr.resume goes on from the last checkpoint, with any number of processes."
        ) from error


@lru_cache(maxsize=64)
def _compiled_steps(program: Program, states: int, steps: int, batches: Any, settings: Settings) -> Any:
    """A function of state, batches and scalars for so many steps: how many it carried out, what they report, the state after them."""
    state, data, whole = _types(program, states, batches, settings)
    scalars = [_type((steps,), x.dtype, whole) for x in program.inputs[states + len(batches) :]]
    function = partial(_steps, program, steps, settings)
    with compiling, settings.held():
        results = whole, whole, [x.sharding for x in state]
        return jax.jit(function, donate_argnums=0, out_shardings=results).lower(state, data, scalars).compile()


def _types(program: Program, states: int, batches: Any, settings: Settings) -> tuple[list[Any], list[Any], Any]:
    """Of state and batches, and how an array lies that every device has."""
    state = [_type(x.shape, x.dtype, settings.grid.of_state(x.shape)) for x in program.inputs[:states]]
    return state, [_type(*kind) for kind in batches], settings.grid.whole()


def _type(shape: Any, kind: Any, where: Any) -> Any:
    return jax.ShapeDtypeStruct(shape, kind, sharding=where)  # type: ignore[no-untyped-call]


def _evaluation(program: Program, states: int, batches: Sequence[Any], settings: Settings) -> Evaluation:
    """What evaluates a Program over batches, steps along their first axis and rows along the second."""
    grid, data = settings.grid, program.inputs[states : states + len(batches)]
    is_shared = grid.shares > 1 and grid.split == 1 and all(x.shape[1] % grid.shares == 0 for x in batches)
    return SharedEvaluation(settings.rounded, grid, data) if is_shared else Evaluation(settings.rounded)


def _steps(program: Program, steps: int, settings: Settings, state: Any, batches: Any, scalars: Any) -> Any:
    states = len(state)

    def body(carried: Any) -> Any:
        i, report, state, _ = carried
        evaluation = _evaluation(program, states, batches, settings)
        found = evaluation.outputs(program, [*state, *(x[i] for x in batches), *(s[i] for s in scalars)])
        doubt = jnp.bool_(False) if evaluation.doubt is None else evaluation.doubt
        new = [x.astype(old.dtype) for x, old in zip(found[:states], state, strict=True)]
        if evaluation.doubt is not None:
            new = [jnp.where(doubt, old, x) for old, x in zip(state, new, strict=True)]
        numbers = [jnp.ravel(x).astype(np.float64) for x in found[states:]]
        report = lax.dynamic_update_slice_in_dim(report, jnp.concatenate([jnp.zeros(0), *numbers])[None], i, axis=0)
        return jnp.where(doubt, i, i + 1), report, new, doubt

    width = sum(math.prod(x.shape) for x in program.outputs[states:])
    begin = jnp.int32(0), jnp.zeros((steps, width)), list(state), jnp.bool_(False)
    return lax.while_loop(lambda c: (c[0] < steps) & ~c[3], body, begin)[:3]


@lru_cache(maxsize=16)
def _compiled_measurement(program: Program, states: int, batches: Any, settings: Settings) -> Any:
    """A function of state, batches of rows held out and how many of each count: the sums, and whether JAX doubts them."""

    def measured(state: Any, batches: Any, counted: Any) -> Any:
        def one(total: Any, given: Any) -> Any:
            evaluation = _evaluation(program, states, batches, settings)
            found = evaluation.outputs(program, [*state, *given[0], given[1]])
            doubt = jnp.bool_(False) if evaluation.doubt is None else evaluation.doubt
            return total + jnp.stack([x.astype(np.float64) for x in found]), doubt

        total, doubts = lax.scan(one, jnp.zeros(len(program.outputs)), (batches, counted))
        return total, jnp.any(doubts)

    state, data, whole = _types(program, states, batches, settings)
    counted = _type(batches[0][0][:1], np.dtype(np.int64), whole)
    with compiling, settings.held():
        return jax.jit(measured, out_shardings=(whole, whole)).lower(state, data, counted).compile()
