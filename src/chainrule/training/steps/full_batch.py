"""The objective over all data at once, and its gradient, as a function of one vector: for optimizers such as SciPy's."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.autodiff import value_and_grad
from chainrule.engines import Engine
from chainrule.engines.choice import AUTO, choose, environment
from chainrule.nn.parameters import Parameters
from chainrule.tracing import simplify, trace, trees
from chainrule.training.cache import Cache, key_of
from chainrule.training.objective import Batch, Objective, types_of

_functions = Cache()


class FullBatchObjective:
    """v ↦ (objective, gradient), where the vector v holds all parameters, in their order.

    Parameters
    ----------
    objective : Objective
        What is to be lowered.
    parameters : nested dict of arrays
        Where it begins; their shapes and dtype are those it is computed with.
    data : Batch
        All rows.
    engine : {"auto", "llvm", "numpy"}
        What computes it.

    Attributes
    ----------
    start : array of float64, shape (numbers of all parameters,)
        The parameters at the beginning.
    """

    def __init__(self, objective: Objective, parameters: Parameters, data: Batch, engine: str | Engine = AUTO) -> None:
        self._leaves, self._structure = trees.flatten(parameters)
        self._dtype = self._leaves[0].dtype
        self._arrays = data.arrays()
        penalty = objective.penalty
        self._strengths = trees.map_leaves(lambda x: np.asarray(x, self._dtype), penalty.strengths)
        self._ends = np.cumsum([x.size for x in self._leaves])
        self.start = np.concatenate([x.ravel() for x in self._leaves]).astype(np.float64)
        types = (types_of(parameters), types_of(self._strengths), types_of(self._arrays))
        kinds = types_of((data.inputs, data.targets, data.class_indices, data.weights, data.counts))
        key = key_of(objective.model.function, (objective.heads, penalty.shared), (types, kinds), engine, environment())
        self._compute = _functions.find(key, lambda: _compiled(objective, data, types, engine))

    def parameters(self, vector: Any) -> Parameters:
        """The parameters that a vector holds."""
        pieces = np.split(np.asarray(vector, self._dtype), self._ends[:-1])
        values = [piece.reshape(leaf.shape) for piece, leaf in zip(pieces, self._leaves, strict=True)]
        nested: Parameters = trees.unflatten(self._structure, values)
        return nested

    def __call__(self, vector: Any) -> tuple[float, Any]:
        """The objective there, and its gradient as a vector of float64."""
        value, gradient = self._compute(self.parameters(vector), self._strengths, self._arrays)
        return float(value), np.concatenate([g.ravel() for g in trees.flatten(gradient)[0]]).astype(np.float64)


def _compiled(objective: Objective, data: Batch, types: Any, engine: str | Engine) -> Any:
    rows = data.like([0] * len(data.arrays()))  # the layout of the data, without the data

    def function(parameters: Any, strengths: Any, arrays: Any) -> Any:
        return value_and_grad(lambda p: objective(p, rows.like(arrays), None, strengths)[0])(parameters)

    program = simplify(trace(function, *types))
    run = choose(engine, program, task="compute this objective").executable(program)
    return lambda *args: trees.unflatten(program.outputs_structure, list(run(*trees.flatten(args)[0])))
