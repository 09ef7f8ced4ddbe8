"""The metrics of a network on data it is not learning from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule.engines.choice import AUTO, REFERENCE, environment, named, quickest
from chainrule.engines.engine import Engine
from chainrule.engines.rows import RowFunction
from chainrule.errors import UnsupportedError
from chainrule.nn.model import Model
from chainrule.nn.parameters import Parameters
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Program, simplify, trace, trees
from chainrule.tracing.any_rows import keeps_apart
from chainrule.training.cache import Cache, are_settled, key_of
from chainrule.training.objective import Batch, Objective, Penalty, types_of
from chainrule.training.weights import counted

CHUNK = 4096
"""Rows evaluated at once by NumPy: enough to be fast, few enough for any memory."""

_functions, _apart = Cache(), Cache()


def in_chunks(rows: int, are_apart: Callable[[], bool]) -> Iterator[slice]:
    """All rows, a bounded number at once, unless they depend on each other, which is asked only where there are many."""
    step = CHUNK if rows <= CHUNK or are_apart() else rows
    for begin in range(0, rows, step):
        yield slice(begin, begin + step)


def keeps_rows_apart(program: Callable[[int], Program], held: int) -> bool:
    """Whether rows are computed each by itself, however many they are; the first `held` inputs are no rows."""
    try:
        return keeps_apart(program, held, 2)
    except Exception:  # the user's code, which may not take two rows, or cannot be traced: nothing is known of its rows
        return False


class Evaluator:
    """An objective, without penalties, on one set of data.

    With the engine `auto` it is machine code if so many evaluations of so many rows save more time than compiling takes
    (`engines.choice.quickest`), and for the library's own layers and losses; nothing else counts. `engine` is the name of
    the one that evaluates.
    """

    def __init__(self, objective: Objective, data: Batch, engine: str = AUTO, times: int = 1) -> None:
        data = counted(data)
        self._objective = Objective(objective.model, objective.heads, Penalty())
        self._arrays, self._data = data.arrays(), data
        self._held = len(trees.flatten(parameter_types(objective.model, data.inputs[0].dtype))[0])
        self._key, self._program = _samples(self._objective, data)
        self._function: RowFunction | None = None
        self.engine = REFERENCE.name
        asked = chosen = named(engine)
        if chosen is None:
            settled = are_settled(objective.model.function, (objective.heads,))
            rows = len(self._arrays[0])  # an evaluation takes about twice as long as the outputs alone
            chosen = quickest(*sizes_of(objective.model), rows, 2 * times) if settled else REFERENCE
        if chosen is not REFERENCE:
            try:
                self._function, self.engine = self._by(chosen), chosen.name
            except UnsupportedError:
                if asked is not None:
                    raise

    def __call__(self, parameters: Parameters) -> dict[str, float]:
        """Metrics by name, as means over all rows; the loss as a sum where that is what it lowers."""
        means = None if self._function is None else self._by_rows(self._function, parameters)
        if means is None:
            means = self._by_numpy(parameters)
        metrics = dict(zip(self._objective.metrics, map(float, means), strict=True))
        if self._objective.reduction == "sum":
            metrics["loss"] *= _size(self._data)
        return metrics

    def _by_numpy(self, parameters: Parameters) -> Any:
        total: Any = 0.0
        weight = 0.0
        for rows in in_chunks(len(self._arrays[0]), lambda: samples_are_apart(self._objective, self._data)):
            batch = self._data.like([x[rows] for x in self._arrays])
            with np.errstate(all="ignore"):
                loss, accuracies = self._objective(parameters, batch)
            size = _size(batch)
            by_row = loss / max(size, 1e-30) if self._objective.reduction == "sum" else loss
            total = total + size * np.array([by_row, *accuracies], np.float64)
            weight += size
        return total / max(weight, 1e-30)

    def _by_rows(self, function: RowFunction, parameters: Parameters) -> Any:
        counts = self._data.counts
        arrays = self._arrays if counts is None else self._arrays[:-1]
        samples = function(trees.flatten(parameters)[0], arrays)
        if samples is None:
            return None
        if counts is None:
            return [np.mean(x, dtype=np.float64) for x in samples]
        return [np.sum(counts * x, dtype=np.float64) / max(float(counts.sum()), 1e-30) for x in samples]

    def _by(self, engine: Engine) -> RowFunction:
        """A function of samples, remembered for networks of the same kind."""
        key = None if self._key is None else (self._key, engine, environment())
        function: RowFunction = _functions.find(key, lambda: RowFunction(self._program, self._held, engine))
        return function


def validator(objective: Objective, data: Batch, engine: str, times: int) -> Evaluator:
    """An evaluator by a training's engine; by NumPy where that refuses what it did not refuse of the training."""
    try:
        return Evaluator(objective, data, engine, times)
    except UnsupportedError:
        return Evaluator(objective, data, REFERENCE.name)


def _size(batch: Batch) -> float:
    """How many rows there are, each as often as it counts."""
    return float(len(batch.inputs[0]) if batch.counts is None else batch.counts.sum())


def samples_are_apart(objective: Objective, data: Batch) -> bool:
    """Whether each sample's loss is proven to depend on that sample alone."""
    key, program = _samples(objective, data)
    held = len(trees.flatten(parameter_types(objective.model, data.inputs[0].dtype))[0])
    apart: bool = _apart.find(key, lambda: keeps_rows_apart(program, held))
    return apart


def _samples(objective: Objective, data: Batch) -> tuple[Any, Callable[[int], Program]]:
    """The loss and the right answers of so many samples, one by one, and the key they are remembered by.

    Of the data only one row is kept.
    """
    parameters = parameter_types(objective.model, data.inputs[0].dtype)
    parts = Batch(data.inputs, data.targets, data.class_indices)
    row = parts.like([x[:1].copy() for x in parts.arrays()])

    def samples(parameters: Any, arrays: list[Any]) -> Any:
        batch = row.like(arrays)
        losses, rights = objective.judged(objective.model.apply(parameters, batch.inputs), batch)
        return sum(losses[1:], start=losses[0]), *rights, finiteness(batch.inputs)

    types = (parameters, types_of((row.inputs, row.targets, row.class_indices)))
    key = key_of(objective.model.function, (objective.heads,), types)
    return key, lambda rows: simplify(trace(samples, parameters, types_of(row.arrays(), rows)))


def finiteness(inputs: Any) -> Any:
    """For every row 0, or NaN if an input is NaN or infinite."""
    return sum(np.sum(np.reshape(x, (x.shape[0], -1)) * 0, axis=1) for x in inputs)


def parameter_types(model: Model, dtype: Any) -> dict[str, dict[str, ArrayType]]:
    """The types of a model's parameters, nested as they are."""
    return {
        layer: {name: ArrayType(spec.shape, np.dtype(dtype)) for name, spec in own.items()}
        for layer, own in model.specs.items()
    }


def sizes_of(model: Model) -> tuple[int, int]:
    """How many parameters a model has, and how many numbers its layers give for one row."""
    parameters = sum(int(np.prod(spec.shape)) for own in model.specs.values() for spec in own.values())
    return parameters, sum(int(np.prod(shape)) for shape in model.shapes.values())
