"""One training step as plain NumPy code, and the loop an engine repeats it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.autodiff.transforms import observed_gradient
from chainrule.errors import SettingError, ShapeError
from chainrule.nn.parameters import Parameters, flat_names
from chainrule.tracing import trees
from chainrule.training.objective import Batch, Objective, merged
from chainrule.training.optimizer import Optimizer
from chainrule.training.run import as_text


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
class StepTaken:
    """What a step computed: the new state, the metrics of its batch before the update, and what was in between.

    `layers` are the names of the layers in the order they were called, and for each `calls` has its inputs, z, a and
    the derivatives of the loss by z and by a. What a value does not have is `None`: a layer without activation
    function z, a value that no parameter reaches a derivative. `gradients` are as found, and `clipped` as used.
    """

    state: dict[str, Any]
    metrics: list[Any]
    layers: list[str]
    calls: list[tuple[list[Any], Any, Any, Any, Any]]
    outputs: Any
    by_outputs: Any
    gradients: Parameters
    clipped: Parameters


@dataclass(frozen=True)
class TrainingStep:
    """Forward pass, loss, backward pass, clipping and update, on one batch.

    The state is a dict of `learned` parameters, among them those that the pass sets (`Model.running`), `frozen` ones, the
    strengths of the `penalty`, and the optimizer's `optimizer_state`.
    """

    objective: Objective
    optimizer: Optimizer
    clipping: Clipping

    @cached_property
    def as_texts(self) -> dict[str, str]:
        """Its settings that are no part of the objective's kind, as a run keeps them."""
        return {"optimizer": as_text(self.optimizer), "penalty": as_text(self.objective.penalty)}

    def initial_state(self, learned: Parameters, frozen: Parameters) -> dict[str, Any]:
        """The state before the first step."""
        running = self.objective.model.running
        optimizer_state = {
            layer: {
                name: {} if f"{layer}.{name}" in running else dict(self.optimizer.initial_state(p))
                for name, p in own.items()
            }
            for layer, own in learned.items()
        }
        dtype = next(x.dtype for own in learned.values() for x in own.values())
        penalty = {name: np.asarray(x, dtype) for name, x in self.objective.penalty.strengths.items()}
        return {"learned": learned, "frozen": frozen, "penalty": penalty, "optimizer": optimizer_state}

    def parted(self, state: Any) -> tuple[Parameters, Parameters]:
        """The parameters that gradients move; and all others, frozen ones and those that the pass sets, which have none."""
        running = self.objective.model.running
        moved: Parameters = {}
        others: Parameters = {}
        for layer, own in state["learned"].items():
            for name, value in own.items():
                (others if f"{layer}.{name}" in running else moved).setdefault(layer, {})[name] = value
        return moved, merged(state["frozen"], others)

    def loss(
        self, learned: Parameters, frozen: Parameters, batch: Batch, key: Any, strengths: Any = None
    ) -> tuple[Any, list[Any]]:
        """The objective on one batch, and its metrics."""
        return self.objective(merged(frozen, learned), batch, key, strengths)

    def update(
        self, state: Any, clipped: Parameters, rate: Any, count: Any, running: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        """The state after a step along these gradients, which are clipped; the rate is one, or one for every layer by name.

        What is `running` is as the pass left it.
        """
        learned: Parameters = {}
        optimizer_state: dict[str, dict[str, Any]] = {}
        for layer, own in state["learned"].items():
            learned[layer], optimizer_state[layer] = {}, {}
            own_rate = rate[layer] if isinstance(rate, Mapping) else rate
            for name, parameter in own.items():
                if f"{layer}.{name}" in self.objective.model.running:
                    new = running.get(layer, {}).get(name, parameter)
                    learned[layer][name], optimizer_state[layer][name] = self._like(parameter, new, name), {}
                    continue
                old = state["optimizer"][layer][name]
                new, kept = self.optimizer.update(clipped[layer][name], parameter, old, own_rate, count)
                learned[layer][name] = self._like(parameter, new, "the parameter")
                optimizer_state[layer][name] = {key: self._like(old[key], kept[key], key) for key in old}
        return {
            "learned": learned,
            "frozen": state["frozen"],
            "penalty": state["penalty"],
            "optimizer": optimizer_state,
        }

    def _like(self, old: Any, new: Any, what: str) -> Any:
        """New numbers in the dtype of the old ones, in whose place they are written."""
        shape, kind = np.shape(new), np.result_type(new)
        if shape != np.shape(old) or not np.can_cast(kind, old.dtype, "same_kind"):
            raise ShapeError(
                f"{type(self.optimizer).__name__}.update gave {what} as {kind}{list(shape)}, and was given it as "
                f"{old.dtype}{list(np.shape(old))}. Give it back in its shape and kind of number."
            )
        if not hasattr(new, "dtype"):
            return np.asarray(new, old.dtype)
        return new if new.dtype == old.dtype else new.astype(old.dtype)

    def carry_out(self, state: Any, batch: Batch, rate: Any, count: Any, key: Any) -> StepTaken:
        """One step, and all that there is to be seen of it."""
        layers: list[str] = []

        moved, others = self.parted(state)

        def objective(moved: Parameters) -> tuple[Any, Any]:
            value, metrics, outcome = self.objective.observed(merged(others, moved), batch, key, state["penalty"])
            layers.extend(name for name, *_ in outcome.readings)
            calls = [(list(inputs), z, a) for _, inputs, z, a in outcome.readings]
            return value, (metrics, calls, outcome.outputs, outcome.running)

        value, gradients, seen, cotangents = observed_gradient(objective)(moved)
        metrics, calls, outputs, running = seen
        _, by_calls, by_outputs, _ = cotangents
        clipped = self.clipping(gradients)
        return StepTaken(
            self.update(state, clipped, rate, count, running),
            [value, *metrics],
            layers,
            [(*call, dz, da) for call, (_, dz, da) in zip(calls, by_calls, strict=True)],
            outputs,
            by_outputs,
            gradients,
            clipped,
        )

    def __call__(self, state: Any, batch: Batch, rate: Any, count: Any, key: Any) -> tuple[Any, list[Any]]:
        """The new state, and the metrics of this batch before the update."""
        taken = self.carry_out(state, batch, rate, count, key)
        return taken.state, taken.metrics


def parameter_count(parameters: Parameters) -> int:
    """Number of numbers."""
    return sum(int(np.size(value)) for value in flat_names(parameters).values())
