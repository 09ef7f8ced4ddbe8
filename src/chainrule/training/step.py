"""One training step as plain NumPy code, and the loop an engine repeats it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.autodiff import value_and_grad
from chainrule.errors import SettingError
from chainrule.nn.parameters import Parameters, flat_names
from chainrule.tracing import trees
from chainrule.training.objective import Batch, Objective, merged
from chainrule.training.optimizer import Optimizer


@dataclass(frozen=True)
class Clipping:
    """Gradients kept in bounds: every number within ±value, or all of them together shorter than norm."""

    value: float | None = None
    norm: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "norm"):
            bound = getattr(self, name)
            if bound is not None:
                SettingError.unless_number("fit", f"clip_{name}", bound, above=0)

    def __call__(self, gradients: Parameters) -> Parameters:
        """The gradients, clipped."""
        value, norm = self.value, self.norm
        if value is not None:
            gradients = trees.map_leaves(lambda g: np.clip(g, -value, value), gradients)
        if norm is not None:
            length = np.sqrt(sum(np.sum(np.square(g)) for g in trees.flatten(gradients)[0]))
            factor = norm / np.maximum(length, norm)
            gradients = trees.map_leaves(lambda g: g * factor, gradients)
        return gradients


@dataclass(frozen=True)
class TrainingStep:
    """Forward pass, loss, backward pass, clipping and update, on one batch.

    The state is a dict of `learned` parameters, `frozen` ones, the strengths of the `penalty`, and the optimizer's
    `optimizer_state`.
    """

    objective: Objective
    optimizer: Optimizer
    clipping: Clipping

    def initial_state(self, learned: Parameters, frozen: Parameters) -> dict[str, Any]:
        """The state before the first step."""
        optimizer_state = trees.map_leaves(lambda p: dict(self.optimizer.initial_state(p)), learned)
        dtype = trees.flatten(learned)[0][0].dtype
        penalty = trees.map_leaves(lambda x: np.asarray(x, dtype), self.objective.penalty.strengths)
        return {"learned": learned, "frozen": frozen, "penalty": penalty, "optimizer": optimizer_state}

    def loss(
        self, learned: Parameters, frozen: Parameters, batch: Batch, key: Any, strengths: Any = None
    ) -> tuple[Any, list[Any]]:
        """The objective on one batch, and its metrics."""
        return self.objective(merged(frozen, learned), batch, key, strengths)

    def update(self, state: Any, gradients: Parameters, rate: Any, count: Any) -> dict[str, Any]:
        """The state after a step along these gradients."""
        clipped = self.clipping(gradients)
        learned: Parameters = {}
        optimizer_state: dict[str, dict[str, Any]] = {}
        for layer, own in state["learned"].items():
            learned[layer], optimizer_state[layer] = {}, {}
            for name, parameter in own.items():
                new, kept = self.optimizer.update(
                    clipped[layer][name], parameter, state["optimizer"][layer][name], rate, count
                )
                learned[layer][name], optimizer_state[layer][name] = (
                    new,
                    {key: kept[key] for key in state["optimizer"][layer][name]},
                )
        return {
            "learned": learned,
            "frozen": state["frozen"],
            "penalty": state["penalty"],
            "optimizer": optimizer_state,
        }

    def __call__(self, state: Any, batch: Batch, rate: Any, count: Any, key: Any) -> tuple[Any, list[Any]]:
        """The new state, and the metrics of this batch before the update."""
        objective = value_and_grad(lambda p: self.loss(p, state["frozen"], batch, key, state["penalty"]), has_aux=True)
        (value, metrics), gradients = objective(state["learned"])
        return self.update(state, gradients, rate, count), [value, *metrics]


def parameter_count(parameters: Parameters) -> int:
    """Number of numbers."""
    return sum(int(np.size(value)) for value in flat_names(parameters).values())
