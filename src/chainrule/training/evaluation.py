"""The metrics of a network on data it is not learning from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from chainrule.engines.blas import quiet
from chainrule.engines.choice import AUTO, REFERENCE, environment, named, quickest
from chainrule.engines.engine import Engine
from chainrule.engines.loop import Measurement
from chainrule.engines.rows import RowFunction
from chainrule.errors import UnsupportedError
from chainrule.nn.model import Model
from chainrule.nn.parameters import Parameters, flat_names
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Program, simplify, trace, trees
from chainrule.tracing.passes.any_rows import keeps_apart
from chainrule.training.cache import Cache, are_settled, key_of
from chainrule.training.objective import Batch, Objective, Penalty, merged, types_of
from chainrule.training.weights import counted

CHUNK = 4096
"""Rows evaluated at once by NumPy: enough to be fast, few enough for any memory."""

Scorer = Callable[[Parameters], Mapping[str, float]]
"""Gives further metrics of the parameters at the end of an epoch."""

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

    With the engine `auto` it is machine code if one evaluation of so many rows saves more time than compiling takes
    (`engines.choice.quickest`), and for the library's own layers and losses; nothing else counts.
    """

    def __init__(self, objective: Objective, data: Batch, engine: str | Engine = AUTO) -> None:
        data = counted(data)
        self._objective = Objective(objective.model, objective.heads, Penalty())
        self._arrays, self._data = data.arrays(), data
        self._held = len(trees.flatten(parameter_types(objective.model, data.inputs[0].dtype))[0])
        self._key, self._program = _samples(self._objective, data)
        self._function: RowFunction | None = None
        asked = chosen = named(engine)
        if chosen is None:
            settled = are_settled(objective.model.function, (objective.heads,))
            rows = len(self._arrays[0])
            # an evaluation takes about twice as long as the outputs alone
            chosen = quickest(*sizes_of(objective.model), rows, 2) if settled else REFERENCE
        if chosen is not REFERENCE:
            try:
                self._function = self._by(chosen)
            except UnsupportedError:
                if asked is not None:
                    raise

    def __call__(self, parameters: Parameters) -> dict[str, float]:
        """Metrics by name, as means over all rows; the loss as a sum where that is what it lowers."""
        means = None if self._function is None else self._by_rows(self._function, parameters)
        if means is None:
            with quiet(len(self._arrays[0]), sizes_of(self._objective.model)[0]):
                means = self._by_numpy(parameters)
        metrics = dict(zip(self._objective.metrics, map(float, means), strict=True))
        if self._objective.reduction == "sum":
            metrics["loss"] *= size_in_all(self._data)
        return metrics

    def _by_numpy(self, parameters: Parameters) -> Any:
        total: Any = 0.0
        weight = 0.0
        for rows in in_chunks(len(self._arrays[0]), lambda: samples_are_apart(self._objective, self._data)):
            batch = self._data.like([x[rows] for x in self._arrays])
            with np.errstate(all="ignore"):
                loss, accuracies = self._objective(parameters, batch)
            size = size_in_all(batch)
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


BATCH, QUANTUM = 256, 16
"""The most rows of a batch that is measured in a training's loop, and of what its size is a multiple, so that nearly as many rows
are measured by the same code."""


def measurement_of(objective: Objective, data: Batch, state: Any) -> Measurement:
    """What is measured on data at the end of an epoch, of a training's state: Σ c·v of losses and of right answers.

    The samples must be apart. `means_of` makes means of the sums.
    """
    data, size = counted(data), size_of(data)

    def sums(state: Any, arrays: list[Any], rows: Any) -> list[Any]:
        batch = data.like(arrays)
        parameters = merged(state["frozen"], state["learned"])
        dtype = next(iter(flat_names(parameters).values())).dtype
        inputs = [x if x.dtype == dtype else x.astype(dtype) for x in batch.inputs]
        losses, rights = objective.judged(objective.model.apply(parameters, inputs), batch)
        weights = np.where(
            np.arange(size) < rows, 1.0 if batch.counts is None else batch.counts.astype(np.float64), 0.0
        )
        samples = (sum(losses[1:], start=losses[0]), *rights)
        return [np.sum(np.where(weights > 0, weights * x.astype(np.float64), 0.0)) for x in samples]

    types = types_of(state), types_of(data.arrays(), size), ArrayType((), np.dtype(np.int64))
    return Measurement(simplify(trace(sums, *types)), len(data.arrays()), size)


def size_of(data: Batch) -> int:
    """The rows of a batch that is measured: as few batches as there can be, as equal as they can be."""
    rows = len(data.inputs[0])
    return -(-rows // (-(-rows // BATCH) * QUANTUM)) * QUANTUM


def means_of(sums: Any, objective: Objective, data: Batch) -> dict[str, Any]:
    """Metrics by name, of sums that were measured, (epochs, metrics): means, or the loss as a sum where that is what it lowers."""
    means = sums / max(size_in_all(counted(data)), 1e-30)
    columns = dict(zip(objective.metrics, means.T, strict=True))
    return columns | {"loss": sums[:, 0]} if objective.reduction == "sum" else columns


def size_in_all(batch: Batch) -> float:
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


def row_bytes(model: Model, dtype: Any) -> int:
    """What a row of a model's inputs takes."""
    return sum(int(np.prod(shape)) for shape in model.inputs) * int(np.dtype(dtype).itemsize)
