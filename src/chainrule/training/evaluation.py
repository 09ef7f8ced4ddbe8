"""The figures of a network on data it is not learning from."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.engines import ENGINES
from chainrule.engines.rows import RowFunction, pays, time_saved
from chainrule.errors import UnknownNameError, UnsupportedError
from chainrule.nn.model import Model
from chainrule.nn.parameters import Parameters
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Program, simplify, trace, trees
from chainrule.training.objective import Batch, Objective, Penalty, types_of
from chainrule.training.remembering import Memory, are_settled, key_of

CHUNK = 4096
"""Rows evaluated at once by NumPy: enough to be fast, few enough for any memory."""

_functions = Memory()


class Evaluator:
    """An objective, without penalties, on one set of data.

    With the engine `auto` it is machine code if that saves more time than compiling takes, by `time_saved` and the
    number of evaluations there are, and for the library's own layers and losses.
    """

    def __init__(self, objective: Objective, data: Batch, engine: str = "auto", saving: float = 0.0) -> None:
        self._objective = Objective(objective.model, objective.heads, Penalty())
        self._arrays, self._data = data.arrays(), data
        self._function: RowFunction | None = None
        if engine not in ENGINES:
            raise UnknownNameError.among("engine", engine, ENGINES)
        if engine == "llvm" or (
            engine == "auto" and are_settled(objective.model.function, (objective.heads,)) and pays(saving)
        ):
            try:
                self._function = self._compiled()
            except UnsupportedError:
                if engine == "llvm":
                    raise

    def __call__(self, parameters: Parameters) -> dict[str, float]:
        """Figures by name, as means over all rows."""
        means = None if self._function is None else self._by_machine_code(self._function, parameters)
        if means is None:
            means = self._by_numpy(parameters)
        return dict(zip(self._objective.figures, map(float, means), strict=True))

    def _by_numpy(self, parameters: Parameters) -> Any:
        total: Any = 0.0
        weight = 0.0
        for begin in range(0, len(self._arrays[0]), CHUNK):
            batch = self._data.like([x[begin : begin + CHUNK] for x in self._arrays])
            with np.errstate(all="ignore"):
                loss, accuracies = self._objective(parameters, batch)
            size = float(len(batch.inputs[0]) if batch.weights is None else batch.weights.sum())
            total = total + size * np.array([loss, *accuracies], np.float64)
            weight += size
        return total / max(weight, 1e-30)

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
        """The loss and the right answers of every sample, remembered for networks of the same kind."""
        objective, data = self._objective, self._data
        parameters = parameter_types(objective.model, data.inputs[0].dtype)
        parts = Batch(data.inputs, data.targets, data.codes)

        def samples(parameters: Any, arrays: list[Any]) -> Any:
            batch = parts.like(arrays)
            losses, rights = objective.judged(objective.model.apply(parameters, batch.inputs), batch)
            return sum(losses[1:], start=losses[0]), *rights, finiteness(batch.inputs)

        def program(rows: int) -> Program:
            return simplify(trace(samples, parameters, types_of(parts.arrays(), rows)))

        types = (parameters, types_of((parts.inputs, parts.targets, parts.codes), 1))
        held = len(trees.flatten(parameters)[0])
        function: RowFunction = _functions.find(
            key_of(objective.model.function, (objective.heads,), types), lambda: RowFunction(program, held)
        )
        return function


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
