"""A training as one function of its course, and derivatives through all of its steps, forward or backward.

Forward mode carries a tangent of the state along for every direction. Reverse mode carries one cotangent back over the states of
all steps, of which it keeps every √n-th and computes the others again, a stretch at a time: 2√n states for n steps, for two more
passes (Griewank and Walther, "Evaluating Derivatives", 2nd edition, 2008, chapter 12). What is done in a step is the training's own
step, traced with its derivative into Programs that an engine repeats: forward in one call, backward in one call a stretch.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.autodiff import jvp, vjp, vmap
from chainrule.engines import AUTO, Engine
from chainrule.errors import DivergedError
from chainrule.tracing import trees
from chainrule.training.cache import key_of
from chainrule.training.fit import Training
from chainrule.training.hypergradients.hyperparameters import Course, adjusted
from chainrule.training.hypergradients.repeated import Repeated
from chainrule.training.objective import types_of
from chainrule.training.steps.loops import scalar_types

AT_A_STEP = ("rate", "weights")
"""What a step is given that no other step is."""

MOVING = ("learned", "optimizer")
"""The parts of a training's state that its steps change."""


class Unrolled:
    """The steps of a training, carried out for any course and differentiated by it.

    Programs are made when they are first needed and take all of a course as inputs, so other numbers, rates, weights and first
    states need no compilation.

    Attributes
    ----------
    steps : int
    stretch : int
        The steps from one state that reverse mode keeps to the next.
    """

    def __init__(self, training: Training, numbers: Sequence[str], weighted: bool, engine: str | Engine = AUTO) -> None:
        self._training, self._engine, self._weighted, self._dtype = training, engine, weighted, training.dtype
        self._numbers = numbers
        self._block = training.block(0, training.settings.epochs)
        self.steps = training.settings.epochs * training.steps_per_epoch
        self.stretch = math.isqrt(self.steps - 1) + 1
        self._batch = replace(training.data, weights=None) if weighted else training.data
        self._data: dict[str, Any] = {"batch": self._batch.arrays()}
        if weighted:
            self._data["weights"] = np.zeros(len(self._batch.inputs[0]), self._dtype)
        self._rows = len(self._batch.inputs[0])
        self._frozen = trees.unflatten(training.structure, training.runner.state)["frozen"]
        self._key = self._key_of(training)
        self._states: Any = None
        self._loops: dict[Any, Repeated] = {}

    def _key_of(self, training: Training) -> Any:
        """What steps are made from besides shapes; numbers of a course are none of it."""
        step, batch = training.step, self._batch
        fixed = adjusted(step.optimizer, dict.fromkeys((*self._numbers, "learning_rate"), 0.0))
        settings = (step.objective.heads, step.objective.penalty.shared, fixed, step.clipping)
        kinds = batch.inputs, batch.targets, batch.class_indices, batch.weights, batch.counts
        return key_of(step.objective.model.function, settings, types_of(kinds, 1), self._dtype)

    # --- one step

    def _taken(self, point: Any, batch: Sequence[Any], frozen: Any, count: Any, key: Any) -> Any:
        """The state after a step, as plain NumPy code; a point has all that derivatives are taken by."""
        numbers, rate = point["numbers"], point["rate"]
        step = self._training.step
        step = replace(step, optimizer=adjusted(step.optimizer, numbers["optimizer"]))
        rows = self._batch.like(batch)
        if self._weighted:
            rows = replace(rows, weights=point["weights"])
        rates = {name: rate + more for name, more in numbers["layers"].items()} or rate
        state = {**point["state"], "frozen": frozen, "penalty": numbers["penalty"]}
        new, _ = step(state, rows, rates, count, key)
        return {name: new[name] for name in MOVING}

    def _carried(self, given: Any, data: Any, rate: Any, count: Any, key: Any) -> tuple[Any, Any]:
        """A step."""
        new = self._taken(_point(given, data, rate), data["batch"], given["frozen"], count, key)
        return {**given, "state": new}, []

    def _followed(self, given: Any, data: Any, rate: Any, count: Any, key: Any) -> tuple[Any, Any]:
        """A step, which reports the state after it."""
        new, _ = self._carried(given, data, rate, count, key)
        return new, new["state"]

    def _pushed(self, given: Any, data: Any, rate: Any, count: Any, key: Any, *rates: Any) -> tuple[Any, Any]:
        """A step, and how its state moves along every direction."""
        toward = {"numbers": given["toward"], "state": given["moved"], "rate": np.stack(rates)}
        if self._weighted:
            toward["weights"] = np.transpose(data["toward"])
        point = _point(given, data, rate)

        def taken(point: Any) -> Any:
            return self._taken(point, data["batch"], given["frozen"], count, key)

        moved = vmap(lambda direction: jvp(taken, (point,), (direction,))[1])(toward)
        return {**given, "state": taken(point), "moved": moved}, []

    def _pulled(self, given: Any, steps: Any, rate: Any, count: Any, key: Any) -> tuple[Any, Any]:
        """The cotangents before a step from those after it; reports those of its rate and rows. All of a step is in one row."""
        data = trees.map_leaves(lambda x: x[0], steps)
        point = _point({**given, "state": data["state"]}, data, rate)
        pullback = vjp(lambda point: self._taken(point, data["batch"], given["frozen"], count, key), point)[1]
        by = pullback(given["by"]["state"])[0]
        numbers = trees.map_leaves(np.add, given["by"]["numbers"], by["numbers"])
        return {**given, "by": {"numbers": numbers, "state": by["state"]}}, {k: by[k] for k in by if k in AT_A_STEP}

    # --- all of them

    def push(self, course: Course, tangents: Course) -> tuple[Any, Any]:
        """The state after all steps, and how it moves along each of the tangents, which lie along a first axis."""
        ways = len(tangents.rates)
        data = dict(self._data)
        if self._weighted:
            data["toward"] = np.zeros((len(data["weights"]), ways), self._dtype)
        given = {**self._given(course), "toward": self._cast(tangents.numbers), "moved": self._cast(tangents.state)}
        loop = self._loop(("push", ways), self._pushed, given, data, self._training.batch_size, ways)
        if self._weighted:
            loop.data["toward"][...] = self._filled(np.transpose(tangents.weights))
        self._begin(loop, course, given)
        self._run(loop, course, range(self.steps), self._cast(tangents.rates))
        after = loop.state
        finite(after)
        return after["state"], after["moved"]

    def pull(self, course: Course, cotangent_of: Callable[[Any], Any]) -> tuple[Any, Course]:
        """The state after all steps, and the cotangent of the course, from that of this state, which a function gives."""
        given = self._given(course)
        once, again = (
            self._loop(name, step, given, self._data, self._training.batch_size)
            for name, step in (("once", self._carried), ("again", self._followed))
        )
        self._begin(once, course, given)
        self._begin(again, course, given)
        starts = range(0, self.steps, self.stretch)
        stretches = [range(start, min(start + self.stretch, self.steps)) for start in starts]
        kept = []
        for steps in stretches:
            kept.append(once.state["state"])
            self._run(once, course, steps)
        final = once.state["state"]
        finite(final)
        numbers = trees.map_leaves(np.zeros_like, given["numbers"])
        found = Course(numbers, np.zeros(self.steps), np.zeros(self._rows), cotangent_of(final))
        for steps in reversed(stretches):
            before = kept.pop()
            again.load({**given, "state": before})
            self._put_down(before, self._run(again, course, steps))
            for size, group in itertools.groupby(reversed(steps), lambda number: len(self._rows_of(number))):
                found = self._back_over(course, given, found, steps[0], list(group), size)
        finite(found)
        weights = found.weights[: self._training.batches.rows] if self._weighted else None
        return final, Course(found.numbers, found.rates, weights, found.state)

    def _put_down(self, before: Any, after: Any) -> None:
        """The states before the steps of a stretch, where the loops backward read them."""
        if self._states is None:
            self._states = trees.map_leaves(lambda x: np.zeros((self.stretch, *x.shape), x.dtype), before)
        for place, x, later in zip(*(trees.flatten(tree)[0] for tree in (self._states, before, after)), strict=True):
            place[0] = x
            place[1 : len(later)] = later[:-1]

    def _back_over(self, course: Course, given: Any, found: Course, first: int, steps: list[int], size: int) -> Course:
        """The cotangents before steps with as many rows each, the last of them first; `first` begins the stretch."""
        given = {
            "by": {"numbers": found.numbers, "state": found.state},
            "numbers": given["numbers"],
            "frozen": self._frozen,
        }
        loop = self._loop(("pull", size), self._pulled, given, lambda: self._room(size), 1)
        sources = dict(self._data)
        if self._weighted:
            sources["weights"] = self._filled(course.weights)
        slots = slice(steps[-1] - first, steps[0] - first + 1)
        rows = np.stack([self._rows_of(number) for number in reversed(steps)])
        pairs = [(loop.data[name], source) for name, source in sources.items()]
        for place, source in zip(*(trees.flatten(list(part))[0] for part in zip(*pairs, strict=True)), strict=True):
            np.take(source, rows, axis=0, out=place[slots])
        loop.load(given)
        scalars = [self._cast(course.rates[steps]), *(x[steps] for x in self._block.scalars[1:])]
        reported = loop.run(np.arange(self.stretch)[None, ::-1], self.stretch - slots.stop, len(steps), scalars)
        found.rates[steps] = reported["rate"]
        for number, weights in zip(steps, reported.get("weights", ()), strict=False):
            np.add.at(found.weights, self._rows_of(number), weights)
        by = loop.state["by"]
        return Course(by["numbers"], found.rates, found.weights, by["state"])

    def _room(self, size: int) -> dict[str, Any]:
        """Room for all that the steps of a stretch are given, a row for each."""
        room = {"state": self._states}
        for name, part in self._data.items():
            room[name] = trees.map_leaves(lambda x: np.zeros((self.stretch, size, *x.shape[1:]), native(x)), part)
        return room

    # --- what the modes share

    def _loop(self, name: Any, step: Any, state: Any, data: Any, size: int, ways: int = 0) -> Repeated:
        """A loop over such steps, made when it is first asked for."""
        if name not in self._loops:
            number, *others = scalar_types(self._dtype)
            arrays = data() if callable(data) else data
            scalars = [number, *others, *[number] * ways]
            key = None if self._key is None else (self._key, name)
            self._loops[name] = Repeated(step, state, arrays, size, scalars, self._engine, key)
        return self._loops[name]

    def _given(self, course: Course) -> dict[str, Any]:
        return {"state": self._cast(course.state), "numbers": self._cast(course.numbers), "frozen": self._frozen}

    def _cast(self, tree: Any) -> Any:
        return trees.map_leaves(lambda x: np.asarray(x, self._dtype), tree)

    def _filled(self, weights: Any) -> Any:
        """One for every row of the data, those included that fill up the last batch and count nothing."""
        return np.asarray(np.concatenate([weights, weights[: self._rows - len(weights)]]), self._dtype)

    def _begin(self, loop: Repeated, course: Course, given: Any) -> None:
        if self._weighted:
            loop.data["weights"][...] = self._filled(course.weights)
        loop.load(given)

    def _rows_of(self, number: int) -> Any:
        """The rows of a step's batch."""
        epoch, batch = divmod(number, self._training.steps_per_epoch)
        return self._block.order[epoch, batch * self._training.batch_size : (batch + 1) * self._training.batch_size]

    def _run(self, loop: Repeated, course: Course, steps: range, moved: Sequence[Any] = ()) -> Any:
        """Carry out some steps; the engine is given the orders of rows of their epochs only."""
        begin, until = (number // self._training.steps_per_epoch for number in (steps[0], steps[-1]))
        part = slice(steps[0], steps[-1] + 1)
        scalars = [self._cast(course.rates[part]), *(x[part] for x in (*self._block.scalars[1:], *moved))]
        order = self._block.order[begin : until + 1]
        return loop.run(order, steps[0] - begin * self._training.steps_per_epoch, len(steps), scalars)


def _point(given: Any, data: Any, rate: Any) -> dict[str, Any]:
    """What derivatives of a step are taken by."""
    point = {"numbers": given["numbers"], "state": given["state"], "rate": rate}
    return {**point, "weights": data["weights"]} if "weights" in data else point


def native(x: Any) -> Any:
    """The dtype of an array's numbers, whatever the order of their bytes."""
    return np.dtype(x.dtype).newbyteorder("=")


def finite(tree: Any) -> None:
    """Refuse numbers that are none."""
    if not all(np.isfinite(x).all() for x in trees.flatten(tree)[0]):
        raise DivergedError(
            "the training, or its derivative, left the finite numbers. Use a smaller learning rate, or fewer epochs."
        )
