"""The metrics of a network on data it is not learning from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule.engines import ENGINES
from chainrule.engines.rows import RowFunction, pays, time_saved
from chainrule.errors import UnknownNameError, UnsupportedError
from chainrule.nn.model import Model
from chainrule.nn.parameters import Parameters
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Program, simplify, trace, trees
from chainrule.tracing.rowwise import is_rowwise
from chainrule.training.cache import Cache, are_settled, key_of
from chainrule.training.objective import Batch, Objective, Penalty, types_of

CHUNK = 4096
"""Rows evaluated at once by NumPy: enough to be fast, few enough for any memory."""

_functions = Cache()


def in_chunks(rows: int, are_apart: Callable[[], bool]) -> Iterator[slice]:
    """All rows, a bounded number at once, unless they depend on each other, which is asked only where there are many."""
    step = CHUNK if rows <= CHUNK or are_apart() else rows
    for begin in range(0, rows, step):
        yield slice(begin, begin + step)


def keeps_rows_apart(program: Callable[[int], Program], held: int) -> bool:
    """Whether what is computed for so many rows is computed for each by itself; the first `held` inputs are no rows."""
    try:
        return is_rowwise(program(2), held)
    except Exception:  # the user's code, which may not take two rows, or cannot be traced: nothing is known of its rows
        return False


class Evaluator:
    """An objective, without penalties, on one set of data.

    With the engine `auto` it is machine code if that saves more time than compiling takes, by `time_saved` and the
    number of evaluations there are, and for the library's own layers and losses.
    """

    def __init__(self, objective: Objective, data: Batch, engine: str = "auto", saving: float = 0.0) -> None:
        self._objective = Objective(objective.model, objective.heads, Penalty())
        self._arrays, self._data = data.arrays(), data
        self._types = parameter_types(objective.model, data.inputs[0].dtype)
        self._held = len(trees.flatten(self._types)[0])
        self._program = _samples(self._objective, data, self._types)
        self._function: RowFunction | None = None
        if engine not in ENGINES:
            raise UnknownNameError.among("engine", engine, ENGINES)
        self._settled = are_settled(objective.model.function, (objective.heads,))
        if engine == "llvm" or (engine == "auto" and self._settled and pays(saving)):
            try:
                self._function = self._compiled()
            except UnsupportedError:
                if engine == "llvm":
                    raise

    @property
    def engine(self) -> str:
        """What evaluates."""
        return "numpy" if self._function is None else "llvm"

    def __call__(self, parameters: Parameters) -> dict[str, float]:
        """Metrics by name, as means over all rows."""
        means = None if self._function is None else self._by_machine_code(self._function, parameters)
        if means is None:
            means = self._by_numpy(parameters)
        return dict(zip(self._objective.metrics, map(float, means), strict=True))

    def _by_numpy(self, parameters: Parameters) -> Any:
        total: Any = 0.0
        weight = 0.0
        for rows in in_chunks(len(self._arrays[0]), self._rows_are_apart):
            batch = self._data.like([x[rows] for x in self._arrays])
            with np.errstate(all="ignore"):
                loss, accuracies = self._objective(parameters, batch)
            size = float(len(batch.inputs[0]) if batch.weights is None else batch.weights.sum())
            total = total + size * np.array([loss, *accuracies], np.float64)
            weight += size
        return total / max(weight, 1e-30)

    def _rows_are_apart(self) -> bool:
        return self._settled or keeps_rows_apart(self._program, self._held)

    def _by_machine_code(self, function: RowFunction, parameters: Parameters) -> Any:
        weights = self._data.weights
        arrays = self._arrays if weights is None else self._arrays[:-1]
        samples = function(trees.flatten(parameters)[0], arrays)
        if samples is None:
            return None
        if weights is None:
            return [np.mean(x, dtype=np.float64) for x in samples]
        return [np.sum(weights * x, dtype=np.float64) / max(float(weights.sum()), 1e-30) for x in samples]

    def _compiled(self) -> RowFunction:
        """Machine code for samples, remembered for networks of the same kind."""
        objective, data = self._objective, self._data
        types = (self._types, types_of((data.inputs, data.targets, data.class_indices), 1))
        function: RowFunction = _functions.find(
            key_of(objective.model.function, (objective.heads,), types), lambda: RowFunction(self._program, self._held)
        )
        return function


def _samples(objective: Objective, data: Batch, parameters: Any) -> Callable[[int], Program]:
    """The loss and the right answers of so many samples, one by one; of the data only one row is kept."""
    parts = Batch(data.inputs, data.targets, data.class_indices)
    row = parts.like([x[:1].copy() for x in parts.arrays()])

    def samples(parameters: Any, arrays: list[Any]) -> Any:
        batch = row.like(arrays)
        losses, rights = objective.judged(objective.model.apply(parameters, batch.inputs), batch)
        return sum(losses[1:], start=losses[0]), *rights, finiteness(batch.inputs)

    return lambda rows: simplify(trace(samples, parameters, types_of(row.arrays(), rows)))


def finiteness(inputs: Any) -> Any:
    """For every row 0, or NaN if an input is NaN or infinite."""
    return sum(np.sum(np.reshape(x, (x.shape[0], -1)) * 0, axis=1) for x in inputs)


def parameter_types(model: Model, dtype: Any) -> dict[str, dict[str, ArrayType]]:
    """The types of a model's parameters, nested as they are."""
    return {
        layer: {name: ArrayType(spec.shape, np.dtype(dtype)) for name, spec in own.items()}
        for layer, own in model.specs.items()
    }


def evaluation_saving(model: Model, rows: int) -> float:
    """About how many seconds sooner than NumPy machine code evaluates rows: twice as many as for the outputs alone."""
    return 2 * time_saved(*sizes_of(model), rows)


def sizes_of(model: Model) -> tuple[int, int]:
    """How many parameters a model has, and how many numbers its layers give for one row."""
    parameters = sum(int(np.prod(spec.shape)) for own in model.specs.values() for spec in own.values())
    return parameters, sum(int(np.prod(shape)) for shape in model.shapes.values())
