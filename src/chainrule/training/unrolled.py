"""A training as one function of its course, and derivatives through all of its steps, forward or backward.

Forward mode carries a tangent of the state along for every direction. Reverse mode carries one cotangent back over the states of
all steps, of which it keeps every √n-th and computes the others again, a stretch at a time: 2√n states for n steps, for two more
passes (Griewank and Walther, "Evaluating Derivatives", 2nd edition, 2008, chapter 12). What is done in a step is the training's own
step, traced with its derivative into Programs; an engine carries out the forward ones in one call for all steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.autodiff import jvp, vjp, vmap
from chainrule.engines import AUTO, Runner, TrainingLoop, Workspace, prepare
from chainrule.engines.choice import choose
from chainrule.errors import DivergedError
from chainrule.tracing import simplify, trace, trees
from chainrule.training.fit import Training
from chainrule.training.hyperparameters import Course, adjusted
from chainrule.training.loops import scalar_types
from chainrule.training.objective import types_of

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

    def __init__(self, training: Training, weighted: bool, engine: str = AUTO) -> None:
        self._training, self._engine, self._weighted = training, engine, weighted
        self._block = training.block(0, training.settings.epochs)
        self.steps = training.settings.epochs * training.steps_per_epoch
        self.stretch = math.isqrt(self.steps - 1) + 1
        self._data = replace(training.data, weights=None) if weighted else training.data
        self._frozen = trees.unflatten(training.structure, training.runner.state)["frozen"]
        self._loops: dict[Any, _Loop] = {}
        self._backward: dict[int, _Backward] = {}

    # --- one step

    def _taken(self, point: Any, arrays: Sequence[Any], frozen: Any, count: Any, key: Any) -> tuple[Any, Any]:
        """The state after a step and its loss, as plain NumPy code; a point has all that derivatives are taken by."""
        numbers, rate = point["numbers"], point["rate"]
        step = self._training.step
        step = replace(step, optimizer=adjusted(step.optimizer, numbers["optimizer"]))
        batch = self._data.like(arrays)
        if self._weighted:
            batch = replace(batch, weights=point["weights"])
        rates = {name: rate + more for name, more in numbers["layers"].items()} or rate
        state = {**point["state"], "frozen": frozen, "penalty": numbers["penalty"]}
        new, metrics = step(state, batch, rates, count, key)
        return {name: new[name] for name in MOVING}, metrics[0]

    def _carried(self, given: Any, arrays: Any, rate: Any, count: Any, key: Any) -> tuple[Any, Any]:
        """A step as a loop repeats it."""
        point = {"numbers": given["numbers"], "state": given["state"], "rate": rate, **arrays["weights"]}
        new, loss = self._taken(point, arrays["data"], given["frozen"], count, key)
        return {**given, "state": new}, loss

    def _pushed(self, given: Any, arrays: Any, rate: Any, count: Any, key: Any, *moved: Any) -> tuple[Any, Any]:
        """A step, and how its state moves along every direction."""
        point = {"numbers": given["numbers"], "state": given["state"], "rate": rate, **arrays["weights"]}
        weights = {name: np.transpose(x) for name, x in arrays["moved"].items()}
        directions = {"numbers": given["toward"], "state": given["moved"], "rate": np.stack(moved), **weights}

        def state(point: Any) -> Any:
            return self._taken(point, arrays["data"], given["frozen"], count, key)[0]

        tangents = vmap(lambda direction: jvp(state, (point,), (direction,))[1])(directions)
        new, loss = self._taken(point, arrays["data"], given["frozen"], count, key)
        return {**given, "state": new, "moved": tangents}, loss

    def _pulled(self, point: Any, arrays: Any, frozen: Any, count: Any, key: Any, cotangent: Any) -> Any:
        """The cotangent of a point, from that of the state after its step."""
        return vjp(lambda point: self._taken(point, arrays, frozen, count, key)[0], point)[1](cotangent)[0]

    # --- all of them

    def push(self, course: Course, tangents: Course) -> tuple[Any, Any]:
        """The state after all steps, and how it moves along each of the tangents, which lie along a first axis."""
        ways = len(tangents.rates)
        given = {**self._given(course), "toward": self._cast(tangents.numbers), "moved": self._cast(tangents.state)}
        if ("push", ways) not in self._loops:
            arrays = {**self._arrays(), "moved": {"weights": self._rows(ways)} if self._weighted else {}}
            self._loops["push", ways] = _Loop(self._training, self._engine, self._pushed, given, arrays, ways)
        loop = self._loops["push", ways]
        if self._weighted:
            loop.arrays["moved"]["weights"][...] = self._filled(np.transpose(tangents.weights))
        self._begin(loop, course, given)
        self._run(loop, course, 0, self.steps, self._cast(tangents.rates))
        after = loop.state
        finite(after)
        return after["state"], after["moved"]

    def pull(self, course: Course, cotangent_of: Callable[[Any], Any]) -> tuple[Any, Course]:
        """The state after all steps, and the cotangent of the course, from that of this state, which a function gives."""
        given = self._given(course)
        if "carry" not in self._loops:
            self._loops["carry"] = _Loop(self._training, self._engine, self._carried, given, self._arrays())
        loop, firsts, kept = self._loops["carry"], range(0, self.steps, self.stretch), []
        self._begin(loop, course, given)
        for first in firsts:
            kept.append(loop.state["state"])
            self._run(loop, course, first, min(self.stretch, self.steps - first))
        final = loop.state["state"]
        finite(final)
        weights = self._filled(course.weights) if self._weighted else None
        found = Course(
            trees.map_leaves(np.zeros_like, given["numbers"]),
            np.zeros(self.steps),
            None if weights is None else np.zeros(weights.shape),
            self._cast(cotangent_of(final)),
        )
        for first in reversed(firsts):
            states = self._states(loop, course, {**given, "state": kept.pop()}, first)
            found = self._back(course, weights, found, first, states)
        finite(found)
        return final, found if weights is None else found._replace(weights=self._unfilled(found.weights))

    def _states(self, loop: _Loop, course: Course, given: Any, first: int) -> list[Any]:
        """The states before each step of a stretch, computed again."""
        states = [given["state"]]
        loop.load(given)
        for number in range(first, min(first + self.stretch, self.steps) - 1):
            self._run(loop, course, number, 1)
            states.append(loop.state["state"])
        return states

    def _back(self, course: Course, weights: Any, found: Course, first: int, states: list[Any]) -> Course:
        """The cotangents before a stretch of steps, from those after it."""
        numbers, rates = self._cast(course.numbers), self._cast(course.rates)
        for number in reversed(range(first, first + len(states))):
            rows = self._rows_of(number)
            point = {"numbers": numbers, "state": states.pop(), "rate": rates[number]}
            if weights is not None:
                point["weights"] = weights[rows]
            batch = [np.take(x, rows, axis=0) for x in self._data.arrays()]
            given = [point, batch, self._frozen, *(x[number] for x in self._block.scalars[1:]), found.state]
            if len(rows) not in self._backward:
                self._backward[len(rows)] = _Backward(self._pulled, given, self._engine)
            by = self._backward[len(rows)](given)
            found.rates[number] = by["rate"]
            if weights is not None:
                np.add.at(found.weights, rows, by["weights"])
            found = found._replace(numbers=trees.map_leaves(np.add, found.numbers, by["numbers"]), state=by["state"])
        return found

    # --- what the modes share

    def _given(self, course: Course) -> dict[str, Any]:
        return {"numbers": self._cast(course.numbers), "state": self._cast(course.state), "frozen": self._frozen}

    def _cast(self, tree: Any) -> Any:
        return trees.map_leaves(lambda x: np.asarray(x, self._training.dtype), tree)

    def _arrays(self) -> dict[str, Any]:
        return {"data": self._data.arrays(), "weights": {"weights": self._rows()} if self._weighted else {}}

    def _rows(self, *shape: int) -> Any:
        return np.zeros((len(self._data.inputs[0]), *shape), self._training.dtype)

    def _filled(self, weights: Any) -> Any:
        """One for every row of the data, those included that fill up the last batch and count nothing."""
        more = len(self._data.inputs[0]) - len(weights)
        return np.asarray(np.concatenate([weights, weights[:more]]), self._training.dtype)

    def _unfilled(self, cotangents: Any) -> Any:
        return cotangents[: self._training.batches.rows]

    def _begin(self, loop: _Loop, course: Course, given: Any) -> None:
        if self._weighted:
            loop.arrays["weights"]["weights"][...] = self._filled(course.weights)
        loop.load(given)

    def _rows_of(self, number: int) -> Any:
        epoch, batch = divmod(number, self._training.steps_per_epoch)
        return self._block.order[epoch, batch * self._training.batch_size : (batch + 1) * self._training.batch_size]

    def _run(self, loop: _Loop, course: Course, first: int, count: int, moved: Sequence[Any] = ()) -> None:
        """Carry out some steps. The engine is given the orders of rows of their epochs only."""
        begin, until = (x // self._training.steps_per_epoch for x in (first, first + count - 1))
        part = slice(first, first + count)
        scalars = [self._cast(course.rates[part]), *(x[part] for x in (*self._block.scalars[1:], *moved))]
        order = self._block.order[begin : until + 1]
        loop.runner.run(order, first - begin * self._training.steps_per_epoch, count, scalars)


class _Loop:
    """A step of `Unrolled` as a loop, ready to run on its arrays, which may be written to between runs."""

    def __init__(self, training: Training, engine: str, step: Any, given: Any, arrays: Any, ways: int = 0) -> None:
        data, size = trees.flatten(arrays)[0], training.batch_size
        leaves, self._structure = trees.flatten(given)
        number, *others = scalar_types(training.dtype)

        def program(rows: int) -> Any:
            return simplify(trace(step, types_of(given), types_of(arrays, rows), number, *others, *[number] * ways))

        rest = len(data[0]) % size
        loop = TrainingLoop(program(size), program(rest) if rest else None, len(leaves), size)
        self.arrays, self.runner = arrays, prepare(loop, data, engine)

    def load(self, given: Any) -> None:
        """Go on from this state."""
        self.runner.load(trees.flatten(given)[0])

    @property
    def state(self) -> Any:
        """The state as it is now."""
        return trees.unflatten(self._structure, self.runner.state)


class _Backward:
    """The derivative of a step as a function with memory of its own."""

    def __init__(self, pulled: Callable[..., Any], given: Sequence[Any], engine: str) -> None:
        program = simplify(trace(pulled, *types_of(list(given))))
        self._structure = program.outputs_structure
        self._workspace: Workspace = choose(engine, program, task="carry derivatives back").function(program).workspace()

    def __call__(self, given: Sequence[Any]) -> Any:
        """The cotangent of the point."""
        for place, value in zip(self._workspace.inputs, trees.flatten(list(given))[0], strict=True):
            place[...] = value
        return trees.unflatten(self._structure, [np.array(x) for x in self._workspace.run()])


def finite(tree: Any) -> None:
    """Refuse numbers that are none."""
    if not all(np.isfinite(x).all() for x in trees.flatten(tree)[0]):
        raise DivergedError("the training, or its derivative, left the finite numbers. Use a smaller learning rate, or fewer epochs.")
