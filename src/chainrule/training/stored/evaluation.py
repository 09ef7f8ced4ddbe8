"""The metrics of a network on stored rows, block by block."""

from __future__ import annotations

from chainrule.engines import Engine
from chainrule.engines.choice import AUTO
from chainrule.nn.parameters import Parameters
from chainrule.training.evaluation import Evaluator, size_in_all
from chainrule.training.objective import Batch, Objective
from chainrule.training.stored.arrays import Store, store_of
from chainrule.training.weights import counted


class StoredEvaluator:
    """An objective, without penalties, on the rows of a store; each block is judged by itself."""

    def __init__(self, objective: Objective, store: Store, engine: str | Engine = AUTO) -> None:
        self._objective, self._store, self._engine = objective, store, engine

    def __call__(self, parameters: Parameters) -> dict[str, float]:
        """Metrics by name, as means over all rows; the loss as a sum where that is what it lowers."""
        sums = dict.fromkeys(self._objective.metrics, 0.0)
        total, adds = 0.0, self._objective.reduction == "sum"
        for block in self._store.blocks():
            size = size_in_all(counted(block))
            total += size
            for name, value in Evaluator(self._objective, block, self._engine)(parameters).items():
                sums[name] += value if adds and name == "loss" else size * value
        return {name: value if adds and name == "loss" else value / max(total, 1e-30) for name, value in sums.items()}


def evaluator_of(objective: Objective, data: Batch, engine: str | Engine = AUTO) -> Evaluator | StoredEvaluator:
    """What measures on these data."""
    store = store_of(data)
    return Evaluator(objective, data, engine) if store is None else StoredEvaluator(objective, store, engine)
